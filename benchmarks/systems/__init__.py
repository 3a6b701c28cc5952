"""The systems that are measured. A new one is a module here and its entries in `SYSTEMS`; the first one is what others are compared with."""

from __future__ import annotations

from zkpredict.benchmarks.systems.base import System
from zkpredict.benchmarks.systems.ezkl import Ezkl
from zkpredict.benchmarks.systems.gnark import Gnark
from zkpredict.benchmarks.systems.jstprove import Jstprove
from zkpredict.benchmarks.systems.ours import Ours
from zkpredict.benchmarks.systems.snarkjs import Snarkjs

SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        Ours(),
        Ours("zkpredict-2048", 2048),
        Ours("zkpredict-chain", chain=True),
        Ezkl("private"),
        Ezkl("polycommit"),
        Snarkjs("snarkjs", hashed=False, bound=False),
        Snarkjs("snarkjs-hashed", hashed=True, bound=False),
        Snarkjs("snarkjs-bound", hashed=True, bound=True),
        Jstprove("jstprove", None),
        Jstprove("jstprove-hyrax", "Hyrax"),
        Jstprove("jstprove-raw", "Raw"),
        Gnark("groth16", bound=False),
        Gnark("plonk", bound=False),
        Gnark("groth16", bound=True),
    )
}
