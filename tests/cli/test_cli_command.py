"""The command itself: interrupts, memory, and what a process of its own loads."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from cli_desk import expect_refusal
from PIL import Image

from zkpredict.benchmarks import proving
from zkpredict.prover.model import Model


def test_an_interrupt_ends_in_one_line(run, desk, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Model, "load", interrupt)
    before = desk.contents()
    outcome = run("prove", desk.image, "--model", desk.model, "--out", desk.folder / "new.proof")
    expect_refusal(desk, before, outcome, "interrupted", code=130)


def test_too_little_memory_is_input_that_cannot_be_used(run, desk, monkeypatch):
    """And no refusal of the proof, and no damaged image."""

    def allocate(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr(Image, "open", allocate)
    with open(desk.image, "ab") as image:
        image.write(b"\0")  # Pillow reads what is not plain
    outcome = run("verify", desk.image, desk.proof, "--commitment", desk.commitment)
    expect_refusal(desk, desk.contents(), outcome, "not enough memory for this input")


def test_bench_says_the_sizes_and_the_gas_to_people_too(run, desk, monkeypatch):
    monkeypatch.setattr(proving, "proving_rows", lambda *arguments: [])
    costs = run("bench", desk.image, "--model", desk.model, "--json").json["costs"]
    said = run("bench", desk.image, "--model", desk.model)
    assert (said.code, said.err) == (0, "")
    assert [line[45:] for line in said.out.splitlines()[1:]] == [
        f"{costs['proof_bytes']:,} bytes, {costs['proof_payload_bytes']:,} of them points and scalars",
        f"{costs['registry_bytes']:,} bytes for {costs['committed_rows']} rows",
        f"about {costs['verify_gas_estimate']:,} gas at most, {costs['universal_gas_estimate']:,} at the universal verifier, estimated for an image "
        "without blank pixels "
        "(measured gas: contracts/gas.csv)",
    ]


def test_report_says_which_image_its_gas_is_for(run, desk):
    costs = run("report", "--model", desk.model, "--json").json["costs"]
    said = run("report", "--model", desk.model)
    assert (said.code, said.err) == (0, "")
    (line,) = (line for line in said.out.splitlines() if line.startswith("  verification "))
    assert line == (
        f"  verification   about {costs['verify_gas_estimate']:,} gas at most, {costs['universal_gas_estimate']:,} at the universal verifier, "
        f"{costs['folded_points']} points folded (estimates for an image without blank pixels; every blank one costs less)"
    )


# Separate processes

HEAVY = {"tensorflow", "keras", "matplotlib", "web3", "eth", "eth_account", "galois", "sklearn", "scipy", "pandas", "rich"}
LOADED = (
    "import sys; from zkpredict.cli.main import main; code = main(sys.argv[1:])\n"
    "print('\\n' + ' '.join(sorted({name.split('.')[0] for name in sys.modules if name != 'numpy'}))); sys.exit(code)"
)


def loaded_by(*arguments) -> set[str]:
    """Top-level modules that a command loads in a fresh process; it must succeed without a word on stderr.

    The name of numpy alone may stand for a module that is still to be loaded; its parts do not.
    """
    command = [sys.executable, "-W", "error", "-c", LOADED, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return set(done.stdout.splitlines()[-1].split())


def test_prove_and_verify_load_nothing_heavy(desk):
    proving = loaded_by("prove", desk.image, "--model", desk.model, "--out", desk.folder / "new.proof")
    checking = loaded_by("verify", desk.image, desk.folder / "new.proof", "--commitment", desk.commitment)
    assert not HEAVY & proving and not HEAVY & checking
    assert "zkpredict_kernel" in proving & checking
    assert not {"py_ecc", "PIL"} & (proving | checking)
    wide = {name for name in proving if name.startswith(("zkpredict.circuits.convolution", "zkpredict.circuits.second.compiler"))}
    assert not SLOW_TO_LOAD & proving and not wide


SLOW_TO_LOAD = {"numpy", "PIL", "json", "tempfile", "secrets", "random", "dataclasses", "inspect", "shutil", "fractions", "logging", "subprocess"}


def test_verify_loads_only_what_its_input_needs(desk):
    pixels = desk.folder / "i.npy"
    np.save(pixels, desk.pixels)
    assert not SLOW_TO_LOAD & loaded_by("verify", pixels, desk.proof, "--commitment", desk.commitment)
    np.save(pixels, np.asfortranarray(desk.pixels.reshape(6, 6)))
    assert "numpy" in loaded_by("verify", pixels, desk.proof, "--commitment", desk.commitment)
    assert not SLOW_TO_LOAD & loaded_by("verify", desk.image, desk.proof, "--commitment", desk.commitment)
    assert "json" in loaded_by("verify", desk.image, desk.proof, "--commitment", desk.commitment, "--json")
    with Image.open(desk.image) as grey:
        grey.convert("RGB").save(desk.folder / "colours.png")
    assert "PIL" in loaded_by("verify", desk.folder / "colours.png", desk.proof, "--commitment", desk.commitment)


def test_a_deferred_module_is_the_module_once_it_is_asked():
    script = (
        "import sys; from zkpredict.cli.main import defer; defer('colorsys'); import colorsys as early\n"
        "assert 'rgb_to_hsv' not in vars(early); early.rgb_to_hsv(0, 0, 0); import colorsys\n"
        "assert colorsys is not early and early.rgb_to_hsv is colorsys.rgb_to_hsv; defer('colorsys')\n"
        "assert sys.modules['colorsys'] is colorsys; defer('no_such_module'); import no_such_module; no_such_module.name"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'no_such_module'"


def test_the_independent_verifier_loads_no_kernel(desk):
    loaded = loaded_by("verify", desk.image, desk.proof, "--commitment", desk.commitment, "--independent")
    assert "py_ecc" in loaded and not (HEAVY | {"zkpredict_kernel"}) & loaded


def test_the_installed_command_proves_and_verifies(desk):
    command = Path(sys.executable).with_name("zkpredict")
    out = desk.folder / "new.proof"
    arguments = [command, "prove", desk.image, "--model", desk.model, "--out", out]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith(f"The network says {desk.digit}, ")
    arguments = [command, "verify", desk.image, out, "--commitment", desk.commitment]
    assert subprocess.run(arguments, capture_output=True, check=False).returncode == 0
    out.write_bytes(out.read_bytes()[:-1])
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "") and done.stdout.startswith("INVALID (MalformedProof): ")
    done = subprocess.run([*arguments[:-1], desk.folder / "no"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert sorted(os.listdir(desk.folder)) == ["i.png", "i.proof", "m.commitment", "m.model", "new.proof"]
