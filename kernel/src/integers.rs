//! Small integers from other libraries' buffers (numpy arrays): kept in their own width, widened a piece at a time.

use pyo3::buffer::{Element, PyBuffer};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use rayon::prelude::*;

use crate::field::Fr;
use crate::pool::{on_all_cores, PARALLEL};

/// A matrix, row after row.
pub struct Integers {
    pub rows: usize,
    pub columns: usize,
    values: Values,
}

enum Values {
    I8(Vec<i8>),
    U8(Vec<u8>),
    I16(Vec<i16>),
    U16(Vec<u16>),
    I32(Vec<i32>),
    U32(Vec<u32>),
    I64(Vec<i64>),
}

impl Values {
    /// None for an object that holds no integers, or integers of another kind.
    fn read(object: &Bound<'_, PyAny>) -> PyResult<Option<(Values, Vec<usize>)>> {
        macro_rules! first_of {
            ($($kind:ident: $element:ty),*) => {
                $(if let Some(buffer) = native::<$element>(object) {
                    return Ok(Some((Values::$kind(buffer.to_vec(object.py())?), shape(&buffer)?)));
                })*
            };
        }
        first_of!(I64: i64, I8: i8, U8: u8, I16: i16, U16: u16, I32: i32, U32: u32);
        Ok(None)
    }

    /// The elements from `start` on, widened.
    fn widen(&self, start: usize, out: &mut [i64]) {
        macro_rules! copy {
            ($($kind:ident),*) => {
                match self {
                    $(Values::$kind(values) => {
                        out.iter_mut().zip(&values[start..]).for_each(|(wide, &value)| *wide = i64::from(value));
                    })*
                }
            };
        }
        copy!(I8, U8, I16, U16, I32, U32, I64);
    }
}

/// The buffer of an object that holds these elements in this machine's byte order.
pub fn native<T: Element>(object: &Bound<'_, PyAny>) -> Option<PyBuffer<T>> {
    // PyO3 0.29 takes '>' (big-endian) for a little-endian machine's own byte order.
    let swapped = |format: &[u8]| cfg!(target_endian = "little") && matches!(format.first(), Some(b'>' | b'!'));
    PyBuffer::get(object).ok().filter(|buffer| !swapped(buffer.format().to_bytes()))
}

fn shape<T: Element>(buffer: &PyBuffer<T>) -> PyResult<Vec<usize>> {
    if !buffer.is_c_contiguous() {
        return Err(PyValueError::new_err("expected a contiguous buffer, got a strided one"));
    }
    Ok(buffer.shape().to_vec())
}

impl Integers {
    /// From a two-dimensional contiguous buffer of integers that fit an int64.
    pub fn matrix(object: &Bound<'_, PyAny>) -> PyResult<Integers> {
        let (values, shape) = Integers::read(object)?;
        let [rows, columns] = shape[..] else {
            let got = shape.len();
            return Err(PyValueError::new_err(format!("expected a two-dimensional buffer, got {got} dimensions")));
        };
        Ok(Integers { rows, columns, values })
    }

    /// From a one-dimensional contiguous buffer of integers that fit an int64: a matrix of one row.
    pub fn vector(object: &Bound<'_, PyAny>) -> PyResult<Integers> {
        let (values, shape) = Integers::read(object)?;
        let [columns] = shape[..] else {
            let got = shape.len();
            return Err(PyValueError::new_err(format!("expected a one-dimensional buffer, got {got} dimensions")));
        };
        Ok(Integers { rows: 1, columns, values })
    }

    fn read(object: &Bound<'_, PyAny>) -> PyResult<(Values, Vec<usize>)> {
        let kind = object.get_type().qualname()?;
        Values::read(object)?
            .ok_or_else(|| PyTypeError::new_err(format!("expected a buffer of integers that fit int64, got {kind}")))
    }

    /// The elements of one row from a column on.
    pub fn widen(&self, row: usize, column: usize, out: &mut [i64]) {
        self.values.widen(row * self.columns + column, out);
    }

    pub fn row(&self, row: usize) -> Vec<i64> {
        let mut wide = vec![0; self.columns];
        self.widen(row, 0, &mut wide);
        wide
    }
}

/// Columns summed at a time: their sums stay in the nearest cache.
const TILE: usize = 128;
/// Rows that one core takes at a time where there are fewer tiles than cores.
const BLOCK: usize = 512;

/// sums[c] = sum_r weights[r] * matrix[r, c], into zeros.
///
/// An entry v counts as v + 2^63, which is not negative: weight times entry is then a sum of plain products, reduced once
/// for each column, and 2^63 sum_r weights[r] is taken off at the end.
pub fn combine_rows(matrix: &Integers, weights: &[Fr], sums: &mut [Fr]) {
    let limbs: Vec<[u64; 4]> = weights.iter().map(|weight| weight.to_limbs()).collect();
    let total = weights.iter().fold(Fr::ZERO, |sum, &weight| sum.add(weight));
    let offset = total.mul(Fr::from_u64(1 << 63));
    let work = |(tile, out): (usize, &mut [Fr])| {
        let partial =
            |(block, weights): (usize, &[[u64; 4]])| tile_sum(matrix, BLOCK * block, TILE * tile, weights, out.len());
        let add = |left: Vec<Fr>, right: Vec<Fr>| left.into_iter().zip(right).map(|(a, b)| a.add(b)).collect();
        let zeros = || vec![Fr::ZERO; out.len()];
        let sums: Vec<Fr> = if matrix.columns < 4 * TILE && matrix.rows > BLOCK {
            limbs.par_chunks(BLOCK).enumerate().map(partial).reduce(zeros, add)
        } else {
            tile_sum(matrix, 0, TILE * tile, &limbs, out.len())
        };
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out = sum.sub(offset));
    };
    if matrix.rows.saturating_mul(matrix.columns) < PARALLEL {
        sums.chunks_mut(TILE).enumerate().for_each(work);
    } else {
        on_all_cores(|| sums.par_chunks_mut(TILE).enumerate().for_each(work));
    }
}

/// sum_r weights[r] * (matrix[first + r, c] + 2^63) for `columns` columns from `column` on.
fn tile_sum(matrix: &Integers, first: usize, column: usize, weights: &[[u64; 4]], columns: usize) -> Vec<Fr> {
    // Six limbs hold 2^65 products of 319 bits.
    let mut sums = vec![[0u64; 6]; columns];
    let mut entries = vec![0i64; columns];
    for (row, weight) in weights.iter().enumerate() {
        matrix.widen(first + row, column, &mut entries);
        for (sum, &entry) in sums.iter_mut().zip(&entries) {
            add_product(sum, weight, (entry as u64) ^ (1 << 63));
        }
    }
    sums.iter().map(Fr::from_six_limbs).collect()
}

/// sum += a * b.
#[inline(always)]
fn add_product(sum: &mut [u64; 6], a: &[u64; 4], b: u64) {
    let mut carry = 0u128;
    for (limb, &factor) in sum.iter_mut().zip(a) {
        // At most (2^64 - 1)^2 + 2 (2^64 - 1) = 2^128 - 1.
        carry += u128::from(*limb) + u128::from(factor) * u128::from(b);
        *limb = carry as u64;
        carry >>= 64;
    }
    carry += u128::from(sum[4]);
    sum[4] = carry as u64;
    sum[5] += (carry >> 64) as u64;
}
