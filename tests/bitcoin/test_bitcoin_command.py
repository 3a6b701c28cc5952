"""`zkpredict script` from the outside: files in, files out, exit codes, and JSON."""

import json

import bitcoinx
import numpy as np
import pytest
from bitcoin_cases import MNIST_EXACT, MNIST_MODEL, ROOT, TEST_IMAGES, TEST_LABELS, integer_network
from bsv.keys import PrivateKey

from zkpredict.cli.main import main
from zkpredict.cli.network import exact_network
from zkpredict.contracts.bitcoin import interpreters
from zkpredict.prover.model import Model
from zkpredict.training.floating import FloatLayer, FloatNetwork

CLAIMANT, OWNER = bytes([7]) * 32, bytes([9]) * 32
ADDRESS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
OUTPUT = ["--txid", "ab" * 32, "--vout", "2", "--satoshis", "50000", "--to", ADDRESS]


@pytest.fixture
def command(capsys):
    def run(*arguments, code=0):
        assert main(["script", *map(str, arguments), "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def folder(tmp_path):
    """A small model, an image of its own, one of another class, keys, and the digits."""
    network = integer_network(np.random.default_rng(6), (9, 5, 4), shift=4)
    images = np.random.default_rng(7).integers(0, 256, (50, 9), dtype=np.uint8)
    digits = network.infer(images).digits
    (tmp_path / "small.model").write_bytes(Model(network).to_bytes())
    np.save(tmp_path / "image.npy", images[0])
    np.save(tmp_path / "other.npy", images[digits != digits[0]][0])
    (tmp_path / "claimant.key").write_text(CLAIMANT.hex() + "\n")
    (tmp_path / "owner.key").write_text(OWNER.hex() + "\n")
    (tmp_path / "digit").write_text(str(digits[0]))
    return tmp_path


@pytest.fixture
def digit(folder):
    return int((folder / "digit").read_text())


def public(key: bytes) -> str:
    return PrivateKey(key).public_key().serialize().hex()


def build_pot(command, folder, digit):
    return command(
        "build", folder / "small.model", "--out", folder / "pot.script", "--digit", digit,
        "--claimant", public(CLAIMANT), "--owner", public(OWNER), "--refund-after", 900_000,
    )


def test_build_and_run_the_trained_network(command, tmp_path):
    built = command("build", MNIST_MODEL, "--out", tmp_path / "mnist.script", "--rate", "50")
    script = bytes.fromhex((tmp_path / "mnist.script").read_text())
    assert built["script_bytes"] == len(script) == sum(built["sections"].values()) < 160_000
    assert built["network"] == "packed 784-64-10"
    assert built["fees"] == {
        "satoshis_per_kilobyte": 50.0, "fund_satoshis": -(-(len(script) + 200) // 20), "spend_satoshis": 50,
    }
    for interpreter in interpreters.INTERPRETERS:
        picture = ["run", tmp_path / "mnist.script", ROOT / "examples" / "seven.png", "--interpreter", interpreter]
        accepted = command(*picture, "--digit", 7)
        assert (accepted["accepted"], accepted["reason"], accepted["interpreter"]) == (True, None, interpreter)
        refused = command(*picture, "--digit", 1, code=1)
        assert not refused["accepted"] and ("truthy" in refused["reason"] or refused["reason"] == "evaluates to false")


def test_exact_networks_build_and_run(command, tmp_path):
    built = command("build", MNIST_EXACT, "--out", tmp_path / "exact.script")
    assert built["network"] == "exact 784-64-10"
    assert built["script_bytes"] < 500_000
    where = ["--idx", TEST_IMAGES, "--index", 0]
    assert command("run", tmp_path / "exact.script", "--digit", 7, *where)["accepted"]
    assert not command("run", tmp_path / "exact.script", "--digit", 2, *where, code=1)["accepted"]


def test_float_networks_fold_their_pixel_scaling():
    source = np.random.default_rng(1)
    layers = tuple(
        FloatLayer(name, source.normal(size=shape), source.normal(size=shape[0])) for name, shape in (("a", (3, 4)), ("b", (2, 3)))
    )
    plain = exact_network(FloatNetwork(layers))
    assert plain.layers[0].weights.tolist() == np.trunc(layers[0].weights * 1e8).tolist()
    assert plain.layers[1].bias.tolist() == np.trunc(layers[1].bias * 1e8).tolist()
    halved = exact_network(FloatNetwork(layers, 0.5 / 255, -1.0))
    assert halved.layers[0].weights.tolist() == np.trunc(layers[0].weights * 0.5 * 1e8).tolist()
    assert halved.layers[0].bias.tolist() == np.trunc((layers[0].bias - layers[0].weights.sum(axis=1)) * 1e8).tolist()
    assert halved.layers[1].weights.tolist() == plain.layers[1].weights.tolist()


def test_people_get_lines(capsys, folder, digit):
    assert main(["script", "build", str(folder / "small.model"), "--out", str(folder / "small.script")]) == 0
    assert "public: whoever sees the script can read every weight" in capsys.readouterr().out
    run = ["script", "run", str(folder / "small.script"), str(folder / "image.npy"), "--digit"]
    assert main([*run, str(digit)]) == 0
    assert capsys.readouterr().out.startswith(f"ACCEPTED: the script says {digit} (bsv-sdk ")
    assert main([*run, str((digit + 1) % 4)]) == 1
    assert capsys.readouterr().out.startswith("REFUSED by bsv-sdk ")


def test_claim_of_a_pot(command, folder, digit):
    build_pot(command, folder, digit)
    spend = ["spend", folder / "pot.script", folder / "image.npy", *OUTPUT, "--out", folder / "claim.tx"]
    done = command(*spend, "--key", folder / "claimant.key")
    read = bitcoinx.Tx.from_hex((folder / "claim.tx").read_text().strip())
    assert done["accepted"] and done["txid"] == bitcoinx.hash_to_hex_str(read.hash())
    assert read.outputs[0].value == done["pays_satoshis"] == 50_000 - done["fee_satoshis"]
    assert done["fee_satoshis"] >= done["bytes"] * 0.1
    for changed, reason in (
        ([*spend, "--key", folder / "owner.key"], "signature"),
        ([spend[0], spend[1], folder / "other.npy", *spend[3:], "--key", folder / "claimant.key"], "EQUALVERIFY"),
    ):
        refused = command(*changed, "--interpreter", "bsv-sdk", code=1)
        assert not refused["accepted"] and reason in refused["reason"]


def test_a_signature_from_elsewhere(command, folder, digit):
    build_pot(command, folder, digit)
    spend = ["spend", folder / "pot.script", folder / "image.npy", *OUTPUT, "--out", folder / "claim.tx"]
    wanted = command(*spend)
    assert wanted["signed"] is False and not (folder / "claim.tx").exists()
    signature = PrivateKey(CLAIMANT).sign(bytes.fromhex(wanted["digest"]), hasher=None).hex()
    assert command(*spend, "--signature", signature)["accepted"]
    assert not command(*spend, "--signature", signature, "--rate", "200", code=1)["accepted"]


def test_refund_of_a_pot(command, folder, digit):
    build_pot(command, folder, digit)
    spend = ["spend", folder / "pot.script", *OUTPUT, "--out", folder / "refund.tx"]
    done = command(*spend, "--refund-at", 900_000, "--key", folder / "owner.key")
    assert done["accepted"] and done["lock_time"] == 900_000
    assert done["fee_satoshis"] >= done["bytes"] * 0.1
    (folder / "refund.tx").unlink()
    assert not command(*spend, "--refund-at", 899_999, "--key", folder / "owner.key", code=1)["accepted"]
    assert not command(*spend, "--refund-at", 900_000, "--key", folder / "claimant.key", code=1)["accepted"]
    assert not (folder / "refund.tx").exists()


def test_spending_a_script_that_is_no_pot(command, folder, digit):
    command("build", folder / "small.model", "--out", folder / "open.script")
    spend = ["spend", folder / "open.script", folder / "image.npy", *OUTPUT, "--out", folder / "open.tx"]
    assert command(*spend, "--digit", digit)["accepted"]
    assert not command(*spend, "--digit", (digit + 1) % 4, code=1)["accepted"]
    assert command(*spend, code=2)["error"] == "--digit is needed by a script that is no pot; a pot has its digit in the script"


def test_bench_counts_in_every_interpreter(command):
    facts = command("bench", MNIST_MODEL, "--idx", TEST_IMAGES, "--labels", TEST_LABELS, "--images", 3, "--wrong", 2)
    assert facts["accuracy"] > 0.97
    assert set(facts["interpreters"]) == {"bsv-sdk", "bitcoinx"}
    for counted in facts["interpreters"].values():
        assert [counted[key] for key in ("right_claims", "right_accepted", "wrong_claims", "wrong_accepted")] == [3, 3, 2, 0]


def test_unusable_input_exits_with_two(command, folder, digit, monkeypatch):
    build_pot(command, folder, digit)
    command("build", folder / "small.model", "--out", folder / "small.script")
    (folder / "text").write_text("not hex")
    (folder / "zero.key").write_text("00" * 32)
    run = ["run", folder / "small.script", folder / "image.npy", "--digit", 1]
    pot = ["build", folder / "small.model", "--out", folder / "x", "--digit", digit, "--refund-after", 900_000]
    refund = ["spend", folder / "pot.script", *OUTPUT, "--out", folder / "x"]
    for arguments, reason in (
        (["build", folder / "small.model", "--out", folder / "x", "--digit", 1], "a pot needs all of --digit"),
        (["build", folder / "image.npy", "--out", folder / "x"], "is no network file: it is a numpy array"),
        (["run", folder / "text", folder / "image.npy", "--digit", 1], "is not hexadecimal"),
        (["run", folder / "pot.script", folder / "image.npy", "--digit", 1], "is a pot that also wants a signature"),
        ([*pot, "--claimant", f"02{5:064x}", "--owner", public(OWNER)], "the claimant key is no point of secp256k1"),
        ([*pot, "--claimant", public(CLAIMANT), "--owner", f"03{5:064x}"], "the owner key is no point of secp256k1"),
        ([*refund, "--refund-at", -1], "a lock time is 0 to 4294967295, got -1"),
        ([*refund, "--refund-at", 99_999_999_999], "a lock time is 0 to 4294967295, got 99999999999"),
        ([*refund, "--refund-at", 900_000, "--key", folder / "zero.key"], "a signing key is 32 bytes, above zero and below"),
        (["spend", folder / "small.script", *OUTPUT, "--out", folder / "x", "--refund-at", 5], "it is no pot"),
        (["spend", folder / "pot.script", folder / "image.npy", *OUTPUT, "--out", folder / "x", "--rate", "1000000"], "leaves nothing"),
        (["spend", folder / "pot.script", folder / "image.npy", *OUTPUT, "--out", folder / "x", "--rate", "-1"], "a fee rate is"),
    ):
        assert reason in command(*arguments, code=2)["error"]
    bench = ["bench", MNIST_MODEL, "--idx", TEST_IMAGES, "--images"]
    assert command(*bench, 0, code=2)["error"] == "--images and --wrong are at least 1"
    images, labels = folder / "two", folder / "one"
    images.write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3]) + bytes(18))
    labels.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 1, 5]))
    assert command("bench", folder / "small.model", "--idx", images, "--labels", labels, code=2)["error"] == (
        f"{images} holds 2 images, {labels} 1 labels"
    )
    assert not (folder / "x").exists()
    monkeypatch.setattr(interpreters, "import_module", _nothing_installed)
    assert command(*run, "--interpreter", "bitcoinx", code=2)["error"] == (
        "the interpreter bitcoinx is not installed: pip install bitcoinx"
    )
    assert command(*run, code=2)["error"] == (
        "running a script needs an interpreter: pip install bsv-sdk or pip install bitcoinx"
    )


def _nothing_installed(name):
    raise ImportError(name)
