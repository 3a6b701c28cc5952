//! Multi-scalar multiplication with tables of fixed points: no window is doubled, and all of them share one set of buckets
//! (Brickell, Gordon, McCurley and Wilson, "Fast exponentiation with precomputation", 1992, section 3; Pippenger).

use std::ops::Range;

use blst::{blst_p1, blst_p1_affine as Point};
use rayon::prelude::*;

use crate::affine::{
    add_points, double_point, negate_if, projective, sum_groups, times_z_squared, weighted_and_plain_sum,
};
use crate::curve::to_affine;
use crate::field::Fr;
use crate::msm::{halves, Windows};
use crate::pool::on_all_cores;

/// Points that one core shifts at a time.
const CHUNK: usize = 64;
/// Scalars that one core takes at a time: their tables and terms stay in its cache.
const BLOCK: usize = 350;

/// 2^(bits w) * point for each point and each window w of a half scalar. Images under z^2 are made where they are used: a
/// multiplication takes less than reading twice as much.
pub struct Shifts {
    windows: Windows,
    /// Point after point, window after window.
    points: Vec<Point>,
}

impl Shifts {
    pub fn new(points: &[Point], bits: u32) -> Shifts {
        let windows = Windows::new(bits, 127);
        let shifted = |point: &Point| {
            let next = |previous: &blst_p1| Some((0..bits).fold(*previous, |point, _| double_point(&point)));
            std::iter::successors(Some(projective(point)), next).take(windows.count as usize)
        };
        let fill = |chunk: &[Point]| to_affine(&chunk.iter().flat_map(shifted).collect::<Vec<_>>());
        let points = if points.len() <= CHUNK {
            fill(points)
        } else {
            on_all_cores(|| points.par_chunks(CHUNK).flat_map_iter(fill).collect())
        };
        Shifts { windows, points }
    }

    /// With the windows that make multiplying all points by full-size scalars cheapest.
    pub fn for_all(points: &[Point]) -> Shifts {
        let additions = |bits: &u32| {
            let windows = Windows::new(*bits, 127);
            2 * points.len() * windows.count as usize + 5 * windows.buckets() / 2
        };
        Shifts::new(points, (4..=16).min_by_key(additions).unwrap_or(8))
    }

    /// How many points there are tables of.
    pub fn len(&self) -> usize {
        self.points.len() / self.windows.count as usize
    }

    /// Whether there are so many large scalars that summing all buckets is the smaller part.
    pub fn pay_for(&self, scalars: &[Fr]) -> bool {
        let large = scalars.iter().filter(|scalar| !scalar.is_short()).count();
        self.terms(large) > 4 * self.buckets()
    }

    pub fn buckets(&self) -> usize {
        self.windows.buckets()
    }

    /// Terms for so many full-size scalars, at most.
    pub fn terms(&self, scalars: usize) -> usize {
        2 * scalars * self.windows.count as usize
    }

    /// Every digit but 0 of the scalar of point k: its bucket, the term it multiplies, and whether it is negative.
    fn digits(&self, k: usize, scalar: Fr, mut add: impl FnMut(usize, Term)) {
        for (half, (magnitude, negative)) in halves(scalar).into_iter().enumerate() {
            if magnitude == 0 {
                continue;
            }
            for window in 0..self.windows.count {
                let (bucket, flipped) = self.windows.digit(window, magnitude);
                if bucket > 0 {
                    let entry = k * self.windows.count as usize + window as usize;
                    add(bucket, Term { entry: entry as u32, image: half == 1, negative: negative != flipped });
                }
            }
        }
    }

    fn point(&self, term: Term) -> Point {
        let point = &self.points[term.entry as usize];
        if term.image {
            times_z_squared(&negate_if(point, term.negative))
        } else {
            negate_if(point, term.negative)
        }
    }

    /// The same digits for a few scalars, with their points.
    pub fn addends(&self, scalars: &[Fr], mut add: impl FnMut(usize, Point)) {
        for (k, &scalar) in scalars.iter().enumerate() {
            self.digits(k, scalar, |bucket, term| add(bucket, self.point(term)));
        }
    }

    /// sum_i scalars[i] * points[i], for at most as many scalars as points.
    pub fn multiply(&self, scalars: &[Fr]) -> blst_p1 {
        on_all_cores(|| {
            let cores = rayon::current_num_threads();
            let blocks = scalars.len().div_ceil(cores * BLOCK).max(1) * cores;
            let size = scalars.len().div_ceil(blocks).max(1);
            let sum = |(block, scalars)| self.block(size * block, scalars);
            let blocks: Vec<Vec<Point>> = scalars.par_chunks(size).enumerate().map(sum).collect();
            let total = |buckets: Range<usize>| {
                let points: Vec<Point> = buckets.clone().flat_map(|i| blocks.iter().map(move |sums| sums[i])).collect();
                weighted_and_plain_sum(&sum_groups(points, vec![blocks.len(); buckets.len()]))
            };
            let half = self.buckets() / 2;
            let ((low, _), (high, plain)) = rayon::join(|| total(0..half), || total(half..2 * half));
            // sum (i + 1) b_i = sum over the lower half + sum over the upper half + half * plain sum of the upper half
            let lifted = (0..half.ilog2()).fold(plain, |point, _| double_point(&point));
            add_points(&add_points(&low, &high), &lifted)
        })
    }

    /// The sum of each bucket from 1 on, over the scalars of the points from `first` on.
    fn block(&self, first: usize, scalars: &[Fr]) -> Vec<Point> {
        let mut terms = Vec::with_capacity(self.terms(scalars.len()));
        let mut sizes = vec![0; self.buckets()];
        for (k, &scalar) in scalars.iter().enumerate() {
            self.digits(first + k, scalar, |bucket, term| {
                sizes[bucket - 1] += 1;
                terms.push((bucket as u32 - 1, term));
            });
        }
        let mut ends: Vec<usize> =
            sizes.iter().scan(0, |end, size| Some(std::mem::replace(end, *end + size))).collect();
        let mut sorted = vec![Point::default(); terms.len()];
        for &(bucket, term) in &terms {
            sorted[ends[bucket as usize]] = self.point(term);
            ends[bucket as usize] += 1;
        }
        sum_groups(sorted, sizes)
    }
}

/// An entry of the table or its image under z^2, with a sign.
#[derive(Clone, Copy, Default)]
struct Term {
    entry: u32,
    image: bool,
    negative: bool,
}
