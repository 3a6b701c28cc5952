"""Reading the body of a request: strict JSON, known fields only, and the bytes that a proof will be about."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NoReturn

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.codec import json_depth
from zkpredict.circuits.statement import CONTEXT_BYTES
from zkpredict.circuits.files.tables import NoNumber, exact_number
from zkpredict.cli.serve.refusal import BAD_REQUEST, UNPROCESSABLE, Refused
from zkpredict.verifier.commitment import ModelCommitment

MAX_BODY_BYTES = 1 << 16
MAX_DEPTH = 8
NATIVE, EVM, NODE = "native", "evm", "node"
_SEE = "see /openapi.json, or the page at /docs"


@dataclass(frozen=True)
class Asked:
    """`input`: the bytes, one for each input of the network; `wanted`: a class, or None; `clipped`: readings beyond their scale; `context`: the 32 bytes that
    a proof is for, or none."""

    input: bytes
    clipped: tuple[str, ...] = ()
    wanted: int | None = None
    context: bytes = b""
    proof: bytes = b""
    where: str = NATIVE


def strict_json(body: bytes) -> dict[str, object]:
    """The object in `body`. Refuses what two readers could read differently: doubled names, NaN, other encodings; and deep nesting.

    Numbers with a point or exponent stay text, so that nobody rounds them."""
    if json_depth(body) > MAX_DEPTH:  # before the parser, whose recursion could overflow the stack, sees it
        _malformed(f"the body is nested more than {MAX_DEPTH} deep", "body")
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_float=str, parse_constant=_no_number)
    except UnicodeDecodeError:
        _malformed("the body is no UTF-8", "body")
    except json.JSONDecodeError as error:
        _malformed(f"the body is no JSON: {error.msg}", f"body, line {error.lineno}, column {error.colno}")
    except ValueError:  # a whole number of thousands of digits
        _malformed("the body holds a number that is too long", "body")
    if not isinstance(found, dict):
        _malformed("the body is no JSON object", "body")
    return found


def read_prove(body: bytes, commitment: ModelCommitment) -> Asked:
    """The body of /v1/prove."""
    found = strict_json(body)
    _known(found, {"image", "features", "class", "context"})
    data, clipped = _input(found, commitment)
    return Asked(data, clipped, _class(found.get("class"), commitment), _context(found.get("context")))


def read_verify(body: bytes, commitment: ModelCommitment, places: tuple[str, ...]) -> Asked:
    """The body of /v1/verify; `places`: where this server can verify."""
    found = strict_json(body)
    _known(found, {"image", "features", "proof", "context", "in"})
    place, context = found.get("in", NATIVE), _context(found.get("context"))
    if place not in places:
        _unusable(f"it is {_short(place)}, expected {' or '.join(places)}", "in")
    if context and place != NATIVE:
        _unusable("contracts are asked here about proofs for nobody in particular", "context")
    data, clipped = _input(found, commitment, exact=False)
    return Asked(data, clipped, context=context, proof=_hex(found.get("proof"), "proof"), where=str(place))


def read_statement(body: bytes, commitment: ModelCommitment, needs_proof: bool) -> Asked:
    """The body of /v1/calldata and /v1/transaction (with a proof) and /v1/open (without)."""
    found = strict_json(body)
    _known(found, {"image", "features", "proof"} if needs_proof else {"image", "features"})
    data, clipped = _input(found, commitment)
    return Asked(data, clipped, proof=_hex(found.get("proof"), "proof") if needs_proof else b"")


def _input(found: dict[str, object], commitment: ModelCommitment, exact: bool = True) -> tuple[bytes, tuple[str, ...]]:
    if ("image" in found) == ("features" in found):
        _unusable("give one of image and features", "body")
    inputs = commitment.circuit.inputs
    if "features" in found:
        return _features(found["features"], commitment)
    image = found["image"]
    if isinstance(image, list):
        wrong = next((i for i, value in enumerate(image) if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 255), None)
        if wrong is not None:
            _unusable(f"entry {wrong} is {_short(image[wrong])}, expected a whole number from 0 to 255", "image")
        data = bytes(image)
    else:
        data = _hex(image, "image")
    if exact and len(data) != inputs:
        _unusable(f"it has {len(data)} bytes, the network takes {inputs}", "image")
    return data, ()


def _features(readings: object, commitment: ModelCommitment) -> tuple[bytes, tuple[str, ...]]:
    schema, inputs = commitment.schema, commitment.circuit.inputs
    names = [feature.name for feature in schema.features]
    if isinstance(readings, dict):
        if len(names) != inputs:
            _unusable("this model's inputs have no names: give a list of numbers, or image", "features")
        missing, unknown = [name for name in names if name not in readings], [name for name in readings if name not in names]
        if missing or unknown:
            kind, name = ("is missing", missing[0]) if missing else ("is none of this model's", unknown[0])
            _unusable(f"the feature {_short(name)} {kind}", "features")
        values = [readings[name] for name in names]
    elif isinstance(readings, list):
        values, names = readings, [str(number) for number in range(len(readings))]
    else:
        _unusable("it is neither an object nor a list", "features")
    exact = []
    for name, value in zip(names, values, strict=True):
        try:
            exact.append(exact_number(value))
        except NoNumber as error:
            _unusable(str(error)[:120], f"features, {_short(name)}")
    try:
        return schema.encode(exact, inputs)
    except UnusableInput as error:
        _unusable(str(error), "features")


def _class(wanted: object, commitment: ModelCommitment) -> int | None:
    if wanted is None:
        return None
    classes = commitment.circuit.classes
    if isinstance(wanted, str) and wanted in commitment.schema.classes:
        return commitment.schema.classes.index(wanted)
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 0 <= wanted < classes:
        _unusable(f"it is {_short(wanted)}, expected a number from 0 to {classes - 1}" + (" or a class's name" if commitment.schema.classes else ""), "class")
    return wanted


def _context(context: object) -> bytes:
    found = b"" if context is None else _hex(context, "context")
    if len(found) not in (0, CONTEXT_BYTES):
        _unusable(f"it has {len(found)} bytes, expected {CONTEXT_BYTES} or none", "context")
    return found


def _hex(value: object, field: str) -> bytes:
    if not isinstance(value, str):
        _unusable("it is missing" if value is None else "it is no text of hexadecimal digits", field)
    digits = value.removeprefix("0x")
    if len(digits) % 2 or set(digits) - set("0123456789abcdefABCDEF"):
        _unusable("it is no text of hexadecimal digits, two for each byte", field)
    return bytes.fromhex(digits)


def _known(found: dict[str, object], names: set[str]) -> None:
    unknown = sorted(found.keys() - names)
    if unknown:
        _unusable(f"the field {_short(unknown[0])} is unknown, expected {', '.join(sorted(names))}", "body")


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        _malformed(f"the name {_short(next(name for name in names if names.count(name) > 1))} is there twice", "body")
    return found


def _no_number(text: str) -> NoReturn:
    _malformed(f"{text} is no number in JSON", "body")


def _short(value: object) -> str:
    """A stranger's value in a message: short, quoted, in printable characters."""
    return ascii(value if not isinstance(value, (dict, list)) else type(value).__name__)[:60]


def _malformed(what: str, where: str) -> NoReturn:
    raise Refused(BAD_REQUEST, "MalformedRequest", what, where, f"send one JSON object; {_SEE}")


def _unusable(what: str, where: str) -> NoReturn:
    raise Refused(UNPROCESSABLE, "UnusableInput", what, where, f"mend that field; {_SEE}")
