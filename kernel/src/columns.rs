//! Many commitments at once to columns of small integers, each with a few full-size scalars behind it (a hiding tail).
//!
//! A column of bytes takes one window, so it is one set of buckets. Its tail joins the same buckets by way of a table of
//! the tail's points.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use blst::{blst_p1, blst_p1_affine as Point};
use rayon::prelude::*;

use crate::affine::sum_groups;
use crate::field::Fr;
use crate::fixed::Shifts;
use crate::integers::Integers;
use crate::msm::{bucket_sum, multiply};
use crate::pool::on_all_cores;

/// Columns with larger magnitudes, which one set of buckets does not suit, go the general way.
const LARGEST: i64 = 1 << 10;
/// From this many columns on, the sum of all bases, which lets bytes be counted from their middle, is worth having.
const MANY: usize = 4;

/// Longer tails go the general way, too.
const LONGEST_TAIL: usize = 32;

/// What is computed once for a list of bases and kept: nothing here depends on a scalar.
#[derive(Default)]
pub struct Memo {
    /// By the first point, the number of points, and the bits of a window.
    shifts: Mutex<HashMap<(usize, usize, u32), Arc<Shifts>>>,
    /// By n: the sum of the first n points.
    sums: Mutex<HashMap<usize, Point>>,
}

impl Memo {
    fn shifts(&self, points: &[Point], start: usize, count: usize, bits: u32) -> Arc<Shifts> {
        let mut known = self.shifts.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(Shifts::new(&points[start..start + count], bits));
        known.entry((start, count, bits)).or_insert_with(fresh).clone()
    }

    fn sum(&self, points: &[Point], n: usize) -> Point {
        let mut known = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(n).or_insert_with(|| sum_groups(points[..n].to_vec(), vec![n])[0])
    }
}

/// rows[r] = sum_j matrix[r, j] * points[j] + sum_k tails[r][k] * points[matrix.columns + k].
pub fn multiply_columns(points: &[Point], memo: &Memo, matrix: &Integers, tails: &[&[Fr]]) -> Vec<blst_p1> {
    let all = (matrix.rows >= MANY).then(|| memo.sum(points, matrix.columns));
    let commit = |(row, tail): (usize, &&[Fr])| {
        let values = matrix.row(row);
        multiply_column(points, memo, &values, tail, all.as_ref()).unwrap_or_else(|| {
            let scalars: Vec<Fr> = values.iter().map(|&v| Fr::from_i64(v)).chain(tail.iter().copied()).collect();
            multiply(&points[..scalars.len()], &scalars)
        })
    };
    on_all_cores(|| tails.par_iter().enumerate().with_max_len(1).map(commit).collect())
}

/// sum_i scalars[i] * points[i] for small integers and a tail of other scalars; None for scalars of another kind.
pub fn multiply_small(points: &[Point], memo: &Memo, scalars: &[Fr]) -> Option<blst_p1> {
    let values: Vec<i64> = scalars.iter().map_while(|scalar| scalar.to_small(LARGEST)).collect();
    let tail = &scalars[values.len()..];
    (values.len() > LONGEST_TAIL).then(|| multiply_column(points, memo, &values, tail, None)).flatten()
}

/// None for values or tails that one set of buckets does not suit. `all` is the sum of the values' points, if it is known.
fn multiply_column(points: &[Point], memo: &Memo, values: &[i64], tail: &[Fr], all: Option<&Point>) -> Option<blst_p1> {
    let buckets = Buckets::of(values, all.is_some()).filter(|_| tail.len() <= LONGEST_TAIL)?;
    let table = memo.shifts(points, values.len(), tail.len(), buckets.table_bits());
    Some(buckets.sum(values, points, all, tail, &table))
}

/// How the values of a column become buckets: value v is the digit v - middle, of magnitude at most `count`.
struct Buckets {
    middle: i64,
    count: i64,
}

impl Buckets {
    /// The cheaper of counting from zero, where zeros cost nothing, and from the middle, which halves the buckets.
    fn of(values: &[i64], may_move: bool) -> Option<Buckets> {
        let (low, high) = values.iter().fold((0, 0), |(low, high), &v| (v.min(low), v.max(high)));
        if low <= -LARGEST || high >= LARGEST {
            return None;
        }
        let middle = (low + high + 1) / 2;
        let (still, moved) = (high.max(-low), (high - middle).max(middle - low));
        let occupied = values.iter().filter(|&&v| v != 0).count() as i64;
        // Summing the buckets takes two and a half additions each.
        if may_move && values.len() as i64 + 5 * moved / 2 < occupied + 5 * still / 2 {
            return Some(Buckets { middle, count: moved });
        }
        Some(Buckets { middle: 0, count: still })
    }

    /// Windows of the tail's scalars that need about as many buckets as the values do, within reason.
    fn table_bits(&self) -> u32 {
        (self.count.max(1).ilog2() + 1).clamp(5, 8)
    }

    fn sum(&self, values: &[i64], points: &[Point], all: Option<&Point>, tail: &[Fr], table: &Shifts) -> blst_p1 {
        let mut terms = Vec::with_capacity(values.len() + table.terms(tail.len()) + 1);
        let mut addends = Vec::with_capacity(terms.capacity());
        let mut add = |point: Point, digit: i64| {
            if digit != 0 {
                addends.push(point);
                terms.push((digit.unsigned_abs() as usize, digit < 0));
            }
        };
        for (point, &value) in points.iter().zip(values) {
            add(*point, value - self.middle);
        }
        if let Some(&all) = all {
            // |middle| is at most the largest magnitude of v - middle.
            add(all, self.middle);
        }
        table.addends(tail, |bucket, point| add(point, bucket as i64));
        bucket_sum(&addends, &terms, table.buckets().max(self.count as usize))
    }
}
