"""What a network of an `IPrediction` says about some bytes, for commands that show it to a contract: by asking the chain, or by a proof."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.chain import checked_address
from zkpredict.cli.claims import account_address
from zkpredict.cli.console import Console

if TYPE_CHECKING:
    from zkpredict.contracts.chain.interface import Chain

MOST_CLASSES = 256


def add_judge_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that name a model: `--predictor`, or `--prediction` and `--model-id`."""
    parser.add_argument("--prediction", metavar="ADDRESS", help="who says what the network says (with --model-id, or for --predictor)")
    parser.add_argument("--model-id", metavar="HEX", help="the model as that prediction knows it")
    parser.add_argument("--predictor", metavar="ADDRESS", help="a network in the open (default: with an OpenPrediction that is deployed for it)")


def judge_of(arguments: argparse.Namespace, console: Console, chain: Chain) -> tuple[str, bytes]:
    """Address of the prediction and id of the model that the options name. Raises `UnusableInput`."""
    from zkpredict.contracts.artifact import load
    from zkpredict.contracts.chain.interface import Contract

    if (arguments.predictor is None) == (arguments.model_id is None) or (arguments.model_id is not None and arguments.prediction is None):
        raise UnusableInput("give --predictor ADDRESS, or --prediction ADDRESS and --model-id HEX")
    if arguments.model_id is not None:
        return checked_address(chain, arguments.prediction), hexadecimal(arguments.model_id, 32, "--model-id")
    checked_address(chain, arguments.predictor)
    if arguments.prediction is None:
        with console.step("deploy"):
            prediction = Contract.deploy(chain, load("OpenPrediction"))[0].address
    else:
        prediction = checked_address(chain, arguments.prediction)
    return prediction, open_model(chain, prediction, arguments.predictor)


def open_model(chain: Chain, prediction: str, predictor: str) -> bytes:
    """The id of a network in the open. Raises `UnusableInput` when the prediction does not run networks."""
    from zkpredict.circuits.errors import MalformedFile
    from zkpredict.contracts.artifact import load
    from zkpredict.contracts.chain.interface import Contract, Reverted

    address = checked_address(chain, predictor)
    try:
        return Contract(chain, prediction, load("OpenPrediction")).call("modelOf", address)
    except (MalformedFile, Reverted):
        raise UnusableInput(f"the prediction at {account_address(prediction)} is no OpenPrediction: it knows no network by its address") from None


def add_evidence_options(parser: argparse.ArgumentParser) -> None:
    """Adds what a hidden network needs: `--model`, or `--class` and `--evidence`."""
    parser.add_argument("--model", metavar="FILE", help="the private model file of a hidden network, to prove what it says")
    parser.add_argument("--class", dest="class_", type=_class_number, metavar="N", help="what the network says (default: ask the chain, or --model)")
    parser.add_argument("--evidence", metavar="HEX", default="", help="instead of --model: a proof, with --class")


class Witness:
    """Says what the model of a contract says, with evidence; a private model file is read once."""

    def __init__(self, arguments: argparse.Namespace, console: Console, chain: Chain, prediction: str, model_id: bytes) -> None:
        self._console, self._chain, self._prediction, self._model_id = console, chain, prediction, model_id
        self._class, self._evidence, self._model = arguments.class_, hexadecimal(arguments.evidence, None, "--evidence"), None
        if arguments.model is None:
            return
        if arguments.class_ is not None or arguments.evidence:
            raise UnusableInput("--model makes the evidence: give it without --class and --evidence")
        from zkpredict.prover.model import Model

        with console.step("read"):
            self._model = Model.load(arguments.model)
        found = self._model.commitment.model_id
        if found != model_id:
            raise UnusableInput(f"{arguments.model} is model {found.hex()}, asked is {model_id.hex()}")

    def says(self, data: bytes) -> tuple[int, bytes]:
        """Class and evidence for the bytes of one input. Raises `UnusableInput` when nobody can say."""
        if self._model is not None:
            return self._proven(data)
        if self._class is not None:
            return self._class, self._evidence
        return asked(self._chain, self._prediction, self._model_id, data, self._evidence), self._evidence

    def _proven(self, data: bytes) -> tuple[int, bytes]:
        import numpy as np

        from zkpredict.contracts.artifact import load
        from zkpredict.contracts.chain.interface import Contract
        from zkpredict.contracts.verifier.client import final_check, verifier_at
        from zkpredict.contracts.verifier.encoding import onchain_proof
        from zkpredict.prover.prove import prove

        verifier = verifier_at(self._chain, Contract(self._chain, self._prediction, load("ProvenPrediction")).call("verifier"))
        with self._console.step("prove"):
            proof = prove(self._model, np.frombuffer(data, np.uint8))
        return proof.digit, onchain_proof(proof, final_check(verifier, proof.form))


def asked(chain: Chain, prediction: str, model: bytes, data: bytes, evidence: bytes = b"", classes: int = MOST_CLASSES) -> int:
    """The class for which a prediction holds. Raises `UnusableInput` when it holds for none, or answers nothing without more evidence."""
    for class_ in range(classes):
        if holds(chain, prediction, model, data, class_, evidence):
            return class_
    raise UnusableInput(f"the network gives this input none of the {classes} classes that are asked for")


def holds(chain: Chain, prediction: str, model: bytes, data: bytes, class_: int, evidence: bytes = b"") -> bool:
    """Whether a prediction holds. Raises `UnusableInput` when it does not answer."""
    from zkpredict.contracts.artifact import load
    from zkpredict.contracts.chain.interface import Contract, Reverted

    try:
        return Contract(chain, prediction, load("OpenPrediction")).call("holds", model, data, class_, evidence)
    except Reverted as refusal:
        raise UnusableInput(f"the prediction answers nothing about this input ({refusal}): give --class and --evidence") from None


def hexadecimal(text: str, size: int | None, option: str) -> bytes:
    """The bytes in an option. Raises `UnusableInput`."""
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise UnusableInput(f"{option} is not hexadecimal") from None
    if size is not None and len(data) != size:
        raise UnusableInput(f"{option} is {size} bytes in hexadecimal, got {len(data)}")
    return data


def _class_number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 3 or int(text) >= MOST_CLASSES:
        raise argparse.ArgumentTypeError(f"{text!r} is no class from 0 to {MOST_CLASSES - 1}")
    return int(text)
