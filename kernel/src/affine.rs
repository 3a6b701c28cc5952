//! Sums of many affine points of G1, with one inversion for a whole round of additions.
//!
//! An affine addition costs five multiplications and a squaring once the inverse of its denominator is known,
//! against eleven for a mixed addition; the inverses of a round cost three multiplications each.

use blst::{blst_fp, blst_p1, blst_p1_affine as Point};

const ZERO: blst_fp = blst_fp { l: [0; 6] };
/// 1 in Montgomery form.
const ONE: blst_fp = blst_fp {
    l: [
        0x7609_0000_0002_fffd,
        0xebf4_000b_c40c_0002,
        0x5f48_9857_53c7_58ba,
        0x77ce_5853_7052_5745,
        0x5c07_1a97_a256_ec6d,
        0x15f6_5ec3_fa80_e493,
    ],
};
/// The cube root of unity for which [z^2](x, y) = (beta x, -y) on G1, z the parameter of the curve.
const BETA: blst_fp = blst_fp {
    l: [
        0x30f1_361b_798a_64e8,
        0xf3b8_ddab_7ece_5a2a,
        0x16a8_ca3a_c615_77f7,
        0xc26a_2ff8_74fd_029b,
        0x3636_b766_6070_1c6e,
        0x051b_a4ab_241b_6160,
    ],
};
/// The identity, as blst writes it.
const INFINITY: Point = Point { x: ZERO, y: ZERO };

// Results are written where they are needed: reading back whole vectors of limbs just written one by one stalls.
// SAFETY of the calls below: plain reads and writes of six limbs, which blst allows to overlap entirely.

#[inline(always)]
fn mul(out: &mut blst_fp, a: &blst_fp, b: &blst_fp) {
    unsafe { blst::blst_fp_mul(out, a, b) };
}

#[inline(always)]
fn mul_assign(a: &mut blst_fp, b: &blst_fp) {
    let a: *mut blst_fp = a;
    unsafe { blst::blst_fp_mul(a, a, b) };
}

#[inline(always)]
fn sub(out: &mut blst_fp, a: &blst_fp, b: &blst_fp) {
    unsafe { blst::blst_fp_sub(out, a, b) };
}

#[inline(always)]
fn sub_assign(a: &mut blst_fp, b: &blst_fp) {
    let a: *mut blst_fp = a;
    unsafe { blst::blst_fp_sub(a, a, b) };
}

/// Inlined: `==` of the blst types calls a function, and an addition asks this five times.
#[inline(always)]
fn equal(a: &blst_fp, b: &blst_fp) -> bool {
    a.l.iter().zip(&b.l).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[inline(always)]
fn is_infinity(point: &Point) -> bool {
    equal(&point.x, &ZERO) && equal(&point.y, &ZERO)
}

pub fn negate_if(point: &Point, negative: bool) -> Point {
    let mut image = *point;
    unsafe { blst::blst_fp_cneg(&mut image.y, &point.y, negative) };
    image
}

/// [z^2] point, for a point of the subgroup.
pub fn times_z_squared(point: &Point) -> Point {
    let mut image = negate_if(point, true);
    mul_assign(&mut image.x, &BETA);
    image
}

/// For points of the same x: whether they are equal and not opposite.
fn is_doubled(p: &Point, q: &Point) -> bool {
    equal(&p.y, &q.y) && !equal(&p.y, &ZERO)
}

/// What the slope of p + q is divided by; 1 where no slope is needed.
#[inline(always)]
fn denominator(out: &mut blst_fp, p: &Point, q: &Point) {
    if is_infinity(p) || is_infinity(q) {
        *out = ONE;
        return;
    }
    sub(out, &q.x, &p.x);
    if equal(out, &ZERO) {
        if is_doubled(p, q) {
            unsafe { blst::blst_fp_add(out, &p.y, &p.y) };
        } else {
            *out = ONE;
        }
    }
}

/// out = p + q, given the inverse of their denominator.
#[inline(always)]
fn add(out: &mut Point, p: &Point, q: &Point, inverse: &blst_fp) {
    if is_infinity(p) {
        *out = *q;
        return;
    }
    if is_infinity(q) {
        *out = *p;
        return;
    }
    let mut slope = ZERO;
    if !equal(&p.x, &q.x) {
        sub(&mut slope, &q.y, &p.y);
    } else if is_doubled(p, q) {
        let mut xx = ZERO;
        unsafe { blst::blst_fp_sqr(&mut xx, &p.x) };
        unsafe { blst::blst_fp_mul_by_3(&mut slope, &xx) };
    } else {
        *out = INFINITY;
        return;
    }
    mul_assign(&mut slope, inverse);
    // x = slope^2 - p.x - q.x, y = slope (p.x - x) - p.y
    unsafe { blst::blst_fp_sqr(&mut out.x, &slope) };
    sub_assign(&mut out.x, &p.x);
    sub_assign(&mut out.x, &q.x);
    sub(&mut out.y, &p.x, &out.x);
    mul_assign(&mut out.y, &slope);
    sub_assign(&mut out.y, &p.y);
}

/// The inverses of all values, none of them zero (Montgomery's trick), replacing what `inverses` held.
fn invert_all(values: &[blst_fp], inverses: &mut Vec<blst_fp>) {
    // inverses[i] = product of the values before i, then times the inverse of the product through i.
    inverses.clear();
    inverses.resize(values.len() + 1, ONE);
    for (i, value) in values.iter().enumerate() {
        let (before, after) = inverses.split_at_mut(i + 1);
        mul(&mut after[0], &before[i], value);
    }
    let mut inverse = ZERO;
    unsafe { blst::blst_fp_eucl_inverse(&mut inverse, &inverses[values.len()]) };
    inverses.truncate(values.len());
    for (slot, value) in inverses.iter_mut().zip(values).rev() {
        mul_assign(slot, &inverse);
        mul_assign(&mut inverse, value);
    }
}

/// The sum of each group, for groups of these sizes one after another in `points`.
///
/// Every round adds neighbours within each group, so a group of n points takes log2 n rounds.
pub fn sum_groups(mut points: Vec<Point>, mut sizes: Vec<usize>) -> Vec<Point> {
    let mut next = vec![INFINITY; points.len()];
    let (mut denominators, mut inverses) = (Vec::new(), Vec::new());
    while sizes.iter().any(|&size| size > 1) {
        denominators.clear();
        denominators.resize(sizes.iter().map(|size| size / 2).sum(), ZERO);
        let (mut read, mut slots) = (0, denominators.iter_mut());
        for &size in &sizes {
            for (pair, slot) in points[read..read + size].chunks_exact(2).zip(&mut slots) {
                denominator(slot, &pair[0], &pair[1]);
            }
            read += size;
        }
        invert_all(&denominators, &mut inverses);

        let (mut read, mut write, mut inverse) = (0, 0, inverses.iter());
        for size in &mut sizes {
            let pairs = points[read..read + *size].chunks_exact(2);
            let left_over = pairs.remainder().first().copied();
            for ((pair, sum), inverse) in pairs.zip(&mut next[write..]).zip(&mut inverse) {
                add(sum, &pair[0], &pair[1], inverse);
            }
            read += *size;
            *size = size.div_ceil(2);
            write += *size;
            if let Some(point) = left_over {
                next[write - 1] = point;
            }
        }
        std::mem::swap(&mut points, &mut next);
    }
    // By now a group is one point, or none: the empty sum.
    let mut read = 0;
    let sum = |size| {
        let group = &points[read..read + size];
        read += size;
        group.first().copied().unwrap_or(INFINITY)
    };
    sizes.into_iter().map(sum).collect()
}

/// left[i] + right[i] for each i, as one batch.
pub fn add_each(left: &[Point], right: &[Point]) -> Vec<Point> {
    let mut denominators = vec![ZERO; left.len()];
    for ((slot, p), q) in denominators.iter_mut().zip(left).zip(right) {
        denominator(slot, p, q);
    }
    let mut inverses = Vec::new();
    invert_all(&denominators, &mut inverses);
    let mut sums = vec![INFINITY; left.len()];
    for (((sum, p), q), inverse) in sums.iter_mut().zip(left).zip(right).zip(&inverses) {
        add(sum, p, q, inverse);
    }
    sums
}

/// sum_i (i + 1) * points[i].
pub fn weighted_sum(points: &[Point]) -> blst_p1 {
    weighted_and_plain_sum(points).0
}

/// (sum_i (i + 1) * points[i], sum_i points[i]).
///
/// Writing i = columns * a + b turns the first into columns * sum_a a * row_a + sum_b (b + 1) * column_b: all rows and
/// columns are summed in one batch, and only about 2 sqrt(n) points are left for the running sums.
pub fn weighted_and_plain_sum(points: &[Point]) -> (blst_p1, blst_p1) {
    if points.len() < 32 {
        return running_sum(points);
    }
    let columns = 1 << (points.len().ilog2() / 2);
    let rows = points.len().div_ceil(columns);
    let mut both = Vec::with_capacity(2 * points.len());
    both.extend_from_slice(points);
    let mut sizes: Vec<usize> = points.chunks(columns).map(<[Point]>::len).collect();
    for b in 0..columns {
        let before = both.len();
        both.extend(points.iter().skip(b).step_by(columns));
        sizes.push(both.len() - before);
    }
    let sums = sum_groups(both, sizes);
    let mut total = running_sum(&sums[1..rows]).0;
    for _ in 0..columns.trailing_zeros() {
        total = double_point(&total);
    }
    let (weighted, plain) = running_sum(&sums[rows..]);
    (add_points(&total, &weighted), plain)
}

fn running_sum(points: &[Point]) -> (blst_p1, blst_p1) {
    let (mut suffix, mut total) = (blst_p1::default(), blst_p1::default());
    for point in points.iter().rev() {
        let previous = suffix;
        // SAFETY: live points; blst handles the identity and equal points.
        unsafe { blst::blst_p1_add_or_double_affine(&mut suffix, &previous, point) };
        total = add_points(&total, &suffix);
    }
    (total, suffix)
}

pub fn projective(point: &Point) -> blst_p1 {
    let mut image = blst_p1::default();
    // SAFETY: live points.
    unsafe { blst::blst_p1_from_affine(&mut image, point) };
    image
}

pub fn add_points(a: &blst_p1, b: &blst_p1) -> blst_p1 {
    let mut sum = blst_p1::default();
    // SAFETY: live points.
    unsafe { blst::blst_p1_add_or_double(&mut sum, a, b) };
    sum
}

pub fn double_point(a: &blst_p1) -> blst_p1 {
    let mut twice = blst_p1::default();
    // SAFETY: live points.
    unsafe { blst::blst_p1_double(&mut twice, a) };
    twice
}
