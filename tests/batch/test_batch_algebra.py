"""The algebra of batches on toy circuits with plain polynomials for commitments: docs/batches.md without bytes, ranges and openings.

A toy block has two packs of one lane each (rows 0, 1) and two idle rows (2: the bias of later layers, 3: what hides a row). Activations
are squares. n = 32, so 8 blocks a track; the model has one track. `Toy` computes the one sum as the prover and the verifier do.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from support import evaluate

from zkpredict.circuits.field import MODULUS, root_of_unity

N, BLOCK, PACKS = 32, 4, 2
BLOCKS = N // BLOCK
ROOT = root_of_unity(N)
INPUTS = 5
SHARE = (N - 1) // (INPUTS + 1)
"""Places for packs in a row of the first layer."""
SOURCE = random.Random(12)


@dataclass
class Toy:
    """`slots` images a track; the model's blocks are 0 (hidden) and `slots` (last layer). `rows0`: one row of n coefficients for the
    first exponent; `rows1`: a row of n values for each pack of the last layer. `distance`: D."""

    slots: int
    images: int
    rows0: list[int]
    rows1: list[list[int]]
    distance: int

    @property
    def step(self) -> int:
        return PACKS * self.slots

    @property
    def groups(self) -> int:
        return -(-self.images // self.slots)

    def exponent(self, block: int, position: int) -> int:
        return PACKS * (BLOCKS - 1 - block) + PACKS - 1 - position

    def places(self, image: int) -> tuple[int, int]:
        return divmod(image, self.slots)

    def weight(self, image: int, alpha: int) -> int:
        """alpha^E_b."""
        group, slot = self.places(image)
        return pow(alpha, self.distance * group + PACKS * (self.slots - 1 - slot), MODULUS)

    def single(self, x: list[int]) -> dict[int, int]:
        """What the rows demand of each exponent of a proof of one image, when its hidden lanes are what they demand."""
        demands = self.first(x)
        hidden = [demands.get(self.exponent(0, p), 0) for p in range(PACKS)]
        for pack, row in enumerate(self.rows1):
            own = row[2] + sum(row[p] * hidden[p] ** 2 for p in range(PACKS))
            at = self.exponent(self.slots, pack)
            demands[at] = (demands.get(at, 0) + own) % MODULUS
        return demands

    def first(self, x: list[int]) -> dict[int, int]:
        lowest = self.exponent(0, PACKS - 1)
        return {
            lowest + self.step * k: sum(c * v for c, v in zip(self.rows0[k * (INPUTS + 1) :], [1, *x])) % MODULUS for k in range(SHARE)
        }

    def lanes(self, inputs: list[list[int]]) -> list[list[int]]:
        """The best trace: every pack that an image has as its rows demand, lane by lane."""
        found = [[0] * N for _ in range(self.groups)]
        for image, x in enumerate(inputs):
            group, slot = self.places(image)
            demands = self.single(x)
            for block in range(0, BLOCKS, self.slots):
                for position in range(PACKS):
                    found[group][(block + slot) * BLOCK + position] = demands.get(self.exponent(block, position), 0)
        return found

    # what prover and verifier compute

    def fold(self, lanes: list[list[int]], alpha: int) -> int:
        total = 0
        for row in range(N):
            if row % BLOCK < PACKS:
                weight = pow(alpha, self.exponent(*divmod(row, BLOCK)) + PACKS * (self.slots - 1), MODULUS)
                total += weight * sum(pow(alpha, self.distance * group, MODULUS) * own[row] for group, own in enumerate(lanes))
        return total % MODULUS

    def combined(self, inputs: list[list[int]], alpha: int) -> list[int]:
        """q of the first layer: all inputs as one vector of field elements."""
        value = [sum(self.weight(b, alpha) * [1, *x][k] for b, x in enumerate(inputs)) for k in range(INPUTS + 1)]
        return [pow(alpha, self.step * k, MODULUS) * entry % MODULUS for k in range(SHARE) for entry in value]

    def reads(self, slot: int) -> list[int]:
        return [int(row // BLOCK == slot and row % BLOCK < PACKS) for row in range(N)]

    def rows_at(self, alpha: int) -> list[int]:
        """The combined rows of the last layer."""
        weights = [pow(alpha, self.exponent(self.slots, pack), MODULUS) for pack in range(len(self.rows1))]
        return [sum(w * row[at] for w, row in zip(weights, self.rows1)) % MODULUS for at in range(N)]

    def total(self, inputs: list[list[int]], lanes: list[list[int]], alpha: int) -> int:
        """The one sum: zero if all equations hold."""
        q = self.combined(inputs, alpha)
        lowest = pow(alpha, self.exponent(0, PACKS - 1), MODULUS)
        first = lowest * sum(c * v for c, v in zip(self.rows0, q))
        rows, later = self.rows_at(alpha), 0
        for slot in range(self.slots):
            own = pow(alpha, PACKS * (self.slots - 1 - slot), MODULUS)
            reads = self.reads(slot)
            for row in range(N):
                across = sum(pow(alpha, self.distance * group, MODULUS) * lane[row] ** 2 for group, lane in enumerate(lanes))
                bias = int(row == slot * BLOCK + 2) * sum(pow(alpha, self.distance * g, MODULUS) for g in range(self.groups))
                later += own * rows[row - BLOCK * slot] * (reads[row] * across + bias)
        return (self.fold(lanes, alpha) - first - later) % MODULUS


def safe_distance(slots: int) -> int:
    return PACKS * BLOCKS + (SHARE - 1) * PACKS * slots


def toy(slots: int, images: int, places: int = 1, distance: int | None = None) -> Toy:
    """An owner whose first row fills `places` places: 1 is honest, more reach other exponents. The step divides the distance."""
    rows0 = [SOURCE.randrange(MODULUS) for _ in range(places * (INPUTS + 1))] + [0] * (N - places * (INPUTS + 1))
    rows1 = [[SOURCE.randrange(MODULUS) if at < 3 else 0 for at in range(N)] for _ in range(PACKS)]
    return Toy(slots, images, rows0, rows1, safe_distance(slots) if distance is None else distance)


def some_inputs(count: int) -> list[list[int]]:
    return [[SOURCE.randrange(256) for _ in range(INPUTS)] for _ in range(count)]


def alpha() -> int:
    return SOURCE.randrange(1 << 200, MODULUS)


SIZES = [(4, 4), (4, 8), (2, 6), (1, 3)]


@pytest.mark.parametrize("slots, images", SIZES)
def test_honest_batches_close(slots, images):
    """One hidden block and one block of outputs, so a model of one slot leaves six blocks to spare."""
    batch, inputs = toy(slots, images), some_inputs(images)
    assert batch.total(inputs, batch.lanes(inputs), alpha()) == 0


@pytest.mark.parametrize("slots, images", SIZES)
def test_every_changed_lane_and_input_shows(slots, images):
    batch, inputs = toy(slots, images), some_inputs(images)
    for image in range(images):
        group, slot = batch.places(image)
        for block in range(0, BLOCKS, slots):
            lanes = batch.lanes(inputs)
            lanes[group][(block + slot) * BLOCK] += 1
            assert batch.total(inputs, lanes, alpha()) != 0
        other = [list(x) for x in inputs]
        other[image][2] += 1
        assert batch.total(other, batch.lanes(inputs), alpha()) != 0
    swapped = [inputs[1], inputs[0], *inputs[2:]]
    assert batch.total(swapped, batch.lanes(inputs), alpha()) != 0
    assert batch.total(swapped, batch.lanes(swapped), alpha()) == 0


def test_a_batch_is_the_sum_of_single_proofs_with_disjoint_exponents():
    """Also for an owner whose row fills every place: what it reaches is another pack of its own image, or nothing's."""
    for slots, images in SIZES:
        hostile = toy(slots, images, SHARE)
        reach: dict[int, int] = {}
        for image in range(images):
            group, slot = hostile.places(image)
            own = {*hostile.single(some_inputs(1)[0])} | {hostile.exponent(b, p) for b in range(0, BLOCKS, slots) for p in range(PACKS)}
            for exponent in own:
                at = exponent + hostile.distance * group + PACKS * (slots - 1 - slot)
                assert reach.setdefault(at, image) == image


def test_with_a_small_distance_one_image_answers_for_another():
    """D = the packs of a track: a row that fills its second place adds a function of image 0 to a pack of image 1, so what answers in a
    batch is no function of its own input. In a single proof the same row reaches a power of alpha where there is nothing."""
    slots, images = 1, 2
    small = toy(slots, images, 1, PACKS * BLOCKS)
    lowest = small.exponent(0, PACKS - 1)
    place = next(k for k in range(1, SHARE) if lowest + small.step * k >= PACKS * BLOCKS)
    target = lowest + small.step * place - PACKS * BLOCKS
    assert target in {small.exponent(b, p) for b in range(BLOCKS) for p in range(PACKS)}
    small.rows0[place * (INPUTS + 1) : (place + 1) * (INPUTS + 1)] = [MODULUS - 7, 1, 0, 0, 0, 0]  # x_0 - 7
    for distance, leaks in ((PACKS * BLOCKS, True), (safe_distance(slots), False)):
        batch = Toy(slots, images, small.rows0, small.rows1, distance)
        inputs = some_inputs(images)
        inputs[0][0], inputs[1][0], found = 9, 7, []
        for change in (0, 2):
            lanes = batch.lanes(inputs)
            block, position = divmod(PACKS * BLOCKS - 1 - target, PACKS)
            lanes[1][block * BLOCK + position] += change
            found.append(batch.total(inputs, lanes, 12345) == 0)
        # a pack of image 1 must be two more than its own rows say, because image 0's first pixel is 9; image 0 has no single proof
        assert found == ([False, True] if leaks else [False, False])


def polynomial(values: list[int]) -> list[int]:
    """Coefficients, by the inverse transform term by term."""
    back, scale = pow(ROOT, -1, MODULUS), pow(N, -1, MODULUS)
    return [scale * sum(v * pow(back, i * k, MODULUS) for i, v in enumerate(values)) % MODULUS for k in range(N)]


def test_a_rotated_column_is_the_same_polynomial_elsewhere():
    """rows(w^-32j X) has the rows' values further down, the same degree, and its value at rho is the column's at w^-32j rho."""
    values, point, shift = [SOURCE.randrange(MODULUS) for _ in range(N)], alpha(), 3 * BLOCK
    column = polynomial(values)
    turn = pow(ROOT, -shift, MODULUS)
    rotated = [c * pow(turn, k, MODULUS) % MODULUS for k, c in enumerate(column)]
    assert [evaluate(rotated, pow(ROOT, row, MODULUS)) for row in range(N)] == values[-shift:] + values[:-shift]
    assert evaluate(rotated, point) == evaluate(column, turn * point % MODULUS)


def test_a_mask_that_is_zero_on_the_rows_changes_no_sum_and_hides_every_rotation():
    """mask = (X^n - 1) b(X): zero on all rows; with as many coefficients in b as points, its values there are any values."""
    slots = 4
    points = [pow(ROOT, -BLOCK * j, MODULUS) * 987654321 % MODULUS for j in range(slots)]
    factors = [(pow(point, N, MODULUS) - 1) % MODULUS for point in points]
    assert 0 not in factors
    wanted = [SOURCE.randrange(MODULUS) for _ in points]
    blinders = interpolated(points, [w * pow(f, -1, MODULUS) % MODULUS for w, f in zip(wanted, factors)])
    mask = [-c % MODULUS for c in blinders] + [0] * (N - slots) + blinders
    assert [evaluate(mask, point) for point in points] == wanted
    assert {evaluate(mask, pow(ROOT, row, MODULUS)) for row in range(N)} == {0}


def interpolated(points: list[int], values: list[int]) -> list[int]:
    found = [0] * len(points)
    for at, value in zip(points, values):
        basis, scale = [1], value
        for other in points:
            if other != at:
                basis = [(low - other * high) % MODULUS for low, high in zip([0, *basis], [*basis, 0])]
                scale = scale * pow(at - other, -1, MODULUS) % MODULUS
        found = [(total + scale * c) % MODULUS for total, c in zip(found, basis)]
    return found
