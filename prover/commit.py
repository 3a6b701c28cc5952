"""Committing a model: one hiding KZG commitment for each packed row."""

from __future__ import annotations

from zkpredict.circuits.compiler import CompiledNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.files.schema import Schema
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.sizes import compile_or_advise
from zkpredict.kernel import G1, Vector
from zkpredict.prover.model import Committed, Model
from zkpredict.prover.randomness import random_scalars
from zkpredict.prover.setup import check_key, lagrange_key, monomial_key
from zkpredict.verifier.binding import schema_scalar
from zkpredict.verifier.commitment import ModelCommitment


def commit_model(network: IntegerNetwork | Model, domain: int | None = None) -> Model:
    """Compiles `network` and commits to it with fresh secrets: committing twice gives unlinkable commitments.

    Of a model, its network is committed to, and its schema is bound to the model id (`zkpredict.verifier.binding`). Raises `UnsupportedNetwork` when a worst-case bound or the size does not fit, `MalformedFile` when the commitment key is wrong.
    """
    schema = Schema()
    if isinstance(network, Model):
        schema, network = network.schema, network.network
    compiled = compile_or_advise(network, domain)
    check_key(compiled.circuit.domain)
    secrets = random_scalars(compiled.circuit.total_rows).to_ints()
    points: list[G1] = []
    for layer, rows in enumerate(hidden_rows(compiled, tuple(secrets))):
        key = monomial_key() if layer == 0 else lagrange_key(compiled.circuit.domain)
        points += [key.msm(row) for row in rows]
    commitment = ModelCommitment.bound(compiled.circuit, tuple(points), schema, G1.from_compressed)
    if schema:
        # Q = P + t B: the random entry of the first row becomes s + t
        secrets[0] = (secrets[0] + schema_scalar(compiled.circuit, points[0], schema)) % MODULUS
    return Model(network, Committed(commitment, tuple(secrets)), schema)


def hidden_rows(compiled: CompiledNetwork, secrets: tuple[int, ...]) -> list[list[Vector]]:
    """Per layer, the committed rows with their random entry: coefficients for layer 0, values on the domain for later layers.

    One uniform entry on a point nobody reads makes each commitment uniform in the group, whatever the weights.
    """
    remaining = iter(secrets)
    found = []
    for layer, rows in enumerate(compiled.rows):
        position = compiled.blinding_position(layer)
        found.append([Vector.from_ints(row[:position] + [next(remaining)] + row[position + 1 :]) for row in rows])
    return found
