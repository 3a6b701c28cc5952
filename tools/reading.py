"""A third reading of docs/protocol.md, in one page: from the bytes of a statement and a proof to the multiples in the pairing equation.

It is written for people who write a verifier of their own, and makes the vectors they check it with (`zkpredict.tools.vectors`). Plain
integers; no constraint list, no transcript and no fold of the package is used. Public polynomials come in as numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from Crypto.Hash import keccak

ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
GENERATOR = 7
POINTS = ("limb", "horner", "cell", "linear", "lookup", "quotient", "opening", "final")
SCALARS = ("limb", "cell", "table", "cell_next", "linearised_next")
Numbers = Mapping[str, int]


def hashed(*parts: bytes) -> bytes:
    """keccak256 of the parts one after another."""
    return keccak.new(digest_bits=256, data=b"".join(parts)).digest()


def transcript(digest: bytes, model_id: bytes, digit: int, image: bytes, points: Mapping[str, bytes], scalars: Numbers) -> dict:
    """Section 6: the states s0 to s5, 32 bytes each, and the six challenges. `points` are 96 bytes uncompressed."""
    said = [
        b"".join(points[name] for name in ("limb", "horner", "cell")),
        b"".join(points[name] for name in ("linear", "lookup")),
        points["quotient"],
        b"".join(scalars[name].to_bytes(32, "big") for name in SCALARS),
        points["opening"],
    ]
    states = [hashed(hashed(b"zkpredict proof v1", digest), model_id, digit.to_bytes(32, "big"), image)]
    for message in said:
        states.append(hashed(states[-1], message))
    number = [int.from_bytes(state, "big") for state in states]
    challenges = {
        "alpha": number[1] % ORDER,
        "beta": int.from_bytes(hashed(states[1], b"\x01"), "big") % ORDER,
        "delta": number[2] % ORDER,
        "rho": number[3] >> 16,
        "nu": number[4] % ORDER,
        "zeta": number[5] % ORDER,
    }
    return {"states": states, "challenges": challenges}


@dataclass(frozen=True)
class Linearised:
    """Section 6, "Linearisation": `here` and `there` are the coefficients of N and M, by column, `constant` is c."""

    constant: int
    here: dict[str, int]
    there: dict[str, int]


def linearise(layers: int, public: Numbers, challenge: Numbers, scalars: Numbers) -> Linearised:
    """The six constraints of section 4 at rho, less vanishing * quotient, split by the cells that no scalar states."""
    delta, beta = [pow(challenge["delta"], power, ORDER) for power in range(6)], challenge["beta"]
    limb, cell, table, cell_next = (scalars[name] for name in ("limb", "cell", "table", "cell_next"))
    lane_head, limb_top = public["lane_head"], public["limb_top"]
    slopes = delta[5] * (beta + limb) * (beta + table)
    constant = (
        delta[0] * lane_head * (-256 * cell_next - limb)
        + delta[1] * limb_top * (cell * cell - cell)
        + delta[2] * limb_top * (cell_next - cell * (256 * limb - 32768))
        - delta[3] * (1 - lane_head) * limb
        + delta[4] * public["constants"]
        + delta[5] * (public["table_head"] * cell * (beta + limb) - (beta + table))
    )
    here = {
        "horner": -delta[3] * (256 - 255 * lane_head - public["pack_head"]) - delta[4] * public["readout"],
        "linear": -delta[4],
        "lookup": -slopes,
        "quotient": -public["vanishing"],
        "rows0": delta[4] * public["inputs"],
    }
    for layer in range(1, layers):
        read = public[f"reads{layer}"] * cell + public[f"reads_next{layer}"] * cell_next + public[f"bias{layer}"]
        here[f"rows{layer}"] = delta[4] * read
    there = {"limb": 2 * delta[0] * lane_head - delta[2] * limb_top * cell, "horner": delta[3], "linear": delta[4], "lookup": slopes}
    return Linearised(
        constant % ORDER,
        {name: value % ORDER for name, value in here.items()},
        {name: value % ORDER for name, value in there.items()},
    )


def fold(domain: int, exponents: Sequence[Sequence[int]], found: Linearised, challenge: Numbers, scalars: Numbers) -> dict[str, int]:
    """The multiple of every point in F + zeta W' (section 6, "What the verifier checks"), by name; `row0`, `row1`, ... are the model's rows.

    `exponents`: for each layer, the power of alpha of each of its rows.
    """
    rho, nu, zeta = challenge["rho"], challenge["nu"], challenge["zeta"]
    next_rho = rho * pow(GENERATOR, (ORDER - 1) // domain, ORDER) % ORDER
    off_here, off_there = zeta - rho, zeta - next_rho  # V_i: the points that a claim does not use
    powers = [pow(nu, power, ORDER) for power in range(5)]
    slope = (scalars["cell_next"] - scalars["cell"]) * pow(next_rho - rho, -1, ORDER)
    factor = [powers[0] * off_there, powers[1] * off_there, powers[2] * off_there, powers[3], powers[4] * off_here]
    values = [
        -(found.constant + scalars["linearised_next"]), scalars["limb"], scalars["table"],
        scalars["cell"] + slope * (zeta - rho), scalars["linearised_next"],
    ]  # fmt: skip
    total = {"limb": factor[1], "table": factor[2], "cell": factor[3], "opening": -off_here * off_there, "final": zeta}
    total["generator"] = -sum(weight * value for weight, value in zip(factor, values, strict=True))
    for weight, side in ((factor[0], found.here), (factor[4], found.there)):
        for column, coefficient in side.items():
            total[column] = total.get(column, 0) + weight * coefficient
    number = 0
    for layer, of_rows in enumerate(exponents):
        column = total.pop(f"rows{layer}")
        for exponent in of_rows:
            total[f"row{number}"] = column * pow(challenge["alpha"], exponent, ORDER)
            number += 1
    return {name: value % ORDER for name, value in total.items()}
