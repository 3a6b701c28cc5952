"""Which gadgets a circuit is made of, in order, and the form of its proofs.

There are three placements: compact (`circuits.layout.Circuit`), all layers in one trace, for small networks; its second edition
(`circuits.second`), the cheapest on-chain for them; and wide (`circuits.wide`), which holds any network. A circuit's bytes, so its digest, say which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from zkpredict.circuits.columns import Column, Derived, Form, Origin
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.expression import Cell, Environment, Public
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.gadgets import relu as _relu  # noqa: F401  registers the gate that always ships
from zkpredict.circuits.gadgets.argmax import Argmax
from zkpredict.circuits.gadgets.base import Constraint, Gadget
from zkpredict.circuits.gadgets.bytes import Bytes
from zkpredict.circuits.gadgets.dense import Dense
from zkpredict.circuits.gadgets.gates import GATES, Gate
from zkpredict.circuits.gadgets.lanes import Lanes
from zkpredict.circuits.gadgets.packs import Packs
from zkpredict.circuits.layout import DOMAINS, MAGIC, NARROW, WIDE, Circuit
from zkpredict.circuits.linear import LinearCheck
from zkpredict.circuits.records import replace
from zkpredict.circuits.second import layout as second_layout
from zkpredict.circuits.second.layout import SecondCircuit
from zkpredict.circuits.wide import layout as wide_layout
from zkpredict.circuits.wide.claims import CLASS, Claim, Kind
from zkpredict.circuits.wide.layout import WideCircuit

if TYPE_CHECKING:
    from zkpredict.circuits.wide.replicas import ReplicaCircuit

AnyCircuit = Circuit | SecondCircuit | WideCircuit
"""A circuit of any placement."""
PLACEMENT_NAMES = ("compact", "wide", "compact-2")
"""What they are called."""

SHARED_COLUMNS = (
    Column("limb", Origin.PROOF, 1),
    Column("horner", Origin.PROOF, 1, "horner"),
    Column("cell", Origin.PROOF, 1),
)
"""The columns in which all gadgets of the compact placement write: bytes, running pack values; bits, activations, multiplicities."""

QUOTIENT = Column("quotient", Origin.PROOF, 3)
QUOTIENT_HIGH = Column("quotient_high", Origin.PROOF, 3)
"""The quotient, or its coefficients below and from `QUOTIENT_SPLIT` on, where it has more than one commitment holds."""
QUOTIENT_SPLIT = 3072

COMMIT_ROUNDS: Mapping[str, tuple[str, ...]] = {"trace": ("alpha", "beta"), "sums": ("delta",), "quotient": ("rho",)}
"""The rounds in which a proof commits to columns, and the challenges drawn after each."""


def known_gates() -> Mapping[int, type[Gate]]:
    """Every registered gate by its tag."""
    return GATES


def read_circuit(reader: ByteReader) -> AnyCircuit:
    """Parses the canonical bytes of a circuit of any placement at the cursor. Raises `MalformedFile`."""
    start = reader.position
    magic = reader.take(len(MAGIC), "circuit magic")
    reader.position = start
    if magic == MAGIC:
        return Circuit.read(reader)
    if magic == wide_layout.MAGIC:
        return WideCircuit.read(reader)
    if magic in (wide_layout.CONVOLUTION_MAGIC, wide_layout.WIRED_MAGIC, wide_layout.BY_SIDE_MAGIC):
        from zkpredict.circuits.convolution.layout import ConvCircuit  # late: few circuits have convolutions

        return ConvCircuit.read(reader)
    if magic == wide_layout.SHARED_MAGIC:
        from zkpredict.circuits.shared.layout import SharedCircuit  # late: few circuits have shared rows

        return SharedCircuit.read(reader)
    if magic == wide_layout.REPLICA_MAGIC:
        from zkpredict.circuits.wide.replicas import ReplicaCircuit  # late: few circuits have replicas

        return ReplicaCircuit.read(reader)
    if magic == second_layout.MAGIC:
        return SecondCircuit.read(reader)
    known = (
        MAGIC, wide_layout.MAGIC, wide_layout.CONVOLUTION_MAGIC, second_layout.MAGIC, wide_layout.WIRED_MAGIC, wide_layout.REPLICA_MAGIC,
        wide_layout.BY_SIDE_MAGIC, wide_layout.SHARED_MAGIC,
    )  # fmt: skip
    raise MalformedFile(f"{reader.what}: circuit magic is {magic!r}, expected {' or '.join(map(repr, known))}")


def compact(circuit: AnyCircuit, what: str) -> Circuit:
    """A compact circuit of the first edition. Raises `UnsupportedNetwork` because `what` knows no others."""
    if isinstance(circuit, SecondCircuit):
        raise UnsupportedNetwork(
            f"the model lies in a circuit of the second edition: {what} hold those of the first (`zkpredict commit --placement compact`)"
        )
    if not isinstance(circuit, Circuit):
        raise UnsupportedNetwork(f"the model lies in a wide circuit: {what} hold compact ones (`zkpredict commit --placement compact`)")
    return circuit


def with_replicas(circuit: AnyCircuit | None) -> ReplicaCircuit | None:
    """The circuit, if it is one with replicas."""
    if not isinstance(circuit, WideCircuit):
        return None
    from zkpredict.circuits.wide.replicas import ReplicaCircuit  # late: few circuits have replicas

    return circuit if isinstance(circuit, ReplicaCircuit) else None


def has_shared_rows(circuit: AnyCircuit | None) -> bool:
    """Whether a circuit's rows of weights are shared by all of its layers."""
    return isinstance(circuit, WideCircuit) and circuit.met_by_rows is not None


def placement_of(circuit: AnyCircuit) -> str:
    """`compact`, `compact-2` or `wide`."""
    first, wide, second = PLACEMENT_NAMES
    return wide if isinstance(circuit, WideCircuit) else second if isinstance(circuit, SecondCircuit) else first


def claim_of(circuit: AnyCircuit) -> Claim:
    """What proofs in the circuit claim: compact ones the class."""
    return circuit.claim if isinstance(circuit, WideCircuit) else CLASS


def commit_rounds(circuit: AnyCircuit) -> Mapping[str, tuple[str, ...]]:
    """The rounds in which a proof commits to columns, and the challenges drawn after each."""
    return COMMIT_ROUNDS if isinstance(circuit, Circuit) else circuit.rounds


@lru_cache(maxsize=256)
def placed(circuit: AnyCircuit) -> tuple[Gadget, ...]:
    """The gadgets of a circuit, in the order in which their constraints are weighed."""
    if not isinstance(circuit, Circuit):
        return circuit.gadgets()
    gates = tuple(GATES[tag](circuit) for tag in sorted(set(circuit.gates[:-1]) or {0}))
    before = (Lanes(circuit), *gates)
    dense = tuple(Dense(circuit, layer) for layer in range(circuit.layers))
    parts = (*dense, Argmax(circuit), Packs(circuit))
    return (*before, *parts, LinearCheck(circuit, parts), Bytes(circuit))


def quotient_columns(circuit: AnyCircuit) -> tuple[Column, ...]:
    """The commitments of the quotient."""
    last = len(commit_rounds(circuit))
    return tuple(replace(column, round=last) for column in (QUOTIENT, QUOTIENT_HIGH)[: circuit.quotient_pieces])


def quotient_factors(circuit: AnyCircuit) -> tuple[str, ...]:
    """What each of them is multiplied with: X^n - 1, and X^QUOTIENT_SPLIT times that."""
    return ("vanishing", "vanishing_high")[: circuit.quotient_pieces]


def columns(circuit: AnyCircuit) -> tuple[Column, ...]:
    """All columns: those of a proof by round, the fixed ones, those of the model."""
    own = [column for gadget in placed(circuit) for column in gadget.columns()]
    shared = SHARED_COLUMNS if isinstance(circuit, Circuit) else ()
    found = [*shared, *own, *quotient_columns(circuit)]
    rank = {Origin.PROOF: 0, Origin.FIXED: 1, Origin.MODEL: 2, Origin.STATEMENT: 3}
    return tuple(sorted(found, key=lambda column: (rank[column.origin], column.round)))


def all_constraints(circuit: AnyCircuit) -> tuple[Constraint, ...]:
    """Every gadget's constraints, in the order in which powers of delta weigh them."""
    return tuple(constraint for gadget in placed(circuit) for constraint in gadget.constraints())


def weighed(circuit: AnyCircuit, constraints: Iterable[Constraint], environment: Environment) -> Any:
    """sum_i delta^i constraint_i - vanishing * quotient, in the world of `environment`: zero exactly for a valid witness."""
    delta, total = environment.challenge("delta"), None
    for constraint in reversed(tuple(constraints)):
        value = constraint.expression.evaluate(environment)
        total = value if total is None else total * delta + value
    for factor, column in zip(quotient_factors(circuit), quotient_columns(circuit), strict=True):
        total = total - (Public(factor) * Cell(column.name)).evaluate(environment)
    return total


@lru_cache(maxsize=256)
def form(circuit: AnyCircuit) -> Form:
    """The shape of a circuit's proofs. All compact circuits with the same gates have the same one, so a single layer, which reads no
    activations, states what those with more layers do."""
    deep = circuit
    if isinstance(circuit, Circuit) and circuit.layers == 1:
        deep = replace(SMALLEST, domain=circuit.domain)
    if isinstance(circuit, SecondCircuit) and circuit.layers == 1:
        deep = SecondCircuit((1, 1, 1), (NARROW,))
    found = Form.of(columns(deep), commit_rounds(circuit), lambda environment: weighed(deep, all_constraints(deep), environment))
    outputs = circuit.classes if isinstance(circuit, WideCircuit) and circuit.claim.kind is Kind.LOGITS else 0
    derived: tuple[Derived, ...] = ()
    if isinstance(circuit, SecondCircuit):
        from zkpredict.circuits.second.placement import DERIVED  # late: few circuits are of the second edition

        derived = DERIVED
    return replace(found, columns=columns(circuit), outputs=outputs, derived=derived)


SMALLEST = Circuit((1, 1, 1), (NARROW, WIDE), DOMAINS[0])
"""The least circuit in which a layer reads another."""
COMPACT_FORM = form(SMALLEST)
"""The shape of every proof of a network whose hidden layers are all ReLU."""
