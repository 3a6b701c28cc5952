"""Wide circuits of all kinds with a proven statement each, on contracts that are compiled once, in a chain that shows what it computes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from zkpredict.circuits.networks.activations import RELU, RELU8, Activation, RationalRelu, RationalSquare
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.wide.claims import CLASS, Claim, Kind
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.chain.precompiles import NATIVE
from zkpredict.contracts.verifier.client import deploy_verifier, register_model
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_input, onchain_proof
from zkpredict.prover.commit import commit_model
from zkpredict.prover.hiding import OpenedInput, hide
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.hidden import HiddenInput
from zkpredict.verifier.messages import Proof

MSM, EVALUATION = bytes(19) + b"\x0c", bytes(19) + b"\x0a"


@dataclass(frozen=True)
class Case:
    """A network's shape and activations, and the circuit's claim, rows and final check."""

    shape: tuple[int, ...]
    activations: tuple[Activation, ...] = ()
    claim: Claim = CLASS
    domain: int = 512
    check: FinalCheck = FinalCheck.POINT_EVALUATION
    shift: int = 8
    joined: int | None = None
    """Rows of weights that later layers share: with replicas."""
    batch: bool = False
    """With slots for batches; what is proven is one input."""
    hidden: bool = False


CASES = {
    "class": Case((12, 40, 7), (RELU8,)),
    "logits": Case((20, 30, 7), (RELU,), Claim(Kind.LOGITS)),
    "threshold, double lanes": Case((20, 30, 12, 1), (RELU, RELU), Claim(Kind.THRESHOLD, -(10**9)), shift=12),
    "rational, margin, pairing": Case((30, 25, 7), (RationalRelu(4096),), Claim(Kind.MARGIN, 100), check=FinalCheck.PAIRING),
    "two tracks, two chunks": Case((600, 500, 9), (RELU8,)),
    "many classes": Case((6, 300), ()),
    "mixed, 1024 rows": Case((30, 40, 20, 30, 6), (RELU, RELU8, RationalSquare(4096)), domain=1024),
    "2048 rows": Case((40, 30, 4), (RELU8,), domain=2048),
    "slots": Case((12, 30, 9, 7), (RELU8, RELU8), batch=True),
    "replicas": Case((12, 40, 22, 7), (RELU8, RELU8), joined=1),
    "replicas, two tracks and chunks": Case((600, 160, 45, 40, 9), (RELU, RationalRelu(4096), RELU), Claim(Kind.LOGITS), joined=2),
    "hidden": Case((20, 30, 7), (RELU8,), domain=1024, hidden=True),
    "hidden, ten parts": Case((4650, 12, 4), (RELU8,), hidden=True),
    "hidden, two tracks, four parts, pairing": Case((1600, 400, 9), (RationalSquare(4096),), Claim(Kind.LOGITS), check=FinalCheck.PAIRING, hidden=True),
}


def network(case: Case, seed: int = 1) -> IntegerNetwork:
    """Random small weights."""
    source = np.random.default_rng(seed)
    layers = []
    for number, (inputs, outputs) in enumerate(zip(case.shape, case.shape[1:])):
        last = number == len(case.activations)
        weights, bias = source.integers(-12, 13, (outputs, inputs)), source.integers(-99, 100, outputs)
        layers.append(DenseLayer(weights, bias, 0 if last else case.shift, RELU if last else case.activations[number]))
    return IntegerNetwork(tuple(layers))


@dataclass(frozen=True)
class Proven:
    """A case with a model, another model of the same circuit, both registered, and a proof about `image`, which is hidden in `opened` where the
    case says so."""

    case: Case
    model: Model
    other: ModelCommitment
    image: np.ndarray
    opened: np.ndarray | OpenedInput
    proof: Proof
    contract: Contract
    seen: list[tuple[bytes, bytes]]

    @property
    def checked(self) -> bytes | HiddenInput:
        """What verifiers are told of the image."""
        return self.opened.hidden if isinstance(self.opened, OpenedInput) else self.image.tobytes()

    @property
    def argument(self) -> bytes:
        """The same as contracts take it."""
        return onchain_input(self.model.commitment.circuit, self.checked)

    def arguments(self, proof: Proof | None = None, **changed: object) -> tuple:
        """Of `verify`, with some of model_id, image, digit and encoded changed."""
        proof = proof or self.proof
        given = {
            "model_id": self.model.commitment.model_id, "image": self.argument, "digit": proof.digit,
            "encoded": onchain_proof(proof, self.case.check),
        }
        return tuple((given | changed).values())

    def refusal(self, *arguments: object) -> tuple[str, tuple]:
        """Name and arguments of the error; ("", ()) when the contract accepts."""
        try:
            self.contract.call("verifyOrRevert", *arguments)
        except Reverted as refusal:
            return refusal.name, refusal.arguments
        return "", ()


def watched() -> tuple[EmbeddedChain, list[tuple[bytes, bytes]]]:
    """A chain whose two last precompiles write down what they were asked."""
    seen: list[tuple[bytes, bytes]] = []
    table = dict(NATIVE)

    def note(address: bytes):
        def ask(computation):
            seen.append((address, bytes(computation.msg.data)))
            return plain(computation)

        plain = table[address]
        return ask

    for address in (MSM, EVALUATION):
        if address in table:
            table[address] = note(address)
    return EmbeddedChain(table), seen


@cache
def proven(name: str, seed: int = 1) -> Proven:
    """The case called `name`."""
    case = CASES[name]
    model, other = (
        commit_model(
            network(case, one), case.domain, claim=case.claim, placement="wide", private_input=case.hidden, joined=case.joined, batch=case.batch
        )
        for one in (seed, seed + 100)
    )
    image = next(image for image in map(_image(case), range(50)) if _provable(model, image))
    chain, seen = watched()
    contract = deploy_verifier(chain, model.commitment.circuit, case.check).contract
    for commitment in (model.commitment, other.commitment):
        register_model(chain, contract.address, commitment)
    opened = hide(image, case.domain) if case.hidden else image
    return Proven(case, model, other.commitment, image, opened, prove(model, opened), contract, seen)


def _image(case: Case):
    return lambda seed: np.random.default_rng(seed).integers(0, 256, case.shape[0], dtype=np.uint8)


def _provable(model: Model, image: np.ndarray) -> bool:
    """Whether the claim that the model was committed for holds."""
    claim, logits = model.commitment.circuit.claim, np.sort(model.network.infer(image[None, :]).logits[0])
    return claim.kind is not Kind.MARGIN or logits[-1] - logits[-2] >= claim.parameter
