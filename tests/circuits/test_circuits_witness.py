"""The witness, and the debug checker that names what fails in a tampered one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import horner_column, plain_inference, random_image, random_network, said, trace_of_limbs, worst_images

from zkpredict.circuits.compiler import compile_network
from zkpredict.circuits.debug import UnsatisfiedConstraint, check_trace
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.layout import LANE_ROWS, PACK_ROWS, READOUT_ROW
from zkpredict.circuits.witness import Trace, build_trace

ALPHA, BETA = 0x1234567890ABCDEF << 100, 0xFEDCBA0987654321 << 90
SHAPES = [((30, 12, 4), 1024), ((100, 20, 3), 1024), ((784, 64, 10), 1024), ((784, 64, 32, 10), 2048), ((9, 8, 7, 6, 5), 1024),
          ((5, 3), 1024), ((7, 2), 2048), ((4, 1), 1024), ((1500, 8, 3), 2048), ((2046, 3), 2048)]


def check(compiled, image, digit, trace, beta=BETA):
    check_trace(compiled, said(image.tobytes(), digit), trace, ALPHA, beta)


def failure(compiled, image, digit, trace) -> str:
    with pytest.raises(UnsatisfiedConstraint) as caught:
        check(compiled, image, digit, trace)
    assert caught.type is UnsatisfiedConstraint
    return str(caught.value)


def copied(trace: Trace) -> Trace:
    return trace_of_limbs(COMPILED.circuit, trace["limb"]) | {"cell": trace["cell"].copy()}


# Honest traces


@pytest.mark.parametrize(("shape", "domain"), SHAPES)
def test_honest_traces_satisfy_every_constraint(shape, domain):
    compiled = compile_network(random_network(1, shape), domain)
    image = random_image(2, shape[0])
    digit = compiled.network.predict(image)
    check(compiled, image, digit, build_trace(compiled, said(image, digit)))


@pytest.mark.parametrize("shape", [(30, 12, 4), (5, 3), (9, 8, 7, 6, 5)])
def test_worst_case_images_satisfy_every_constraint(shape):
    compiled = compile_network(random_network(3, shape))
    for row in (0, shape[1] // 2, shape[1] - 1):
        for image in worst_images(compiled.network, row):
            digit = compiled.network.predict(image)
            check(compiled, image, digit, build_trace(compiled, said(image, digit)))


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 9), min_size=2, max_size=5).map(tuple), st.integers(0, 3))
def test_trace_matches_reference(seed, shape, extra_shift):
    compiled = compile_network(random_network(seed, shape, extra_shift=extra_shift))
    image = random_image(seed, shape[0])
    pre_activations, digit = plain_inference(compiled.network, image.tolist())
    trace = build_trace(compiled, said(image, digit))
    circuit = compiled.circuit
    horner = plain_horner(trace["limb"])
    assert "horner" not in trace

    def value(group, index):
        start, end = group.value_row(index), group.value_row(index) + group.lanes * LANE_ROWS
        before = horner[start] if start % PACK_ROWS else 0
        return horner[end] - (before << group.value_bits)

    for number, (group, layer) in enumerate(zip(circuit.layer_groups, compiled.network.layers)):
        for index, z in enumerate(pre_activations[number]):
            assert value(group, index) == (z << compiled.scales[number]) + (1 << (group.value_bits - 1))
            if number < circuit.layers - 1:
                assert trace["cell"][group.value_row(index) + 2] == max(z, 0) >> layer.shift
    logits = pre_activations[-1]
    for index, logit in enumerate(logits):
        assert value(circuit.difference_group, index) == logits[digit] - logit - (index < digit) >= 0
    assert trace["cell"][:: circuit.domain // 256] == [trace["limb"].count(byte) for byte in range(256)]
    assert min(trace["limb"]) >= 0 and max(trace["limb"]) <= 255


def plain_horner(limb: list[int]) -> list[int]:
    """Row by row from the constraint: horner' = (256 - 255 lane_head - pack_head) horner + (1 - lane_head) limb."""
    column = [0]
    for row, value in enumerate(limb):
        lane_head, pack_head = row % 4 == 0, row % 64 == 0
        column.append((256 - 255 * lane_head - pack_head) * column[-1] + (1 - lane_head) * value)
    return [value % MODULUS for value in [column[-1], *column[1:-1]]]


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_horner_column_matches_reference(seed):
    limb = np.random.default_rng(seed).integers(0, 256, 1024).tolist()
    assert horner_column(limb) == plain_horner(limb)


def test_the_negative_top_of_a_lane_is_zero_in_the_next_layer():
    compiled = compile_network(random_network(1, (30, 12, 4)))
    image = random_image(2, 30)
    (z, _), digit = plain_inference(compiled.network, image.tolist())
    trace = build_trace(compiled, said(image, digit))
    cells = [int(trace["cell"][compiled.circuit.layer_groups[0].value_row(i) + 2]) for i in range(12)]
    assert min(z) < 0 < max(z)
    assert [cell == 0 for cell in cells] == [value < 1 << compiled.network.layers[0].shift for value in z]


# Tampered traces, one for each constraint

COMPILED = compile_network(random_network(1, (30, 12, 4)))
IMAGE = random_image(2, 30)
DIGIT = COMPILED.network.predict(IMAGE)
TRACE = build_trace(COMPILED, said(IMAGE, DIGIT))
OTHER = (DIGIT + 1) % 4
HIDDEN, LOGITS, DIFFERENCES = COMPILED.circuit.groups
LANES = {
    "first lane": HIDDEN.value_row(0),
    "middle lane": HIDDEN.value_row(7),
    "logit": LOGITS.value_row(2),
    "second lane of a logit": LOGITS.value_row(1) + LANE_ROWS,
    "difference": DIFFERENCES.value_row(3),
    "unused lane of a used pack": HIDDEN.value_row(11) + 3 * LANE_ROWS,
    "lane behind the read-out": HIDDEN.pack_row(1) + READOUT_ROW + LANE_ROWS,
    "last lane of all": 1020,
}
lanes = pytest.mark.parametrize("start", LANES.values(), ids=LANES.keys())


def test_the_trace_of_the_tests_below_is_honest():
    check(COMPILED, IMAGE, DIGIT, TRACE)
    assert DIFFERENCES.value_row(3) + 8 <= DIFFERENCES.pack_row(0) + READOUT_ROW


@lanes
def test_sign_fails_when_the_doubled_low_bits_are_others(start):
    trace = copied(TRACE)
    trace["limb"][start] ^= 2
    found = failure(COMPILED, IMAGE, DIGIT, trace)
    assert found == (
        f"constraint 'sign' fails at row {start}: cell(next)={trace['cell'][start + 1]}, "
        f"limb={trace['limb'][start]}, limb(next)={trace['limb'][start + 1]}"
    )


@lanes
def test_sign_fails_when_the_sign_bit_is_flipped(start):
    trace = copied(TRACE)
    trace["cell"][start + 1] ^= 1
    assert failure(COMPILED, IMAGE, DIGIT, trace).startswith(f"constraint 'sign' fails at row {start}: ")


@lanes
def test_boolean_fails_when_limbs_are_bent_until_sign_holds(start):
    trace = copied(TRACE)
    trace["cell"][start + 1] = 2
    trace["limb"][start] = 2 * trace["limb"][start + 1] - 512
    assert failure(COMPILED, IMAGE, DIGIT, trace) == f"constraint 'boolean' fails at row {start + 1}: cell=2"


@lanes
def test_relu_fails_when_an_activation_is_one_more(start):
    trace = copied(TRACE)
    trace["cell"][start + 2] += 1
    found = failure(COMPILED, IMAGE, DIGIT, trace)
    assert found == (
        f"constraint 'relu' fails at row {start + 1}: cell={trace['cell'][start + 1]}, cell(next)={trace['cell'][start + 2]}, "
        f"limb={trace['limb'][start + 1]}, limb(next)={trace['limb'][start + 2]}"
    )


@pytest.mark.parametrize("row", [0, 1, 2, 5, 64, 65, 104, 700, 1023])
def test_horner_fails_where_a_pack_value_is_one_more(row):
    trace = copied(TRACE)
    trace["horner"][row] += 1
    # row 0 is the last row's next one; a pack's first row hands nothing on, so only the row before it sees the change
    expected = min((row - 1) % 1024, row if row % PACK_ROWS else 1024)
    found = failure(COMPILED, IMAGE, DIGIT, trace)
    assert found.startswith(f"constraint 'horner' fails at row {expected}: horner=")


@pytest.mark.parametrize(
    ("row", "names"),
    [
        (HIDDEN.value_row(3) + 3, ["pack 0 of layer 0"]),
        (HIDDEN.value_row(11) + LANE_ROWS + 3, ["pack 1 of layer 0"]),
        (LOGITS.value_row(OTHER) + 7, ["pack 0 of layer 1", f"argmax against class {OTHER}"]),
        (DIFFERENCES.value_row(2) + 7, ["argmax against class 2"]),
    ],
)
def test_linear_fails_when_a_consistent_trace_holds_another_value(row, names):
    limb = TRACE["limb"].copy()
    limb[row] ^= 1
    trace = trace_of_limbs(COMPILED.circuit, limb)
    found = failure(COMPILED, IMAGE, DIGIT, trace)
    assert found.startswith("constraint 'linear' fails at row 1023: cell=")
    assert found.split("; ")[1:] == [f"{name} does not hold" for name in names]


def test_linear_fails_when_an_unused_slot_that_a_layer_may_read_is_not_zero():
    compiled = compile_network(random_network(4, (30, 25, 4)))
    image = random_image(5, 30)
    digit = compiled.network.predict(image)
    trace = build_trace(compiled, said(image, digit))
    check(compiled, image, digit, trace)
    (row,) = compiled.circuit.pinned_rows
    limb = trace["limb"].copy()
    limb[row - READOUT_ROW + 1] = 129
    tampered = trace_of_limbs(compiled.circuit, limb)
    assert tampered["cell"][row - READOUT_ROW + 2] == 256
    found = failure(compiled, image, digit, tampered)
    assert found.startswith("constraint 'linear' fails at row 1023: ")
    assert found.endswith(f"linear(next)=0; unused slot read at row {row} does not hold")


def test_linear_fails_for_every_digit_but_the_network_s():
    logits = COMPILED.network.infer(IMAGE[None, :]).logits[0]
    check(COMPILED, IMAGE, DIGIT, TRACE)
    for digit in {0, 1, 2, 3} - {DIGIT}:
        found = failure(COMPILED, IMAGE, digit, build_trace(COMPILED, said(IMAGE, digit)))
        assert found.startswith("constraint 'linear' fails at row 1023: ")
        larger = [index for index in range(4) if logits[index] > logits[digit] - (index < digit)]
        assert found.split("; ")[1:] == [f"argmax against class {index} does not hold" for index in larger]


@pytest.mark.parametrize("logits", [[5, 5, 5], [1, 7, 7], [-1, -2, -1]])
def test_linear_fails_for_a_later_index_of_a_tie(logits):
    net = random_network(1, (2, 3), largest=0)
    net = replace(net, layers=(replace(net.layers[0], bias=np.array(logits)),))
    compiled, image = compile_network(net), np.zeros(2, np.uint8)
    digit = compiled.network.predict(image)
    assert digit == logits.index(max(logits))
    check(compiled, image, digit, build_trace(compiled, said(image, digit)))
    later = max(index for index, logit in enumerate(logits) if logit == max(logits))
    found = failure(compiled, image, later, build_trace(compiled, said(image, later)))
    assert f"; argmax against class {digit} does not hold" in found


def test_lookup_fails_when_a_multiplicity_is_one_more():
    trace = copied(TRACE)
    trace["cell"][4 * 77] += 1
    assert failure(COMPILED, IMAGE, DIGIT, trace).startswith("constraint 'lookup' fails at row 1023: cell=0, limb=")


FREE_ROWS = [
    *(HIDDEN.pack_row(0) + READOUT_ROW + 3 + LANE_ROWS * lane for lane in range(6)),
    HIDDEN.pack_row(1) + READOUT_ROW + 7,
    LOGITS.pack_row(0) + READOUT_ROW + 11,
    DIFFERENCES.pack_row(0) + READOUT_ROW + 3,
    1023,
]


@pytest.mark.parametrize("row", FREE_ROWS)
def test_limbs_of_rows_nobody_reads_are_free_inside_a_byte(row):
    limb = TRACE["limb"].copy()
    limb[row] = 255
    check(COMPILED, IMAGE, DIGIT, trace_of_limbs(COMPILED.circuit, limb))


@pytest.mark.parametrize("row", FREE_ROWS)
@pytest.mark.parametrize("value", [256, -1, 1 << 40])
def test_lookup_fails_when_a_limb_nobody_reads_is_no_byte(row, value):
    limb, cell = TRACE["limb"].copy(), TRACE["cell"].copy()
    cell[4 * limb[row]] -= 1
    limb[row] = value
    found = failure(COMPILED, IMAGE, DIGIT, {"limb": limb, "cell": cell, "horner": horner_column(limb)})
    assert found.startswith("constraint 'lookup' fails at row 1023: ")


@pytest.mark.parametrize("value", [256, -1])
def test_linear_names_the_equation_even_for_a_limb_that_is_no_byte(value):
    limb, row = TRACE["limb"].copy(), HIDDEN.value_row(3) + 3
    limb[row] = value
    found = failure(COMPILED, IMAGE, DIGIT, {"limb": limb, "cell": TRACE["cell"], "horner": horner_column(limb)})
    assert found.endswith("; pack 0 of layer 0 does not hold")


def test_a_changed_pixel_fails_in_the_packs_that_read_it():
    other = IMAGE.copy()
    other[5] ^= 1
    found = failure(COMPILED, other, DIGIT, TRACE)
    assert found.endswith("; pack 0 of layer 0 does not hold; pack 1 of layer 0 does not hold")


def test_another_network_fails_in_its_packs():
    other = compile_network(random_network(9, (30, 12, 4)))
    assert other.circuit == COMPILED.circuit
    found = failure(other, IMAGE, DIGIT, TRACE)
    assert found.endswith("".join(f"; pack {p} of layer {t} does not hold" for p, t in ((0, 0), (1, 0), (0, 1))))
