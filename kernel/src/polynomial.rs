//! Arithmetic on coefficient lists, lowest first. Callers check lengths.

use rayon::prelude::*;

use crate::field::Fr;
use crate::pool::{on_all_cores, PARALLEL};

/// Coefficients that one core takes at a time.
const CHUNK: usize = 1024;

/// sum_k scalars[k] * lists[k], as long as the longest list.
pub fn linear_combination(lists: &[&[Fr]], scalars: &[Fr]) -> Vec<Fr> {
    let length = lists.iter().map(|list| list.len()).max().unwrap_or(0);
    let mut sums = vec![Fr::ZERO; length];
    let fill = |(start, out): (usize, &mut [Fr])| {
        for (list, &scalar) in lists.iter().zip(scalars) {
            let terms = list.iter().skip(start);
            out.iter_mut().zip(terms).for_each(|(sum, &term)| *sum = sum.add(term.mul(scalar)));
        }
    };
    if length * lists.len() < PARALLEL {
        fill((0, &mut sums));
    } else {
        on_all_cores(|| sums.par_chunks_mut(CHUNK).enumerate().for_each(|(k, out)| fill((CHUNK * k, out))));
    }
    sums
}

/// sum_i values[i] * x^i, by Horner.
pub fn evaluate(values: &[Fr], x: Fr) -> Fr {
    values.iter().rev().fold(Fr::ZERO, |value, &coefficient| value.mul(x).add(coefficient))
}

/// out[0] = start, out[i+1] = factors[i] * out[i] + addends[i].
pub fn scan(factors: &[Fr], addends: &[Fr], start: Fr) -> Vec<Fr> {
    let mut out = Vec::with_capacity(addends.len() + 1);
    let mut state = start;
    out.push(state);
    for (&factor, &addend) in factors.iter().zip(addends) {
        state = factor.mul(state).add(addend);
        out.push(state);
    }
    out
}

/// Quotient and remainder by X - z (synthetic division); the remainder is the value at z.
pub fn divide_by_linear(values: &[Fr], z: Fr) -> (Vec<Fr>, Fr) {
    let Some((&top, rest)) = values.split_last() else {
        return (Vec::new(), Fr::ZERO);
    };
    let mut quotient = vec![Fr::ZERO; rest.len()];
    let mut carry = top;
    for (out, &coefficient) in quotient.iter_mut().zip(rest).rev() {
        *out = carry;
        carry = carry.mul(z).add(coefficient);
    }
    (quotient, carry)
}

/// 1 / values[i] with one inversion (Montgomery's trick). Err is the index of the first zero.
pub fn batch_inverse(values: &[Fr]) -> Result<Vec<Fr>, usize> {
    if let Some(zero) = values.iter().position(Fr::is_zero) {
        return Err(zero);
    }
    // out[i] = product of the values before i, then times the inverse of the product through i.
    let mut product = Fr::one();
    let mut out = Vec::with_capacity(values.len());
    for &value in values {
        out.push(product);
        product = product.mul(value);
    }
    let mut inverse = product.inverse();
    for (slot, &value) in out.iter_mut().zip(values).rev() {
        *slot = slot.mul(inverse);
        inverse = inverse.mul(value);
    }
    Ok(out)
}
