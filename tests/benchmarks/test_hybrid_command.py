"""The command makes every run once, stops when its budget is spent, and goes on where it was."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from benchmarks import hybrid, networks
from benchmarks.hybrid import Absent, Bench
from benchmarks.optima import load
from benchmarks.places import Place
from benchmarks.report import Report
from benchmarks.travelled import spent, travel
from tests.benchmarks.runs_made_up import place, run, runs
from trabecula.discretisation import prepare
from trabecula.problem import problems
from trabecula.results.records import Trial

PLANE = Place("named", "cantilever", "cantilever", problems.get("cantilever", (32, 16)))


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(hybrid, "SCRATCH", tmp_path)
    monkeypatch.setattr(hybrid.places, "places", lambda names, quick, limit: [PLANE])
    monkeypatch.setattr(networks, "loading", lambda dimension: None)
    monkeypatch.setattr(networks, "used", lambda dimension: [])
    return tmp_path


def asked(*more: str, out: Path) -> list[str]:
    return ["--quick", "--threads", "1", "--past", "5", "--json", str(out / "hybrid.json"), *more]


def test_runs_are_made_once_and_a_cut_command_goes_on(
    scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = asked("--methods", "default", "practice", "element_history", "learned", out=scratch)
    with pytest.raises(SystemExit, match="no runs yet"):
        hybrid.main([*few, "--budget", "-1"])
    assert "3 runs left" in capsys.readouterr().err
    hybrid.main([*few[:-3], "--methods", "default"])
    hybrid.main(few)
    lines = (scratch / "hybrid.jsonl").read_text().splitlines()
    assert [json.loads(line)["method"] for line in lines] == ["default", "practice", "element_history"]
    hybrid.main(few)
    assert (scratch / "hybrid.jsonl").read_text().splitlines() == lines
    hybrid.main([*few, "--redo", "default", "--budget", "100"])
    assert len((scratch / "hybrid.jsonl").read_text().splitlines()) == 4
    report = Report.load(scratch / "hybrid.json")
    coverage = next(table for table in report.tables if table.title == "Runs there are")
    assert coverage.rows[0][:5] == ("named 2-D", 1, 1, 1, 1)
    assert any("no network ships for 2-D" in str(row[-1]) for row in coverage.rows)


def test_what_is_kept_is_read_back(scratch: Path) -> None:
    hybrid.main(asked("--methods", "default", out=scratch))
    (found,) = load(scratch / "hybrid.jsonl").values()
    assert found.polished is not None and found.past == 5
    assert found.residuals and found.residuals[0][3] <= 1.0
    assert found.finisher == "finish"
    assert found.searched is not None and found.searched > 0
    assert found.track[-1][3] == pytest.approx(found.compliance, rel=1e-6)
    assert load(scratch / "nowhere.jsonl") == {}


def test_old_lines_are_still_read(tmp_path: Path) -> None:
    line = {"problem": "a", "size": "8x8", "method": "learned", "compliance": 1.0, "at_100": None}
    line |= {"iterations": 5, "equivalents": 6.0, "seconds": 1.0, "track": [[1.0, 6.0, 5, 1.0]], "threads": 2}
    path = tmp_path / "old.jsonl"
    path.write_text(json.dumps(line) + "\n")
    (found,) = load(path).values()
    assert found.trials == () and found.residuals == () and found.track == ((1.0, 6.0, 5, 1.0),)


def test_iterations_past_the_stop_count_for_nothing_else() -> None:
    discrete, _ = prepare(PLANE.problem)
    short, long = (travel("default", discrete, 1, past) for past in (0, 10))
    assert short.iterations == long.iterations
    assert short.equivalents == long.equivalents
    assert [moment[1:] for moment in short.track] == [moment[1:] for moment in long.track]
    assert short.polished is None and long.polished is not None
    assert long.polished <= 1.001 * long.compliance


def test_methods_that_cannot_be_run_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "there", lambda dimension: {"leap": None} if dimension == 3 else {})
    solid, plane = place("one"), PLANE
    bench = Bench({}, {})
    assert bench.method("neighbours", solid) == Absent("no --data of 3-D problems")
    assert bench.method("learned", plane) == Absent("no network ships for 2-D")
    assert callable(bench.method("learned", solid))
    assert bench.method("only_corrector", solid) == Absent("no network ships for 3-D")
    assert bench.method("quick", solid) == Absent("no network ships for 3-D")
    assert isinstance(bench.method("more_fields", solid), Absent)
    assert callable(bench.method("element_history", plane))
    assert callable(bench.method("anderson", plane))


def test_random_proposals_get_the_time_of_the_networks() -> None:
    made = runs(
        learned={"one": run((6, 1.0))},
        default={"one": run((5, 1.0), searched=2.0)},
    )
    method = Bench({}, made).method("more_fields", place("one"))
    assert not isinstance(method, Absent)
    assert method.keywords == {"more": 4}  # type: ignore[attr-defined]
    none = runs(learned={"one": run((5, 1.0))}, default={"one": run((5, 1.0), searched=2.0)})
    assert isinstance(Bench({}, none).method("more_fields", place("one")), Absent)


def test_a_training_set_with_a_seed_of_the_tests_is_refused(tmp_path: Path) -> None:
    info = {"format": 1, "trabecula": "0", "dimension": 3, "seed": 90_002, "settings": {}}
    (tmp_path / "dataset.json").write_text(json.dumps(info))
    with pytest.raises(SystemExit, match="tested on"):
        hybrid.training_sets([tmp_path])
    (tmp_path / "dataset.json").write_text(json.dumps(info | {"seed": 1}))
    assert hybrid.training_sets([tmp_path]) == {3: tmp_path}
    with pytest.raises(SystemExit, match="already"):
        hybrid.training_sets([tmp_path, tmp_path])
    with pytest.raises(SystemExit, match="does not exist"):
        hybrid.training_sets([tmp_path / "nowhere"])


def test_the_long_search_waits() -> None:
    found = [place("one"), place("two")]
    options = argparse.Namespace(redo=[])
    order = [(key[0], key[2]) for key, _ in hybrid.left(options, found, {}, ["default", "long"])]
    assert order == [("one", "default"), ("two", "default"), ("one", "long"), ("two", "long")]


def test_runs_of_other_networks_are_made_again() -> None:
    solid, ours = place("one"), networks.stamp(3)
    assert ours and all(len(part) == 12 for part in ours)
    kept = run((1, 1.0), finisher="finish", networks=ours)
    assert hybrid.is_done(kept, "learned", solid)
    assert not hybrid.is_done(run((1, 1.0), finisher="finish", networks=("other",)), "learned", solid)
    assert hybrid.is_done(run((1, 1.0), finisher="finish", networks=("other",)), "default", solid)
    assert not hybrid.is_done(run((1, 1.0)), "default", solid)
    assert not hybrid.is_done(None, "default", solid)


def test_networks_tell_their_cost_and_are_loaded_apart() -> None:
    cost = networks.cost(3, data_hours=2.0)
    assert cost is not None and cost.data == 2.0 and cost.training
    assert cost.hours == pytest.approx(cost.training + 2.0)
    assert networks.warm(networks.used(3)) == len(networks.used(3)) > 0
    loading = networks.loading(3)
    assert loading is not None and loading.networks == len(networks.used(3)) and loading.seconds > 0


def test_where_no_network_ships_there_is_nothing_to_load_or_repay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "used", lambda dimension: [])
    assert networks.cost(2) is None and networks.loading(2) is None


def test_solves_of_trials_are_counted_on_their_grids() -> None:
    trials = [
        Trial("hand-over", "8x4x4 cold", True, 2.0, 1.0, 0.1, "corrector-3d shipped"),
        Trial("leap", "16x8x8 cold", False, 2.0, 1.0, 0.1, "leap-3d 0001"),
        Trial("proposal", "4x2x2 drawn-0", False, 2.0, 1.0, 0.1, "proposer-3d shipped"),
        Trial("proposal", "8x4x4 ahead-0", False, 2.0, 1.0, 0.1),  # no network, so nothing was shown to any
        Trial("past", "search 4x2x2", True, 2.0, 1.0, 0.1),
    ]
    assert spent(trials, (16, 8, 8)) == (1, 2 / 8 + 1 + 3 / 64)
