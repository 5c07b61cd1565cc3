"""`solve --watch` and `--gif`: pictures of a solve at work, and nobody else's files touched."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

import trabecula as tb
from tests.cli.conftest import Run
from trabecula.cli import watch
from trabecula.cli.watch import MOST_FRAMES, Animation, Watch
from trabecula.problem import problems
from trabecula.results.result import Result
from trabecula.storage.owned import Owned, hold

PLATE = problems.cantilever((64, 32))


class Recorder:
    """Stands for what writes animations: keeps what it was given."""

    def __init__(self) -> None:
        self.frames: list[np.ndarray] = []
        self.captions: Sequence[str] = ()
        self.spacing: Sequence[float] = ()

    def animate(
        self, densities: Sequence[np.ndarray], captions: Sequence[str], spacing: Sequence[float]
    ) -> bytes:
        self.frames, self.captions, self.spacing = list(densities), captions, spacing
        return b"GIF89a of a test"


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    made, module = Recorder(), ModuleType("trabecula.drawing.animation")
    module.animate = made.animate  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "trabecula.drawing.animation", module)
    return made


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Pictures as they come, one of every step."""
    monkeypatch.setattr(watch, "PERIOD", 0.0)
    monkeypatch.setattr(watch, "SHARE", 1e9)
    written: list[bytes] = []
    plain = Owned.write_bytes

    def write(self: Owned, name: str, content: bytes) -> None:
        if name == watch.PICTURE:
            written.append(content)
        plain(self, name, content)

    monkeypatch.setattr(Owned, "write_bytes", write)
    return written


def test_the_picture_is_kept_current_and_ends_as_that_of_the_result(
    run: Run, small: Path, tmp_path: Path, every_step: list[bytes]
) -> None:
    out = tmp_path / "r"
    done = run("solve", small, "--watch", "--start", "uniform", "--iterations", "6", "--out", out, "-q")
    assert done.exit_code == 3, done.output
    assert len(every_step) == 6 + 1, "every step, and the result"
    assert len(set(every_step)) == len(every_step)
    for png in every_step:
        assert Image.open(BytesIO(png)).format == "PNG"
    assert (out / "progress.png").read_bytes() == (out / "design.png").read_bytes() == every_step[-1]


def test_it_is_drawn_about_once_a_second_and_seldom_where_drawing_is_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, drawn = [100.0], []

    def slow(*given: object, **how: object) -> bytes:
        drawn.append(now[0])
        now[0] += took
        return b"picture"

    monkeypatch.setattr(watch.time, "monotonic", lambda: now[0])
    monkeypatch.setattr("trabecula.drawing.picture", slow)
    step = next(iter(tb.iterate(PLATE, start="uniform")))
    for took, wait in ((0.01, 1.0), (3.0, 30.0)):
        with hold(tmp_path / str(took), "result") as folder:
            watching, begun = Watch(PLATE, folder), now[0]
            drawn.clear()
            for moment in (0.0, 0.9 * wait, 0.99 * wait, 1.01 * wait):
                now[0] = max(now[0], begun + moment)
                watching(step)
            assert drawn == [begun, pytest.approx(begun + 1.01 * wait)]


def test_a_new_solve_without_it_leaves_no_old_picture(run: Run, small: Path, tmp_path: Path) -> None:
    out = tmp_path / "r"
    words = ("solve", small, "--start", "uniform", "--iterations", "2", "--out", out, "-q")
    assert run(*words, "--watch").exit_code == 3
    assert (out / "progress.png").is_file()
    assert run(*words).exit_code == 3
    assert not (out / "progress.png").exists()


@pytest.mark.parametrize(("option", "name"), [("--watch", "progress.png"), ("--gif", "design.gif")])
def test_a_picture_of_somebody_else_is_never_replaced(
    run: Run, small: Path, tmp_path: Path, option: str, name: str
) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / name).write_bytes(b"mine")
    done = run("solve", small, option, "--out", tmp_path / "r")
    assert done.exit_code == 2
    assert name in done.stderr and "never overwritten" in done.stderr
    assert [path.name for path in (tmp_path / "r").iterdir()] == [name], "nothing was begun"
    assert (tmp_path / "r" / name).read_bytes() == b"mine"


def test_the_animation_shows_the_finest_grid_and_ends_with_the_result(
    run: Run, tmp_path: Path, recorder: Recorder
) -> None:
    out = tmp_path / "r"
    (tmp_path / "plate.yaml").write_text(tb.dump(PLATE))
    done = run("solve", tmp_path / "plate.yaml", "--gif", "--out", out, "--proposals", "4", "-q")
    assert done.exit_code == 0, done.output
    assert (out / "design.gif").read_bytes() == b"GIF89a of a test"
    result = Result.load(out)
    frames, captions = recorder.frames, recorder.captions
    assert recorder.spacing == PLATE.domain.spacing and len(captions) == len(frames)
    assert all(frame.shape == (32, 64) and frame.dtype == np.float32 for frame in frames)
    assert len(frames) > 5
    np.testing.assert_allclose(frames[-1], result.density, atol=0.5 / 255 + 1e-6)
    numbers = [int(text.split()[1].rstrip(",")) for text in captions]
    assert numbers == sorted(numbers), "one design, not several beside each other"
    assert numbers[0] == 1 and numbers[-1] == result.iterations
    assert captions[-1].endswith(f"{result.compliance:.4g}")
    change = [float(np.abs(a - b).mean()) for a, b in pairwise(frames)]
    assert change[-1] < 0.1 * max(change), "it comes to rest"


def test_a_long_run_is_thinned_evenly(tmp_path: Path) -> None:
    with hold(tmp_path / "r", "result") as folder:
        animation = Animation(PLATE, folder)
        grey = replace(PLATE, options=replace(PLATE.options, projection=False))
        result = tb.solve(grey, start="uniform", iterations=250, tolerance=1e-9, progress=animation)
        assert result.iterations > 2 * MOST_FRAMES
        shown = [int(text.split()[1].rstrip(",")) for text in animation.frames(result)[1]]
    assert MOST_FRAMES // 2 <= len(shown) <= MOST_FRAMES + 1
    steps = {late - early for early, late in pairwise(shown[:-1])}
    assert len(steps) == 1, steps


def test_a_solve_that_was_finished_already_shows_its_result(
    run: Run, solved: Path, recorder: Recorder
) -> None:
    done = run("solve", "--resume", solved, "--gif", "--watch")
    assert done.exit_code == 0, done.output
    assert "nothing was iterated here" in done.stderr
    assert len(recorder.frames) == 1
    assert (solved / "progress.png").read_bytes() == (solved / "design.png").read_bytes()
