"""`import zkpredict as zp`: the five lines of the README, names on first use, and nothing loaded before."""

import subprocess
import sys

import numpy as np
import pytest
from support import MISMATCH, refuses

import zkpredict as zp


def test_the_lines_of_the_readme(root, tmp_path):
    model = zp.Model.load(root / "examples" / "mnist.model")
    image = zp.load_image(root / "examples" / "seven.png", 784)
    proof = zp.prove(model, image)
    assert proof.digit == model.predict(image) == 7
    for same in (image, image.reshape(28, 28), image.tobytes()):
        zp.verify(model.commitment, same, proof)
    public = zp.ModelCommitment.load(root / "examples" / "mnist.commitment")
    zp.verify(public, image, zp.parse_proof(proof.to_bytes()))
    image = image ^ np.eye(1, 784, 400, dtype=np.uint8)[0]
    with pytest.raises(zp.VerificationError, match=f"^{MISMATCH}$"):
        zp.verify(public, image, proof)


def test_a_network_made_in_numpy_is_committed_proven_and_verified():
    network = zp.IntegerNetwork((zp.DenseLayer(np.array([[1, -2, 3], [3, 0, -1]]), np.array([5, 6])),))
    model = zp.commit_model(network)
    image = np.array([1, 2, 3], np.uint8)
    zp.verify(model.commitment, image, zp.prove(model, image, digit=0))
    with pytest.raises(zp.UnusableInput, match="^cannot prove digit 1: the network says 0$"):
        zp.prove(model, image, digit=1)


def test_an_input_is_hidden_proven_about_for_somebody_and_kept(tmp_path):
    network = zp.IntegerNetwork((zp.DenseLayer(np.array([[1, -2, 3], [3, 0, -1]]), np.array([5, 6])),))
    model = zp.commit_model(network, private_input=True)
    opened, job = zp.hide(np.array([1, 2, 3], np.uint8)), bytes(range(32))
    opened.save(tmp_path / "a.opening")
    opened.hidden.save(tmp_path / "a.hidden")
    proof = zp.prove(model, zp.OpenedInput.load(tmp_path / "a.opening"), context=job)
    hidden = zp.HiddenInput.load(tmp_path / "a.hidden")
    zp.verify(model.commitment, hidden, zp.parse_proof(proof.to_bytes(), model.commitment), job)
    with pytest.raises(zp.VerificationError, match=f"^{MISMATCH}$"):
        zp.verify(model.commitment, hidden, proof)
    with pytest.raises(zp.VerificationError, match="^proof: .* trail after the end at offset "):
        zp.parse_proof(proof.to_bytes())
    with pytest.raises(zp.UnusableInput, match=r"^an input holds bytes \(uint8\), got int64$"):
        zp.hide(np.array([1, 2, 3]))


def test_every_public_name_is_there_and_no_other():
    for name in zp.__all__:
        assert getattr(zp, name).__name__ == name and name in dir(zp)
    with refuses(AttributeError, "module 'zkpredict' has no attribute 'forge'"):
        zp.forge


def test_importing_the_package_loads_no_part_of_it():
    code = "import sys, zkpredict; print(*[name for name in sys.modules if name.startswith(('zkpredict', 'numpy'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["zkpredict"]
