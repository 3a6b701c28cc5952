"""What only the owner of a model should see: facts that follow from its weights, and the model file itself."""

from __future__ import annotations

import argparse
import hashlib
import os
import stat
from typing import TYPE_CHECKING

from zkpredict.cli.console import Console

if TYPE_CHECKING:
    from zkpredict.prover.model import Model

BOUNDS = "shifts, exact bounds and headroom"
DEMONSTRATIONS = (
    "50a354ac2cb77d35c007783f22ce86668d869ec90f6ff6ad9abcb4eadf7a9d8a",
    "fad616ebe23a3ec602eb8f985212dda467cacee696029d00e1f37ddd9f66daf5",
    "964b84369b9d729c85b1118a7ab48643abb7830af7ff70828dce0265e1e2fa04",
    "7c69e7c3ce8dd2a1295aee53829eb068e8cd635ba9ef7ed6413ede73ca93e236",
    "5e38d2add57ca7ae5239b460ab18cd74d315bdb594ea86500c38c5a1bb65bf8b",
    "ab5f777122f87405cdeb2eef5ccdf29047e7d4e74a5647d1a8260d55a5dce1f1",
)
"""Model ids of `examples/mnist.model` and of iris, cancer and wine in `examples/tables`, and of both LeNets in `examples`, whose weights are published with them."""
UNCOMMITTED_DEMONSTRATION = "90fd8a90d3da52caa9464fd6b03a53aa8b74406268fa6ff2dcdbd1d10406f024"
"""The sha256 of the network in `examples/mnist_rational.model`, which is published without a commitment."""
OTHERS = stat.S_IRGRP | stat.S_IROTH
"""The bits of a file's mode that let others read it."""


def add_private_option(parser: argparse.ArgumentParser, what: str) -> None:
    """Adds `--private`, which shows `what`."""
    parser.add_argument("--private", action="store_true", help=f"also show what follows from private weights: {what}")


def say_private(console: Console, what: str, path: str) -> None:
    """Says that what is shown is not for everybody."""
    console.note(f"shown from the private weights of {path}: {what}; keep that to yourself")


def load_model(path: str, console: Console) -> Model:
    """The model file; says so when others can read it. Errors are those of `Model.load`."""
    from zkpredict.prover.model import Model

    model = Model.load(path)
    warn_of_readers(path, model, console)
    return model


def _digest(model: Model) -> str:
    return hashlib.sha256(model.network.to_bytes()).hexdigest()


def warn_of_readers(path: str, model: Model, console: Console) -> None:
    """A note when the file of a model is readable by its group or by everybody: it holds the weights and the secrets of the rows.

    Demonstrations are left out: their weights are public, and a checkout writes them with the mode that the user's umask gives.
    """
    if not os.stat(path).st_mode & OTHERS:
        return
    published = model.commitment.model_id.hex() in DEMONSTRATIONS if model.committed else _digest(model) == UNCOMMITTED_DEMONSTRATION
    if not published:
        console.note(f"{path} holds private weights, and others on this machine may read it: chmod 600 {path}")
