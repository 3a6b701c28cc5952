//! Multi-scalar multiplication in G1: Pippenger's buckets over the curve's endomorphism.
//!
//! Every scalar k becomes k = q z^2 + m with |q|, |m| < 2^127, signs moved to the points (Gallant, Lambert and
//! Vanstone). Halves are sorted by size, so that small scalars of either sign cost few windows, and each window
//! sorts its points into buckets by signed digit and sums them by batched affine additions.

use blst::{blst_p1, blst_p1_affine as Point};
use rayon::prelude::*;

use crate::affine::{add_each, add_points, double_point, negate_if, sum_groups, times_z_squared, weighted_sum};
use crate::field::Fr;
use crate::pool::on_all_cores;

/// z^2, for the parameter z = -0xd201000000010000 of the curve.
const Z_SQUARED: u128 = 0xac45_a401_0001_a402_0000_0001_0000_0000;
/// floor(2^256 / z^2) - 2^128.
const Z_SQUARED_RECIPROCAL: u128 = 0x7c6b_ecf1_e01f_aadd_63f6_e522_f6cf_ee2e;
/// Sizes the halves are sorted by, in bits: a few large scalars must not drag many small ones along.
const SIZES: [u32; 3] = [16, 64, 127];
/// Below this many terms, interleaved multiplications (blst) beat buckets.
const FEW: usize = 64;

/// Terms magnitude * point.
#[derive(Default)]
struct Terms {
    points: Vec<Point>,
    magnitudes: Vec<u128>,
}

/// sum_i scalars[i] * points[i]; as many scalars as points, and the points in the subgroup.
pub fn multiply(points: &[Point], scalars: &[Fr]) -> blst_p1 {
    let classes = sorted_halves(points, scalars);
    if points.len() < 4 {
        // Not worth waking a thread.
        return classes
            .iter()
            .map(|terms| interleaved(&terms.points, &terms.magnitudes))
            .fold(blst_p1::default(), |a, b| add_points(&a, &b));
    }
    on_all_cores(|| classes.par_iter().map(Terms::sum).reduce(blst_p1::default, |a, b| add_points(&a, &b)))
}

fn sorted_halves(points: &[Point], scalars: &[Fr]) -> [Terms; SIZES.len()] {
    let mut classes: [Terms; SIZES.len()] = Default::default();
    for (point, scalar) in points.iter().zip(scalars) {
        for (half, (magnitude, negative)) in halves(*scalar).into_iter().enumerate() {
            let size = u128::BITS - magnitude.leading_zeros();
            if size == 0 {
                continue;
            }
            let class = SIZES.iter().take_while(|&&limit| limit < size).count();
            classes[class].points.push(image(point, half, negative));
            classes[class].magnitudes.push(magnitude);
        }
    }
    classes
}

/// A scalar as half[0] + half[1] * z^2: magnitudes of at most 127 bits, and whether each is negative.
pub type Halves = [(u128, bool); 2];

pub fn halves(scalar: Fr) -> Halves {
    // k in (-r/2, r/2), as a magnitude and a sign.
    let mut limbs = scalar.to_limbs();
    let negated = scalar.neg().to_limbs();
    let negative = negated.iter().rev().lt(limbs.iter().rev());
    if negative {
        limbs = negated;
    }
    let low = u128::from(limbs[0]) | u128::from(limbs[1]) << 64;
    let high = u128::from(limbs[2]) | u128::from(limbs[3]) << 64;

    // floor(k / z^2) is at most three above this estimate.
    let mut quotient = high + wide_product(high, Z_SQUARED_RECIPROCAL).1;
    let product = wide_product(quotient, Z_SQUARED);
    let (mut remainder, borrow) = low.overflowing_sub(product.0);
    let mut overflow = high - product.1 - u128::from(borrow);
    while overflow > 0 || remainder >= Z_SQUARED {
        overflow -= u128::from(remainder < Z_SQUARED);
        remainder = remainder.wrapping_sub(Z_SQUARED);
        quotient += 1;
    }
    if remainder <= Z_SQUARED / 2 {
        return [(remainder, negative), (quotient, negative)];
    }
    [(Z_SQUARED - remainder, !negative), (quotient + 1, negative)]
}

/// The point the half multiplies, with its sign.
fn image(point: &Point, half: usize, negative: bool) -> Point {
    let image = if half == 1 { times_z_squared(point) } else { *point };
    negate_if(&image, negative)
}

/// (low, high) of the 256-bit product.
fn wide_product(a: u128, b: u128) -> (u128, u128) {
    const LOW: u128 = u64::MAX as u128;
    let (a0, a1, b0, b1) = (a & LOW, a >> 64, b & LOW, b >> 64);
    let (low, cross, high) = (a0 * b0, a0 * b1, a1 * b1);
    let middle = a1 * b0 + (low >> 64) + (cross & LOW);
    ((low & LOW) | middle << 64, high + (middle >> 64) + (cross >> 64))
}

/// Signed digits of `bits` bits: all but the last in [-2^(bits-1), 2^(bits-1)), the last in [0, 2^(bits-1)].
#[derive(Clone, Copy)]
pub struct Windows {
    bits: u32,
    pub count: u32,
    /// 2^(bits-1) in every window but the last: adding it once makes each digit independent of the carries.
    offset: u128,
}

impl Windows {
    pub fn new(bits: u32, size: u32) -> Windows {
        let count = (size + 1).div_ceil(bits);
        let offset = (0..count - 1).map(|window| 1 << (bits * window + bits - 1)).sum();
        Windows { bits, count, offset }
    }

    /// The cheapest windows for `terms` magnitudes of `size` bits, in affine additions on the longest thread.
    fn cheapest(terms: usize, size: u32) -> Windows {
        let cost = |windows: &Windows| {
            let rounds = (windows.count as usize).div_ceil(rayon::current_num_threads());
            // Summing the buckets takes two and a half additions each; 150 is what a window costs empty.
            rounds * (terms + 5 * windows.buckets() / 2 + 150)
        };
        (4..=14).fold(Windows::new(3, size), |best, bits| {
            let wider = Windows::new(bits, size);
            if cost(&wider) < cost(&best) {
                wider
            } else {
                best
            }
        })
    }

    pub fn buckets(&self) -> usize {
        1 << (self.bits - 1)
    }

    /// The bucket of the digit, 0 for digit 0, and whether the digit is negative.
    pub fn digit(&self, window: u32, magnitude: u128) -> (usize, bool) {
        let shifted = ((magnitude + self.offset) >> (self.bits * window)) as usize;
        if window == self.count - 1 {
            return (shifted, false);
        }
        let biased = shifted & (2 * self.buckets() - 1);
        (biased.abs_diff(self.buckets()), biased < self.buckets())
    }
}

impl Terms {
    fn sum(&self) -> blst_p1 {
        if self.points.len() < FEW {
            return self.few();
        }
        let size = self.magnitudes.iter().fold(0, |all, magnitude| all | magnitude).ilog2() + 1;
        let windows = Windows::cheapest(self.points.len(), size);
        let sums: Vec<blst_p1> = (0..windows.count).into_par_iter().map(|w| self.window(&windows, w)).collect();
        sums.iter().rev().fold(blst_p1::default(), |total, sum| {
            let shifted = (0..windows.bits).fold(total, |point, _| double_point(&point));
            add_points(&shifted, sum)
        })
    }

    /// sum of digit * point over all terms, for the digits of one window.
    fn window(&self, windows: &Windows, window: u32) -> blst_p1 {
        let digits: Vec<(usize, bool)> = self.magnitudes.iter().map(|&m| windows.digit(window, m)).collect();
        bucket_sum(&self.points, &digits, windows.buckets())
    }

    /// Interleaved windowed multiplications, a share for each thread.
    fn few(&self) -> blst_p1 {
        let share = self.points.len().div_ceil(rayon::current_num_threads()).clamp(4, 31);
        self.points
            .par_chunks(share)
            .zip(self.magnitudes.par_chunks(share))
            .map(|(points, magnitudes)| interleaved(points, magnitudes))
            .reduce(blst_p1::default, |a, b| add_points(&a, &b))
    }
}

/// sum of digit * point, each digit a magnitude (its bucket, at most `buckets`) and whether it is negative.
pub fn bucket_sum(points: &[Point], digits: &[(usize, bool)], buckets: usize) -> blst_p1 {
    let mut sizes = vec![0; buckets + 1];
    digits.iter().for_each(|&(bucket, _)| sizes[bucket] += 1);
    // Bucket 0 adds nothing; the others are laid out one after another.
    sizes[0] = 0;
    let mut ends: Vec<usize> = sizes.iter().scan(0, |end, size| Some(std::mem::replace(end, *end + size))).collect();
    let mut sorted = vec![Point::default(); sizes.iter().sum()];
    for (point, &(bucket, negative)) in points.iter().zip(digits) {
        if bucket > 0 {
            sorted[ends[bucket]] = negate_if(point, negative);
            ends[bucket] += 1;
        }
    }
    weighted_sum(&sum_groups(sorted, sizes)[1..])
}

/// scalars[i] * points[i] for each i: windowed multiplications in step, each step a batch of affine additions.
pub fn multiply_each(points: &[Point], scalars: &[Fr]) -> Vec<Point> {
    let windows = Windows::new(4, 127);
    let scalars: Vec<Halves> = scalars.iter().map(|&scalar| halves(scalar)).collect();
    // table[d][i] = d * points[i] for the digits' magnitudes d.
    let mut table = vec![vec![Point::default(); points.len()], points.to_vec()];
    for digit in 2..=windows.buckets() {
        table.push(add_each(&table[digit - 1], points));
    }
    let mut sums = table[0].clone();
    for window in (0..windows.count).rev() {
        for _ in 0..windows.bits {
            sums = add_each(&sums, &sums);
        }
        for half in 0..2 {
            let term = |(i, scalar): (usize, &Halves)| {
                let (magnitude, negative) = scalar[half];
                let (digit, negative_digit) = windows.digit(window, magnitude);
                image(&table[digit][i], half, negative != negative_digit)
            };
            let terms: Vec<Point> = scalars.iter().enumerate().map(term).collect();
            sums = add_each(&sums, &terms);
        }
    }
    sums
}

fn interleaved(points: &[Point], magnitudes: &[u128]) -> blst_p1 {
    if points.is_empty() {
        return blst_p1::default();
    }
    let bytes: Vec<u8> = magnitudes.iter().flat_map(|magnitude| magnitude.to_le_bytes()).collect();
    // A null second pointer tells blst that the entries lie one after another.
    let (points_list, scalars_list) = ([points.as_ptr(), std::ptr::null()], [bytes.as_ptr(), std::ptr::null()]);
    let mut result = blst_p1::default();
    // SAFETY: the scratch has the size blst asks for, and there are 16 bytes for each point.
    unsafe {
        let mut scratch = vec![0u64; blst::blst_p1s_mult_pippenger_scratch_sizeof(points.len()).div_ceil(8)];
        blst::blst_p1s_mult_pippenger(
            &mut result,
            points_list.as_ptr(),
            points.len(),
            scalars_list.as_ptr(),
            128,
            scratch.as_mut_ptr(),
        );
    }
    result
}
