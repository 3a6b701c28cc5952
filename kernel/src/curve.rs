//! `G1` and `G2`: points of the two prime-order groups of BLS12-381.
//!
//! Encodings are the ones of the Ethereum consensus specifications and of zcash: big-endian coordinates, three
//! flag bits in the first byte (compressed, infinity, larger y).

use blst::{blst_p1, blst_p1_affine, blst_p2, blst_p2_affine, BLST_ERROR};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::field::Fr;
use crate::msm;
use crate::python::{items, list_or_vector, Octets, Scalar};

/// Why bytes are not a point.
#[derive(Clone, Copy)]
pub enum Refusal {
    Encoding,
    Curve,
    Subgroup,
}

impl Refusal {
    pub fn explain(self) -> &'static str {
        match self {
            Refusal::Encoding => "is not canonically encoded",
            Refusal::Curve => "is not on the curve",
            Refusal::Subgroup => "is not in the subgroup of prime order",
        }
    }
}

const COMPRESSED_FLAG: u8 = 0x80;

/// One of the two groups. The Python classes are the same but for names and sizes; `$extra` holds what only
/// one of them has.
macro_rules! group {
    (
        $(#[$doc:meta])*
        $Group:ident, $name:literal, $point:ident, $affine:ident, $compressed:literal, $uncompressed:literal,
        add = $add:ident, negate = $negate:ident, mult = $mult:ident, equal = $equal:ident, is_inf = $is_inf:ident,
        generator = $generator:ident, to_affine = $to_affine:ident, from_affine = $from_affine:ident,
        affine_in_group = $in_group:ident, compress = $compress:ident, serialize = $serialize:ident,
        uncompress = $uncompress:ident, deserialize = $deserialize:ident,
        $($extra:tt)*
    ) => {
        $(#[$doc])*
        #[pyclass(frozen, module = "zkpredict_kernel")]
        pub struct $Group {
            pub point: $point,
        }

        // SAFETY of the calls below: every pointer is to a live value of the type the C function reads or
        // writes, arrays have the length the encoding prescribes, and inputs are points already checked.
        impl $Group {
            pub fn from_point(point: $point) -> $Group {
                $Group { point }
            }

            pub fn from_affine(affine: &$affine) -> $Group {
                let mut point = $point::default();
                unsafe { blst::$from_affine(&mut point, affine) };
                $Group { point }
            }

            pub fn affine(&self) -> $affine {
                let mut affine = $affine::default();
                unsafe { blst::$to_affine(&mut affine, &self.point) };
                affine
            }

            pub fn is_infinity(&self) -> bool {
                unsafe { blst::$is_inf(&self.point) }
            }

            pub fn plus(&self, other: &$Group) -> $Group {
                let mut sum = $point::default();
                unsafe { blst::$add(&mut sum, &self.point, &other.point) };
                $Group::from_point(sum)
            }

            pub fn negated(&self) -> $Group {
                let mut point = self.point;
                unsafe { blst::$negate(&mut point, true) };
                $Group::from_point(point)
            }

            pub fn times(&self, scalar: Fr) -> $Group {
                let mut product = $point::default();
                let bytes = scalar.to_bytes();
                unsafe { blst::$mult(&mut product, &self.point, bytes.as_ptr(), 255) };
                $Group::from_point(product)
            }

            fn encode_compressed(&self) -> [u8; $compressed] {
                let mut bytes = [0; $compressed];
                unsafe { blst::$compress(bytes.as_mut_ptr(), &self.point) };
                bytes
            }

            /// Canonical, on the curve, in the subgroup.
            pub fn decode_compressed(bytes: &[u8; $compressed]) -> Result<$affine, Refusal> {
                let mut affine = $affine::default();
                let status = unsafe { blst::$uncompress(&mut affine, bytes.as_ptr()) };
                accept(status)?;
                in_subgroup(unsafe { blst::$in_group(&affine) })?;
                Ok(affine)
            }

            /// Canonical and on the curve; in the subgroup if `check_subgroup`.
            pub fn decode_uncompressed(bytes: &[u8; $uncompressed], check_subgroup: bool) -> Result<$affine, Refusal> {
                // blst reads a compressed point here too.
                if bytes[0] & COMPRESSED_FLAG != 0 {
                    return Err(Refusal::Encoding);
                }
                let mut affine = $affine::default();
                let status = unsafe { blst::$deserialize(&mut affine, bytes.as_ptr()) };
                accept(status)?;
                if check_subgroup {
                    in_subgroup(unsafe { blst::$in_group(&affine) })?;
                }
                Ok(affine)
            }
        }

        #[pymethods]
        impl $Group {
            /// numpy must not take part in the arithmetic.
            #[classattr]
            fn __array_ufunc__(py: Python<'_>) -> Py<PyAny> {
                py.None()
            }

            /// Decode a compressed point. ValueError says which check failed: length, canonical encoding, curve
            /// or subgroup. The identity is accepted.
            #[staticmethod]
            fn from_compressed(data: Octets<'_>) -> PyResult<$Group> {
                let bytes = exact::<$compressed>(&data, concat!($name, " compressed point"))?;
                $Group::decode_compressed(bytes).map(|affine| $Group::from_affine(&affine)).map_err(|r| refuse($name, r))
            }

            /// Decode an uncompressed point. ValueError says which check failed: length, canonical encoding,
            /// curve or subgroup. The identity is accepted.
            #[staticmethod]
            fn from_uncompressed(data: Octets<'_>) -> PyResult<$Group> {
                let bytes = exact::<$uncompressed>(&data, concat!($name, " uncompressed point"))?;
                $Group::decode_uncompressed(bytes, true)
                    .map(|affine| $Group::from_affine(&affine))
                    .map_err(|r| refuse($name, r))
            }

            /// The canonical compressed encoding.
            fn to_compressed<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
                PyBytes::new(py, &self.encode_compressed())
            }

            /// The canonical uncompressed encoding.
            fn to_uncompressed<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
                let mut bytes = [0; $uncompressed];
                unsafe { blst::$serialize(bytes.as_mut_ptr(), &self.point) };
                PyBytes::new(py, &bytes)
            }

            /// The standard generator.
            #[staticmethod]
            pub fn generator() -> $Group {
                $Group::from_point(unsafe { *blst::$generator() })
            }

            /// The neutral element (the point at infinity).
            #[staticmethod]
            pub fn identity() -> $Group {
                $Group::from_point($point::default())
            }

            /// Whether this is the neutral element.
            fn is_identity(&self) -> bool {
                self.is_infinity()
            }

            /// scalar times the point, for an int in [0, r). Not in constant time.
            fn mul(&self, py: Python<'_>, scalar: Scalar) -> $Group {
                py.detach(|| self.times(scalar.0))
            }

            fn __add__(&self, other: &Bound<'_, $Group>) -> $Group {
                self.plus(other.get())
            }

            fn __sub__(&self, other: &Bound<'_, $Group>) -> $Group {
                self.plus(&other.get().negated())
            }

            fn __neg__(&self) -> $Group {
                self.negated()
            }

            fn __eq__(&self, other: &Bound<'_, $Group>) -> bool {
                unsafe { blst::$equal(&self.point, &other.get().point) }
            }

            fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
                self.to_compressed(py).hash()
            }

            fn __repr__(&self) -> String {
                let hex: String = self.encode_compressed().iter().map(|byte| format!("{byte:02x}")).collect();
                format!(concat!("<", $name, " {}>"), hex)
            }

            $($extra)*
        }
    };
}

fn accept(status: BLST_ERROR) -> Result<(), Refusal> {
    match status {
        BLST_ERROR::BLST_SUCCESS => Ok(()),
        BLST_ERROR::BLST_POINT_NOT_ON_CURVE => Err(Refusal::Curve),
        BLST_ERROR::BLST_POINT_NOT_IN_GROUP => Err(Refusal::Subgroup),
        _ => Err(Refusal::Encoding),
    }
}

fn in_subgroup(is: bool) -> Result<(), Refusal> {
    is.then_some(()).ok_or(Refusal::Subgroup)
}

fn refuse(name: &str, refusal: Refusal) -> PyErr {
    PyValueError::new_err(format!("{name} point {}", refusal.explain()))
}

fn exact<'a, const N: usize>(data: &'a [u8], what: &str) -> PyResult<&'a [u8; N]> {
    data.try_into().map_err(|_| PyValueError::new_err(format!("{what} must be {N} bytes, got {}", data.len())))
}

group! {
    /// A point of G1, the subgroup of order r of E(Fp): y^2 = x^3 + 4.
    ///
    /// 48 bytes compressed, 96 uncompressed. Immutable, hashable; `+`, `-` and unary `-` between points, `mul` by
    /// an int in [0, r). Arithmetic is not in constant time.
    G1, "G1", blst_p1, blst_p1_affine, 48, 96,
    add = blst_p1_add_or_double, negate = blst_p1_cneg, mult = blst_p1_mult, equal = blst_p1_is_equal,
    is_inf = blst_p1_is_inf, generator = blst_p1_generator, to_affine = blst_p1_to_affine,
    from_affine = blst_p1_from_affine, affine_in_group = blst_p1_affine_in_g1, compress = blst_p1_compress,
    serialize = blst_p1_serialize, uncompress = blst_p1_uncompress, deserialize = blst_p1_deserialize,

    /// sum_i scalars[i] * points[i] for a list of points and a list of ints in [0, r) or a Vector, of equal length
    /// (ValueError otherwise); the identity for none. All cores, not in constant time.
    #[staticmethod]
    fn linear_combination(
        py: Python<'_>,
        #[pyo3(from_py_with = items)] points: Vec<Py<G1>>,
        scalars: &Bound<'_, PyAny>,
    ) -> PyResult<G1> {
        let scalars = list_or_vector(scalars, "scalars")?;
        if points.len() != scalars.len() {
            let (expected, got) = (points.len(), scalars.len());
            return Err(PyValueError::new_err(format!("expected {expected} scalars, one for each point, got {got}")));
        }
        Ok(py.detach(|| {
            let points: Vec<blst_p1> = points.iter().map(|point| point.get().point).collect();
            G1::from_point(msm::multiply(&to_affine(&points), &scalars))
        }))
    }
}

group! {
    /// A point of G2, the subgroup of order r of the twist over Fp2: y^2 = x^3 + 4(1 + u).
    ///
    /// 96 bytes compressed, 192 uncompressed. Immutable, hashable; `+`, `-` and unary `-` between points, `mul` by
    /// an int in [0, r). Arithmetic is not in constant time.
    G2, "G2", blst_p2, blst_p2_affine, 96, 192,
    add = blst_p2_add_or_double, negate = blst_p2_cneg, mult = blst_p2_mult, equal = blst_p2_is_equal,
    is_inf = blst_p2_is_inf, generator = blst_p2_generator, to_affine = blst_p2_to_affine,
    from_affine = blst_p2_from_affine, affine_in_group = blst_p2_affine_in_g2, compress = blst_p2_compress,
    serialize = blst_p2_serialize, uncompress = blst_p2_uncompress, deserialize = blst_p2_deserialize,
}

/// Affine coordinates of all points with one inversion; the identity becomes (0, 0).
pub fn to_affine(points: &[blst_p1]) -> Vec<blst_p1_affine> {
    let mut affine = vec![blst_p1_affine::default(); points.len()];
    if !points.is_empty() {
        // A null second pointer tells blst that the points lie one after another.
        let list = [points.as_ptr(), std::ptr::null()];
        // SAFETY: affine has room for all points.
        unsafe { blst::blst_p1s_to_affine(affine.as_mut_ptr(), list.as_ptr(), points.len()) };
    }
    affine
}
