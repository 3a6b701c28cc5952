"""Which placement holds a network: compact where it fits, wide for everything else; the second edition of compact on request."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from zkpredict.circuits.compiler import CompiledNetwork, compile_network
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.layout import DOMAINS, Circuit
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.second.layout import DOMAIN as SECOND_DOMAIN
from zkpredict.circuits.placement import PLACEMENT_NAMES, AnyCircuit, has_shared_rows, with_replicas
from zkpredict.circuits.records import dataclass
from zkpredict.circuits.wide.claims import CLASS, Claim
from zkpredict.circuits.wide.layout import WIDE_DOMAINS, WideCircuit

if TYPE_CHECKING:
    from zkpredict.circuits.second.compiler import SecondNetwork
    from zkpredict.circuits.wide.compiler import WideNetwork

# Compilers are imported where they are called: loading all of them takes longer than proving with one.

AnyCompiled: TypeAlias = "CompiledNetwork | SecondNetwork | WideNetwork"
"""A network in a circuit of any placement."""
COMPACT, WIDE, SECOND = PLACEMENT_NAMES
PLACEMENTS = (COMPACT, WIDE, SECOND)
MAX_CHAIN_TRACKS = 8
"""What the code of a verifier contract holds."""
PLACEMENT_DOMAINS = {COMPACT: DOMAINS, WIDE: WIDE_DOMAINS, SECOND: (SECOND_DOMAIN,)}
"""The numbers of rows that circuits of each placement may have."""


@dataclass(frozen=True)
class Choice:
    """One way to place a network: its circuit, or why there is none."""

    placement: str
    domain: int
    circuit: AnyCircuit | None
    refused: str = ""

    @property
    def replicas(self) -> tuple[int, ...]:
        """How often each hidden layer lies on the trace, in a circuit with replicas."""
        circuit = with_replicas(self.circuit)
        return () if circuit is None else tuple(map(circuit.copies, range(circuit.layers - 1)))

    @property
    def joined(self) -> int | None:
        """How many rows of weights later layers share, in a circuit with replicas."""
        circuit = with_replicas(self.circuit)
        return None if circuit is None else circuit.joined

    @property
    def shared(self) -> bool:
        """Whether all layers share its rows of weights."""
        return has_shared_rows(self.circuit)


def compile_any(
    network: IntegerNetwork, domain: int | None = None, claim: Claim = CLASS, placement: str | None = None, private_input: bool = False,
    batch: bool = False, joined: int | None = None, shared: bool = False,
) -> AnyCompiled:
    """The network in the placement asked for; without one in a compact circuit, which has the smallest proofs, if one holds it
    and the claim is the class, else in a wide one. `batch`: wide, with slots where there is room. `joined`: in a wide one with replicas,
    and so many rows of weights behind the first layer (`circuits.wide.replicas`). `shared`: with convolutions, and few rows of weights that
    all layers share (`circuits.shared`).

    Raises `UnsupportedNetwork` with what a wide circuit lacks (the one that was asked for, if it is another).
    """
    narrow = placement in (COMPACT, SECOND)
    if shared:
        if narrow or private_input or batch or joined is not None:
            raise UnsupportedNetwork("only wide circuits with convolutions, and one public input, have shared rows")
        from zkpredict.circuits.shared.compiler import compile_shared

        return compile_shared(network, claim, domain)
    if joined is not None:
        if narrow or private_input or batch or network.grids or network.wired:
            raise UnsupportedNetwork("only wide circuits of dense layers, with one public input, have replicas")
        from zkpredict.circuits.wide.compiler import compile_replicas

        return compile_replicas(network, joined, claim, domain)
    if network.grids or network.wired:
        if narrow or private_input:
            network.require_dense("compact circuits" if narrow else "circuits with a private input")
        from zkpredict.circuits.convolution.compiler import compile_convolution

        return compile_convolution(network, claim, domain)
    if batch and narrow:
        raise UnsupportedNetwork("compact circuits have no batches: leave out the placement, and a wide one is made")
    compact = narrow or (placement is None and claim == CLASS and not private_input and not batch and domain in (None, *DOMAINS))
    if compact:
        try:
            if private_input:
                raise UnsupportedNetwork("compact circuits have public inputs only: leave out the placement, and a wide one is made")
            if claim != CLASS:
                raise UnsupportedNetwork(f"compact circuits claim the class only, not {claim}: leave out the placement, and a wide one is made")
            if placement != SECOND:
                return compile_network(network, domain)
            from zkpredict.circuits.second.compiler import compile_second

            return compile_second(network, domain)
        except UnsupportedNetwork:
            if narrow:
                raise
    from zkpredict.circuits.wide.compiler import compile_wide

    return compile_wide(network, claim, domain, private_input, batch)


def choices(network: IntegerNetwork, claim: Claim = CLASS, private_input: bool = False) -> tuple[Choice, ...]:
    """Every placement on every number of rows, with its circuit where one holds the network and the claim."""
    found = []
    for placement, domains in PLACEMENT_DOMAINS.items():
        for domain in domains:
            try:
                found.append(Choice(placement, domain, compile_any(network, domain, claim, placement, private_input).circuit))
            except UnsupportedNetwork as error:
                found.append(Choice(placement, domain, None, str(error)))
    return tuple(found)


def replica_choices(network: IntegerNetwork, claim: Claim = CLASS) -> tuple[Choice, ...]:
    """Wide circuits with replicas that hold the network and the claim, but those that have no fewer rows and no fewer tracks than
    another on the same domain. They are for chains: elsewhere a row costs next to nothing."""
    from zkpredict.circuits.wide.compiler import fit_layers
    from zkpredict.circuits.wide.replicas import ReplicaCircuit, joined_counts

    found: list[Choice] = []
    if network.grids or network.wired:
        return ()
    lanes, _, activations = fit_layers(network)
    for domain in WIDE_DOMAINS:
        made: list[ReplicaCircuit] = []
        for joined in joined_counts(network.shape, lanes, domain):
            with suppress(UnsupportedNetwork):
                circuit = ReplicaCircuit(network.shape, lanes, activations, domain, claim, joined=joined)
                made += [circuit] if circuit.tracks <= MAX_CHAIN_TRACKS else []
        rows: int | None = None
        for circuit in sorted(made, key=lambda one: (one.tracks, one.total_rows)):
            if rows is None or circuit.total_rows < rows:
                found.append(Choice(WIDE, domain, circuit))
                rows = circuit.total_rows
    return tuple(found)


def shared_choices(network: IntegerNetwork, claim: Claim = CLASS) -> tuple[Choice, ...]:
    """The wide circuit with shared rows that holds the network and the claim, if there is one. It is for chains, as those with replicas."""
    try:
        return (Choice(WIDE, WIDE_DOMAINS[-1], compile_any(network, None, claim, shared=True).circuit),)
    except UnsupportedNetwork:
        return ()


def compile_as(network: IntegerNetwork, circuit: AnyCircuit) -> AnyCompiled:
    """The network in a circuit like `circuit`: its placement, domain and claim. Raises `UnsupportedNetwork`."""
    mapped = bool(network.grids) or network.wired
    if isinstance(circuit, Circuit) and not mapped:
        return compile_network(network, circuit.domain)
    from zkpredict.circuits.convolution.compiler import compile_convolution
    from zkpredict.circuits.convolution.layout import ConvCircuit
    from zkpredict.circuits.second.compiler import compile_second
    from zkpredict.circuits.shared.compiler import compile_shared
    from zkpredict.circuits.wide.compiler import compile_replicas, compile_wide

    if has_shared_rows(circuit):
        return compile_shared(network, circuit.claim if isinstance(circuit, WideCircuit) else CLASS, circuit.domain)
    if isinstance(circuit, ConvCircuit) or mapped:
        return compile_convolution(network, circuit.claim if isinstance(circuit, WideCircuit) else CLASS, circuit.domain)
    if joined := with_replicas(circuit):
        return compile_replicas(network, joined.joined, joined.claim, joined.domain)
    if isinstance(circuit, WideCircuit):
        return compile_wide(network, circuit.claim, circuit.domain, circuit.private_input, circuit.slotted)
    return compile_second(network, circuit.domain)
