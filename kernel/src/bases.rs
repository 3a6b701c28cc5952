//! `Bases`: fixed points of G1 for many multi-scalar multiplications.

use std::sync::OnceLock;

use blst::{blst_p1, blst_p1_affine};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PySlice};
use pyo3::IntoPyObjectExt;
use rayon::prelude::*;

use crate::affine::{add_each, add_points, negate_if};
use crate::columns::{multiply_columns, multiply_small, Memo};
use crate::curve::{to_affine, Refusal, G1};
use crate::field::{root_of_unity, Fr};
use crate::fixed::Shifts;
use crate::integers::Integers;
use crate::msm;
use crate::pool::on_all_cores;
use crate::python::{allocate, chunks, items, power_of_two, slice_of, wrapped_index, Length, Octets};
use crate::transform::bit_reverse;
use crate::vector::Vector;

/// An immutable list of points of G1 in affine form, the bases of multi-scalar multiplications.
///
/// Build one from a list of G1, or decode it from bytes with all cores.
#[pyclass(frozen, sequence, module = "zkpredict_kernel")]
pub struct Bases {
    points: Vec<blst_p1_affine>,
    memo: Memo,
    tables: OnceLock<Shifts>,
}

impl From<Vec<blst_p1_affine>> for Bases {
    fn from(points: Vec<blst_p1_affine>) -> Bases {
        Bases { points, memo: Memo::default(), tables: OnceLock::new() }
    }
}

impl Bases {
    /// sum_i scalars[i] * points[i], by the tables where there are any and enough large scalars to make them pay.
    fn multiply(&self, scalars: &[Fr]) -> blst_p1 {
        if let Some(sum) = multiply_small(&self.points, &self.memo, scalars) {
            return sum;
        }
        match self.tables.get() {
            Some(tables) if tables.pay_for(scalars) => {
                let (first, rest) = scalars.split_at(scalars.len().min(tables.len()));
                let behind = msm::multiply(&self.points[first.len()..scalars.len()], rest);
                add_points(&tables.multiply(first), &behind)
            }
            _ => msm::multiply(&self.points[..scalars.len()], scalars),
        }
    }

    fn enough_for(&self, scalars: usize) -> PyResult<()> {
        let expected = self.points.len();
        if scalars > expected {
            return Err(PyValueError::new_err(format!(
                "expected at most {expected} scalars, one for each base, got {scalars}"
            )));
        }
        Ok(())
    }
}

/// Decode every chunk with all cores; ValueError names the first point refused.
fn decode<const N: usize>(
    py: Python<'_>,
    data: &[u8],
    decode_one: impl Fn(&[u8; N]) -> Result<blst_p1_affine, Refusal> + Sync,
) -> PyResult<Bases> {
    let encoded = chunks::<N>(data, "point")?;
    let results: Vec<_> = py.detach(|| on_all_cores(|| encoded.par_iter().map(|bytes| decode_one(bytes)).collect()));
    let points: PyResult<Vec<_>> = results
        .into_iter()
        .enumerate()
        .map(|(i, result)| result.map_err(|r| PyValueError::new_err(format!("G1 point {i} {}", r.explain()))))
        .collect();
    points.map(Bases::from)
}

#[pymethods]
impl Bases {
    #[new]
    fn new(py: Python<'_>, #[pyo3(from_py_with = items)] points: Vec<Py<G1>>) -> Bases {
        py.detach(|| to_affine(&points.iter().map(|point| point.get().point).collect::<Vec<_>>())).into()
    }

    /// From 96 bytes for each point. Encoding and curve are always checked; subgroup_check=False is for data
    /// whose hash is pinned. ValueError names the point refused and why.
    #[staticmethod]
    #[pyo3(signature = (data, subgroup_check = true))]
    fn from_uncompressed(py: Python<'_>, data: Octets<'_>, subgroup_check: bool) -> PyResult<Bases> {
        decode(py, &data, |bytes| G1::decode_uncompressed(bytes, subgroup_check))
    }

    /// From 48 bytes for each point, all checks. ValueError names the point refused and why.
    #[staticmethod]
    fn from_compressed(py: Python<'_>, data: Octets<'_>) -> PyResult<Bases> {
        decode(py, &data, G1::decode_compressed)
    }

    /// 96 bytes for each point.
    fn to_uncompressed<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        PyBytes::new_with(py, self.points.len() * 96, |out| {
            for (bytes, point) in out.chunks_exact_mut(96).zip(&self.points) {
                // SAFETY: the chunk has the 96 bytes of one point.
                unsafe { blst::blst_p1_affine_serialize(bytes.as_mut_ptr(), point) };
            }
            Ok(())
        })
    }

    /// The lists one after another.
    #[staticmethod]
    fn concat(#[pyo3(from_py_with = items)] lists: Vec<Py<Bases>>) -> PyResult<Bases> {
        let mut points = allocate(lists.iter().map(|list| list.get().points.len()).sum())?;
        for list in &lists {
            points.extend_from_slice(&list.get().points);
        }
        Ok(points.into())
    }

    fn __len__(&self) -> usize {
        self.points.len()
    }

    /// bases[i] is a G1 (negative i counts from the end), bases[a:b:step] a Bases.
    fn __getitem__<'py>(&self, py: Python<'py>, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(slice) = index.cast::<PySlice>() {
            return Bases::from(slice_of(&self.points, slice)?).into_bound_py_any(py);
        }
        G1::from_affine(&self.points[wrapped_index(index, self.points.len())?]).into_bound_py_any(py)
    }

    fn __repr__(&self) -> String {
        format!("<Bases of {} G1 points>", self.points.len())
    }

    /// sum_i vector[i] * bases[i] over the vector's length, at most the number of bases (ValueError).
    ///
    /// All cores; elements near 0 or near r (small negative numbers) cost much less. Not in constant time.
    fn msm(&self, py: Python<'_>, vector: &Bound<'_, Vector>) -> PyResult<G1> {
        let scalars = &vector.get().values;
        self.enough_for(scalars.len())?;
        Ok(py.detach(|| G1::from_point(self.multiply(scalars))))
    }

    /// Makes tables of the first n bases, once for these bases (again is nothing, whatever n): `msm` and `msm_each` over many
    /// full-size scalars then take a third less. As long as four such multiplications, and some 1 kB a base.
    ///
    /// ValueError unless n is at most the number of bases.
    fn precompute(&self, py: Python<'_>, n: Length) -> PyResult<()> {
        self.enough_for(n.0)?;
        py.detach(|| {
            self.tables.get_or_init(|| Shifts::for_all(&self.points[..n.0]));
        });
        Ok(())
    }

    /// How many of the bases, the first ones, have tables.
    #[getter]
    fn precomputed(&self) -> usize {
        self.tables.get().map_or(0, Shifts::len)
    }

    /// The sum for each vector, as `msm` gives it: many at once keep all cores busy.
    fn msm_each(&self, py: Python<'_>, #[pyo3(from_py_with = items)] vectors: Vec<Py<Vector>>) -> PyResult<Vec<G1>> {
        let lists: Vec<&[Fr]> = vectors.iter().map(|vector| vector.get().values.as_slice()).collect();
        lists.iter().try_for_each(|scalars| self.enough_for(scalars.len()))?;
        let one = |scalars: &&[Fr]| self.multiply(scalars);
        let sums: Vec<_> = py.detach(|| on_all_cores(|| lists.par_iter().with_max_len(1).map(one).collect()));
        Ok(sums.into_iter().map(G1::from_point).collect())
    }

    /// Many sums over small integers: matrix is a two-dimensional contiguous buffer of integers of any width that fit an
    /// int64 (a numpy array [sums, n]), tails holds a Vector for each of its rows, and the result is the list of
    /// sum_j matrix[r, j] * bases[j] + sum_k tails[r][k] * bases[n + k].
    ///
    /// All cores. A row of bytes costs a twentieth of a row of full-size scalars, a row of bits less; zeros cost nothing.
    /// TypeError for another element type; ValueError for another shape, unless there is one tail for each row, and
    /// unless there is a base for each scalar.
    fn msm_integers(
        &self,
        py: Python<'_>,
        matrix: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = items)] tails: Vec<Py<Vector>>,
    ) -> PyResult<Vec<G1>> {
        let matrix = Integers::matrix(matrix)?;
        if tails.len() != matrix.rows {
            let (expected, got) = (matrix.rows, tails.len());
            return Err(PyValueError::new_err(format!("expected {expected} tails, one for each row, got {got}")));
        }
        let tails: Vec<&[Fr]> = tails.iter().map(|tail| tail.get().values.as_slice()).collect();
        let longest = tails.iter().map(|tail| tail.len()).max().unwrap_or(0);
        self.enough_for(matrix.columns.saturating_add(longest))?;
        let sums = py.detach(|| multiply_columns(&self.points, &self.memo, &matrix, &tails));
        Ok(sums.into_iter().map(G1::from_point).collect())
    }

    /// From the first n bases [tau^i]G, the Lagrange bases [L_i(tau)]G of the n-th roots of unity: committing
    /// to evaluations with these is committing to the coefficients with those.
    ///
    /// n is a power of two, at most the number of bases (ValueError). An inverse FFT in the group, all cores,
    /// n/2 log2(n) scalar multiplications: compute once and keep.
    fn lagrange(&self, py: Python<'_>, n: Length) -> PyResult<Bases> {
        let n = n.0;
        power_of_two("n", n)?;
        let Some(points) = self.points.get(..n) else {
            let bases = self.points.len();
            return Err(PyValueError::new_err(format!("n must be at most the number of bases {bases}, got {n}")));
        };
        Ok(py.detach(|| on_all_cores(|| lagrange(points))).into())
    }
}

/// Points multiplied in step.
const LANES: usize = 256;

/// L_i(tau) = 1/n sum_j omega^(-ij) tau^j, by decimation in frequency.
fn lagrange(monomials: &[blst_p1_affine]) -> Vec<blst_p1_affine> {
    let n = monomials.len();
    let root = root_of_unity(n.trailing_zeros()).inverse();
    let powers: Vec<Fr> = std::iter::successors(Some(Fr::one()), |power| Some(power.mul(root))).take(n / 2).collect();
    let mut points = monomials.to_vec();
    let mut half = n / 2;
    while half > 0 {
        // Butterfly k is number k / blocks in block k % blocks, so those with twiddle 1 come first.
        let blocks = n / 2 / half;
        let low = |k: usize| k % blocks * 2 * half + k / blocks;
        let butterflies: Vec<usize> = (0..n / 2).collect();
        let layer: Vec<_> = butterflies
            .par_chunks(LANES)
            .map(|chunk| {
                let left: Vec<_> = chunk.iter().map(|&k| points[low(k)]).collect();
                let right: Vec<_> = chunk.iter().map(|&k| points[low(k) + half]).collect();
                let negated: Vec<_> = right.iter().map(|point| negate_if(point, true)).collect();
                let mut differences = add_each(&left, &negated);
                let trivial = chunk.iter().filter(|&&k| k < blocks).count();
                let twiddles: Vec<Fr> = chunk[trivial..].iter().map(|&k| powers[k / blocks * blocks]).collect();
                let products = msm::multiply_each(&differences[trivial..], &twiddles);
                differences.truncate(trivial);
                differences.extend(products);
                (add_each(&left, &right), differences)
            })
            .collect();
        for (chunk, (sums, products)) in butterflies.chunks(LANES).zip(layer) {
            for ((&k, sum), product) in chunk.iter().zip(sums).zip(products) {
                points[low(k)] = sum;
                points[low(k) + half] = product;
            }
        }
        half /= 2;
    }
    if n > 1 {
        bit_reverse(&mut points);
    }
    let scale = vec![Fr::from_u64(n as u64).inverse(); LANES];
    points.par_chunks(LANES).flat_map_iter(|chunk| msm::multiply_each(chunk, &scale[..chunk.len()])).collect()
}
