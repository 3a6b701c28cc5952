"""Yul of the transcript: the proof's messages hashed round by round, as its form says, and the scalars checked.

The points of the first rounds lie one after the other behind a word, the scalars right behind them; each state is written over the
end of the message before it, which is no longer needed.

    STATE | points of round 1 | points of round 2 | ... | scalars           state = keccak(state | message)
"""

from __future__ import annotations

from zkpredict.circuits.columns import EVALUATION_ROUND, FINAL_ROUND, Form
from zkpredict.contracts.verifier.encoding import ONCHAIN_POINT_BYTES
from zkpredict.contracts.verifier.lowering import FIELD
from zkpredict.contracts.verifier.memory import WORD_BYTES, MemoryMap
from zkpredict.verifier.messages import SCALAR_BYTES
from zkpredict.verifier.transcript import POINT_CHALLENGE_BITS, POINT_CHALLENGES

STATEMENT_HEAD = 3 * WORD_BYTES
"""What is hashed before outputs and input: the circuit's context, the model id and the claim."""


def early_points(form: Form) -> int:
    """How many points come before the scalars."""
    names = [message.name for message in form.rounds]
    return sum(len(message.points) for message in form.rounds[: names.index(EVALUATION_ROUND)])


def scalars_offset(form: Form) -> int:
    """Where the scalars lie, in bytes behind STATE: behind a word and the points that come before them."""
    return WORD_BYTES + ONCHAIN_POINT_BYTES * early_points(form)


def place_statement(memory: MemoryMap, size: int, rows: int) -> None:
    """Gives the `size` bytes of a statement, and the word of its context behind them, places in STATE: that word behind the `rows` bytes that
    the model's rows take from STATE on when they are hashed, so that it can be read before they are."""
    context = memory.places["STATE"] + max(size, rows)
    memory.at("STATEMENT", context - size)
    memory.at("STATEMENT_CONTEXT", context)


def scalar_word(name: str) -> str:
    """The memory word of a stated value."""
    return f"{name.upper()}_VALUE"


MAX_UNROLLED = 32
"""Scalars that are looked at one by one before the loop that finds the first wrong one: with more, the loop alone takes less code."""


def check_scalars(form: Form) -> list[str]:
    """Copies the scalars; sets `wrong` for the first that is not below the field order."""
    first, *_ = words = [scalar_word(name) for name in form.scalars]
    first_wrong = len(form.points) + 1
    search = [
        f"    for {{ let i := 0 }} lt(i, {len(words)}) {{ i := add(i, 1) }} {{",
        f"        if iszero(lt(mload(add({first}, mul(i, {SCALAR_BYTES}))), {FIELD})) {{",
        f"            wrong := add(i, {first_wrong})",
        "            break",
        "        }",
        "    }",
    ]
    copied = f"calldatacopy({first}, SCALARS_AT, {SCALAR_BYTES * len(words)})"
    if len(words) > MAX_UNROLLED:
        return [copied, *(line.removeprefix("    ") for line in search)]
    checks = [f"lt(mload({word}), {FIELD})" for word in words]
    pairs = [checks[start : start + 2] for start in range(0, len(checks), 2)]
    joined = [f"and({pair[0]}, {pair[1]})" if len(pair) == 2 else pair[0] for pair in pairs]
    return [
        copied,
        f"let canonical := {joined[0]}",
        *(f"canonical := and(canonical, {condition})" for condition in joined[1:]),
        "if iszero(canonical) {",
        *search,
        "}",
    ]


def draw_challenges(form: Form) -> list[str]:
    """All challenges from `state`, which holds the statement's hash."""
    lines = ["mstore(STATE, state)", f"calldatacopy(add(STATE, {WORD_BYTES}), PROOF_AT, {scalars_offset(form) - WORD_BYTES})"]
    start, late = 0, early_points(form)
    for number, message in enumerate(form.rounds):
        if message.name == FINAL_ROUND:
            continue
        if message.scalars:
            length = SCALAR_BYTES * len(message.scalars)
            place = f"sub({scalar_word(form.scalars[0])}, {WORD_BYTES})"
            lines.append(f"mstore({place}, state)")
        elif start < late:
            length = ONCHAIN_POINT_BYTES * len(message.points)
            at = ONCHAIN_POINT_BYTES * start
            place = f"add(STATE, {at})" if at else "STATE"
            lines += [f"mstore({place}, state)"] if number else []
        else:
            length, place = ONCHAIN_POINT_BYTES * len(message.points), "STATE"
            copied = f"calldatacopy(add(STATE, {WORD_BYTES}), add(PROOF_AT, {ONCHAIN_POINT_BYTES * start}), {length})"
            lines += ["mstore(STATE, state)", copied]
        start += len(message.points)
        lines.append(f"state := keccak256({place}, {WORD_BYTES + length})")
        lines += _challenges(message.challenges)
    return lines


def _challenges(names: tuple[str, ...]) -> list[str]:
    """The first challenge is the state, the k-th after it keccak(state | k); rho keeps its top bits."""
    lines = []
    for number, name in enumerate(names):
        drawn = "keccak256(0x00, 33)" if number else "state"
        if number == 1:
            lines.append("mstore(0x00, state)")
        if number:
            lines.append(f"mstore8(0x20, {number})")
        value = f"shr({256 - POINT_CHALLENGE_BITS}, {drawn})" if name in POINT_CHALLENGES else f"mod({drawn}, {FIELD})"
        lines.append(f"mstore({name.upper()}, {value})")
    return lines
