from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from trabecula.discretisation import discretise
from trabecula.learning.batches import ExampleBatches, turn
from trabecula.learning.example import Example
from trabecula.problem import problems
from trabecula.surrogate import channels, unpack


def example(shape: tuple[int, ...], fields: int = 2, seed: int = 0) -> Example:
    random = np.random.default_rng(seed)
    count = fields + 4 + 2 * len(shape)
    made = random.standard_normal((count, *shape)).astype(np.float16)
    made[fields] = 1.0
    return Example(made, *(random.random(shape).astype(np.float16) for _ in range(2)))


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 8)])
def test_turning_a_full_circle_changes_nothing(shape: tuple[int, ...]) -> None:
    before = example(shape)
    for order in permutations(range(len(shape))):
        back = np.argsort(order)
        no, yes = [False] * len(shape), [True] * len(shape)
        again = turn(turn(before, order, no), tuple(int(a) for a in back), no)
        for name in ("fields", "base", "target"):
            assert np.array_equal(getattr(again, name), getattr(before, name))
        mirrored = turn(turn(before, tuple(range(len(shape))), yes), tuple(range(len(shape))), yes)
        assert np.array_equal(mirrored.fields, before.fields)


def test_channels_along_an_axis_turn_with_the_axes() -> None:
    """A problem with x and y exchanged has the fields of the turned example."""
    discrete = discretise(problems.get("cantilever", (12, 6)))
    fields = channels(discrete, 0.4, [np.full((6, 12), 0.4)], [np.zeros((6, 12), np.float32)])
    turned = turn(
        Example(fields.astype(np.float16), *(np.zeros((6, 12), np.float16),) * 2), (1, 0), (False, False)
    )
    held_x, held_y, load_x, load_y = turned.fields[-4:]
    assert np.array_equal(held_x, fields[-3].T.astype(np.float16))
    assert np.array_equal(held_y, fields[-4].T.astype(np.float16))
    assert np.array_equal(load_x, fields[-1].T.astype(np.float16))
    assert np.array_equal(load_y, fields[-2].T.astype(np.float16))


def test_batches_hold_one_shape_and_are_the_same_for_the_same_seed() -> None:
    supply = ExampleBatches([example((4, 6)), example((6, 4), seed=1), example((8, 8), seed=2)], 2, 2, 2, 4)
    shapes = set()
    for step in range(20):
        batch = supply.draw(np.random.default_rng([0, step]))
        again = supply.draw(np.random.default_rng([0, step]))
        assert batch.fields.shape[0] == 4
        assert batch.fields.shape[2:] == batch.target.shape[2:]
        assert bool((batch.fields == again.fields).all())
        shapes.add(tuple(batch.fields.shape[2:]))
    assert shapes == {(2, 4), (4, 2), (4, 4)}


def test_padding_is_outside() -> None:
    batch = ExampleBatches([example((5, 7))], 2, 2, 4, 1).batch([example((5, 7))])
    inside = unpack(batch.inside[0].numpy(), 2, tuple(2 * n for n in batch.inside.shape[2:]))[0]
    assert inside.sum() == 35
    assert inside[:5, :7].all()
