"""`zkpredict chain` at its edges: options that would be ignored, errors with arguments, and no silence while it works."""

import shlex
import sys

import numpy as np
import pytest
from cli_desk import expect_refusal

from zkpredict.cli import chain
from zkpredict.cli.main import main

ANY = "0x" + "12" * 20
MADE = "a verifier serves the models of circuits, and runs no network itself"
OPEN = "the contract runs the network of --model in the open, and checks no proof"
FREE = "--send goes with --rpc-url: the embedded chain is always sent a transaction, for nothing"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("deploy --verifier --commitment {c} --model {m}", f"--model does not go with --verifier: {MADE}"),
        ("deploy --verifier --commitment {c} --mode packed", f"--mode does not go with --verifier: {MADE}"),
        ("deploy --predict --model {m} --pairing", f"--pairing does not go with --predict: {OPEN}"),
        ("deploy --predict --model {m} --commitment {c}", f"--commitment does not go with --predict: {OPEN}"),
        (
            f"verify {{i}} {{p}} --commitment {{c}} --contract {ANY} --pairing",
            "--pairing does not go with --contract: that contract has its way of checking already",
        ),
        ("verify {i} {p} --commitment {c} --send", FREE),
        ("predict {i} --model {m} --send", FREE),
        (f"predict {{i}} --contract {ANY} --mode exact", "--mode goes with --model: a deployed contract has its mode already"),
    ],
)
def test_options_that_would_be_ignored_are_refused(run, desk, arguments, message):
    words = shlex.split(arguments.format(c=desk.commitment, m=desk.model, i=desk.image, p=desk.proof))
    expect_refusal(desk, desk.contents(), run("chain", *words), message)


def test_a_model_that_is_not_registered_says_what_to_type(run, desk, committed):
    """And typing it helps. The first contract of a chain is where the examples in the help say."""
    state = ["--state", str(desk.folder / "chain.json")]
    made = run("chain", "deploy", "--verifier", "--commitment", desk.commitment, *state).out
    assert made.splitlines()[0].endswith(f" is at {chain._FIRST_CONTRACT}.")
    question = ["chain", "verify", desk.image, desk.proof, "--commitment", desk.commitment, "--contract", chain._FIRST_CONTRACT, *state]
    name = f"0x{committed.commitment.model_id.hex()}"
    command = f"zkpredict chain register --commitment {desk.commitment} --contract {chain._FIRST_CONTRACT} {' '.join(state)}"
    said = run(*question)
    assert (said.code, said.out, said.err) == (1, f"INVALID: UnknownModel({name})\n  register it first: {command}\n", "")
    facts = run(*question, "--json").json
    assert (facts["reason"], facts["arguments"], facts["todo"]) == ("UnknownModel", [name], f"register it first: {command}")
    assert run(*shlex.split(command)[1:]).code == 0
    assert run(*question).out.startswith("VALID: ")
    np.save(desk.folder / "other.npy", 255 - desk.pixels)
    facts = run(*question[:2], desk.folder / "other.npy", *question[3:], "--json").json
    assert (facts["reason"], facts["arguments"]) == ("OpeningFailed", []) and facts["todo"].startswith("the proof was made for other inputs")


def steps(capsys, monkeypatch, *arguments) -> list[str]:
    """The steps that a command names on a terminal, in order."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert main([str(word) for word in arguments]) == 0
    return [line.strip().removesuffix(" ...") for line in capsys.readouterr().err.split("\r") if line.endswith(" ...")]


def test_people_see_what_takes_its_time(capsys, monkeypatch, desk):
    state = ["--state", desk.folder / "chain.json"]
    public = ["--commitment", desk.commitment]
    loading = ["load the chain", "load the chain"]
    assert steps(capsys, monkeypatch, "chain", "deploy", "--verifier", *public, *state) == [*loading, "replay the chain", "deploy"]
    known = ["--contract", chain._FIRST_CONTRACT, *state]
    replayed = [*loading, "replay the chain"]
    assert steps(capsys, monkeypatch, "chain", "register", *public, *known) == [*replayed, "register"]
    question = [desk.image, desk.proof, *public]
    assert steps(capsys, monkeypatch, "chain", "verify", *question, *known) == [*replayed, "start", "verify"]
    assert steps(capsys, monkeypatch, "verify", *question, "--independent") == ["start", "verify"]
    assert steps(capsys, monkeypatch, "verify", *question) == ["start", "verify"]
    assert steps(capsys, monkeypatch, "report", "--model", desk.model) == ["start"]
