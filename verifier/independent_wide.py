"""Wide circuits for the independent verifier: exponents by counting, numbers digit by digit, public polynomials from their values on
the rows, and what a statement may say.

It takes from the circuit where lanes lie (`circuits.wide.geometry`) and nothing that evaluates: no run of exponents, no closed form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from py_ecc.optimized_bls12_381 import curve_order as ORDER

from zkpredict.circuits.placement import AnyCircuit
from zkpredict.circuits.wide.claims import Kind
from zkpredict.circuits.wide.geometry import Band
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.verifier.errors import WrongStatement
from zkpredict.verifier.independent_compact import lagrange_basis

LANE, HALF_LANE = 1 << 24, 1 << 23
PACK_STARTS, LANES, BLOCK = (0, 10, 20), 10, 32
LARGEST, LESS_MARGIN, BIAS = (30, 31), (62, 63), 30
OUTPUT_LIMIT = 1 << 46
TABLE_ROWS, TAGS = 512, (0, 1, 0, 2)
LONGEST, SPLIT = 2048, 3072
Pack = tuple[int, int]
"""Track and first row."""


def check_outputs(circuit: AnyCircuit, digit: int, outputs: tuple[int, ...]) -> None:
    """Public outputs are as many as the circuit has, in range, and largest first at the digit. Raises `WrongStatement`."""
    is_public = isinstance(circuit, WideCircuit) and circuit.claim.kind is Kind.LOGITS
    expected = circuit.classes if is_public else 0
    if len(outputs) != expected:
        raise WrongStatement(f"the proof states {len(outputs)} outputs, the circuit makes {expected} public")
    best = 0
    for number, value in enumerate(outputs):
        if not -OUTPUT_LIMIT < value < OUTPUT_LIMIT:
            raise WrongStatement(f"output {number} is {value}, beyond {OUTPUT_LIMIT - 1}")
        best = number if value > outputs[best] else best
    if outputs and best != digit:
        raise WrongStatement(f"the digit is {digit}, the largest output is number {best}")


# exponents


def fold_exponents(circuit: WideCircuit) -> dict[Pack, int]:
    """The power of alpha of every pack: how many packs the fold takes in after it, tracks one behind another from the last row up."""
    found: dict[Pack, int] = {}
    for track in range(circuit.tracks):
        for row in reversed(range(circuit.domain)):
            if row % BLOCK in PACK_STARTS:
                found[track, row] = len(found)
    return found


def band_exponents(circuit: WideCircuit, band: Band) -> list[int]:
    """Of a band's packs in use, in order; those of public outputs follow all others, the last one first."""
    if not band.pieces:
        return [len(fold_exponents(circuit)) + after for after in reversed(range(band.packs))]
    known = fold_exponents(circuit)
    return [known[place] for place in band.pack_places()][: band.packs]


def wide_row_exponents(circuit: WideCircuit) -> dict[str, list[int]]:
    """Each column of the model with the exponents of its rows, in the order of the commitment."""
    found = input_columns(circuit, circuit.bands[0])
    for layer in range(1, circuit.layers):
        tracks = sorted({track for track, _ in circuit.bands[layer - 1].pack_places()})
        found |= {f"rows{layer}_{track}": band_exponents(circuit, circuit.bands[layer]) for track in tracks}
    return found


def input_columns(circuit: WideCircuit, band: Band) -> dict[str, list[int]]:
    """The columns of the first layer, which lies in `band`, with the exponents of their rows."""
    if circuit.private_input:
        return {f"rows0_private{part}": band_exponents(circuit, band) for part in range(_parts(circuit))}
    found: dict[str, list[int]] = {}
    for number, stride in enumerate(strides_of(circuit)):
        own = [group[-1] for group in _groups(circuit, band, stride)]
        found |= {f"rows0_{number}_{chunk}": own for chunk in range(len(chunks_of(circuit)))}
    return found


def strides_of(circuit: WideCircuit) -> list[int]:
    """The strides of the first layer's packs in use, each once, in order. A circuit of one layer whose outputs are public has 0."""
    return list(dict.fromkeys(stride for stride, _ in _input_runs(circuit, circuit.bands[0])))


def _input_runs(circuit: WideCircuit, band: Band) -> Iterator[tuple[int, list[int]]]:
    """Stride and exponents of the first layer's packs, for each piece and each position in its blocks."""
    left = band_exponents(circuit, band)
    if not band.pieces:
        yield 0, left
    for piece in band.pieces:
        for _ in piece.positions:
            own, left = left[: piece.blocks], left[piece.blocks :]
            if own:
                yield piece.stride, own


def _groups(circuit: WideCircuit, band: Band, stride: int) -> list[list[int]]:
    """The exponents of packs that share a row."""
    share = max(1, (circuit.domain - 1) // (circuit.inputs + 1))
    return [own[at : at + share] for step, own in _input_runs(circuit, band) if step == stride for at in range(0, len(own), share)]


def _parts(circuit: WideCircuit) -> int:
    """How many columns hold a private input: n - 2 bytes each, the last one what is left."""
    parts, left = 0, circuit.inputs
    while left > 0:
        parts, left = parts + 1, left - (circuit.domain - 2)
    return parts


def chunks_of(circuit: WideCircuit) -> list[list[int]]:
    """The inputs each chunk reads: n - 1 coefficients a chunk, of which the first chunk gives one to the bias."""
    chunks: list[list[int]] = [[]]
    for number in range(circuit.inputs):
        if len(chunks[-1]) + (len(chunks) == 1) == circuit.domain - 1:
            chunks.append([])
        chunks[-1].append(number)
    return chunks


# numbers in packs


def packed(band: Band, values: Sequence[int]) -> list[int]:
    """Each pack in use as one number: its values one after another in base 2^24 or 2^48, zeros behind the last."""
    per_pack = len(band.heads)
    found = []
    for first in range(0, len(values), per_pack):
        number = 0
        for place in range(per_pack):
            number = number * LANE**band.lanes + (values[first + place] if first + place < len(values) else 0)
        found.append(number)
    return found


def weighted(circuit: WideCircuit, band: Band, values: Sequence[int], alpha: int) -> int:
    """The packs that hold `values`, each with its power of alpha."""
    return sum(pow(alpha, e, ORDER) * p for e, p in zip(band_exponents(circuit, band), packed(band, values), strict=True)) % ORDER


def constants(circuit: WideCircuit, digit: int, outputs: tuple[int, ...], alpha: int) -> int:
    """All packs of hidden layers hold halves; those of the last layer lack what the claim takes away."""
    exponents, total = fold_exponents(circuit), 0
    for band in circuit.hidden:
        half = HALF_LANE * LANE ** (band.lanes - 1)
        (whole,) = packed(band, [half] * len(band.heads))
        total += sum(pow(alpha, exponents[place], ORDER) * whole for place in band.pack_places())
    claim = circuit.claim
    numbers = range(circuit.classes)
    taken = {
        Kind.CLASS: [OUTPUT_LIMIT + int(number < digit) for number in numbers],
        Kind.MARGIN: [OUTPUT_LIMIT + (0 if number == digit else claim.parameter) for number in numbers],
        Kind.LOGITS: list(outputs),
        Kind.THRESHOLD: [claim.parameter],
    }[claim.kind]
    return (total - weighted(circuit, circuit.output, taken, alpha)) % ORDER


# public polynomials


def wide_values(
    circuit: WideCircuit, image: bytes, digit: int, outputs: tuple[int, ...], alpha: int, point: int
) -> dict[str, int]:
    """All of them at a `point` outside the domain."""
    n = circuit.domain
    basis = lagrange_basis(n, point)
    found = shared_values(circuit, digit, outputs, alpha, point, basis)
    for layer in range(1, circuit.layers):
        found |= reads_of(layer, (circuit.bands[layer - 1],), basis)
    if circuit.private_input:
        return found | {"input_bias": basis[n - 2], "input_end": basis[n - 1]}
    return found | input_values(circuit, image, alpha, point)


def shared_values(
    circuit: WideCircuit, digit: int, outputs: tuple[int, ...], alpha: int, point: int, basis: list[int]
) -> dict[str, int]:
    """Those that no layer's rows meet."""
    n = circuit.domain

    def on(rows: Iterable[int]) -> int:
        return sum(basis[row] for row in rows) % ORDER

    vanishing = (pow(point, n, ORDER) - 1) % ORDER
    shorter = lagrange_basis(len(TAGS), pow(point, TABLE_ROWS // len(TAGS), ORDER))
    found = {
        "head": on(range(0, n, n // TABLE_ROWS)),
        "tag": sum(tag * part for tag, part in zip(TAGS, shorter, strict=True)) % ORDER,
        "idle": on(row for row in range(n) if row % BLOCK >= PACK_STARTS[-1] + LANES),
        "pack_head": on(row for row in range(n) if row % BLOCK in PACK_STARTS),
        "last": basis[-1],
        "pack_step": (alpha * pow(LANE, 1 - LANES, ORDER) - LANE) % ORDER,
        "track_step": pow(alpha, len(fold_exponents(circuit)) // circuit.tracks, ORDER),
        "constants": constants(circuit, digit, outputs, alpha) * pow(n, -1, ORDER) % ORDER,
        "vanishing": vanishing,
    }
    if n == LONGEST:
        found["vanishing_high"] = vanishing * pow(point, SPLIT, ORDER) % ORDER
    return found | _output_values(circuit, digit, alpha, basis)


def reads_of(layer: int, before: Iterable[Band], basis: list[int]) -> dict[str, int]:
    """Where the rows of a later layer are read: on the highest lanes of what lies `before` it; and where its bias is."""
    found = {"bias": basis[BIAS]}
    for band in before:
        for track, rows in head_rows(band).items():
            name = f"reads{layer}_{track}"
            found[name] = (found.get(name, 0) + sum(basis[row] for row in rows)) % ORDER
    return found


def head_rows(band: Band) -> dict[int, list[int]]:
    """On each track the rows of the highest lanes of a band's values, those to spare as well."""
    found: dict[int, list[int]] = {}
    for track, row in band.pack_places():
        found.setdefault(track, []).extend(row + place for place in band.heads)
    return found


def input_values(circuit: WideCircuit, image: bytes, alpha: int, point: int) -> dict[str, int]:
    """Term k of a chunk (the first one behind a 1), again for each pack of a row, stands at exponent -k mod n."""
    found, n = {}, circuit.domain
    share = max(1, (n - 1) // (circuit.inputs + 1))
    for number, stride in enumerate(strides_of(circuit)):
        ratio = alpha if stride == 0 else pow(alpha, len(PACK_STARTS) * stride, ORDER)
        for chunk, inputs in enumerate(chunks_of(circuit)):
            own = [*([1] if chunk == 0 else []), *(image[position] for position in inputs)]
            terms = [pow(ratio, pack, ORDER) * value for pack in range(share) for value in own]
            total = sum(term * pow(point, -k % n, ORDER) for k, term in enumerate(terms))
            found[f"inputs_{number}_{chunk}"] = total * pow(n, -1, ORDER) % ORDER
    return found


def _output_values(circuit: WideCircuit, digit: int, alpha: int, basis: list[int]) -> dict[str, int]:
    """Signs that must be zero; where the largest logit is, and the difference that must be zero."""
    kind, band = circuit.claim.kind, circuit.output
    signs, found = head_rows(band), {}
    if kind in (Kind.CLASS, Kind.MARGIN):
        signs.setdefault(0, []).append(LARGEST[0])
        weight = weighted(circuit, band, [1] * circuit.classes, alpha)
        found["largest"] = weight * (LANE * basis[LARGEST[0]] + basis[LARGEST[1]]) % ORDER
        places = [(track, row + place) for track, row in band.pack_places() for place in band.heads]
        found |= {f"winner{track}": 0 for track, _ in places}
        track, row = places[digit]
        found[f"winner{track}"] = (basis[row] + basis[row + 1]) % ORDER
    if kind is Kind.MARGIN:
        found["spare"] = (
            LANE * (basis[LARGEST[0]] - basis[LESS_MARGIN[0]]) + basis[LARGEST[1]] - basis[LESS_MARGIN[1]]
        ) % ORDER
    return found | {f"nonnegative{track}": sum(basis[row] for row in rows) % ORDER for track, rows in signs.items()}
