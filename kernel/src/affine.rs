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

// SAFETY of the three calls below: plain reads and writes of six limbs.

#[inline(always)]
fn mul(a: &blst_fp, b: &blst_fp) -> blst_fp {
    let mut out = ZERO;
    unsafe { blst::blst_fp_mul(&mut out, a, b) };
    out
}

#[inline(always)]
fn sub(a: &blst_fp, b: &blst_fp) -> blst_fp {
    let mut out = ZERO;
    unsafe { blst::blst_fp_sub(&mut out, a, b) };
    out
}

#[inline(always)]
fn square(a: &blst_fp) -> blst_fp {
    let mut out = ZERO;
    unsafe { blst::blst_fp_sqr(&mut out, a) };
    out
}

fn double(a: &blst_fp) -> blst_fp {
    sub(a, &sub(&ZERO, a))
}

fn is_infinity(point: &Point) -> bool {
    *point == INFINITY
}

pub fn negate_if(point: &Point, negative: bool) -> Point {
    let y = if negative { sub(&ZERO, &point.y) } else { point.y };
    Point { x: point.x, y }
}

/// [z^2] point, for a point of the subgroup.
pub fn times_z_squared(point: &Point) -> Point {
    Point { x: mul(&BETA, &point.x), y: sub(&ZERO, &point.y) }
}

/// What the slope of p + q is divided by; 1 where no slope is needed.
#[inline(always)]
fn denominator(p: &Point, q: &Point) -> blst_fp {
    if is_infinity(p) || is_infinity(q) {
        return ONE;
    }
    let difference = sub(&q.x, &p.x);
    match (difference == ZERO, p.y == q.y && p.y != ZERO) {
        (false, _) => difference,
        (true, true) => double(&p.y),
        (true, false) => ONE,
    }
}

/// p + q, given the inverse of their denominator.
#[inline(always)]
fn add(p: &Point, q: &Point, inverse: &blst_fp) -> Point {
    if is_infinity(p) {
        return *q;
    }
    if is_infinity(q) {
        return *p;
    }
    let rise = if p.x != q.x {
        sub(&q.y, &p.y)
    } else if p.y == q.y && p.y != ZERO {
        let xx = square(&p.x);
        sub(&double(&xx), &sub(&ZERO, &xx))
    } else {
        return INFINITY;
    };
    let slope = mul(&rise, inverse);
    let x = sub(&sub(&square(&slope), &p.x), &q.x);
    let y = sub(&mul(&slope, &sub(&p.x, &x)), &p.y);
    Point { x, y }
}

/// Invert all values, none of them zero (Montgomery's trick). `products` is scratch.
fn invert_all(values: &mut [blst_fp], products: &mut Vec<blst_fp>) {
    products.clear();
    let mut product = ONE;
    for value in values.iter() {
        products.push(product);
        product = mul(&product, value);
    }
    let mut inverse = ZERO;
    // SAFETY: as above.
    unsafe { blst::blst_fp_eucl_inverse(&mut inverse, &product) };
    for (value, before) in values.iter_mut().zip(products.iter()).rev() {
        let inverted = mul(&inverse, before);
        inverse = mul(&inverse, value);
        *value = inverted;
    }
}

/// The sum of each group, for groups of these sizes one after another in `points` (used up as scratch).
///
/// Every round adds neighbours within each group, so a group of n points takes log2 n rounds.
pub fn sum_groups(mut points: Vec<Point>, mut sizes: Vec<usize>) -> Vec<Point> {
    let mut inverses = Vec::with_capacity(points.len() / 2);
    let mut products = Vec::with_capacity(points.len() / 2);
    while sizes.iter().any(|&size| size > 1) {
        inverses.clear();
        let mut rest = &points[..];
        for &size in &sizes {
            let (group, after) = rest.split_at(size);
            inverses.extend(group.chunks_exact(2).map(|pair| denominator(&pair[0], &pair[1])));
            rest = after;
        }
        invert_all(&mut inverses, &mut products);

        // Results are written behind the points still to be read.
        let (mut read, mut write) = (0, 0);
        let mut next = inverses.iter();
        for size in &mut sizes {
            for (pair, inverse) in (read..read + *size - *size % 2).step_by(2).zip(&mut next) {
                points[write] = add(&points[pair], &points[pair + 1], inverse);
                write += 1;
            }
            if *size % 2 == 1 {
                points[write] = points[read + *size - 1];
                write += 1;
            }
            read += *size;
            *size = size.div_ceil(2);
        }
        points.truncate(write);
    }
    let mut left = points.into_iter();
    sizes.into_iter().map(|size| if size == 0 { INFINITY } else { left.next().unwrap_or(INFINITY) }).collect()
}

/// sum_i (i + 1) * points[i].
///
/// Writing i = columns * a + b turns it into columns * sum_a a * row_a + sum_b (b + 1) * column_b: all rows and
/// columns are summed in one batch, and only about 2 sqrt(n) points are left for the running sums.
pub fn weighted_sum(points: &[Point]) -> blst_p1 {
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
    let mut total = running_sum(&sums[1..rows]);
    for _ in 0..columns.trailing_zeros() {
        total = double_point(&total);
    }
    add_points(&total, &running_sum(&sums[rows..]))
}

fn running_sum(points: &[Point]) -> blst_p1 {
    let (mut suffix, mut total) = (blst_p1::default(), blst_p1::default());
    for point in points.iter().rev() {
        let previous = suffix;
        // SAFETY: live points; blst handles the identity and equal points.
        unsafe { blst::blst_p1_add_or_double_affine(&mut suffix, &previous, point) };
        total = add_points(&total, &suffix);
    }
    total
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
