"""Row updates of private models: commits to a changed network again only where its rows changed. Client of `models/RowRegistry.sol`.

    new, changed = update_rows(model, network)       # same shape; fresh secrets for the changed rows alone
    derive(registry, model.commitment, new.commitment)
"""

from __future__ import annotations

from zkpredict.circuits.choice import compile_as
from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.interface import Chain, Contract, Receipt
from zkpredict.kernel import G1
from zkpredict.prover.model import Committed, Model
from zkpredict.prover.randomness import random_scalars
from zkpredict.prover.rows import hidden_rows
from zkpredict.prover.setup import lagrange_key, monomial_key
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.messages import Point
from zkpredict.verifier.transcript import MODEL_LABEL, context


def update_rows(model: Model, network: IntegerNetwork) -> tuple[Model, list[int]]:
    """The committed model of `network`, whose unchanged rows keep their points, and the numbers of the rows that changed.

    Raises `UnsupportedNetwork` when the network needs another circuit, or when the model's schema is bound to a row.
    """
    circuit = model.commitment.circuit
    if model.schema:
        raise UnsupportedNetwork("a schema is bound to the first row: commit anew")
    new = compile_as(network, circuit)
    if new.circuit.digest != circuit.digest:
        raise UnsupportedNetwork("the changed network needs another circuit, for its ranges or its shape: commit anew")
    before, after = (hidden_rows(compiled, model.secrets) for compiled in (model.compiled, new))
    changed = [number for number, ((_, row), (_, changed_row)) in enumerate(zip(before, after, strict=True)) if row != changed_row]
    if not changed:
        raise UnusableInput("no row changed: the two networks are the same")
    fresh = dict(zip(changed, random_scalars(len(changed)).to_ints(), strict=True))
    secrets = tuple(fresh.get(number, secret) for number, secret in enumerate(model.secrets))
    points = list(model.commitment.rows)
    for number, (column, row) in enumerate(hidden_rows(new, secrets)):
        if number in fresh:
            key = monomial_key() if column.coefficients else lagrange_key(circuit.domain)
            points[number] = key.msm(row)
    return Model(network, Committed(ModelCommitment(circuit, tuple(points)), secrets)), changed


def context_of(commitment: ModelCommitment) -> bytes:
    """What ids of models of this circuit begin with."""
    return context(MODEL_LABEL, commitment.circuit.digest)


def deploy(chain: Chain, commitment: ModelCommitment) -> Contract:
    """A registry for models of this commitment's circuit."""
    return Contract.deploy(chain, load("RowRegistry"), context_of(commitment), len(commitment.rows))[0]


def register(registry: Contract, commitment: ModelCommitment) -> Receipt:
    """Keeps all rows of a model."""
    return registry.transact("register", b"".join(row.to_uncompressed() for row in commitment.rows))


def derive(registry: Contract, old: ModelCommitment, new: ModelCommitment) -> Receipt:
    """Keeps the new model by the points that its changed rows differ by."""
    changed = [number for number, (before, after) in enumerate(zip(old.rows, new.rows, strict=True)) if before.to_uncompressed() != after.to_uncompressed()]
    points = b"".join((_g1(new.rows[number]) - _g1(old.rows[number])).to_uncompressed() for number in changed)
    return registry.transact("derive", old.model_id, bytes(changed), points)


def _g1(point: Point) -> G1:
    return G1.from_uncompressed(point.to_uncompressed())
