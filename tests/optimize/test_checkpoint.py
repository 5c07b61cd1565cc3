from __future__ import annotations

import json
import shutil
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import trabecula as tb
from tests.certificate.grids import cantilever
from trabecula.design import Schedule
from trabecula.optimize import checkpoint as module
from trabecula.optimize import checkpoint_format as checkpoint
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.checkpoint import Checkpoints, ResumeWarning, fingerprint
from trabecula.optimize.loop import begin, run
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimize.step import Step
from trabecula.optimizers import MMA, OC, Adaptive, MovingAsymptotes, OptimalityCriteria, Optimizer
from trabecula.problem import problems
from trabecula.problem.model import Goal
from trabecula.problem.tables import BrokenEntryError
from trabecula.storage.lock import LockedError
from trabecula.storage.mark import OwnershipError
from trabecula.storage.reading import UnreadableError

PROBLEM = cantilever((12, 6), cases=2)
ADAPTIVE = OptimalityCriteria(OC(exponent=1.0, adaptive=Adaptive()))
SMALL = problems.cantilever((96, 48))
"""Large enough for two grids."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a checkpoint every third iteration, however quick."""
    monkeypatch.setattr(module, "_PATIENCE", 0.0)


def plan(limit: int = 12, optimizer: Optimizer = ADAPTIVE) -> Plan:
    return Plan(optimizer, Schedule(1.0, 3.0, 4), Stop(change=0.0, kkt=0.0, limit=limit))


def first(of: Plan) -> Step:
    return begin(of, Analysis(PROBLEM, 1).chain.uniform(0.4))


def travelled(checkpoints: Checkpoints, of: Plan, steps: int | None = None) -> list[Step]:
    """The first `steps` steps of a run (all of them by default), then nobody asks any more."""
    found = []
    for step in checkpoints.run("it", Analysis(PROBLEM, 1), of, lambda: first(of)):
        found.append(step)
        if len(found) == steps:
            break
    return found


def without_clock(step: Step) -> tuple[object, ...]:
    return tuple(replace(row, seconds=0.0, kkt=0.0) for row in step.rows)


@pytest.mark.parametrize("optimizer", [OptimalityCriteria(OC()), ADAPTIVE, MovingAsymptotes(MMA())])
@pytest.mark.parametrize("steps", [1, 3, 4, 8, 11, 12])
def test_a_run_left_anywhere_goes_on_to_the_same_bits(
    tmp_path: Path, steps: int, optimizer: Optimizer
) -> None:
    undisturbed = run(Analysis(PROBLEM, 1), plan(optimizer=optimizer), first(plan()).x)
    travelled(Checkpoints(tmp_path), plan(optimizer=optimizer), steps)
    seen = travelled(Checkpoints(tmp_path, resume=True), plan(optimizer=optimizer))
    assert len(seen) <= 12 - steps + 3, "at most three iterations are lost"
    np.testing.assert_array_equal(seen[-1].x, undisturbed.x)
    assert without_clock(seen[-1]) == without_clock(undisturbed)
    assert seen[-1].best is not None and undisturbed.best is not None
    assert seen[-1].best.merit == undisturbed.best.merit
    np.testing.assert_array_equal(seen[-1].best.x, undisturbed.best.x)
    assert seen[-1].finished == "limit"


def test_a_finished_run_is_taken_as_it_is(tmp_path: Path) -> None:
    last = travelled(Checkpoints(tmp_path), plan())[-1]
    (again,) = travelled(Checkpoints(tmp_path, resume=True), plan())
    np.testing.assert_array_equal(again.x, last.x)
    assert again.rows == last.rows or without_clock(again) == without_clock(last)


def test_a_finished_run_goes_on_where_more_is_asked_of_it(tmp_path: Path) -> None:
    travelled(Checkpoints(tmp_path), plan(limit=5))
    seen = travelled(Checkpoints(tmp_path, resume=True), plan(limit=12))
    np.testing.assert_array_equal(seen[-1].x, run(Analysis(PROBLEM, 1), plan(), first(plan()).x).x)


def test_a_run_whose_start_is_finished_is_just_that(tmp_path: Path) -> None:
    done = run(Analysis(PROBLEM, 1), plan(limit=2), first(plan()).x)
    seen = list(Checkpoints(tmp_path).run("it", Analysis(PROBLEM, 1), plan(limit=2), lambda: done))
    assert seen == [done]


def test_without_resume_what_was_kept_is_removed(tmp_path: Path) -> None:
    travelled(Checkpoints(tmp_path / "kept"), plan())
    assert (tmp_path / "kept").is_dir()
    Checkpoints(tmp_path / "kept").close()
    assert not (tmp_path / "kept").exists()


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    travelled(Checkpoints(tmp_path), plan())
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".it.npz.123.tmp").write_bytes(b"mine")
    checkpoints = Checkpoints(tmp_path, resume=True)
    checkpoints.clear()
    checkpoints.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".it.npz.123.tmp", "notes.txt"]


@pytest.mark.parametrize("resume", [False, True])
def test_a_checkpoint_that_is_not_ours_is_never_replaced(tmp_path: Path, resume: bool) -> None:
    with (tmp_path / "it.npz").open("wb") as file:
        np.savez(file, weights=np.zeros(3))
    before = (tmp_path / "it.npz").read_bytes()
    with pytest.raises(UnreadableError, match=r"it\.npz"):
        travelled(Checkpoints(tmp_path, resume=resume), plan())
    assert (tmp_path / "it.npz").read_bytes() == before


def test_a_checkpoint_that_was_changed_is_not_replaced(tmp_path: Path) -> None:
    travelled(Checkpoints(tmp_path), plan(), 4)
    with np.load(tmp_path / "it.npz") as archive:
        np.savez(tmp_path / "it.npz", **{name: archive[name] for name in archive.files}, note=np.zeros(1))
    with pytest.raises(UnreadableError, match=r"changed since trabecula wrote it|damaged"):
        travelled(Checkpoints(tmp_path, resume=True), plan())
    with pytest.raises(OwnershipError, match="changed since trabecula wrote it"):
        Checkpoints(tmp_path)


def test_two_threads_do_not_solve_into_one_folder(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    with ThreadPoolExecutor(1) as other:
        with pytest.raises(LockedError, match="another thread of this process"):
            other.submit(Checkpoints, tmp_path).result()
        checkpoints.close()
        other.submit(lambda: Checkpoints(tmp_path).close()).result()


def test_a_folder_that_is_removed_meanwhile_is_made_again(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "kept")
    seen = []
    for step in checkpoints.run("it", Analysis(PROBLEM, 1), plan(), lambda: first(plan())):
        seen.append(step)
        if len(seen) == 4:
            shutil.rmtree(tmp_path / "kept")
    assert (tmp_path / "kept" / "it.npz").is_file()


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    checkpoints = Checkpoints()
    travelled(checkpoints, plan(limit=4))
    checkpoints.clear()
    assert not list(tmp_path.iterdir())


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "cut short":
        path.write_bytes(content[: len(content) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "something else":
        path.write_bytes(b"not an archive at all" * 50)
    elif how == "one bit":
        at = content.index(b"x.npy") + 300
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    else:
        with np.load(path) as archive:
            arrays = {name: archive[name] for name in archive.files}
        if how == "rows of another version":
            arrays["rows"] = arrays["rows"][:, 1:]
        else:
            del arrays[how]
        np.savez(path, **arrays)


@pytest.mark.parametrize(
    "how",
    [
        "cut short",
        "empty",
        "something else",
        "one bit",
        "rows of another version",
        "x",
        "rows",
        "u_0",
        "u_1",
        "record",
        "best_x",
        "best_merit",
        "memory_exponents",
        "memory_last",
        "memory_log_multiplier",
    ],
)
def test_a_damaged_checkpoint_is_refused_by_name(tmp_path: Path, how: str) -> None:
    travelled(Checkpoints(tmp_path), plan(), 8)
    damage(tmp_path / "it.npz", how)
    with pytest.raises(UnreadableError, match=r"it\.npz: is damaged; move it away"):
        travelled(Checkpoints(tmp_path, resume=True), plan())


def test_checkpoints_of_something_else_are_refused(tmp_path: Path) -> None:
    travelled(Checkpoints(tmp_path, asked="one"), plan(), 4)
    with pytest.raises(UnreadableError, match="belongs to another problem"):
        travelled(Checkpoints(tmp_path, resume=True, asked="other"), plan())
    other = cantilever((6, 12), cases=2)
    with pytest.raises(UnreadableError, match="belongs to another problem"):
        next(
            iter(
                Checkpoints(tmp_path, True, "one").run(
                    "it", Analysis(other, 1), plan(), lambda: first(plan())
                )
            )
        )


def exchanged(path: Path, **changes: object) -> None:
    """Change what the record of a checkpoint says, and make it say that nothing was changed."""
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    record = json.loads(arrays.pop("record").tobytes()) | changes
    del record["digest"]
    record["digest"] = checkpoint._digest(record, arrays)
    text = json.dumps(record).encode()
    np.savez(path, record=np.frombuffer(text, np.uint8), **arrays)


def test_a_checkpoint_of_another_instruction_set_is_gone_on_with_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "machine_name", lambda: "compiled sse")
        travelled(Checkpoints(tmp_path), plan(), 8)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Checkpoints(tmp_path, resume=True)
    with pytest.warns(ResumeWarning, match="begun with .* compiled sse, going on with .* last digits"):
        travelled(Checkpoints(tmp_path, resume=True), plan())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 3}, "format 3; this version reads 2"),
        ({"settings": "others"}, "asked for in another way"),
        ({"asked": "others"}, "asked for in another way"),
        ({"arrays": {}}, "missing or new"),
        ({"machine": 3}, "where str belongs"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    travelled(Checkpoints(tmp_path), plan(), 8)
    exchanged(tmp_path / "it.npz", **changes)
    with pytest.raises(UnreadableError, match=said):
        travelled(Checkpoints(tmp_path, resume=True), plan())


@pytest.mark.parametrize("name", ["x", "rows", "u_0", "best_x", "memory_exponents", "memory_log_multiplier"])
@pytest.mark.parametrize("how", ["one bit", "transposed", "single precision", "NaN"])
def test_no_array_can_be_altered_unseen(tmp_path: Path, name: str, how: str) -> None:
    travelled(Checkpoints(tmp_path), plan(), 8)
    with np.load(tmp_path / "it.npz") as archive:
        arrays = {key: archive[key] for key in archive.files}
    array = arrays[name].copy()
    if how == "one bit":
        array.reshape(-1).view(np.uint8)[array.nbytes // 2] ^= 1
    elif how == "NaN":
        array.reshape(-1)[-1] = np.nan
    else:
        array = array.T[None] if how == "transposed" else array.astype(np.float16)
    np.savez(tmp_path / "it.npz", **(arrays | {name: array}))
    with pytest.raises(UnreadableError, match="is damaged; move it away"):
        travelled(Checkpoints(tmp_path, resume=True), plan())


def test_a_checkpoint_of_another_optimiser_is_refused(tmp_path: Path) -> None:
    travelled(Checkpoints(tmp_path), plan(), 8)
    with pytest.raises(UnreadableError, match="asked for in another way"):
        travelled(Checkpoints(tmp_path, resume=True), plan(optimizer=MovingAsymptotes(MMA())))


def test_checkpoints_of_another_way_are_not_passed_over(tmp_path: Path) -> None:
    """Its runs have other names: a solve that only looked for its own would begin anew in silence."""
    tb.solve(SMALL, start="uniform", iterations=4, out=tmp_path, threads=1)
    with pytest.raises(UnreadableError, match="asked for in another way"):
        tb.solve(SMALL, start="classical", iterations=4, out=tmp_path, resume=True, threads=1)


def test_a_checkpoint_knows_what_was_asked_for(tmp_path: Path) -> None:
    tb.solve(SMALL, start="uniform", iterations=4, out=tmp_path, threads=1)
    (made,) = (checkpoint.read_record(path) for path in (tmp_path / "checkpoint").glob("*.npz"))
    assert made.asked.request == {
        "start": "uniform",
        "proposals": None,
        "iterations": 4,
        "tolerance": None,
        "leaps": True,
    }
    assert made.is_ours


def test_a_fingerprint_tells_problems_and_requests_apart() -> None:
    heavier = PROBLEM.loads.copy()
    heavier[1, 0, 0, 3] += 1e-12
    same = replace(PROBLEM, loads=PROBLEM.loads.copy())
    others = [
        replace(PROBLEM, loads=heavier),
        replace(PROBLEM, goal=Goal("compliance", 0.41)),
        replace(PROBLEM, fixed=~PROBLEM.fixed),
        replace(PROBLEM, options=replace(PROBLEM.options, seed=1)),
    ]
    prints = {fingerprint(problem, "coarse", None) for problem in (PROBLEM, *others)}
    assert len(prints | {fingerprint(PROBLEM, "coarse", 8), fingerprint(PROBLEM, "uniform", None)}) == 7
    assert fingerprint(same, "coarse", None) == fingerprint(PROBLEM, "coarse", None)


class Killed(Exception):
    """Stands for whatever ends a solve."""


def request(start: str) -> dict[str, object]:
    return {
        "start": start,
        "proposals": 4 if start == "coarse" else None,
        "iterations": 24 if start == "classical" else None,
    }


@cache
def undisturbed(start: str) -> tb.Result:
    return tb.solve(SMALL, **request(start), threads=1)


def resumed(problem: tb.Problem, asked: dict[str, object], folder: Path, after: int) -> tb.Result:
    """Solve, be killed after so many steps, and go on."""
    steps = 0

    def kill(_: tb.Progress) -> None:
        nonlocal steps
        steps += 1
        if steps == after:
            raise Killed

    with pytest.raises(Killed):
        tb.solve(problem, **asked, out=folder, progress=kill)  # type: ignore[arg-type]
    return tb.solve(problem, **asked, out=folder, resume=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("start", "threads", "after"),
    [
        *(("coarse", 1, after) for after in (1, 37, 130, 200)),
        *(("coarse", 2, after) for after in (1, 5, 9)),
        *(("uniform", 1, after) for after in (2, 40)),
        ("classical", 1, 20),
    ],
)
def test_a_solve_killed_anywhere_resumes_to_the_same_design(
    tmp_path: Path, start: str, threads: int, after: int
) -> None:
    result = resumed(SMALL, {**request(start), "threads": threads}, tmp_path, after)
    whole = undisturbed(start)
    np.testing.assert_array_equal(result.design, whole.design)
    np.testing.assert_array_equal(result.density, whole.density)
    assert result.compliance == whole.compliance
    assert result.certificate == whole.certificate
    assert [row["compliance"] for row in result.history] == [row["compliance"] for row in whole.history]
    result.save(tmp_path)
    if result.converged:
        assert not (tmp_path / "checkpoint").exists()


SCATTERED = replace(problems.cantilever((60, 20), volume=0.15), options=tb.Options(projection=False))


@pytest.fixture(scope="module")
def searched_twice() -> tb.Result:
    """A result whose search went on to further designs."""
    return tb.solve(SCATTERED, threads=1)


@pytest.mark.parametrize("after", [500, 790])
def test_a_search_for_further_designs_resumes_too(
    tmp_path: Path, searched_twice: tb.Result, after: int
) -> None:
    """Whether it is made depends on what was found before."""
    whole = searched_twice
    assert sum(stage.iterations for stage in whole.stages if stage.name.startswith("search")) > 500
    result = resumed(SCATTERED, {"threads": 1}, tmp_path, after)
    np.testing.assert_array_equal(result.design, whole.design)
    assert result.stages[-1].iterations == whole.stages[-1].iterations


def test_resuming_another_problem_or_request_is_refused(tmp_path: Path) -> None:
    tb.solve(SMALL, start="uniform", iterations=4, out=tmp_path, threads=1)
    assert list((tmp_path / "checkpoint").iterdir())
    for problem, start in ((problems.cantilever((96, 48), volume=0.3), "uniform"), (SMALL, "uniform")):
        proposals = None if problem is not SMALL else 3
        with pytest.raises(UnreadableError, match="another problem"):
            tb.solve(
                problem, start=start, proposals=proposals, iterations=4, out=tmp_path, resume=True, threads=1
            )


def test_nothing_to_resume_is_a_solve_from_the_beginning(tmp_path: Path) -> None:
    result = tb.solve(SMALL, start="uniform", iterations=4, out=tmp_path / "new", resume=True, threads=1)
    assert result.iterations == 4


SCRIPT = """
import sys, pathlib
import trabecula as tb
from trabecula.optimize import checkpoint
from trabecula.problem import problems
checkpoint._PATIENCE = 0.0
out = pathlib.Path(sys.argv[1])
seen = 0
def told(step):
    global seen
    seen += 1
    if seen == 60:
        print("now", flush=True)
        sys.stdin.read()
tb.solve(problems.cantilever((96, 48)), start="uniform", out=out, threads=1, progress=told)
"""


def test_a_killed_process_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    words = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"
        process.kill()
    assert (tmp_path / "checkpoint").is_dir()
    steps: list[tb.Progress] = []
    result = tb.solve(SMALL, start="uniform", out=tmp_path, resume=True, threads=1, progress=steps.append)
    assert 57 <= steps[0].iteration <= 60
    np.testing.assert_array_equal(result.design, undisturbed("uniform").design)


@dataclass(frozen=True)
class Remembered:
    """The memory of somebody else's optimiser: whatever arrays it was given."""

    held: dict[str, np.ndarray]

    def arrays(self) -> dict[str, np.ndarray]:
        return dict(self.held)


class Foreign:
    """Somebody else's optimiser without a `repr` of its own, which remembers more, under names of its own."""

    def __init__(self, more: dict[str, np.ndarray]) -> None:
        self.more = more

    def start(self) -> Remembered:
        return Remembered({"steps": np.array(0.0)})

    def step(self, state, x, found, lower, upper, adapt, share):  # type: ignore[no-untyped-def]
        steps = state.held["steps"] + 1.0
        (limit,) = found.constraints
        oc = OC(move=0.2 / float(1.0 + 0.1 * steps))
        new, _ = oc.step(oc.start(), x, found.gradient, limit.value, limit.gradient, lower, upper)
        momentum = 0.5 * (state.held.get("before", x)) + 0.5 * new
        return momentum, Remembered({"steps": steps, "before": x, **self.more})

    def restore(self, arrays):  # type: ignore[no-untyped-def]
        return Remembered(dict(arrays))


def foreign(**more: object) -> Foreign:
    return Foreign({name: np.asarray(value) for name, value in more.items()})


@pytest.mark.parametrize("steps", [1, 4, 11])
def test_the_memory_of_a_foreign_optimiser_is_kept_under_its_names(tmp_path: Path, steps: int) -> None:
    of = plan(optimizer=foreign(secants=np.arange(5.0), rate=0.5))
    undisturbed = run(Analysis(PROBLEM, 1), of, first(of).x)
    travelled(Checkpoints(tmp_path), of, steps)
    again = plan(optimizer=foreign(secants=np.arange(5.0), rate=0.5))
    seen = travelled(Checkpoints(tmp_path, resume=True), again)
    assert len(seen) <= 12 - steps + 3
    np.testing.assert_array_equal(seen[-1].x, undisturbed.x)
    kept = seen[-1].memory.arrays()
    assert kept.keys() == {"steps", "before", "secants", "rate"} and kept["steps"] == 12.0


@pytest.mark.parametrize(
    "more",
    [
        {"wide": np.zeros((2, 6, 12))},
        {"long": np.zeros(10_001)},
        {"single": np.zeros(3, np.float32)},
        {"words": np.array("no")},
        {"Capital": np.zeros(3)},
        {"../out": np.zeros(3)},
    ],
    ids=str,
)
def test_a_memory_that_cannot_be_kept_is_refused_when_it_is_written(
    tmp_path: Path, more: dict[str, np.ndarray]
) -> None:
    with pytest.raises(BrokenEntryError, match=r"the optimizer Foreign remembers '.*which cannot be kept"):
        travelled(Checkpoints(tmp_path), plan(optimizer=Foreign(more)))


def test_a_memory_of_another_shape_is_refused(tmp_path: Path) -> None:
    of = plan(optimizer=foreign())
    travelled(Checkpoints(tmp_path), of, 6)
    path = tmp_path / "it.npz"
    with np.load(path) as kept:
        arrays = dict(kept)
    arrays["memory_before"] = np.zeros((6, 12, 2))
    np.savez(path, **arrays)
    with pytest.raises(UnreadableError):
        travelled(Checkpoints(tmp_path, resume=True), of)
