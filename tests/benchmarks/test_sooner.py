"""How much sooner a finished design is there: counted by the first one that is as stiff, never by a later."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import sooner
from benchmarks.finished import Finished, watch
from benchmarks.sooner import Gain, Runs, gain
from trabecula.discretisation import discretise
from trabecula.problem import problems

REFERENCE = (Finished(10.0, 110.0, 2.0),)


def test_the_first_design_that_is_as_stiff_counts() -> None:
    way = (Finished(1.0, 20.0, 2.1), Finished(4.0, 55.0, 2.0), Finished(5.0, 60.0, 1.9))
    found = gain(REFERENCE, way)
    assert (found.work, found.seconds) == (2.0, 2.5)
    assert (found.first, found.end) == (pytest.approx(5.0), pytest.approx(-5.0))


def test_a_tenth_of_a_per_cent_is_as_stiff_and_more_is_not() -> None:
    assert gain(REFERENCE, (Finished(1.0, 10.0, 2.0019),)).has_arrived
    assert not gain(REFERENCE, (Finished(1.0, 10.0, 2.0021),)).has_arrived


def test_what_never_arrives_counts_as_nothing_and_lowers_the_median() -> None:
    never = gain(REFERENCE, (Finished(1.0, 10.0, 3.0),))
    assert (never.work, never.seconds, never.has_arrived) == (0.0, 0.0, False)
    assert sooner.share_arrived([never, Gain(2.0, 2.0, 0.0, 0.0)]) == 0.5
    assert sooner.spread([0.0, 2.0, 4.0]) == (2.0, pytest.approx(0.4), pytest.approx(3.6), 0.0)


def test_only_problems_that_both_were_run_on_are_compared() -> None:
    runs: Runs = {
        ("plates", "a", "classical"): REFERENCE,
        ("plates", "a", "default"): (Finished(2.0, 22.0, 1.9),),
        ("plates", "b", "default"): (Finished(2.0, 22.0, 1.9),),
        ("solids", "a", "default"): (Finished(2.0, 22.0, 1.9),),
    }
    assert list(sooner.gains(runs, "plates", "classical", "default")) == ["a"]
    (row,) = sooner.rows(runs, "plates")
    assert row[:4] == ("classical", "default", 1, 5.0)
    work, time, arrived = sooner.figures(runs)
    assert (work.value, work.met) == (5.0, True)
    assert (time.value, time.met) == (5.0, True)
    assert (arrived.value, arrived.met) == (100.0, True)


def test_runs_are_kept_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    assert sooner.load(path) == {}
    sooner.keep(path, ("plates", "a", "default"), REFERENCE)
    sooner.keep(path, ("plates", "a", "classical"), (*REFERENCE, Finished(11.0, 120.0, 1.5)))
    assert sooner.load(path) == {
        ("plates", "a", "default"): REFERENCE,
        ("plates", "a", "classical"): (*REFERENCE, Finished(11.0, 120.0, 1.5)),
    }


def test_a_way_that_is_watched_tells_all_finished_designs_and_the_result_last() -> None:
    discrete = discretise(problems.get("cantilever", (120, 60)))
    assert discrete.options.projection
    first, last = watch(sooner.WAYS["default"], discrete, 1)
    assert first.work < last.work / 3
    assert last.compliance <= first.compliance * (1 + 1e-6)
    (only,) = watch(sooner.WAYS["classical"], discrete, 1)
    assert only.work == int(only.work) <= sooner.LIMIT


def test_every_group_has_its_problems() -> None:
    groups = [group for group, _ in sooner.cases(False, sooner.GROUPS, 4)]
    assert groups.count("plates") == 7 + 2
    assert groups.count("solids") == 7 + 2
    assert groups.count("96x48x48") == len(sooner.LARGE)
    assert {group for group, _ in sooner.cases(False, ["plates"], 4)} == {"plates"}
