//! The check every verifier ends in: a product of pairings is one.

use blst::{blst_fp12, blst_p1_affine, blst_p2_affine};
use pyo3::prelude::*;

use crate::curve::{G1, G2};
use crate::python::items;

/// Whether e(P_1, Q_1) ... e(P_n, Q_n) = 1, for a list of pairs (G1, G2).
///
/// A pair with an identity contributes 1; the empty product is 1. One final exponentiation for all pairs. The
/// points were checked when they were made.
#[pyfunction]
pub fn pairing_check(py: Python<'_>, #[pyo3(from_py_with = items)] pairs: Vec<(Py<G1>, Py<G2>)>) -> bool {
    py.detach(|| {
        let affine: Vec<(blst_p1_affine, blst_p2_affine)> = pairs
            .iter()
            .map(|(p, q)| (p.get(), q.get()))
            .filter(|(p, q)| !p.is_infinity() && !q.is_infinity())
            .map(|(p, q)| (p.affine(), q.affine()))
            .collect();
        if affine.is_empty() {
            return true;
        }
        let first: Vec<*const blst_p1_affine> = affine.iter().map(|(p, _)| p as *const _).collect();
        let second: Vec<*const blst_p2_affine> = affine.iter().map(|(_, q)| q as *const _).collect();
        let mut product = blst_fp12::default();
        let mut result = blst_fp12::default();
        // SAFETY: both lists hold affine.len() pointers into `affine`; no point is the identity.
        unsafe {
            blst::blst_miller_loop_n(&mut product, second.as_ptr(), first.as_ptr(), affine.len());
            blst::blst_final_exp(&mut result, &product);
            blst::blst_fp12_is_one(&result)
        }
    })
}
