"""The desk, and running a command in this process."""

import numpy as np
import pytest
from cli_desk import Desk, Outcome
from PIL import Image
from support import random_network

from zkpredict.cli.main import main
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove


@pytest.fixture
def run(capsys):
    """Runs a command in this process."""

    def command(*arguments) -> Outcome:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return command


@pytest.fixture(scope="module")
def committed() -> Model:
    return commit_model(random_network(1, (36, 12, 4)))


@pytest.fixture
def desk(tmp_path, committed) -> Desk:
    folder = tmp_path / "desk"
    folder.mkdir()
    pixels = np.random.default_rng(2).integers(0, 256, (6, 6), dtype=np.uint8)
    made = Desk(folder, committed.predict(pixels.reshape(-1)))
    committed.save(made.model)
    committed.commitment.save(made.commitment)
    Image.fromarray(pixels).save(made.image)
    made.proof.write_bytes(prove(committed, pixels).to_bytes())
    return made
