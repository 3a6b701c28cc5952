"""zkpredict: prove what a private network says about an image.

    import zkpredict as zp

    model = zp.Model.load("examples/mnist.model")
    proof = zp.prove(model, image)                  # uint8, 784 bytes in any shape
    zp.verify(model.commitment, image, proof)       # raises zp.VerificationError with the reason

Names load on first use: importing the package, or one of its parts, never pulls in the rest.
"""

from importlib import import_module
from os import path

_CHECKOUT = path.dirname(path.dirname(path.realpath(__file__)))
if path.isfile(path.join(_CHECKOUT, "pyproject.toml")):
    # in a checkout the parts lie beside this folder; installed, they lie in it
    __path__.append(_CHECKOUT)

_HOMES = {
    "IntegerNetwork": "zkpredict.circuits.networks.reference",
    "DenseLayer": "zkpredict.circuits.networks.reference",
    "UnusableInput": "zkpredict.circuits.errors",
    "Feature": "zkpredict.circuits.files.schema",
    "Schema": "zkpredict.circuits.files.schema",
    "FloatLayer": "zkpredict.training.floating",
    "FloatNetwork": "zkpredict.training.floating",
    "quantize": "zkpredict.training.quantize",
    "from_sklearn": "zkpredict.training.estimators",
    "load_image": "zkpredict.circuits.files.images",
    "prepare_image": "zkpredict.circuits.files.images",
    "Reading": "zkpredict.circuits.files.images",
    "Model": "zkpredict.prover.model",
    "commit_model": "zkpredict.prover.commit",
    "prove": "zkpredict.prover.prove",
    "prove_batch": "zkpredict.prover.batch",
    "prove_score": "zkpredict.prover.batch",
    "register_set": "zkpredict.prover.registered",
    "prove_registered": "zkpredict.prover.registered",
    "hide": "zkpredict.prover.hiding",
    "OpenedInput": "zkpredict.prover.hiding",
    "HiddenInput": "zkpredict.verifier.hidden",
    "ModelCommitment": "zkpredict.verifier.commitment",
    "Proof": "zkpredict.verifier.messages",
    "VerificationError": "zkpredict.verifier.errors",
    "verify": "zkpredict.verifier.native",
    "parse_proof": "zkpredict.verifier.native",
    "BatchProof": "zkpredict.verifier.batch",
    "verify_batch": "zkpredict.verifier.batch",
    "parse_batch": "zkpredict.verifier.batch",
    "Score": "zkpredict.verifier.score",
    "verify_score": "zkpredict.verifier.score",
    "parse_score": "zkpredict.verifier.score",
    "RegisteredSet": "zkpredict.verifier.testset",
    "check_inputs": "zkpredict.verifier.testset",
    "parse_set": "zkpredict.verifier.testset",
    "RegisteredScore": "zkpredict.verifier.registered",
    "verify_registered": "zkpredict.verifier.registered",
    "parse_registered": "zkpredict.verifier.registered",
}
__all__ = list(_HOMES)
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'zkpredict' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
