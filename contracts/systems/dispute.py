"""Client of the disputes: deploys machine and claims, registers programs and weights, asserts, challenges, and plays games.

A player needs no files but the model and the input: the chain's events say what the other side stated, and the run says the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from eth_utils import to_checksum_address

from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.interface import Chain, Contract, Receipt
from zkpredict.contracts.open.weights import DATA_BYTES, data_creation
from zkpredict.contracts.systems.inference import Inference, output_depth
from zkpredict.contracts.systems.machine import Trace
from zkpredict.contracts.systems.merkle import Tree, padded
from zkpredict.contracts.systems.program import SCRATCH, Program
from zkpredict.kernel import keccak256

HOUR = 3600
NOBODY = "0x" + "0" * 40


class Turn(IntEnum):
    """Who moves, or who won: `BisectionGame.Turn`."""

    NONE, START, SPLIT, CHOOSE, STEP, ASSERTER_WON, CHALLENGER_WON = range(7)

    @property
    def over(self) -> bool:
        return self >= Turn.ASSERTER_WON


class State(IntEnum):
    """`Claims.State`."""

    NONE, OPEN, FINAL, REFUTED = range(4)


@dataclass(frozen=True)
class Terms:
    """What a deployment fixes for ever: seconds of the challenge window, of each side's allowance and of a move's increment, and the
    price of gas in wei up to which the bonds pay for the other side's moves four times over."""

    window: int = 48 * HOUR
    least_window: int = 24 * HOUR
    allowance: int = 24 * HOUR
    increment: int = HOUR // 2
    price_cap: int = 50 * 10**9

    @property
    def arguments(self) -> tuple[int, ...]:
        return self.window, self.least_window, self.allowance, self.increment, self.price_cap


@dataclass(frozen=True)
class Claim:
    """A claim as the chain has it; times in seconds since 1970, amounts in wei."""

    number: int
    asserter: str
    until: int
    open_games: int
    state: State
    k: int
    delegate: str
    bond: int
    program: str
    steps: int
    pair: bytes
    seed: bytes

    @classmethod
    def read(cls, contract: Contract, number: int) -> Claim:
        """Raises `UnusableInput` when there is no such claim."""
        if not 0 <= number < (count := contract.call("claims")):
            raise UnusableInput(f"there is no claim {number}: this contract has {count}, numbered from 0")
        asserter, until, games, state, k, delegate, bond, program, *rest = contract.call("claimAt", number)
        asserter, delegate, program = map(to_checksum_address, (asserter, delegate, program))
        return cls(number, asserter, until, games, State(state), k, delegate, bond, program, *rest)


@dataclass(frozen=True)
class Game:
    """A game as the chain has it; `left_a` and `left_c` are what is left of the sides' allowances, in seconds."""

    number: int
    pair: bytes
    start: int
    stop: int
    last: int
    left_a: int
    left_c: int
    turn: Turn
    claim: int
    challenger: str
    bond: int

    @classmethod
    def read(cls, contract: Contract, number: int) -> Game:
        """Raises `UnusableInput` when there is no such game."""
        if not 0 <= number < (count := contract.call("games")):
            raise UnusableInput(f"there is no game {number}: this contract has {count}, numbered from 0")
        pair, start, stop, last, left_a, left_c, turn, claim, challenger, bond = contract.call("gameAt", number)
        return cls(number, pair, start, stop, last, left_a, left_c, Turn(turn), claim, to_checksum_address(challenger), bond)

    def deadline(self, increment: int) -> int:
        """Until when the side to move has time."""
        return self.last + (self.left_c if self.turn is Turn.CHOOSE else self.left_a) + increment


def deploy_machine(chain: Chain) -> Contract:
    """The machine: one contract without state serves every system on a chain."""
    return Contract.deploy(chain, load("MulAddMachine"))[0]


def deploy(chain: Chain, terms: Terms = Terms(), machine: str | None = None) -> Contract:
    """A new `PredictionClaims`, with a machine of its own unless one is given."""
    machine = deploy_machine(chain).address if machine is None else machine
    return Contract.deploy(chain, load("PredictionClaims"), machine, *terms.arguments)[0]


def store(chain: Chain, data: bytes) -> list[str]:
    """Puts `data` into as many data contracts as it takes; their addresses."""
    pieces = [data[start : start + DATA_BYTES] for start in range(0, len(data), DATA_BYTES)] or [b""]
    return [chain.deploy(data_creation(piece)).created for piece in pieces]


def register(contract: Contract, inference: Inference) -> bytes:
    """Stores a network's program and weights, registers them, and gives the model's id."""
    [program] = store(contract.chain, inference.program.encode())
    receipt = contract.transact("register", program, store(contract.chain, inference.weights))
    return contract.events(receipt)[0][1]["model"]


def model_id(inference: Inference) -> bytes:
    """The id that `register` gives: keccak256 of the program contract's code hash and the weights' root."""
    root = Tree.of(padded(inference.weights, inference.program.depths[1])).root
    return keccak256(keccak256(b"\0" + inference.program.encode()) + root)


def program_at(chain: Chain, address: str) -> Program:
    """The program in the contract at `address`. Raises `MalformedFile`, `UnusableInput`."""
    return Program.decode(chain.code(address)[1:])


def assert_prediction(
    contract: Contract, model: bytes, image: np.ndarray, trace: Trace, k: int = 16, delegate: str = NOBODY, bond: int | None = None
) -> tuple[int, Receipt]:
    """Claims what `trace` ends in as the model's answer to `image`; the bond is the least one unless given."""
    program = trace.program
    words, path = trace.words(SCRATCH, 0, output_depth(program), program.steps)
    value = contract.call("gameBond", program.steps, k) if bond is None else bond
    receipt = contract.transact("assertPrediction", model, image.tobytes(), words, path, k, delegate, value=value)
    return next(event["claim"] for name, event in contract.events(receipt) if name == "Asserted"), receipt


def challenge(contract: Contract, claim: int) -> tuple[int, Receipt]:
    """Opens a game against a claim, with the bond it takes."""
    found = Claim.read(contract, claim)
    receipt = contract.transact("challenge", claim, value=contract.call("gameBond", found.steps, found.k))
    return next(event["game"] for name, event in contract.events(receipt) if name == "Challenged"), receipt


def cuts(start: int, stop: int, k: int) -> list[int]:
    """The ends of the pieces that a span is cut into, both ends of the span included."""
    pieces = min(k, stop - start)
    return [start + (stop - start) * i // pieces for i in range(pieces + 1)]


def rounds(steps: int, k: int) -> int:
    """How many splits it takes to come down to one step."""
    count = 0
    while steps > 1:
        steps, count = -(-steps // k), count + 1
    return count


def stated(contract: Contract, game: Game) -> tuple[bytes, bytes, list[bytes]]:
    """The states that a game is about now, as its events tell: lo, hi, and while the challenger chooses those between."""
    lo, hi, mids = event_about(contract, "Asserted", game.claim, ("start", "end")) + ([],)
    if game.turn is not Turn.START:
        lo, hi, mids = event_about(contract, "Split", game.number, ("lo", "hi", "mids"))
    if game.turn in (Turn.SPLIT, Turn.STEP):
        [i] = event_about(contract, "Chosen", game.number, ("i",))
        states = [lo, *mids, hi]
        lo, hi, mids = states[i - 1], states[i], []
    if keccak256(b"".join((lo, hi, *mids))) != game.pair:
        raise UnusableInput(f"game {game.number}: the node's events do not give the states that the contract holds the hash of")
    return lo, hi, list(mids)


def end_of(contract: Contract, claim: int) -> bytes:
    """The state that a claim says its run ends in."""
    return event_about(contract, "Asserted", claim, ("end",))[0]


def games_of(contract: Contract, claim: int) -> list[int]:
    """The games about a claim, by the chain's events."""
    logs = contract.chain.logs(contract.address, [contract.artifact.topic("Challenged"), claim.to_bytes(32, "big")])
    return [contract.artifact.decode_event(log.topics, log.data)[1]["game"] for log in logs]


def event_about(contract: Contract, event: str, number: int, fields: tuple[str, ...]) -> tuple[Any, ...]:
    """Fields of the last event of this name about this number."""
    logs = contract.chain.logs(contract.address, [contract.artifact.topic(event), number.to_bytes(32, "big")])
    if not logs:
        raise UnusableInput(f"the node has no {event} event about number {number}")
    _, values = contract.artifact.decode_event(logs[-1].topics, logs[-1].data)
    return tuple(values[name] for name in fields)
