"""The report and the commands around it, all without Keras."""

import json
import subprocess
import sys

import numpy as np
import pytest
from support import refuses

from zkpredict.circuits.compiler import compile_network
from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.cli.main import main
from zkpredict.prover.model import Model
from zkpredict.training.datasets import LabelledImages
from zkpredict.training.floating import FloatLayer, FloatNetwork
from zkpredict.training.report import accuracy_report, layer_reports

BRIGHTER = IntegerNetwork((DenseLayer(np.array([[1, 0], [0, 1]]), np.array([0, 0])),))
"""Two pixels, two classes: which one is brighter?"""


@pytest.fixture
def data() -> LabelledImages:
    images = np.array([[[9, 1]], [[2, 7]], [[5, 5]], [[3, 4]]], np.uint8)
    return LabelledImages(images, np.array([0, 1, 1, 1], np.uint8))


def _floats(first_bias: float, classes: int = 2) -> FloatNetwork:
    return FloatNetwork((FloatLayer("logits", np.eye(classes, 2), np.array([first_bias] + [0.0] * (classes - 1))),))


def test_counts_by_hand(data):
    report = accuracy_report(BRIGHTER, data, _floats(1.5 / 255).digits(data.flat))
    assert report.confusion.tolist() == [[1, 0], [1, 2]]
    assert (report.integer_accuracy, report.float_accuracy, report.lost_points) == (0.75, 0.5, -25)
    assert [vars(entry) for entry in report.disagreements] == [{"index": 3, "label": 1, "float_digit": 0, "integer_digit": 1}]
    alone = accuracy_report(BRIGHTER, data)
    assert (alone.float_accuracy, alone.lost_points, alone.disagreements) == (None, None, None)


def test_refuses_what_does_not_fit(data):
    three = IntegerNetwork((DenseLayer(np.ones((2, 3), int), np.zeros(2, int)),))
    with refuses(UnusableInput, "the model takes 3 pixels, the images are [1, 2]"):
        accuracy_report(three, data)
    with refuses(UnusableInput, "the model knows 2 classes, the labels go up to 4"):
        accuracy_report(BRIGHTER, LabelledImages(data.images, np.array([0, 1, 4, 1], np.uint8)))


@pytest.mark.parametrize(
    "number, expected, refusal",
    [
        (0, ("narrow", 24, 6, 1_919_855), "reaches up to 2^21 on some input, the limit is 2097151 at shift 6"),
        (1, ("wide", 48, 0, 21_353_867), "reaches up to 2^46 on some input, the limit is 70368744177663"),
    ],
)
def test_headroom_is_the_distance_to_refusal(examples, number, expected, refusal):
    """A bias that uses the headroom up compiles; one more is refused."""
    network = Model.load(examples / "mnist.model").network
    report = layer_reports(compile_network(network))[number]
    assert (report.lane, report.lane_bits, report.shift, report.bound) == expected
    interval = network.intervals[number]
    row = int(np.argmax(interval.high))
    room = round(report.bound * 2**report.headroom_bits) - interval.high[row]

    def lengthened(extra: int) -> IntegerNetwork:
        layer = network.layers[number]
        bias = layer.bias.copy()
        bias[row] += extra
        changed = DenseLayer(layer.weights, bias, layer.shift)
        return IntegerNetwork((*network.layers[:number], changed, *network.layers[number + 1 :]))

    assert layer_reports(compile_network(lengthened(room - 1)))[number].headroom_bits < 1e-5
    with refuses(UnsupportedNetwork, f"layer {number} row {row} {refusal}"):
        compile_network(lengthened(room))


def _json(capsys, *arguments) -> tuple[int, dict]:
    code = main([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_report_command(capsys, examples, data_folder):
    code, found = _json(capsys, "report", "--model", examples / "mnist.model", "--data", data_folder)
    assert code == 0 and found["network"] == "784-64-10"
    assert found["accuracy"]["integer_accuracy"] == 0.9798 and found["accuracy"]["float_accuracy"] is None
    confusion = np.array(found["accuracy"]["confusion"])
    assert confusion.sum() == 10_000 and np.trace(confusion) == 9798
    assert [layer["lane"] for layer in found["layers"]] == ["narrow", "wide"]
    assert found["costs"]["committed_rows"] == 8
    code, found = _json(capsys, "report", "--model", examples / "mnist.model")
    assert code == 0 and found["accuracy"] is None


def test_a_network_too_big_to_prove_is_still_reported(capsys, tmp_path):
    """Beside one that is not: bounds and costs are missing, with the compiler's reason."""
    for classes, provable in ((2, True), (1001, False)):
        layer = DenseLayer(np.ones((classes, 2), int), np.zeros(classes, int))
        Model(IntegerNetwork((layer,))).save(tmp_path / "some.model")
        code, found = _json(capsys, "report", "--model", tmp_path / "some.model")
        assert code == 0 and (found["unprovable"] is None, found["costs"] is not None, len(found["layers"]) == 1) == (provable,) * 3
    reason = "a circuit has at most 1000 classes, got 1001"
    assert found["unprovable"] == reason and found["choices"] == []
    assert main(["report", "--model", str(tmp_path / "some.model")]) == 0
    assert capsys.readouterr().out == f"network 2-1001\n\ncannot be proven: {reason}\n"


def test_report_shows_every_placement_and_why_one_is_chosen(capsys, tmp_path):
    """What compact circuits do not hold is wide, with the smallest proof; what they hold is compact."""
    for width, placement, why in (
        (8, "compact", "compact circuits have the smallest proofs, and one with these rows holds it; `zkpredict commit --for chain` takes the cheapest on-chain"),
        (400, "wide", "the smallest proof of a wide circuit; no compact one holds it (network 2-400-2 needs "),
    ):
        layers = (DenseLayer(np.ones((width, 2), int), np.zeros(width, int)), DenseLayer(np.ones((2, width), int), np.zeros(2, int)))
        Model(IntegerNetwork(layers)).save(tmp_path / "some.model")
        _, found = _json(capsys, "report", "--model", tmp_path / "some.model")
        *plain, replicas = found["choices"]
        offers = {(offer["placement"], offer["domain"]): offer for offer in plain}
        assert replicas["placement"] == "wide" and replicas["replicas"] == [1] and not replicas["chosen"]
        assert list(offers) == [("compact", 1024), ("compact", 2048), ("wide", 512), ("wide", 1024), ("wide", 2048), ("compact-2", 1024)]
        chosen = [offer for offer in offers.values() if offer["chosen"]]
        assert len(chosen) == 1 and chosen[0]["placement"] == found["costs"]["placement"] == placement and found["why"].startswith(why)
        held = [offer for offer in offers.values() if offer["placement"] == placement and not offer["refused"]]
        assert chosen[0]["proof_payload_bytes"] == min(offer["proof_payload_bytes"] for offer in held)
        assert (offers["compact", 1024]["refused"] is None) == ("verify_gas_estimate" in offers["compact", 1024]) == (width == 8)


def test_report_reads_well(capsys, examples, data_folder):
    assert main(["report", "--model", str(examples / "mnist.model"), "--data", str(data_folder)]) == 0
    said = capsys.readouterr()
    for expected in (
        "accuracy over 10,000 test images\n  integer  97.98%\n",
        "  7     1      4      9     6     1     ·     ·   998     5     4\n",
        "rounded up to powers of two; --private shows exact bounds, shifts and headroom\n",
        "  commitments    8 rows, 768 bytes in a registry\n",
    ):
        assert expected in said.out
    assert "0 784 to 64 2^7 2^21 narrow, 24 bits".split() in [line.split() for line in said.out.splitlines()]
    assert said.err == ""


def test_exact_bounds_and_shifts_are_shown_on_request_only(capsys, examples):
    model = str(examples / "mnist.model")
    private = {"largest_weight": 127, "bound": 1_919_855, "shift": 6}
    code, found = _json(capsys, "report", "--model", model)
    assert code == 0 and found["layers"][0] == {
        "number": 0, "inputs": 784, "outputs": 64, "lane": "narrow", "lane_bits": 24, "largest_weight_bits": 7, "bound_bits": 21,
        "shape": "784 to 64",
    }  # fmt: skip
    code, asked = _json(capsys, "report", "--model", model, "--private")
    assert private.items() <= asked["layers"][0].items() and round(asked["layers"][0]["headroom_bits"], 2) == 0.13
    note = f"shown from the private weights of {model}: shifts, exact bounds and headroom; keep that to yourself"
    assert asked["notes"] == [note] and "notes" not in found
    assert main(["report", "--model", model, "--private"]) == 0
    said = capsys.readouterr()
    assert "0 784 to 64 127 1,919,855 narrow, 24 bits 6 0.13 bits".split() in [line.split() for line in said.out.splitlines()]
    assert said.err == f"note: {note}\n"


def test_lines_of_layers_tell_bits_unless_asked(examples):
    """As `quantize` prints them."""
    report = layer_reports(compile_network(Model.load(examples / "mnist.model").network))[0]
    assert report.to_line() == "  layer 0  784 to 64: |weight| <= 2^7, |z| <= 2^21 on any input, narrow lanes (24 bits)"
    exact = "|weight| <= 127, |z| <= 1,919,855 on any input, shift 6, narrow lanes (24 bits), 0.13 bits to spare"
    assert report.to_line(private=True) == f"  layer 0  784 to 64: {exact}"


def test_report_refuses_unusable_files(capsys, examples, data_folder, tmp_path):
    model, broken = examples / "mnist.model", tmp_path / "broken.model"
    broken.write_bytes(Model(Model.load(model).network).to_bytes()[:-1])
    for arguments, message in (
        (["--model", tmp_path / "none"], f"cannot read model {tmp_path / 'none'}: No such file or directory"),
        (["--model", broken], f"{broken}: committed flag needs 1 bytes at offset 51439, 0 are left"),
        (["--model", model, "--data", tmp_path / "none"], f"data folder {tmp_path / 'none'} is not a folder"),
        (["--model", model, "--original", "x.keras"], "--original is compared on data: give --data too"),
        (["--model", model, "--data", tmp_path / "none", "--threshold", "1"], "--threshold is about --original MODEL: give that too"),
    ):
        assert _json(capsys, "report", *arguments) == (2, {"error": message, "exit_code": 2})


def test_keras_is_never_imported_without_being_asked_for(examples, data_folder):
    program = (
        "import sys; from zkpredict.cli.main import main\n"
        f"main(['report', '--model', {str(examples / 'mnist.model')!r}, '--data', {str(data_folder)!r}, '--json'])\n"
        "import zkpredict.cli.train, zkpredict.cli.quantize, zkpredict.training.networks, zkpredict.training.importers.keras_files\n"
        "print({'keras', 'tensorflow', 'h5py'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "set()\n"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--layers", "0"], "hidden widths must be up to 15 numbers in 1..65536, got [0]"),
        (["--epochs", "0"], "epochs and batch must be at least 1, got 0 and 469"),
        (["--seed", "-1"], "seed must be in 0..2^32-1, got -1"),
        ([], "data folder none is not a folder"),
    ],
)
def test_train_refuses_before_keras_starts(capsys, tmp_path, arguments, message):
    out = tmp_path / "out.keras"
    assert _json(capsys, "train", "--data", "none", "--out", out, *arguments) == (2, {"error": message, "exit_code": 2})
    assert not out.exists()


def test_train_refuses_an_output_it_cannot_write(capsys, tmp_path):
    for out in (tmp_path / "model.h5", tmp_path / "none" / "model.keras"):
        message = f"cannot write {out}: give a file that ends in .keras in a folder that exists"
        assert _json(capsys, "train", "--data", "none", "--out", out) == (2, {"error": message, "exit_code": 2})
