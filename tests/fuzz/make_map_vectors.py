"""Makes map_vectors.json: circuits with convolutions, pools and residuals of every kind, and what follows from each, which killers of mutants hold the code to.

    python tests/fuzz/make_map_vectors.py        (in a checkout, with tests on the path)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "convolution"))

from conv_cases import SHAPES, network_of  # noqa: E402  another folder of the tests
from map_facts import facts_of  # noqa: E402
from wired_cases import WIRED, wired  # noqa: E402

from zkpredict.circuits.convolution.compiler import compile_convolution  # noqa: E402
from zkpredict.circuits.convolution.layout import ConvCircuit  # noqa: E402


def circuit_of(name: str) -> ConvCircuit:
    """On the fewest rows that hold it."""
    return compile_convolution(network_of(name) if name in SHAPES else wired(name), domain=512).circuit


if __name__ == "__main__":
    circuits = {name: circuit_of(name) for name in (*SHAPES, *WIRED)}
    text = json.dumps({name: {"circuit": one.to_bytes().hex(), **facts_of(one)} for name, one in circuits.items()}, indent=1)
    (HERE / "map_vectors.json").write_text(text + "\n", encoding="utf-8")
