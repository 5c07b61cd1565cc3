"""What a history teaches, what it does not, and what is never trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import trabecula as tb
from tests.learning.fine_tuning.small import kept, pulled, solved
from trabecula.learning.fine_tuning import training_pairs as room
from trabecula.learning.fine_tuning.training_pairs import TrainingPair, split_pairs, training_pairs
from trabecula.learning.history import Store
from trabecula.status import Status


def test_a_past_solve_holds_the_coarse_and_the_fine_design(tmp_path: Path) -> None:
    (lesson,), left = training_pairs(kept(tmp_path / "h", 1), 2)
    made = solved(0.0)
    assert not left
    assert lesson.coarse.shape == made.coarser[-1].shape == (32, 32)
    np.testing.assert_array_equal(lesson.coarse, made.coarser[-1].astype(np.float64))
    np.testing.assert_allclose(lesson.fine, made.design, atol=1e-6)
    example = lesson.example()
    assert example.fields.shape == (10, 32, 64)
    np.testing.assert_allclose(example.target, made.design, atol=1e-3)


def test_the_newest_come_first_and_older_ones_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST", 2)
    found, left = training_pairs(kept(tmp_path / "h", 3), 2)
    assert [lesson.problem.name for lesson in found] == ["plate 0.25", "plate 0.125"]
    assert left == {"older than the others": 1}
    assert training_pairs(kept(tmp_path / "h", 3), 3) == ([], {})


def changed(**options: object) -> tb.Result:
    made = solved(0.5)
    return replace(made, problem=replace(made.problem, options=replace(made.problem.options, **options)))


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (lambda: replace(solved(0.5), status=Status.LIMIT), "not converged"),
        (lambda: replace(solved(0.5), coarser=()), "without coarse grids"),
        (lambda: changed(penalty=1.0), "convex"),
        (
            lambda: replace(
                solved(0.5), problem=replace(pulled(0.5), goal=tb.Goal("volume", compliance=(9.0,)))
            ),
            "with another goal than compliance",
        ),
    ],
    ids=["stopped", "uniform", "convex", "volume"],
)
def test_what_teaches_nothing_is_left_out_with_its_reason(
    result: object, reason: str, tmp_path: Path
) -> None:
    store = Store(tmp_path / "h", 10**8)
    store.keep(result())  # type: ignore[operator]
    assert training_pairs(store, 2) == ([], {reason: 1})


def test_large_ones_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LARGEST", 1000)
    assert training_pairs(kept(tmp_path / "h", 1), 2) == ([], {"too large": 1})


@pytest.mark.parametrize("name", ["coarser.npz", "design.npy", "problem.yaml"])
def test_damaged_ones_are_left_out(name: str, tmp_path: Path) -> None:
    store = kept(tmp_path / "h", 2)
    newest = store.entries()[0]
    (tmp_path / "h" / "entries" / newest.id / name).write_bytes(b"nothing")
    found, left = training_pairs(store, 2)
    assert len(found) == 1
    assert left == {"damaged": 1}


def made_up(count: int) -> list[TrainingPair]:
    nothing = np.zeros((1, 1))
    return [TrainingPair(f"key {k}", pulled(0.5), nothing, nothing.astype(np.float32)) for k in range(count)]


def test_what_was_held_out_stays_held_out_whatever_is_solved_later() -> None:
    everything = made_up(400)
    _, held = split_pairs(everything)
    assert 0.15 < len(held) / 400 < 0.35
    for count in (40, 100, 399):
        taught, kept = split_pairs(everything[:count])
        assert {lesson.key for lesson in kept} <= {lesson.key for lesson in held}
        assert len(taught) + len(kept) == count
        assert not {lesson.key for lesson in taught} & {lesson.key for lesson in kept}


def test_few_are_divided_too() -> None:
    for count in (3, 8):
        taught, kept = split_pairs(made_up(count))
        assert 2 <= len(kept) <= -(-count // 2)
        assert taught
