"""The native kernel: field vectors, transforms, multi-scalar multiplication, pairings on BLS12-381; keccak256.

Everything here is the extension module `zkpredict_kernel` (Rust on the blst library) under the package's own
name. It is pure arithmetic: no transcript, no randomness, no files, no policy, and none of it in constant time.
The slow readable twin of every function is in `zkpredict.kernel.reference`.
"""

from zkpredict_kernel import (
    GENERATOR,
    MODULUS,
    TWO_ADICITY,
    Bases,
    G1,
    G2,
    Vector,
    evaluate_program,
    keccak256,
    pairing_check,
    root_of_unity,
)

__all__ = [
    "GENERATOR",
    "MODULUS",
    "TWO_ADICITY",
    "Bases",
    "G1",
    "G2",
    "Vector",
    "evaluate_program",
    "keccak256",
    "pairing_check",
    "root_of_unity",
]
