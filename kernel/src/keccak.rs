//! keccak256 as Ethereum uses it: Keccak[512] with the padding of the original submission (Bertoni, Daemen, Peeters and
//! Van Assche, "The Keccak reference", version 3.0, sections 1.2 and 1.3), not that of SHA-3.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::python::Octets;

/// Bytes absorbed by one permutation.
const RATE: usize = 136;

const ROUND_CONSTANTS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// Where the lanes go one after another, from lane (1, 0) on: (x, y) to (y, 2x + 3y), turned by the triangular numbers.
const ORBIT: [(usize, u32); 24] = {
    let mut orbit = [(0, 0); 24];
    let (mut x, mut y, mut turn, mut step) = (1, 0, 0, 0);
    while step < 24 {
        (x, y) = (y, (2 * x + 3 * y) % 5);
        turn += step as u32 + 1;
        orbit[step] = (x + 5 * y, turn % 64);
        step += 1;
    }
    orbit
};

/// Keccak-f[1600]; lane (x, y) is state[x + 5 y].
fn permute(state: &mut [u64; 25]) {
    for constant in ROUND_CONSTANTS {
        // theta
        let column = |x: usize| (0..5).fold(0, |parity, y| parity ^ state[x % 5 + 5 * y]);
        let parity: [u64; 5] = std::array::from_fn(column);
        let mixed: [u64; 25] =
            std::array::from_fn(|i| state[i] ^ parity[(i + 4) % 5] ^ parity[(i + 1) % 5].rotate_left(1));
        // rho and pi
        let mut moved = [mixed[0]; 25];
        for (&(place, turn), from) in ORBIT.iter().zip(std::iter::once(1).chain(ORBIT.iter().map(|step| step.0))) {
            moved[place] = mixed[from].rotate_left(turn);
        }
        // chi and iota
        for (row, out) in moved.chunks_exact(5).zip(state.chunks_exact_mut(5)) {
            for x in 0..5 {
                out[x] = row[x] ^ (!row[(x + 1) % 5] & row[(x + 2) % 5]);
            }
        }
        state[0] ^= constant;
    }
}

fn absorb(state: &mut [u64; 25], block: &[u8; RATE]) {
    for (lane, bytes) in state.iter_mut().zip(block.chunks_exact(8)) {
        *lane ^= bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte));
    }
    permute(state);
}

fn hash(mut data: &[u8]) -> [u8; 32] {
    let mut state = [0; 25];
    while let Some((block, rest)) = data.split_first_chunk() {
        absorb(&mut state, block);
        data = rest;
    }
    let mut last = [0; RATE];
    last[..data.len()].copy_from_slice(data);
    last[data.len()] = 0x01;
    last[RATE - 1] |= 0x80;
    absorb(&mut state, &last);
    let mut digest = [0; 32];
    digest.chunks_exact_mut(8).zip(state).for_each(|(bytes, lane)| bytes.copy_from_slice(&lane.to_le_bytes()));
    digest
}

/// keccak256 of the bytes, with Ethereum's padding. 32 bytes.
#[pyfunction]
pub fn keccak256<'py>(py: Python<'py>, data: Octets<'_>) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &hash(&data))
}
