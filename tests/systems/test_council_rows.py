"""Row updates of a private model: only changed rows are new, the ids are the verifiers', and proofs hold under one id alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.checkout import example_network, sample_images
from zkpredict.contracts.systems import rows
from zkpredict.contracts.systems.patches import Delta, Entry, patched
from zkpredict.contracts.verifier.client import deploy_verifier, register_model, verify_on_chain
from zkpredict.kernel import G1
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove


class Bench:
    """The example network, committed and kept in a registry, and the same with one weight changed."""

    def __init__(self) -> None:
        self.chain = EmbeddedChain()
        self.old = commit_model(example_network())
        self.registry = rows.deploy(self.chain, self.old.commitment)
        self.registered = rows.register(self.registry, self.old.commitment)
        self.new, self.changed = rows.update_rows(self.old, patched(self.old.network, [Delta.of([Entry(0, 400, 3, 1)])]))


@pytest.fixture(scope="module")
def kept() -> Bench:
    return Bench()


def refusal(act) -> str:
    with pytest.raises(Reverted) as refused:
        act()
    return refused.value.name


def test_one_row_is_derived_and_proofs_hold_under_its_id_alone(kept):
    assert len(kept.changed) == 1
    same = [a.to_uncompressed() == b.to_uncompressed() for a, b in zip(kept.old.commitment.rows, kept.new.commitment.rows)]
    assert same.count(False) == 1 and not same[kept.changed[0]]
    receipt = rows.derive(kept.registry, kept.old.commitment, kept.new.commitment)
    assert receipt.gas_used <= 200_000 < kept.registered.gas_used
    assert kept.registry.call("rowsOf", kept.new.commitment.model_id) == b"".join(row.to_uncompressed() for row in kept.new.commitment.rows)
    verifier = deploy_verifier(kept.chain, kept.old.commitment.circuit)
    register_model(kept.chain, verifier.address, kept.old.commitment)
    kept.registry.transact("registerIn", verifier.address, kept.new.commitment.model_id)
    image = sample_images()[0]
    proof = prove(kept.new, image)
    assert verify_on_chain(kept.chain, verifier.address, kept.new.commitment, image.tobytes(), proof).accepted
    assert not verify_on_chain(kept.chain, verifier.address, kept.old.commitment, image.tobytes(), proof).accepted


def test_what_is_no_update_is_refused(kept):
    model, point = kept.old.commitment.model_id, G1.generator().to_uncompressed()
    first = kept.old.commitment.rows[0]
    act = kept.registry.transact
    assert refusal(lambda: act("derive", bytes(32), b"\0", point)) == "NoSuchModel"
    assert refusal(lambda: act("derive", model, b"", b"")) == "WrongRowsLength"
    assert refusal(lambda: act("derive", model, b"\1\0", 2 * point)) == "WrongRow"
    assert refusal(lambda: act("derive", model, b"\xff", point)) == "WrongRow"
    assert refusal(lambda: act("derive", model, b"\0", bytes(96))) == "PointAtInfinity"
    assert refusal(lambda: act("derive", model, b"\0", (-first).to_uncompressed())) == "PointAtInfinity"
    assert refusal(lambda: act("derive", model, b"\0", b"\1" * 96)) == "PrecompileFailed"
    assert refusal(lambda: rows.register(kept.registry, kept.old.commitment)) == "AlreadyRegistered"
    assert refusal(lambda: act("register", point)) == "WrongRowsLength"


def test_rows_are_shared_over_generations(kept):
    last, before = kept.new, kept.new.commitment
    if not any(bytes.fromhex(kept.registry.call("holderOf", before.model_id)[2:])):
        rows.derive(kept.registry, kept.old.commitment, before)
    for entry, changes in ((Entry(0, 1, 3, 1), 1), (Entry(1, 1, 0, 1), 1), (Entry(0, 2, 3, 2), 1)):
        last, changed = rows.update_rows(last, patched(last.network, [Delta.of([entry])]))
        assert len(changed) == changes
        rows.derive(kept.registry, before, last.commitment)
        before = last.commitment
        assert kept.registry.call("rowsOf", before.model_id) == b"".join(row.to_uncompressed() for row in before.rows)


def test_a_registry_of_another_circuit_gives_a_verifier_no_model(kept):
    other = Contract.deploy(kept.chain, kept.registry.artifact, bytes(32), len(kept.old.commitment.rows))[0]
    other.transact("register", b"".join(row.to_uncompressed() for row in kept.new.commitment.rows))
    verifier = deploy_verifier(kept.chain, kept.old.commitment.circuit)
    [log] = kept.chain.logs(other.address)
    assert refusal(lambda: other.transact("registerIn", verifier.address, log.topics[1])) == "AnotherModel"


def test_a_change_of_every_row_or_of_none_is_none(kept):
    with pytest.raises(UnusableInput):
        rows.update_rows(kept.old, kept.old.network)
    first, last = kept.old.network.layers
    wide = IntegerNetwork((replace(first, weights=np.clip(first.weights * 60, -9000, 9000)), last))
    with pytest.raises(UnsupportedNetwork):
        rows.update_rows(kept.old, wide)
