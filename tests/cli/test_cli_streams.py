"""Output that nobody reads, that does not fit, or that the encoding lacks: never a traceback, and never the exit code of a refusal."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

FULL = "zkpredict: cannot write to standard output: No space left on device\n"


def process(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **environment) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "zkpredict.cli.main", *map(os.fsencode, map(str, arguments))]
    return subprocess.run(command, stdout=stdout, stderr=stderr, env=os.environ | environment, check=False)


@pytest.fixture
def unread():
    """A pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def lines(desk) -> dict[str, list]:
    """Commands with another outcome each: said, valid, refused, unusable, wrong usage, help."""
    public = ["--commitment", desk.commitment]
    other = desk.folder / "other.proof"
    other.write_bytes(desk.proof.read_bytes()[:-1])
    return {
        "said": ["inspect", desk.commitment],
        "valid": ["verify", desk.image, desk.proof, *public],
        "refused": ["verify", desk.image, other, *public],
        "unusable": ["inspect", desk.folder / "no", "--json"],
        "usage": ["prove", "--json"],
        "help": ["prove", "--help"],
    }


@pytest.mark.parametrize("name", ["said", "valid", "refused", "unusable", "usage", "help"])
def test_a_closed_pipe_ends_quietly_and_is_no_verdict(desk, unread, name):
    done = process(*lines(desk)[name], stdout=unread)
    assert done.returncode == 141 and b"Traceback" not in done.stderr and b"BrokenPipe" not in done.stderr
    assert (done.stderr == b"") == (name not in ("unusable", "usage"))


@pytest.mark.parametrize("name", ["said", "valid", "refused", "unusable", "usage", "help"])
def test_a_full_disk_is_one_line_and_no_verdict(desk, name):
    with open("/dev/full", "wb") as full:
        done = process(*lines(desk)[name], stdout=full)
    assert done.returncode == 2 and done.stderr.decode().endswith(FULL)
    assert (done.stderr.decode() == FULL) == (name not in ("unusable", "usage"))


@pytest.mark.parametrize(("name", "code"), [("valid", 0), ("refused", 1), ("unusable", 2), ("usage", 2), ("help", 0)])
def test_errors_that_cannot_be_said_change_no_exit_code(desk, unread, name, code):
    assert process(*lines(desk)[name], stderr=unread).returncode == code
    with open("/dev/full", "wb") as full:
        assert process(*lines(desk)[name], stderr=full).returncode == code


@pytest.mark.parametrize(("name", "code"), [("valid", 0), ("refused", 1), ("unusable", 2)])
def test_streams_that_were_closed_before_swallow_everything(desk, name, code):
    words = [sys.executable, "-m", "zkpredict.cli.main", *map(str, lines(desk)[name])]
    done = subprocess.run(["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *words], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")
    done = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *words, "--json"], capture_output=True, check=False)
    assert done.returncode == code and isinstance(json.loads(done.stdout), dict)


def test_what_the_encoding_lacks_is_escaped(desk):
    ascii_only = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    done = process("report", "--model", desk.model, **ascii_only, PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, b"") and b"\\u2500" in done.stdout
    out = desk.folder / "ünï.proof"
    done = process("prove", desk.image, "--model", desk.model, "--out", out, **ascii_only, PYTHONUTF8="1")
    assert (done.returncode, done.stderr) == (0, b"") and rb"/\xfcn\xef.proof proves it." in done.stdout and out.exists()


def test_a_name_that_is_no_text_is_escaped_too(desk):
    done = process("inspect", desk.folder / os.fsdecode(b"\xff.proof"), PYTHONUTF8="1")
    message = f"zkpredict: cannot read file {desk.folder}/\\udcff.proof: No such file or directory\n"
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", message)


@pytest.mark.parametrize(("name", "code", "apart"), [("valid", 0, False), ("refused", 1, False), ("said", 0, True), ("unusable", 2, True)])
def test_prove_and_verify_leave_without_taking_the_interpreter_apart(desk, name, code, apart):
    """And have said all they say, through the console script as installed, whatever stdout is buffered by."""
    script = "import atexit, sys; atexit.register(print, 'apart', file=sys.stderr); from zkpredict.cli.main import command; command()"
    words = [str(word) for word in lines(desk)[name]]
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=False)
    assert done.returncode == code and done.stderr.endswith("apart\n") == apart
    timed = r"[0-9.,]+ m?s"
    assert re.sub(timed, "", done.stdout) == re.sub(timed, "", process(*words).stdout.decode())
    assert tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["scripts"] == {"zkpredict": "zkpredict.cli.main:command"}
