"""A schema (what bytes and classes mean) bound to a model id, without another byte in proofs or contracts.

The first committed row has a random entry s that hides it: P = [row] + s B, with B = [tau^(n-1)]_1 (of a circuit with hidden inputs
[L_(n-1)(tau)]_1). A model with a schema registers

    Q = P + t B,   t = keccak(keccak("zkpredict schema v1" | circuit digest) | P, uncompressed | keccak(schema bytes)) mod r

in the place of P: the random entry is s + t, everything else is as without a schema. The model id is the hash of circuit and rows, Q among
them. Whoever is shown (P, schema) computes Q; another pair with the same Q is a solution of P' + H(P', schema') B = Q, which takes
2^255 / q tries for one Q, or a collision for an owner who may choose both: 2^127 tries. (The construction is that of BIP-341, Taproot:
a key that commits to a script.) P is uniform whatever the weights, and Q follows from P and the schema, so nothing of the weights shows.

A version 01 file with the same rows is valid too: it shows no schema and says nothing about readings.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.files.schema import Schema
from zkpredict.circuits.placement import AnyCircuit
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.verifier.messages import Point
from zkpredict.verifier.transcript import context, keccak256

SCHEMA_LABEL = b"zkpredict schema v1"
BLINDING_POINTS = {
    512: bytes.fromhex("832fca5196c95098ad47b7d24ba2f9d042e1c73ad2273edd1c2ce36386796ccc26e8567847697f3fcc2a0536a2a2087a"),
    1024: bytes.fromhex("81179cbc26a33f6d339b05ea3e1d6b9e1190bd44e94161ae36357b9cdf1e37d745d45c61735feed64371fe5384102366"),
    2048: bytes.fromhex("ad1086028fcdac94d5f1e7629071e7e47e30ad0190ae59aaebfb7a7ef6202ab91323a503c527e3226a23d7937af41a52"),
}
"""[tau^(n-1)]_1 of the ceremony, by domain n: where the first layer's rows have their random entry. A test recomputes them."""
PRIVATE_BLINDING_POINTS = {
    512: bytes.fromhex("887469b200cb8647875706b5407c24f2041540b799d203806d1ada90f318a34c0209a2efdca9259e7492c379efe0da45"),
    1024: bytes.fromhex("85af2d2d9c60943360f5b3ed72bd3c8810ce4faa70b67a8b4cf3c6681c0f33f939580c11fbbe95739042a01e8df75df3"),
    2048: bytes.fromhex("b37a06f43bc5f0ed5bee46775718dc3fefd489588ec44e56b7bf9bde1dfec0bb38ff6ef1a330bd57249693a9946beea4"),
}
"""[L_(n-1)(tau)]_1: the same where inputs are hidden, whose first-layer rows are values on the domain."""


def schema_scalar(circuit: AnyCircuit, inner: Point, schema: Schema) -> int:
    """t of the page above, in [0, r)."""
    start = context(SCHEMA_LABEL, circuit.digest)
    return int.from_bytes(keccak256(start + inner.to_uncompressed() + keccak256(schema.to_bytes())), "big") % MODULUS


def bound_row(circuit: AnyCircuit, inner: Point, schema: Schema, decode_point: Callable[[bytes], Point]) -> Point:
    """Q of the page above, in the library of `decode_point`. Raises `UnsupportedNetwork` for a domain without a known B."""
    points = PRIVATE_BLINDING_POINTS if isinstance(circuit, WideCircuit) and circuit.private_input else BLINDING_POINTS
    if circuit.domain not in points:
        raise UnsupportedNetwork(f"a circuit of {circuit.domain} rows binds no schema")
    return inner + _decoded(points[circuit.domain], decode_point).mul(schema_scalar(circuit, inner, schema))


@lru_cache(maxsize=8)
def _decoded(point: bytes, decode_point: Callable[[bytes], Point]) -> Point:
    return decode_point(point)
