"""`trabecula solve` as a user meets it."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Run
from trabecula.optimize import checkpoint as checkpoints
from trabecula.optimize import checkpoint_format as checkpoint
from trabecula.results.result import Result
from trabecula.strategy import first_design

KEYS = [
    "name", "version", "word", "status", "start", "machine", "converged", "iterations", "solves", "seconds",
    "compliance", "volume", "objective", "limits", "elements", "threads", "out", "certificate", "stages",
]  # fmt: skip
PROOF = {
    "equilibrium_residual", "kkt_residual", "lower_bound", "gap", "volume_violation", "connected", "grey",
}  # fmt: skip


def test_the_folder_holds_what_is_promised(solved: Path) -> None:
    names = {path.name for path in solved.iterdir()}
    assert {"problem.yaml", "result.json", "density.npy", "history.csv", "design.png"} <= names
    assert not {"design.stl", "design.vti", "report.html"} & names
    density = np.load(solved / "density.npy", allow_pickle=False)
    assert density.dtype == np.float32
    assert density.shape == (12, 24)
    assert (solved / "design.png").read_bytes().startswith(b"\x89PNG")


def test_json_is_exactly_one_object_with_the_promised_keys(run: Run, small: Path, tmp_path: Path) -> None:
    done = run("solve", small, "--json", "--out", tmp_path / "r", "--threads", "1")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found)[: len(KEYS)] == KEYS
    assert set(found["certificate"]) == PROOF
    assert all(set(stage) == {"name", "iterations", "seconds"} for stage in found["stages"])
    assert found["elements"] == [24, 12]
    assert found["threads"] == 1
    assert found["converged"] is True
    assert found["certificate"]["equilibrium_residual"] <= 1e-8
    assert found["certificate"]["lower_bound"] <= found["compliance"]
    assert json.loads((tmp_path / "r" / "result.json").read_text()) == found


@pytest.mark.parametrize(("asked", "said"), [("1", "on 1 thread\n"), (None, "on 1 thread\n")])
def test_the_estimate_is_of_the_threads_that_are_used(
    run: Run, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str | None, said: str
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    options = () if asked is None else ("--threads", asked)
    done = run("solve", small, "--out", tmp_path / "r", "--iterations", "2", *options)
    assert re.search(r"about .* GB " + said, done.stderr)


def test_a_summary_names_the_word_the_gap_and_the_picture(run: Run, small: Path, tmp_path: Path) -> None:
    done = run("solve", small, "--out", tmp_path / "r", "--stl", "--vti", "--report")
    assert done.exit_code == 0, done.stderr
    word = json.loads((tmp_path / "r" / "result.json").read_text())["word"]
    assert f"Small  {word}" in done.stdout
    for asked in ("mass ", "moves ", "safety ", "one piece ", "gap "):
        assert f"\n  {asked}" in done.stdout, asked
    for name in ("design.png", "design.stl", "design.vti", "report.html"):
        assert str(tmp_path / "r" / name) in done.stdout
        assert (tmp_path / "r" / name).stat().st_size > 100
    assert "\x1b" not in done.output


def test_quiet_says_nothing(run: Run, small: Path, tmp_path: Path) -> None:
    done = run("solve", small, "--quiet", "--out", tmp_path / "r")
    assert done.exit_code == 0
    assert done.output == ""


def test_a_named_problem_needs_no_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("solve", "mbb", "--iterations", "1", "--quiet")
    assert done.exit_code == 3
    assert (tmp_path / "out" / "mbb" / "result.json").is_file()


def test_stopping_early_is_exit_code_three_and_is_kept(run: Run, small: Path, tmp_path: Path) -> None:
    done = run("solve", small, "--iterations", "2", "--out", tmp_path / "r", "--json")
    assert done.exit_code == 3
    assert json.loads(done.stdout)["converged"] is False
    assert "before convergence" in done.stderr
    assert Result.load(tmp_path / "r").converged is False


def test_what_stopped_early_goes_on_with_more_iterations(
    run: Run, small: Path, solved: Path, tmp_path: Path
) -> None:
    assert run("solve", small, "--iterations", "2", "--out", tmp_path / "r", "-q").exit_code == 3
    assert run("solve", "--resume", tmp_path / "r", "-q").exit_code == 3
    assert list((tmp_path / "r" / "checkpoint").glob("*.npz"))
    done = run("solve", "--resume", tmp_path / "r", "--iterations", "300", "-q")
    assert done.exit_code == 0, done.output
    longer, undisturbed = Result.load(tmp_path / "r"), Result.load(solved)
    assert longer.converged
    assert longer.iterations == undisturbed.iterations
    np.testing.assert_allclose(longer.density, undisturbed.density, atol=1e-6)
    assert not (tmp_path / "r" / "checkpoint").exists()


@pytest.mark.parametrize(("patience", "is_kept"), [(0.0, True), (600.0, False)])
def test_dying_between_the_design_and_its_result_loses_no_more_than_is_allowed(
    run: Run,
    small: Path,
    solved: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    patience: float,
    is_kept: bool,
) -> None:
    def full(*where: object, **how: object) -> None:
        raise OSError(28, "No space left on device", "density.npy")

    with monkeypatch.context() as patch:
        patch.setattr("trabecula.optimize.checkpoint._PATIENCE", patience)  # seconds that may be lost
        patch.setattr(Result, "save", full)
        assert run("solve", small, "--out", tmp_path / "r", "-q").exit_code == 2
    assert bool(list((tmp_path / "r").glob("checkpoint/*.npz"))) == is_kept
    assert run("solve", "--resume", tmp_path / "r", "-q").exit_code == 0
    np.testing.assert_array_equal(Result.load(tmp_path / "r").density, Result.load(solved).density)


def test_resuming_what_was_cut_off_after_its_result_clears_up(
    run: Run, small: Path, solved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(folder: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("trabecula.optimize.checkpoint._PATIENCE", 0.0)  # so that there is something to clear
        patch.setattr("trabecula.results.result.forget", killed)
        assert run("solve", small, "--out", tmp_path / "r", "-q").exit_code == 130
    assert (tmp_path / "r" / "checkpoint").is_dir()
    assert run("solve", "--resume", tmp_path / "r", "-q").exit_code == 0
    assert {path.name for path in (tmp_path / "r").iterdir()} == {path.name for path in solved.iterdir()}


def test_resuming_a_finished_solve_shows_it(run: Run, solved: Path) -> None:
    before = (solved / "result.json").read_bytes()
    done = run("solve", "--resume", solved, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["converged"] is True
    assert (solved / "result.json").read_bytes() == before


def test_a_second_solve_replaces_the_first(run: Run, small: Path, solved: Path) -> None:
    assert run("export", solved, "--stl", "--vti").exit_code == 0
    (solved / "design.vti").write_text("changed by hand")
    done = run("solve", small, "--out", solved, "--iterations", "1", "-q")
    assert done.exit_code == 3
    assert not (solved / "design.stl").exists()
    assert (solved / "design.vti").read_text() == "changed by hand"
    assert Result.load(solved).iterations == 1


class Interrupted:
    """A solver that is stopped by Ctrl-C."""

    def __call__(self, problem: object, **options: object) -> None:
        raise KeyboardInterrupt


def test_an_interruption_says_how_to_go_on(
    run: Run, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import trabecula.solve  # noqa: F401

    monkeypatch.setattr(sys.modules["trabecula.solve"], "solve", Interrupted())
    done = run("solve", small, "--out", tmp_path / "r")
    assert done.exit_code == 130
    assert f"trabecula solve --resume {tmp_path / 'r'}" in done.stderr
    assert (tmp_path / "r" / "problem.yaml").is_file()
    assert "Traceback" not in done.output


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill -9"])
def test_what_was_cut_off_resumes_to_the_same_design(
    tmp_path: Path, run: Run, small: Path, how: signal.Signals
) -> None:
    small.write_text(small.read_text().replace("[24, 12]", "[60, 30]"))
    words = [sys.executable, "-m", "trabecula", "solve", str(small)]
    whole = [*words, "--out", str(tmp_path / "whole"), "-q", "--threads", "1"]
    assert subprocess.run(whole, check=False).returncode == 0
    cut = [*words, "--out", str(tmp_path / "cut"), "--threads", "1"]
    with subprocess.Popen(cut, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        for line in process.stderr:
            if "iteration" in line:
                process.send_signal(how)
                break
        said = process.stderr.read()
        code = process.wait()
    assert code in (0, 130, -signal.SIGKILL), said
    assert code != 130 or "--resume" in said
    assert run("solve", "--resume", tmp_path / "cut", "-q").exit_code == 0
    first, second = (Result.load(tmp_path / name) for name in ("whole", "cut"))
    np.testing.assert_allclose(second.density, first.density, atol=1e-6)
    assert second.iterations == first.iterations


BAD = {
    "nothing given": ([], "give a problem file"),
    "no such file": (["none.yaml"], "no such file"),
    "no such name": (["mbbb"], "did you mean mbb"),
    "a folder": (["{tmp}"], "is a folder; give the path of a problem file"),
    "binary": (["{tmp}/binary.yaml"], "UTF-8"),
    "not a problem": (["{tmp}/list.yaml"], "mapping"),
    "a negative tolerance": (["{tmp}/small.yaml", "--tolerance", "-1"], "above 0"),
    "no tolerance": (["{tmp}/small.yaml", "--tolerance", "nan"], "above 0"),
    "no threads": (["{tmp}/small.yaml", "--threads", "0"], "threads"),
    "an unknown start": (["{tmp}/small.yaml", "--start", "lucky"], "coarse"),
    "too little memory": (["{tmp}/small.yaml", "--max-memory", "1e-6"], "--max-memory"),
    "out is a file": (["{tmp}/small.yaml", "--out", "{tmp}/binary.yaml"], "is a file"),
    "out below a file": (["{tmp}/small.yaml", "--out", "{tmp}/binary.yaml/r"], "not a directory"),
    "resume nowhere": (["--resume", "{tmp}/none"], "does not exist"),
    "resume a file": (["--resume", "{tmp}/small.yaml"], "not a folder"),
    "resume an empty folder": (["--resume", "{tmp}"], "holds no problem.yaml"),
    "an unknown option": (["{tmp}/small.yaml", "--colour"], "--colour"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_message_and_exit_code_two(run: Run, small: Path, tmp_path: Path, case: str) -> None:
    (tmp_path / "binary.yaml").write_bytes(bytes(range(256)))
    (tmp_path / "list.yaml").write_text("- 1\n")
    words, said = BAD[case]
    done = run("solve", *(word.format(tmp=tmp_path) for word in words))
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_the_problem_file_itself_is_never_overwritten(run: Run, tmp_path: Path, small: Path) -> None:
    path = small.rename(tmp_path / "problem.yaml")
    text = path.read_text()
    done = run("solve", path, "--out", tmp_path)
    assert done.exit_code == 2
    assert "would overwrite" in done.stderr
    assert path.read_text() == text


def test_a_bad_problem_leaves_an_earlier_result_alone(run: Run, small: Path, solved: Path) -> None:
    small.write_text(small.read_text().replace("fix: [x, y]", "fix: [x]"))
    before = (solved / "result.json").read_bytes()
    done = run("solve", small, "--out", solved)
    assert done.exit_code == 2
    assert "slide in y" in done.stderr
    assert (solved / "result.json").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{other}", "--resume", "{solved}"], "is not the problem in"),
        (["--resume", "{solved}", "--start", "uniform"], "differs from the interrupted solve"),
        (["--resume", "{solved}", "--out", "{tmp}"], "leave --out"),
    ],
)
def test_resuming_something_else_is_refused(
    run: Run, small: Path, solved: Path, tmp_path: Path, words: list[str], said: str
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(small.read_text().replace("volume: 0.5", "volume: 0.4"))
    done = run("solve", *(word.format(other=other, solved=solved, tmp=tmp_path) for word in words))
    assert done.exit_code == 2
    assert said in done.stderr


def test_resuming_with_the_same_file_is_fine(run: Run, small: Path, solved: Path) -> None:
    assert run("solve", small, "--resume", solved, "-q").exit_code == 0


@pytest.mark.parametrize("content", ["{", "[]", '{"start": 3}', '{"other": 1}'])
def test_a_damaged_request_is_refused(run: Run, solved: Path, content: str) -> None:
    (solved / "request.json").write_text(content)
    done = run("solve", "--resume", solved)
    assert done.exit_code == 2
    assert "request.json" in done.stderr


def test_cautions_are_said_on_stderr(run: Run, small: Path, tmp_path: Path) -> None:
    done = run("solve", small, "--out", tmp_path / "r", "--json")
    assert "about" in done.stderr
    json.loads(done.stdout)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("goal: {minimize: volume, compliance: 0.005}", "no design as stiff uses less"),
        ("goal: {minimize: compliance, volume: 0.5}", "no design of this volume is below"),
    ],
)
def test_the_bound_is_said_in_the_words_of_the_goal(
    run: Run, small: Path, tmp_path: Path, asked: str, said: str
) -> None:
    text = small.read_text().replace("goal: {minimize: compliance, volume: 0.5}", asked)
    small.write_text(text)
    done = run("solve", small, "--out", tmp_path / "r")
    assert said in done.stdout, done.output


def test_where_no_bound_holds_none_is_said(run: Run, small: Path, tmp_path: Path) -> None:
    small.write_text(
        small.read_text().replace("force: [0, -1000]}]", "force: [0, -1000]}, {gravity: [0, -9.81]}]")
    )
    done = run("solve", small, "--out", tmp_path / "r")
    assert "own weight: the load depends on the design" in done.stdout, done.output
    assert json.loads((tmp_path / "r" / "result.json").read_text())["certificate"]["gap"] is None


THIN_SOLID = """\
trabecula: 1
name: Solid
domain: {size: [2, 1, 1], elements: [40, 20, 20]}
material: steel
supports: [{where: {x: 0}, fix: [x, y, z]}]
loads: [{where: {x: 2, y: 0}, force: [0, -1000, 0]}]
goal: {minimize: compliance, volume: 0.2}
options: {filter: {kind: density, radius: 0.07}}
"""
"""On its coarsest grid voxels are wider than the filter: a search always follows."""


def test_a_first_design_is_told_while_the_search_goes_on(run: Run, tmp_path: Path) -> None:
    (tmp_path / "solid.yaml").write_text(THIN_SOLID)
    words = ("--start", "learned", "--proposals", "2", "--iterations", "12", "--out", tmp_path / "r")
    done = run("solve", tmp_path / "solid.yaml", *words)
    assert done.exit_code == 3, done.output
    (line,) = [line for line in done.stderr.splitlines() if "first design" in line]
    assert "finished: compliance about" in line and line.endswith("s; searching on")


@pytest.mark.parametrize("is_result", [False, True])
def test_a_first_design_is_told_in_the_plane_by_the_default_start_and_may_be_the_result(
    is_result: bool, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_result:
        monkeypatch.setattr(first_design, "better_end", lambda analysis, found, first: first)
    shape = "{size: [1.2, 0.5], elements: [120, 50]}"
    (tmp_path / "plate.yaml").write_text(
        f"trabecula: 1\ndomain: {shape}\nmaterial: steel\nsupports: [{{where: {{x: 0}}, fix: [x, y]}}]\n"
        "loads: [{where: {x: 1.2, y: 0.25}, force: [0, -1000]}]\n"
        "goal: {minimize: compliance, volume: 0.4}\n"
    )
    done = run("solve", tmp_path / "plate.yaml", "--out", tmp_path / "r")
    assert done.exit_code == 0, done.output
    (line,) = [line for line in done.stderr.splitlines() if "first design" in line]
    assert "finished: compliance about" in line and line.endswith("s; searching on")
    checked = run("check", tmp_path / "r")
    assert checked.exit_code == 0, checked.output


@pytest.fixture
def cut(run: Run, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A uniform solve that stopped after four iterations, with its checkpoint and without its result."""
    monkeypatch.setattr(checkpoints, "_PATIENCE", 0.0)
    monkeypatch.setattr(checkpoint, "machine_name", lambda: "compiled for another")
    folder = tmp_path / "cut"
    assert (
        run("solve", small, "--start", "uniform", "--iterations", "4", "--out", folder, "-q").exit_code == 3
    )
    monkeypatch.undo()
    (folder / "result.json").unlink()
    return folder


def test_without_its_request_a_solve_goes_on_as_its_checkpoints_say(run: Run, cut: Path) -> None:
    (cut / "request.json").unlink()
    done = run("solve", "--resume", cut, "--json", "-q", "--iterations", "300")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["start"] == "uniform"


def test_without_request_and_checkpoints_nothing_is_taken_for_asked(run: Run, cut: Path) -> None:
    (cut / "request.json").unlink()
    shutil.rmtree(cut / "checkpoint")
    done = run("solve", "--resume", cut, "-q")
    assert done.exit_code == 2
    assert "request.json: does not exist, so it is not known how the solve was asked for" in done.stderr


def test_another_instruction_set_is_said(run: Run, cut: Path) -> None:
    done = run("solve", "--resume", cut, "-q", "--iterations", "300")
    assert done.exit_code == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith("trabecula: note: begun with trabecula")
    assert "compiled for another, going on with" in line
