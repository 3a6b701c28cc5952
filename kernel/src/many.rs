//! What the transforms of one vector and of many have in common.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::field::Fr;
use crate::pool::each;
use crate::python::{allocate, power_of_two};
use crate::vector::Vector;

impl Vector {
    /// The elements with zeros behind them.
    pub fn padded(&self, size: usize) -> PyResult<Vec<Fr>> {
        power_of_two("size", size)?;
        let length = self.values.len();
        if size < length {
            return Err(PyValueError::new_err(format!("size must be at least the length {length}, got {size}")));
        }
        let mut values = allocate(size)?;
        values.extend_from_slice(&self.values);
        values.resize(size, Fr::ZERO);
        Ok(values)
    }
}

pub fn transform_each(py: Python<'_>, vectors: &[Py<Vector>], work: fn(&mut [Fr])) -> PyResult<Vec<Vector>> {
    let (mut all, mut longest) = (allocate(vectors.len())?, 0);
    for vector in vectors {
        power_of_two("length", vector.get().values.len())?;
        longest = longest.max(vector.get().values.len());
        all.push(vector.get().values.clone());
    }
    py.detach(|| each(&mut all, longest, |(_, values)| work(values)));
    Ok(all.into_iter().map(Vector::from).collect())
}

pub fn not_zero(shift: Fr) -> PyResult<()> {
    if shift.is_zero() {
        return Err(PyValueError::new_err("shift must not be zero"));
    }
    Ok(())
}
