//! Python values across the boundary: scalars, lengths, bytes and index lists. Errors never show a scalar's value.

use pyo3::buffer::PyBuffer;
use pyo3::conversion::FromPyObjectOwned;
use pyo3::exceptions::{PyIndexError, PyMemoryError, PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PySlice};

use crate::field::{bytes_from_limbs, limbs_from_bytes, Fr, BYTES, TWO_ADICITY};
use crate::integers::{native, Integers};
use crate::vector::Vector;

/// A Python int in [0, r).
pub struct Scalar(pub Fr);

impl<'py> FromPyObject<'_, 'py> for Scalar {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Scalar> {
        scalar(&object, || "scalar".to_owned()).map(Scalar)
    }
}

/// Read an int in [0, r); `name` says which one it is when it is refused.
pub fn scalar(object: &Bound<'_, PyAny>, name: impl Fn() -> String) -> PyResult<Fr> {
    if !object.is_instance_of::<PyInt>() {
        return Err(PyTypeError::new_err(format!("{} must be an int, got {}", name(), object.get_type().qualname()?)));
    }
    let out_of_range = || PyValueError::new_err(format!("{} must be in [0, r)", name()));
    let mut overflow = 0;
    // SAFETY: the object is an int and the interpreter is attached.
    let small = unsafe { ffi::PyLong_AsLongLongAndOverflow(object.as_ptr(), &mut overflow) };
    if overflow == 0 {
        return u64::try_from(small).map(Fr::from_u64).map_err(|_| out_of_range());
    }
    let py = object.py();
    let bytes =
        object.call_method1(intern!(py, "to_bytes"), (BYTES, intern!(py, "little"))).map_err(|_| out_of_range())?;
    let bytes: &[u8; BYTES] = bytes.cast::<PyBytes>()?.as_bytes().try_into().map_err(|_| out_of_range())?;
    Fr::from_limbs(&limbs_from_bytes(bytes)).ok_or_else(out_of_range)
}

/// Read a list of ints in [0, r).
pub fn scalars(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<Fr>> {
    object.try_iter()?.enumerate().map(|(i, item)| scalar(&item?, || format!("{name}[{i}]"))).collect()
}

pub fn to_int(py: Python<'_>, value: Fr) -> PyResult<Bound<'_, PyAny>> {
    let limbs = value.to_limbs();
    if limbs[1..] == [0; 3] {
        return Ok(limbs[0].into_pyobject(py)?.into_any());
    }
    let bytes = PyBytes::new(py, &bytes_from_limbs(&limbs));
    py.get_type::<PyInt>().call_method1(intern!(py, "from_bytes"), (bytes, intern!(py, "little")))
}

/// Read a list item by item. PyO3's own extraction first reserves room for as many as the object claims to hold, and aborts
/// the process when there is none.
pub fn items<'py, T: FromPyObjectOwned<'py>>(object: &Bound<'py, PyAny>) -> PyResult<Vec<T>> {
    object.try_iter()?.map(|item| item?.extract::<T>().map_err(Into::into)).collect()
}

/// A length: a Python int in [0, 2^48), so that no byte count overflows.
#[derive(Clone, Copy)]
pub struct Length(pub usize);

impl<'py> FromPyObject<'_, 'py> for Length {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Length> {
        if !object.is_instance_of::<PyInt>() {
            let kind = object.get_type().qualname()?;
            return Err(PyTypeError::new_err(format!("length must be an int, got {kind}")));
        }
        match object.extract::<usize>() {
            Ok(length) if length < 1 << 48 => Ok(Length(length)),
            _ => Err(PyValueError::new_err("length must be in [0, 2^48)")),
        }
    }
}

/// bytes, borrowed, or a copy of any other contiguous buffer of bytes (bytearray, memoryview).
pub enum Octets<'a> {
    Borrowed(&'a [u8]),
    Owned(Vec<u8>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Octets<'a> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Octets<'a>> {
        if let Ok(bytes) = object.extract::<&'a [u8]>() {
            return Ok(Octets::Borrowed(bytes));
        }
        let refuse = |what: &str| PyTypeError::new_err(format!("expected bytes, got {what}"));
        let kind = object.get_type().qualname()?.to_string();
        let buffer = PyBuffer::<u8>::get(&object).map_err(|_| refuse(&kind))?;
        if !buffer.is_c_contiguous() {
            return Err(refuse("a buffer that is not contiguous"));
        }
        Ok(Octets::Owned(buffer.to_vec(object.py())?))
    }
}

impl std::ops::Deref for Octets<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Octets::Borrowed(bytes) => bytes,
            Octets::Owned(bytes) => bytes,
        }
    }
}

/// Positions below `bound`: a sequence of ints or a buffer of int64.
pub fn positions(object: &Bound<'_, PyAny>, bound: usize) -> PyResult<Vec<usize>> {
    let outside = |i: usize| PyValueError::new_err(format!("positions[{i}] is outside [0, {bound})"));
    let within = |i: usize, position: Option<usize>| match position {
        Some(position) if position < bound => Ok(position),
        _ => Err(outside(i)),
    };
    if native::<i64>(object).is_some() {
        let list = Integers::vector(object)?.row(0);
        return list.iter().enumerate().map(|(i, &position)| within(i, position.try_into().ok())).collect();
    }
    object
        .try_iter()?
        .enumerate()
        .map(|(i, item)| {
            let item = item?;
            if !item.is_instance_of::<PyInt>() {
                let kind = item.get_type().qualname()?;
                return Err(PyTypeError::new_err(format!("positions[{i}] must be an int, got {kind}")));
            }
            within(i, item.extract().ok())
        })
        .collect()
}

/// Room for `length` elements, or MemoryError: the caller chose the length.
pub fn allocate<T>(length: usize) -> PyResult<Vec<T>> {
    let mut room = Vec::new();
    room.try_reserve_exact(length).map_err(|_| PyMemoryError::new_err(format!("no memory for {length} elements")))?;
    Ok(room)
}

/// Split into chunks of N bytes, or ValueError.
pub fn chunks<'a, const N: usize>(bytes: &'a [u8], what: &str) -> PyResult<Vec<&'a [u8; N]>> {
    let (mut found, mut rest) = (allocate(bytes.len() / N)?, bytes);
    while let Some((chunk, behind)) = rest.split_first_chunk::<N>() {
        found.push(chunk);
        rest = behind;
    }
    if !rest.is_empty() {
        let got = bytes.len();
        return Err(PyValueError::new_err(format!("expected {N} bytes for each {what}, got {got} bytes in all")));
    }
    Ok(found)
}

/// log2 n, or ValueError unless n is the order of a group of roots of unity.
pub fn power_of_two(what: &str, n: usize) -> PyResult<u32> {
    if !n.is_power_of_two() || n.trailing_zeros() > TWO_ADICITY {
        return Err(PyValueError::new_err(format!("{what} must be a power of two up to 2^{TWO_ADICITY}, got {n}")));
    }
    Ok(n.trailing_zeros())
}

/// The TypeError for what should have been an int.
pub fn not_an_int(name: &str, object: &Bound<'_, PyAny>) -> PyErr {
    let kind = object.get_type().qualname().map_or_else(|_| "another type".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("{name} must be an int, got {kind}"))
}

/// The elements a Python slice selects.
pub fn slice_of<T: Copy>(values: &[T], slice: &Bound<'_, PySlice>) -> PyResult<Vec<T>> {
    let indices = slice.indices(values.len() as isize)?;
    Ok((0..indices.slicelength as isize).map(|i| values[(indices.start + i * indices.step) as usize]).collect())
}

/// An index into `length` elements, counted from the end when negative.
pub fn wrapped_index(index: &Bound<'_, PyAny>, length: usize) -> PyResult<usize> {
    if !index.is_instance_of::<PyInt>() {
        return Err(not_an_int("index", index));
    }
    let outside = || PyIndexError::new_err(format!("index is outside a length of {length}"));
    let index: isize = index.extract().map_err(|_| outside())?;
    let wrapped = if index < 0 { index + length as isize } else { index };
    usize::try_from(wrapped).ok().filter(|&i| i < length).ok_or_else(outside)
}

/// A Vector's elements, or a sequence of ints in [0, r).
pub fn list_or_vector(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<Fr>> {
    match object.cast::<Vector>() {
        Ok(vector) => Ok(vector.get().values.clone()),
        Err(_) => scalars(object, name),
    }
}
