//! Number-theoretic transforms over the roots of unity, natural order in and out.

use std::sync::OnceLock;

use rayon::prelude::*;

use crate::field::{root_of_unity, Fr, TWO_ADICITY};
use crate::pool::on_all_cores;

/// Transforms at least this long are split over the cores.
const PARALLEL: usize = 1 << 13;

/// Twiddles of the layer that joins two halves of 2^level: powers of the 2^(level+1)-th root of unity.
/// They do not depend on the size of the whole transform, so they are computed once per process.
fn twiddles(level: u32) -> &'static [Fr] {
    static LAYERS: [OnceLock<Vec<Fr>>; TWO_ADICITY as usize] = [const { OnceLock::new() }; TWO_ADICITY as usize];
    LAYERS[level as usize].get_or_init(|| {
        let root = root_of_unity(level + 1);
        std::iter::successors(Some(Fr::one()), |power| Some(power.mul(root))).take(1 << level).collect()
    })
}

/// Evaluate coefficients at omega^0, omega^1, ...; the length is a power of two up to 2^32.
pub fn ntt(values: &mut [Fr]) {
    if values.len() < 2 {
        return;
    }
    let log_n = values.len().trailing_zeros();
    for level in 0..log_n {
        twiddles(level);
    }
    if values.len() >= PARALLEL {
        on_all_cores(|| decimate(values));
    } else {
        decimate(values);
    }
    bit_reverse(values);
}

/// Interpolate: the inverse of `ntt`.
pub fn intt(values: &mut [Fr]) {
    ntt(values);
    if let Some(rest) = values.get_mut(1..) {
        // Evaluating at omega^-i is evaluating at omega^(n-i).
        rest.reverse();
    }
    let scale = Fr::from_u64(values.len() as u64).inverse();
    values.iter_mut().for_each(|value| *value = value.mul(scale));
}

/// Evaluate at shift * omega^i; values from `length` on are zeros.
pub fn coset_ntt(values: &mut [Fr], length: usize, shift: Fr) {
    scale_by_powers(&mut values[..length], shift);
    ntt(values);
}

/// Multiply values[i] by shift^i.
pub fn scale_by_powers(values: &mut [Fr], shift: Fr) {
    let mut power = Fr::one();
    for value in values {
        *value = value.mul(power);
        power = power.mul(shift);
    }
}

/// Decimation in frequency: natural order in, bit-reversed order out.
fn decimate(values: &mut [Fr]) {
    let half = values.len() / 2;
    if values.len() < PARALLEL {
        return decimate_block(values);
    }
    let (low, high) = values.split_at_mut(half);
    let layer = twiddles(half.trailing_zeros());
    low.par_iter_mut().zip(high.par_iter_mut()).zip(layer).with_min_len(1024).for_each(butterfly);
    rayon::join(|| decimate(low), || decimate(high));
}

/// The same on one core, for what fits in its cache.
fn decimate_block(values: &mut [Fr]) {
    let mut half = values.len() / 2;
    while half > 1 {
        let layer = twiddles(half.trailing_zeros());
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            low.iter_mut().zip(high).zip(layer).for_each(butterfly);
        }
        half /= 2;
    }
    // The last layer's only twiddle is 1.
    for pair in values.chunks_exact_mut(2) {
        (pair[0], pair[1]) = (pair[0].add(pair[1]), pair[0].sub(pair[1]));
    }
}

#[inline(always)]
fn butterfly(((low, high), &twiddle): ((&mut Fr, &mut Fr), &Fr)) {
    let difference = low.sub(*high);
    *low = low.add(*high);
    *high = difference.mul(twiddle);
}

/// values.len() is a power of two, at least 2.
pub fn bit_reverse<T>(values: &mut [T]) {
    let shift = usize::BITS - values.len().trailing_zeros();
    for i in 0..values.len() {
        let j = i.reverse_bits() >> shift;
        if i < j {
            values.swap(i, j);
        }
    }
}
