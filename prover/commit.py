"""Committing a model: one hiding KZG commitment for each packed row."""

from __future__ import annotations

from collections.abc import Callable

from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.files.schema import Schema
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.sizes import compile_or_advise
from zkpredict.circuits.wide.claims import CLASS, Claim
from zkpredict.kernel import G1
from zkpredict.prover.model import Committed, Model
from zkpredict.prover.randomness import random_scalars
from zkpredict.prover.rows import hidden_rows
from zkpredict.prover.setup import check_key, lagrange_key, monomial_key
from zkpredict.verifier.binding import schema_scalar
from zkpredict.verifier.commitment import ModelCommitment


def commit_model(
    network: IntegerNetwork | Model, domain: int | None = None, claim: Claim = CLASS, placement: str | None = None, private_input: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None, batch: bool = False, joined: int | None = None, shared: bool = False,
) -> Model:
    """Compiles `network` and commits to it with fresh secrets: committing twice gives unlinkable commitments.

    `batch`: in a wide circuit with slots for several inputs, where the network leaves room for them (docs/batches.md).
    Of a model, its network is committed to, and its schema is bound to the model id (`zkpredict.verifier.binding`). `progress` is told
    how many rows of how many are done. `joined`, `shared`: see `compile_any`. Raises `UnsupportedNetwork` when a worst-case bound or the size
    does not fit, `MalformedFile` when the commitment key is wrong.
    """
    schema = Schema()
    if isinstance(network, Model):
        schema, network = network.schema, network.network
    compiled = compile_or_advise(network, domain, claim, placement, private_input, batch, joined, shared)
    circuit = compiled.circuit
    check_key(circuit.domain)
    secrets = random_scalars(circuit.total_rows).to_ints()
    points: list[G1] = []
    for column, row in hidden_rows(compiled, tuple(secrets)):
        key = monomial_key() if column.coefficients else lagrange_key(circuit.domain)
        points.append(key.msm(row))
        progress(len(points), len(secrets))
    commitment = ModelCommitment.bound(circuit, tuple(points), schema, G1.from_compressed)
    if schema:
        # Q = P + t B: the random entry of the first row becomes s + t
        secrets[0] = (secrets[0] + schema_scalar(circuit, points[0], schema)) % MODULUS
    return Model(network, Committed(commitment, tuple(secrets)), schema)
