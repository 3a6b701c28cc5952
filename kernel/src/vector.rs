//! `Vector`: an immutable vector of field elements with the arithmetic of columns and polynomials.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PySlice};
use pyo3::IntoPyObjectExt;

use crate::field::{Fr, BYTES};
use crate::integers::{combine_rows, Integers};
use crate::many::{not_zero, transform_each};
use crate::polynomial;
use crate::pool::{each, map, zip};
use crate::python::{
    allocate, chunks, items, list_or_vector, not_an_int, positions, power_of_two, scalar, scalars, slice_of, to_int,
    wrapped_index, Length, Octets, Scalar,
};
use crate::transform;

/// An immutable vector of elements of the BLS12-381 scalar field, read as a column or as the coefficients
/// of a polynomial (constant first).
///
/// Scalars are Python ints in [0, r); any other int raises ValueError, any other type TypeError. Elements are
/// kept in Montgomery form, 32 bytes each. `+ - *` are elementwise between vectors of equal length (ValueError
/// otherwise) and with an int on either side. Nothing here runs in constant time. Long work releases the GIL;
/// elementwise work from 2^14 elements and transforms from 2^13 use all cores.
#[pyclass(frozen, sequence, module = "zkpredict_kernel")]
pub struct Vector {
    pub values: Vec<Fr>,
}

impl From<Vec<Fr>> for Vector {
    fn from(values: Vec<Fr>) -> Vector {
        Vector { values }
    }
}

/// The right operand of `+ - *`.
enum Operand<'a> {
    Vector(&'a [Fr]),
    Scalar(Fr),
}

fn operand<'a>(object: &'a Bound<'_, PyAny>, length: usize) -> PyResult<Option<Operand<'a>>> {
    if let Ok(vector) = object.cast::<Vector>() {
        let values = &vector.get().values;
        same_length(length, values.len())?;
        return Ok(Some(Operand::Vector(values)));
    }
    if object.is_instance_of::<pyo3::types::PyInt>() {
        return Ok(Some(Operand::Scalar(scalar(object, || "scalar".to_owned())?)));
    }
    Ok(None)
}

fn same_length(expected: usize, got: usize) -> PyResult<()> {
    if expected != got {
        return Err(PyValueError::new_err(format!("vector lengths differ: expected {expected}, got {got}")));
    }
    Ok(())
}

impl Vector {
    /// f(self, other) elementwise, or NotImplemented for a type that is neither Vector nor int.
    fn binary(&self, other: &Bound<'_, PyAny>, f: impl Fn(Fr, Fr) -> Fr + Sync + Send) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let values = match operand(other, self.values.len())? {
            None => return Ok(py.NotImplemented()),
            Some(Operand::Vector(right)) => py.detach(|| zip(&self.values, right, f)),
            Some(Operand::Scalar(right)) => py.detach(|| map(&self.values, |a| f(a, right))),
        };
        Vector { values }.into_py_any(py)
    }
}

#[pymethods]
impl Vector {
    /// numpy must not take a Vector apart as a sequence of objects: `array * vector` is a TypeError.
    #[classattr]
    fn __array_ufunc__(py: Python<'_>) -> Py<PyAny> {
        py.None()
    }

    /// n zeros.
    #[staticmethod]
    fn zeros(n: Length) -> PyResult<Vector> {
        let mut values = allocate(n.0)?;
        values.resize(n.0, Fr::ZERO);
        Ok(Vector { values })
    }

    /// From an iterable of ints in [0, r). ValueError names the index outside the range, TypeError one that is
    /// not an int.
    #[staticmethod]
    fn from_ints(values: &Bound<'_, PyAny>) -> PyResult<Vector> {
        Ok(scalars(values, "values")?.into())
    }

    /// From a one-dimensional contiguous buffer of integers of any width that fit an int64 (a numpy array, bytes):
    /// v for v >= 0, r - |v| for v < 0.
    ///
    /// TypeError for another element type, ValueError for another shape.
    #[staticmethod]
    fn from_signed(py: Python<'_>, buffer: &Bound<'_, PyAny>) -> PyResult<Vector> {
        let integers = Integers::vector(buffer)?;
        Ok(py.detach(|| integers.row(0).iter().map(|&v| Fr::from_i64(v)).collect::<Vec<_>>()).into())
    }

    /// sum_r scalars[r] * matrix[r, :] for a two-dimensional contiguous buffer of integers of any width that fit an
    /// int64 (a numpy array [rows, columns]): one element for each column. All cores, a few nanoseconds an entry.
    ///
    /// TypeError for another element type; ValueError for another shape, and unless there is one scalar for each row.
    #[staticmethod]
    fn combine_rows(py: Python<'_>, matrix: &Bound<'_, PyAny>, scalars: &Bound<'_, PyAny>) -> PyResult<Vector> {
        let (matrix, weights) = (Integers::matrix(matrix)?, coefficients(scalars)?);
        if weights.len() != matrix.rows {
            let (expected, got) = (matrix.rows, weights.len());
            return Err(PyValueError::new_err(format!("expected {expected} scalars, one for each row, got {got}")));
        }
        let mut values = allocate(matrix.columns)?;
        values.resize(matrix.columns, Fr::ZERO);
        py.detach(|| combine_rows(&matrix, &weights, &mut values));
        Ok(values.into())
    }

    /// From 32 little-endian bytes for each element, each below r. ValueError for a length that is not a
    /// multiple of 32, and for an element that is not canonical, naming its index.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: Octets<'_>) -> PyResult<Vector> {
        let elements = chunks::<BYTES>(&data, "element")?;
        let parsed: Result<Vec<Fr>, usize> =
            py.detach(|| elements.iter().enumerate().map(|(i, bytes)| Fr::from_bytes(bytes).ok_or(i)).collect());
        match parsed {
            Ok(values) => Ok(values.into()),
            Err(i) => Err(PyValueError::new_err(format!("element {i} is not canonical: expected an integer below r"))),
        }
    }

    /// From 64 little-endian bytes for each element, reduced modulo r: uniform bytes give elements whose
    /// distance from uniform is below 2^-256. ValueError for a length that is not a multiple of 64.
    #[staticmethod]
    fn from_wide_bytes(py: Python<'_>, data: Octets<'_>) -> PyResult<Vector> {
        let elements = chunks::<{ 2 * BYTES }>(&data, "element")?;
        Ok(py.detach(|| elements.iter().map(|bytes| Fr::from_wide_bytes(bytes)).collect::<Vec<_>>()).into())
    }

    /// 1, base, base^2, ..., n elements.
    #[staticmethod]
    fn powers(py: Python<'_>, base: Scalar, n: Length) -> PyResult<Vector> {
        let mut values = allocate(n.0)?;
        py.detach(|| values.extend(std::iter::successors(Some(Fr::one()), |power| Some(power.mul(base.0))).take(n.0)));
        Ok(Vector { values })
    }

    /// The vectors one after another.
    #[staticmethod]
    fn concat(#[pyo3(from_py_with = items)] vectors: Vec<Py<Vector>>) -> PyResult<Vector> {
        let mut values = allocate(vectors.iter().map(|vector| vector.get().values.len()).sum())?;
        for vector in &vectors {
            values.extend_from_slice(&vector.get().values);
        }
        Ok(Vector { values })
    }

    /// sum_k scalars[k] * vectors[k]. Shorter vectors count as padded with zeros; the result is as long as the
    /// longest. ValueError unless there is one scalar for each vector.
    #[staticmethod]
    fn linear_combination(
        py: Python<'_>,
        #[pyo3(from_py_with = items)] vectors: Vec<Py<Vector>>,
        #[pyo3(from_py_with = coefficients)] scalars: Vec<Fr>,
    ) -> PyResult<Vector> {
        if vectors.len() != scalars.len() {
            let (expected, got) = (vectors.len(), scalars.len());
            return Err(PyValueError::new_err(format!("expected {expected} scalars, one for each vector, got {got}")));
        }
        let vectors: Vec<&[Fr]> = vectors.iter().map(|vector| vector.get().values.as_slice()).collect();
        Ok(py.detach(|| polynomial::linear_combination(&vectors, &scalars)).into())
    }

    /// 32 little-endian canonical bytes for each element.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        PyBytes::new_with(py, self.values.len() * BYTES, |out| {
            for (bytes, value) in out.chunks_exact_mut(BYTES).zip(&self.values) {
                bytes.copy_from_slice(&value.to_bytes());
            }
            Ok(())
        })
    }

    /// The elements as ints in [0, r).
    fn to_ints<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for &value in &self.values {
            list.append(to_int(py, value)?)?;
        }
        Ok(list)
    }

    fn __len__(&self) -> usize {
        self.values.len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.to_ints(py)?.try_iter()?.into_any())
    }

    /// vector[i] is an int (negative i counts from the end), vector[a:b:step] a Vector.
    fn __getitem__<'py>(&self, py: Python<'py>, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let length = self.values.len();
        if let Ok(slice) = index.cast::<PySlice>() {
            return Vector { values: slice_of(&self.values, slice)? }.into_bound_py_any(py);
        }
        to_int(py, self.values[wrapped_index(index, length)?])
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        match other.cast::<Vector>() {
            Ok(other) => (self.values == other.get().values).into_py_any(other.py()),
            Err(_) => Ok(other.py().NotImplemented()),
        }
    }

    /// Only the length: the elements may be secret.
    fn __repr__(&self) -> String {
        format!("<Vector of {} field elements>", self.values.len())
    }

    fn __add__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.binary(other, Fr::add)
    }

    fn __radd__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.binary(other, Fr::add)
    }

    fn __sub__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.binary(other, Fr::sub)
    }

    fn __rsub__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.binary(other, |a, b| b.sub(a))
    }

    fn __mul__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.binary(other, Fr::mul)
    }

    fn __rmul__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.binary(other, Fr::mul)
    }

    fn __neg__(&self, py: Python<'_>) -> Vector {
        py.detach(|| map(&self.values, Fr::neg)).into()
    }

    /// The inverse of every element (one inversion and three multiplications each, Montgomery's trick).
    /// ValueError names the first zero.
    fn inverse(&self, py: Python<'_>) -> PyResult<Vector> {
        py.detach(|| polynomial::batch_inverse(&self.values))
            .map(Vector::from)
            .map_err(|i| PyValueError::new_err(format!("element {i} is zero and has no inverse")))
    }

    /// out[i] = self[(i + k) mod n]; k may be negative.
    fn rotate(&self, k: &Bound<'_, PyAny>) -> PyResult<Vector> {
        if !k.is_instance_of::<pyo3::types::PyInt>() {
            return Err(not_an_int("k", k));
        }
        let n = self.values.len();
        let mut values = self.values.clone();
        if n > 0 {
            // Whatever a subclass of int answers, the shift stays inside: rotate_left would panic.
            let shift: usize = k.call_method1("__mod__", (n,))?.extract().map_err(|_| not_an_int("k", k))?;
            values.rotate_left(shift % n);
        }
        Ok(Vector { values })
    }

    /// The vector k times over.
    fn repeat(&self, k: Length) -> PyResult<Vector> {
        let total =
            self.values.len().checked_mul(k.0).ok_or_else(|| PyValueError::new_err("length must be in [0, 2^48)"))?;
        let mut values = allocate(total)?;
        for _ in 0..if total == 0 { 0 } else { k.0 } {
            values.extend_from_slice(&self.values);
        }
        Ok(Vector { values })
    }

    /// sum_i self[i] * x^i (Horner); 0 for the empty vector.
    fn evaluate<'py>(&self, py: Python<'py>, x: Scalar) -> PyResult<Bound<'py, PyAny>> {
        let value = py.detach(|| polynomial::evaluate(&self.values, x.0));
        to_int(py, value)
    }

    /// The linear recurrence with these factors: out[0] = start, out[i+1] = self[i] * out[i] + addends[i].
    /// One element longer than self; ValueError unless addends is as long as self.
    fn scan(&self, py: Python<'_>, addends: &Bound<'_, Vector>, start: Scalar) -> PyResult<Vector> {
        let addends = &addends.get().values;
        same_length(self.values.len(), addends.len())?;
        Ok(py.detach(|| polynomial::scan(&self.values, addends, start.0)).into())
    }

    /// (quotient, remainder) of the polynomial by X - z: self(X) = quotient(X) (X - z) + remainder, with
    /// remainder = self(z) an int. The quotient has one coefficient less (none for an empty self).
    fn divide_by_linear<'py>(&self, py: Python<'py>, z: Scalar) -> PyResult<(Vector, Bound<'py, PyAny>)> {
        let (quotient, remainder) = py.detach(|| polynomial::divide_by_linear(&self.values, z.0));
        Ok((quotient.into(), to_int(py, remainder)?))
    }

    /// A vector of length n with self[i] added at positions[i], zero elsewhere. positions is a sequence of ints
    /// in [0, n) or a buffer of int64, as long as self; ValueError names the index that is outside.
    fn scatter(&self, n: Length, positions: &Bound<'_, PyAny>) -> PyResult<Vector> {
        let places = self::positions(positions, n.0)?;
        same_length(self.values.len(), places.len())?;
        let mut values = allocate(n.0)?;
        values.resize(n.0, Fr::ZERO);
        for (&value, place) in self.values.iter().zip(places) {
            values[place] = values[place].add(value);
        }
        Ok(Vector { values })
    }

    /// Evaluations of the coefficients on the roots of unity: out[i] = self(omega^i), omega of order len,
    /// natural order. ValueError unless len is a power of two up to 2^32. O(n log n).
    fn ntt(&self, py: Python<'_>) -> PyResult<Vector> {
        power_of_two("length", self.values.len())?;
        let mut values = self.values.clone();
        py.detach(|| transform::ntt(&mut values));
        Ok(values.into())
    }

    /// Coefficients from evaluations on the roots of unity: the inverse of `ntt`.
    fn intt(&self, py: Python<'_>) -> PyResult<Vector> {
        power_of_two("length", self.values.len())?;
        let mut values = self.values.clone();
        py.detach(|| transform::intt(&mut values));
        Ok(values.into())
    }

    /// Evaluations on a coset: out[i] = self(shift * omega^i), omega of order size, the coefficients padded
    /// with zeros. ValueError unless size is a power of two, at least len, and shift is not zero.
    fn coset_ntt(&self, py: Python<'_>, size: Length, shift: Scalar) -> PyResult<Vector> {
        let mut values = self.padded(size.0)?;
        not_zero(shift.0)?;
        py.detach(|| transform::coset_ntt(&mut values, self.values.len(), shift.0));
        Ok(Vector { values })
    }

    /// `coset_ntt` of each vector: many at once keep all cores busy.
    #[staticmethod]
    fn coset_ntt_each(
        py: Python<'_>,
        #[pyo3(from_py_with = items)] vectors: Vec<Py<Vector>>,
        size: Length,
        shift: Scalar,
    ) -> PyResult<Vec<Vector>> {
        let mut all = vectors.iter().map(|vector| vector.get().padded(size.0)).collect::<PyResult<Vec<_>>>()?;
        not_zero(shift.0)?;
        let lengths: Vec<usize> = vectors.iter().map(|vector| vector.get().values.len()).collect();
        py.detach(|| {
            each(&mut all, size.0, |(k, values)| transform::coset_ntt(values, lengths[k], shift.0));
        });
        Ok(all.into_iter().map(Vector::from).collect())
    }

    /// `ntt` of each vector.
    #[staticmethod]
    fn ntt_each(py: Python<'_>, #[pyo3(from_py_with = items)] vectors: Vec<Py<Vector>>) -> PyResult<Vec<Vector>> {
        transform_each(py, &vectors, transform::ntt)
    }

    /// `intt` of each vector.
    #[staticmethod]
    fn intt_each(py: Python<'_>, #[pyo3(from_py_with = items)] vectors: Vec<Py<Vector>>) -> PyResult<Vec<Vector>> {
        transform_each(py, &vectors, transform::intt)
    }

    /// Coefficients from evaluations at shift * omega^i: the inverse of `coset_ntt` with size = len.
    fn coset_intt(&self, py: Python<'_>, shift: Scalar) -> PyResult<Vector> {
        power_of_two("length", self.values.len())?;
        not_zero(shift.0)?;
        let mut values = self.values.clone();
        py.detach(|| {
            transform::intt(&mut values);
            transform::scale_by_powers(&mut values, shift.0.inverse());
        });
        Ok(values.into())
    }
}

fn coefficients(object: &Bound<'_, PyAny>) -> PyResult<Vec<Fr>> {
    list_or_vector(object, "scalars")
}
