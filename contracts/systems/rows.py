"""Row updates of private models: commits to a changed network again only where its rows changed. Client of `models/RowRegistry.sol`.

    new, changed = update_rows(model, network)       # same shape; fresh secrets for the changed rows alone
    derive(registry, model.commitment, new.commitment)
"""

from __future__ import annotations

from itertools import chain as joined

from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.sizes import compile_or_advise
from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.interface import Chain, Contract, Receipt
from zkpredict.prover.commit import hidden_rows
from zkpredict.prover.model import Committed, Model
from zkpredict.prover.randomness import random_scalars
from zkpredict.prover.setup import lagrange_key, monomial_key
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.transcript import MODEL_LABEL, context


def update_rows(model: Model, network: IntegerNetwork) -> tuple[Model, list[int]]:
    """The committed model of `network`, whose unchanged rows keep their points, and the numbers of the rows that changed.

    Raises `UnsupportedNetwork` when the network needs another circuit, or when the model's schema is bound to a row.
    """
    old, new = model.compiled, compile_or_advise(network, model.commitment.circuit.domain)
    if model.schema:
        raise UnsupportedNetwork("a schema is bound to the first row: commit anew")
    if new.circuit.digest != model.commitment.circuit.digest:
        raise UnsupportedNetwork("the changed network needs another circuit, for its ranges or its shape: commit anew")
    rows = list(zip(joined.from_iterable(old.rows), joined.from_iterable(new.rows), strict=True))
    changed = [number for number, (before, after) in enumerate(rows) if before != after]
    if not changed:
        raise UnusableInput("no row changed: the two networks are the same")
    fresh = dict(zip(changed, random_scalars(len(changed)).to_ints(), strict=True))
    secrets = tuple(fresh.get(number, secret) for number, secret in enumerate(model.secrets))
    points, number = [], 0
    for layer, vectors in enumerate(hidden_rows(new, secrets)):
        key = monomial_key() if layer == 0 else lagrange_key(new.circuit.domain)
        for vector in vectors:
            points.append(key.msm(vector) if number in fresh else model.commitment.rows[number])
            number += 1
    return Model(network, Committed(ModelCommitment(new.circuit, tuple(points)), secrets)), changed


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
    pairs = [(number, after - before) for number, (before, after) in enumerate(zip(old.rows, new.rows, strict=True)) if before.to_uncompressed() != after.to_uncompressed()]
    points = b"".join(point.to_uncompressed() for _, point in pairs)
    return registry.transact("derive", old.model_id, bytes(number for number, _ in pairs), points)
