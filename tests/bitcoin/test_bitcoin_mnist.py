"""The trained 784-64-10 network in Script on real test images. `zkpredict script bench --full` runs all of them."""

import numpy as np
import pytest
from bitcoin_cases import TEST_LABELS

from zkpredict.circuits.files.idx import read_labels
from zkpredict.contracts.bitcoin.compiler import claim_script, compile_script
from zkpredict.contracts.bitcoin.limits import NodeLimits
from zkpredict.contracts.bitcoin.measure import tally, wrong_claims

RIGHT = {"packed": {"bsv-sdk": 500, "bitcoinx": 60}, "exact": {"bsv-sdk": 100, "bitcoinx": 8}}
WRONG = {"packed": {"bsv-sdk": 200, "bitcoinx": 40}, "exact": {"bsv-sdk": 50, "bitcoinx": 8}}
SCRIPT_BYTES = {"packed": 67_000, "exact": 255_000}


@pytest.fixture(scope="module", params=["packed", "exact"])
def compiled(request, mnist, mnist_exact):
    network = mnist if request.param == "packed" else mnist_exact
    return request.param, network, claim_script(compile_script(network))


def test_the_scripts_stay_small(compiled):
    mode, _, lock = compiled
    assert len(lock.code) == lock.demand.script_bytes <= SCRIPT_BYTES[mode]
    assert lock.demand.number_bytes < 1_500 < NodeLimits().number_bytes
    assert lock.demand.stack_bytes < 100_000 < NodeLimits().stack_bytes


def test_right_claims_are_accepted_and_wrong_ones_refused(compiled, interpreter, test_images):
    mode, network, lock = compiled
    images = test_images[: RIGHT[mode][interpreter.name]]
    digits = network.infer(images).digits
    right = tally(interpreter, lock.code, zip(images, digits.tolist()))
    assert right.accepted == right.claims == len(images)
    wrong = tally(interpreter, lock.code, wrong_claims(images, digits, 10, WRONG[mode][interpreter.name]))
    assert (wrong.accepted, wrong.claims) == (0, WRONG[mode][interpreter.name])


def test_the_exact_reference_keeps_its_accuracy(mnist_exact, test_images):
    digits = mnist_exact.infer(test_images[:2_000]).digits
    assert np.mean(digits == read_labels(TEST_LABELS)[:2_000]) > 0.96
