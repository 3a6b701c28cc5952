//! The native kernel of zkpredict: field vectors, transforms, multi-scalar multiplication and pairings on
//! BLS12-381, and keccak256. Nothing of the protocol: no transcript, no randomness, no files, no policy.

mod affine;
mod bases;
mod columns;
mod curve;
mod field;
mod fixed;
mod integers;
mod keccak;
mod many;
mod msm;
mod pairing;
mod polynomial;
mod pool;
mod program;
mod python;
mod transform;
mod vector;

use pyo3::prelude::*;
use pyo3::types::PyInt;

/// The primitive n-th root of unity 7^((r-1)/n), an int. ValueError unless n is a power of two up to 2^32.
#[pyfunction]
fn root_of_unity(py: Python<'_>, n: python::Length) -> PyResult<Bound<'_, PyAny>> {
    python::to_int(py, field::root_of_unity(python::power_of_two("n", n.0)?))
}

#[pymodule]
fn zkpredict_kernel(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("MODULUS", py.get_type::<PyInt>().call1((field::MODULUS_HEX, 16))?)?;
    module.add("GENERATOR", field::GENERATOR)?;
    module.add("TWO_ADICITY", field::TWO_ADICITY)?;
    module.add_function(wrap_pyfunction!(root_of_unity, module)?)?;
    module.add_function(wrap_pyfunction!(pairing::pairing_check, module)?)?;
    module.add_function(wrap_pyfunction!(keccak::keccak256, module)?)?;
    module.add_function(wrap_pyfunction!(program::evaluate_program, module)?)?;
    module.add_class::<vector::Vector>()?;
    module.add_class::<curve::G1>()?;
    module.add_class::<curve::G2>()?;
    module.add_class::<bases::Bases>()
}
