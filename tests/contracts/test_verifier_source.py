"""The generated Solidity: current, within its limits, and equal to the Python verifier word by word in plain arithmetic."""

from __future__ import annotations

import json
import random
import re
from functools import cache

import pytest
from support import said

from zkpredict.circuits.constraints import constraints
from zkpredict.circuits.gadgets.dense import row_column
from zkpredict.circuits.expression import Cell, Challenge, Public
from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.layout import Circuit
from zkpredict.contracts.compile import Settings
from zkpredict.contracts.verifier import generate, publics
from zkpredict.contracts.verifier.encoding import FinalCheck, absorbed_points
from zkpredict.contracts.verifier.pixels import PIXELS_BOUND
from zkpredict.contracts.verifier.source import contract_name, memory_places, source
from zkpredict.contracts.verifier.symbolic import Symbol
from zkpredict.circuits.placement import COMPACT_FORM
from zkpredict.verifier.opening import fold, linearise

WORD = 1 << 256
CIRCUITS = (
    Circuit((784, 64, 10), (1, 2), 1024),
    Circuit((784, 64, 10), (1, 2), 2048),
    Circuit((100, 20, 3), (1, 2), 1024),
    Circuit((784, 64, 32, 10), (1, 2, 2), 2048),
    Circuit((5, 3), (2,), 1024),
    Circuit((5, 1), (2,), 1024),
    Circuit((64, 12, 7), (2, 2), 1024),
    Circuit((64, 4, 2), (1, 2), 1024),
)


class Machine:
    """Runs the straight-line Yul of the contract on Python ints, and stops where 256 bits would wrap."""

    def __init__(self, text: str, memory: dict[str, int]) -> None:
        self.constants = {name: int(value, 0) for name, value in re.findall(r"constant (\w+) = (0x[0-9a-f]+|\d+);", text)}
        self.text, self.memory = text, {self.constants[name]: value for name, value in memory.items()}

    def read(self, name: str) -> int:
        return self.memory[self.constants[name]]

    def run(self, function: str, **variables: int) -> None:
        """Runs the statements of one function; calls of precompiles are left out."""
        body = self.text.split(f"    function {function}(", 1)[1].split("\n    }\n", 1)[0]
        block = body.split("assembly {", 1)[1].rsplit("}", 1)[0]
        names = self.constants | variables
        for line in (line.strip() for line in block.splitlines()):
            if not line or line in ("{", "}") or line.startswith("//") or "staticcall" in line or "done" in line:
                continue
            found = re.fullmatch(r"(?:let )?(\w+)(?: := (.+))?", line)
            if found:
                names[found[1]] = self._value(found[2] or "0", names)
            else:
                place, value = re.fullmatch(r"mstore\((\w+|add\(\w+, \w+\)), (.+)\)", line).groups()
                self.memory[self._value(place, names)] = self._value(value, names)

    def _value(self, text: str, names: dict[str, int]) -> int:
        functions = {
            "add": lambda a, b: _fits(a + b),
            "sub": lambda a, b: _fits(a - b),
            "mul": lambda a, b: _fits(a * b),
            "div": lambda a, b: a // b,
            "addmod": lambda a, b, m: (a + b) % m,
            "mulmod": lambda a, b, m: a * b % m,
            "mload": lambda place: self.memory.get(place, 0),
        }
        return eval(text, {"__builtins__": {}}, functions | names)  # noqa: S307


def _fits(value: int) -> int:
    assert 0 <= value < WORD
    return value


@cache
def text_of(circuit: Circuit) -> str:
    return source(circuit)


@pytest.mark.parametrize("circuit", CIRCUITS, ids=lambda c: contract_name(c))
@pytest.mark.parametrize("case", ["random", "other random", "largest", "smallest"])
def test_scalars_match_reference(circuit, case):
    """Every scalar of the sum and the value at zeta, against `linearise` and `fold`; no word overflows on the way."""
    numbers = random.Random(f"{circuit}{case}")
    pick = {"largest": lambda: MODULUS - 1, "smallest": lambda: 1}.get(case, lambda: numbers.randrange(1, MODULUS))
    digit = numbers.randrange(circuit.classes)
    image = bytes({"largest": 255, "smallest": 0}.get(case, numbers.randrange(256)) for _ in range(circuit.inputs))
    rho = (1 << 240) - 1 if case == "largest" else numbers.randrange(2, 1 << 240)
    challenges = {"alpha": pick(), "beta": pick(), "delta": pick(), "rho": rho}
    scalars = {name: pick() for name in COMPACT_FORM.scalars}
    challenges |= {"nu": pick(), "zeta": pick() + (case == "smallest")}
    pixels = 0
    for pixel in image:
        pixels = (pixels * rho + pixel) % MODULUS
    if case == "largest":  # the contract leaves it unreduced
        pixels += MODULUS * ((PIXELS_BOUND - pixels) // MODULUS)
    memory = {"ORDER": MODULUS, "PIXELS": pixels} | {name.upper(): value for name, value in challenges.items()}
    memory |= {f"{name.upper()}_VALUE": value for name, value in scalars.items()}
    machine = Machine(text_of(circuit), memory)
    power = rho
    for doubling in range(1, circuit.domain.bit_length()):
        power = power * power % MODULUS
        machine.memory[machine.constants[f"RHO_{1 << doubling}"]] = power
    machine.memory[machine.constants["VANISHING"]] = power - 1
    machine.run("_combineWeights", digit=digit)
    machine.run("_evaluatePublics", digit=digit)
    last = max((name for name in machine.constants if name.startswith("PARTIAL_")), key=lambda n: int(n.split("_")[1]), default="")
    machine.run("_invert", inverse=0)  # writes the product of all denominators
    machine.memory[0] = inverse(machine.read(last))
    machine.run("_invert")
    machine.run("_fold")

    reference = fold(circuit, linearise(circuit, said(image, digit), challenges, scalars), scalars, challenges)
    expected, row = {}, 0
    for layer in range(circuit.layers):
        for exponent in circuit.row_exponents(layer):
            weight = pow(challenges["alpha"], exponent, MODULUS)
            expected[f"ROW{row}_SCALAR"] = reference.columns[row_column(layer)] * weight % MODULUS
            row += 1
    expected |= {f"{name.upper()}_SCALAR": reference.columns[name] for name in ("table", *absorbed_points()[:-1])}
    expected |= {"OPENING_SCALAR": reference.opening, "VALUE": reference.value}
    assert {name: machine.read(name) % MODULUS for name in expected} == expected


def test_generated_sources_are_current():
    for name, text in generate.sources().items():
        assert (name, (generate.GENERATED / name).read_text(encoding="utf-8") == text) == (name, True)


def test_artefacts_are_what_the_pinned_compiler_makes_of_the_sources():
    for name, text in generate.artifacts().items():
        assert (name, (generate.GENERATED / name).read_text(encoding="utf-8") == text) == (name, True)


def test_artefacts_say_how_they_were_made():
    for path in generate.GENERATED.glob("*.json"):
        found = json.loads(path.read_text(encoding="utf-8"))
        assert (found["compiler"], found["settings"]) == (Settings.load().compiler, generate.SETTINGS)
        assert f"{path.stem}.sol" in found["sources"]


@pytest.mark.parametrize("check", FinalCheck)
@pytest.mark.parametrize("circuit", [circuit for circuit, check in generate.SHIPPED if check is FinalCheck.PAIRING])
def test_the_code_fits_with_room_to_spare(circuit, check):
    """The second edition's has the 127 constants of the table's polynomial."""
    assert len(generate.artifact(circuit, check).runtime) < (16_500 if isinstance(circuit, Circuit) else 20_500)


def test_no_two_words_share_an_address():
    for circuit in CIRCUITS:
        for check in FinalCheck:
            places = memory_places(circuit, check)
            inside = re.compile(r"WEIGHT_|ROW\d+_SCALAR|\w+_VALUE|\w+_SCALAR|STATEMENT")
            own = {name: place for name, place in places.items() if not inside.match(name)}
            points = {name for name in ("TABLE", "GENERATOR", "FINAL", *map(str.upper, absorbed_points())) if name in own}
            rest = [place for name, place in own.items() if name not in points]
            assert len(set(rest)) == len(rest) and min(rest) == 0x80
            # a context is read before the rows are hashed, from STATE on, and hashed after them
            assert places["STATEMENT_CONTEXT"] == places["STATEMENT"] + 96 + circuit.inputs >= places["STATE"] + 32 + 96 * circuit.total_rows
            assert places["STATEMENT"] >= places["STATE"] and places["STATEMENT_CONTEXT"] + 32 <= places["ORDER"]
            assert all(places["MSM"] <= own[name] < places["SUM"] for name in points)
            assert all(place < places["MSM"] or name in {"MSM", "SUM", "PAIRS", *points} for name, place in own.items())


def test_a_changed_constraint_changes_the_contract(monkeypatch):
    circuit = CIRCUITS[2]
    before = source(circuit)
    changed = [c for c in constraints(circuit) if c.name != "boolean"]
    monkeypatch.setattr("zkpredict.circuits.constraints.constraints", lambda _: tuple(changed))
    assert source(circuit) != before


def test_shapes_the_template_cannot_evaluate_are_refused(monkeypatch):
    plain = publics.readout

    def other(circuit, alpha, digit):
        found = plain(circuit, alpha, digit)
        if digit == 1:
            found.values[next(iter(found.values))] = Symbol.named("alpha") * 7
        return found

    monkeypatch.setattr(publics, "readout", other)
    with pytest.raises(publics.UnsupportedShape, match="read-out of digit 1"):
        source(CIRCUITS[2])
    monkeypatch.setattr(publics, "readout", plain)
    monkeypatch.setattr(publics, "constant_term", lambda circuit, alpha, digit: alpha * (digit + 1) if digit else alpha)
    with pytest.raises(publics.UnsupportedShape, match="constant term of digit 1"):
        source(CIRCUITS[2])


def test_formulas_behave_like_numbers():
    names = {"a": 5, "b": MODULUS - 3, "c": 11}
    a, b, c = map(Symbol.named, names)

    def value(symbol: Symbol) -> int:
        total = 0
        for factors, coefficient in symbol.terms:
            for factor in factors:
                coefficient = coefficient * (names[factor] if isinstance(factor, str) else value(factor)) % MODULUS
            total += coefficient
        return total % MODULUS

    x, y, z = names.values()
    assert value((a + b) * (b - c) - 7 * a) == ((x + y) * (y - z) - 7 * x) % MODULUS
    assert value(-(a * b) << 4) == -x * y * 16 % MODULUS
    assert value(pow(a, 3, MODULUS) + (2 - c)) == (x**3 + 2 - z) % MODULUS
    assert (a - b) * (b - a) == -((a - b) * (a - b))
    assert (a + b - b - a).constant == 0 and (a * 0 + 4).constant == 4 and a.constant is None
    with pytest.raises(ValueError, match="only a product of names"):
        pow(a + b, -1, MODULUS)
    with pytest.raises(ValueError, match="not modulo 7"):
        a % 7


def test_nested_products_of_unopened_cells_are_still_refused():
    """The linearisation runs on names as on numbers: a constraint that multiplies two committed columns stops the generator."""
    from zkpredict.verifier.opening import OpenedCells

    values = {("limb", 0): Symbol.named("limb")}
    challenges = {name: Symbol.named(name) for name in ("alpha", "beta", "delta", "rho")}
    cells = OpenedCells({"readout": Symbol.named("readout")}, challenges, values)
    fine = (Public("readout") * Cell("horner") * Challenge("delta")).evaluate(cells)
    assert fine.terms == {("horner", 0): Symbol.named("delta") * Symbol.named("readout")}
    with pytest.raises(ValueError, match="not linear"):
        (Cell("horner") * Cell("linear")).evaluate(cells)
