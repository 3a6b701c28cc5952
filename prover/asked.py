"""What is to be proved of an input: its bytes, and the statement that a model's circuit makes about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zkpredict.circuits.errors import FalseClaim, UnusableInput
from zkpredict.circuits.files.order import check_order
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import Kind
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.verifier.errors import WrongStatement
from zkpredict.verifier.native import statement_for

if TYPE_CHECKING:
    from zkpredict.prover.hiding import OpenedInput
    from zkpredict.prover.model import Model


def statement_of(
    model: Model, image: np.ndarray | bytes, answer: int, opened: OpenedInput | None = None, context: bytes = b""
) -> Statement:
    """What the model's circuit says when the network gives `image` (uint8 [inputs], or bytes) the class `answer`.

    Raises `FalseClaim` when the claim that the model was committed for does not hold for this image, `UnusableInput` for a hidden
    input where the circuit takes a public one, or the reverse, and for a context that has not 32 bytes.
    """
    circuit, data = model.commitment.circuit, image if isinstance(image, bytes) else image.tobytes()
    try:
        return statement_for(circuit, opened.hidden if opened else data, answer, _outputs(model, data, answer), context)
    except WrongStatement as error:
        raise UnusableInput(str(error)) from None


def _outputs(model: Model, data: bytes, answer: int) -> tuple[int, ...]:
    """The outputs that the circuit makes public. Raises `FalseClaim` when its claim does not hold."""
    circuit = model.commitment.circuit
    if not isinstance(circuit, WideCircuit) or circuit.claim.kind is Kind.CLASS:
        return ()
    logits = model.network.run(data)[-1]
    claim = circuit.claim
    if claim.kind is Kind.THRESHOLD and logits[0] < claim.parameter:
        raise FalseClaim(f"cannot prove that the output is at least {claim.parameter}: for this input it is less")
    if claim.kind is Kind.MARGIN and any(logits[answer] - z < claim.parameter for i, z in enumerate(logits) if i != answer):
        raise FalseClaim(f"cannot prove a margin of {claim.parameter}: for this input another class is closer")
    return tuple(logits) if claim.kind is Kind.LOGITS else ()


def check_image(model: Model, image: np.ndarray | bytes) -> bytes:
    """The bytes of `image`, uint8 of the network's input size in any shape. Raises `UnusableInput`."""
    data = image if isinstance(image, bytes) else _array_bytes(image)
    if len(data) != model.network.shape[0]:
        raise UnusableInput(f"the image has {len(data)} pixels, the network takes {model.network.shape[0]}")
    if not isinstance(image, bytes):
        check_order(np.shape(image), model.picture, "the image")
    return data


def _array_bytes(image: np.ndarray) -> bytes:
    image = np.asarray(image)
    if image.dtype != np.uint8:
        raise UnusableInput(f"the image must hold bytes (uint8), got {image.dtype}")
    return image.tobytes()
