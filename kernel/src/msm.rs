//! Multi-scalar multiplication in G1.

use blst::{blst_p1, blst_p1_affine};
use rayon::prelude::*;

use crate::field::{bytes_from_limbs, Fr};
use crate::pool::on_all_cores;

/// sum_i scalars[i] * points[i]; as many scalars as points.
pub fn multiply(points: &[blst_p1_affine], scalars: &[Fr]) -> blst_p1 {
    if points.len() < 64 {
        return add(small_and_full(points, scalars));
    }
    on_all_cores(|| {
        let share = points.len().div_ceil(rayon::current_num_threads());
        let parts: Vec<blst_p1> = points
            .par_chunks(share)
            .zip(scalars.par_chunks(share))
            .flat_map_iter(|(points, scalars)| small_and_full(points, scalars))
            .collect();
        add(parts)
    })
}

fn small_and_full(points: &[blst_p1_affine], scalars: &[Fr]) -> Vec<blst_p1> {
    let (mut small, mut small_bytes) = (Vec::new(), Vec::new());
    let (mut full, mut full_bytes) = (Vec::new(), Vec::new());
    for (point, scalar) in points.iter().zip(scalars) {
        let plus = scalar.to_limbs();
        let minus = scalar.neg().to_limbs();
        if plus[1..] == [0; 3] && plus[0] < 1 << 16 {
            small.push(*point);
            small_bytes.extend_from_slice(&plus[0].to_le_bytes()[..2]);
        } else if minus[1..] == [0; 3] && minus[0] < 1 << 16 {
            let mut point = *point;
            // SAFETY: reads and writes one coordinate.
            unsafe { blst::blst_fp_cneg(&mut point.y, &point.y, true) };
            small.push(point);
            small_bytes.extend_from_slice(&minus[0].to_le_bytes()[..2]);
        } else {
            full.push(*point);
            full_bytes.extend_from_slice(&bytes_from_limbs(&plus));
        }
    }
    vec![pippenger(&small, &small_bytes, 16), pippenger(&full, &full_bytes, 255)]
}

fn pippenger(points: &[blst_p1_affine], scalars: &[u8], bits: usize) -> blst_p1 {
    let mut result = blst_p1::default();
    if !points.is_empty() {
        let points_list = [points.as_ptr(), std::ptr::null()];
        let scalars_list = [scalars.as_ptr(), std::ptr::null()];
        // SAFETY: the scratch has the size blst asks for; scalars hold ceil(bits / 8) bytes for each point.
        unsafe {
            let mut scratch = vec![0u64; blst::blst_p1s_mult_pippenger_scratch_sizeof(points.len()).div_ceil(8)];
            blst::blst_p1s_mult_pippenger(
                &mut result,
                points_list.as_ptr(),
                points.len(),
                scalars_list.as_ptr(),
                bits,
                scratch.as_mut_ptr(),
            );
        }
    }
    result
}

fn add(parts: Vec<blst_p1>) -> blst_p1 {
    parts.iter().fold(blst_p1::default(), |sum, part| {
        let mut out = blst_p1::default();
        // SAFETY: three live points.
        unsafe { blst::blst_p1_add_or_double(&mut out, &sum, part) };
        out
    })
}
