"""Samples: the wide search as it was, watched without changing it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.learning.test_store import small, tree
from trabecula.discretisation import prepare
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.learning import generate
from trabecula.learning.generate import (
    SHOTS,
    DataSettings,
    TooLongError,
    UnsolvedError,
    make_sample,
    make_shard,
    missing,
    prepare_folder,
    scale_sensitivity,
    with_defaults,
)
from trabecula.learning.problems import draw
from trabecula.learning.store import (
    INFO,
    Failure,
    Sample,
    open_dataset,
    read_shard,
    shard_path,
)
from trabecula.optimize.analysis import Analysis
from trabecula.problem import dump, loads
from trabecula.storage.reading import UnreadableError

QUICK = {
    2: DataSettings(2, 1, proposals=5, voxels=4500, iterations=26),
    3: DataSettings(3, 1, 4, voxels=4000),
}


@pytest.fixture(scope="module", params=[2, 3])
def sample(request: pytest.FixtureRequest) -> Sample:
    return make_sample(QUICK[request.param], 0)


def test_the_problem_is_the_one_of_the_generator(sample: Sample) -> None:
    dimension = len(sample.grids[0])
    problem = draw(1, 0, dimension, sample.hard, QUICK[dimension].voxels)
    assert sample.problem == dump(problem)
    assert sample.grids == tuple(g.grid.elements for g in grid_hierarchy(prepare(problem)[0]))


def test_every_proposal_leaves_its_design_and_all_kinds_reach_the_finest_grid(sample: Sample) -> None:
    dimension = len(sample.grids[0])
    assert len(sample.at(0)) == QUICK[dimension].proposals
    assert {run.kind for run in sample.at(-1)} == {"ramp", "search"}
    for run in sample.runs:
        assert run.density.shape == sample.grids[run.level][::-1]
        assert run.merit > 0 and np.isfinite(run.density).all()


def test_ancestors_are_known_down_to_the_coarsest_grid(sample: Sample) -> None:
    for run in sample.runs:
        begins = run.level == 0 or run.name.startswith(f"{run.level}-fresh")
        assert (run.parent == "") == begins
        if not begins:
            parent = sample.run(run.parent)
            assert (parent.level, parent.kind) == (run.level - 1, run.kind)


def test_the_winner_is_the_best_on_the_finest_grid(sample: Sample) -> None:
    assert sample.winner == sample.at(-1)[0].name


def test_snapshots_are_the_designs_and_fields_of_their_iterations(sample: Sample) -> None:
    discrete, _ = prepare(loads(sample.problem))
    analysis = Analysis(discrete, 1)
    for run in sample.at(-1):
        shots = [shot for shot in sample.snapshots if shot.run == run.name]
        assert [shot.iteration for shot in shots] == sorted(i for i in SHOTS if i < run.iterations)
        for shot in shots[:: len(shots) - 1]:
            found = analysis.evaluate(shot.density.astype(np.float64), shot.penalty, tolerance=1e-6)
            assert found.merit == pytest.approx(shot.merit, rel=0.02)
            free = ~discrete.void & (scale_sensitivity(found.gradient) > -3)
            difference = scale_sensitivity(found.gradient)[free] - shot.sensitivity[free]
            assert np.abs(difference.astype(float)).mean() < 0.03


def test_the_first_snapshot_is_the_half_grey_hand_over(sample: Sample) -> None:
    first = next(shot for shot in sample.snapshots if shot.iteration == 0)
    assert first.penalty == 1.5
    grey = np.percentile(first.density[first.sensitivity > -8], 5)
    assert 0.02 < grey < 0.4


def test_the_convex_design_has_the_volume_and_is_grey(sample: Sample) -> None:
    coarse = grid_hierarchy(prepare(loads(sample.problem))[0])[0]
    volume = coarse.goal.volume
    assert volume is not None
    assert sample.convex.shape == coarse.grid.shape
    assert sample.convex.astype(float).sum() / coarse.upper.sum() == pytest.approx(volume, rel=0.1)


def test_the_same_index_gives_the_same_bits() -> None:
    assert tree(make_sample(QUICK[3], 0)) == tree(make_sample(QUICK[3], 0))


def test_a_problem_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(TooLongError, match="took more than 0 s"):
        make_sample(DataSettings(2, 1, proposals=2, voxels=4500, limit=0.0), 0)


def test_a_problem_whose_solves_break_down_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate = Analysis.evaluate

    def broken(self: Analysis, *args: object, **kwargs: object) -> object:
        return replace(evaluate(self, *args, **kwargs), objective=-1.0)  # type: ignore[arg-type]

    monkeypatch.setattr(Analysis, "evaluate", broken)
    with pytest.raises(UnsolvedError, match="a solve broke down"):
        make_sample(DataSettings(2, 1, proposals=2, voxels=4500, iterations=3), 0)


def test_sensitivities_are_decades_about_their_mean() -> None:
    stored = scale_sensitivity(np.array([-1.0, -0.01, -2.99, 0.0, 5.0]))
    mean = 4.0 / 5
    assert stored[:3].tolist() == pytest.approx(np.log10(np.array([1.0, 0.01, 2.99]) / mean), abs=1 / 32)
    assert stored[3:].tolist() == [-8.0, -8.0]
    assert scale_sensitivity(np.zeros(2)).tolist() == [-8.0, -8.0]


def test_open_settings_get_the_measured_defaults() -> None:
    full = with_defaults(DataSettings(2))
    assert None not in (full.proposals, full.hard, full.voxels)
    assert with_defaults(full) == full
    assert with_defaults(DataSettings(3, hard=0.0)).hard == 0.0


def stubbed(settings: DataSettings, index: int) -> Sample:
    if index % 16 == 3:
        raise TooLongError("took more than 120 s")
    return small(index, settings.dimension)


def test_a_bad_problem_is_skipped_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "make_sample", stubbed)
    told: list[tuple[int, int]] = []
    assert make_shard(str(tmp_path), DataSettings(2), 1, 5, lambda s, f: told.append((s, f))) == (4, 1)
    shard = read_shard(shard_path(tmp_path, 1))
    assert [s.index for s in shard.samples] == [16, 17, 18, 20]
    assert shard.failures == (Failure(19, "TooLongError: took more than 120 s"),)
    assert told == [(1, 0), (2, 0), (3, 0), (3, 1), (4, 1)]


def test_only_what_is_missing_or_unfinished_is_to_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "make_sample", stubbed)
    assert missing(tmp_path, 40) == [(0, 16), (1, 16), (2, 8)]
    make_shard(str(tmp_path), DataSettings(2), 0, 16)
    make_shard(str(tmp_path), DataSettings(2), 2, 8)
    assert missing(tmp_path, 40) == [(1, 16)]
    assert missing(tmp_path, 48) == [(1, 16), (2, 16)]
    shard_path(tmp_path, 0).write_bytes(b"torn")
    assert missing(tmp_path, 16) == [(0, 16)]


def test_a_folder_belongs_to_one_seed_dimension_and_way(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "set"
    prepare_folder(folder, DataSettings(2, 7))
    prepare_folder(folder, DataSettings(2, 7))
    assert open_dataset(folder).info["seed"] == 7
    for other, what in (
        (DataSettings(3, 7), "dimension"),
        (DataSettings(2), "seed"),
        (DataSettings(2, 7, 3), "settings"),
    ):
        with pytest.raises(ValueError, match=f"holds data of another {what}"):
            prepare_folder(folder, other)
    (folder / INFO).write_text("{")
    with pytest.raises(UnreadableError, match="damaged"):
        prepare_folder(folder, DataSettings(2, 7))
