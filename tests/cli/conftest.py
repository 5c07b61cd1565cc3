"""A small problem, solved once for all tests of the command line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from trabecula.cli.app import app

SMALL = """\
trabecula: 1
name: Small
domain: {size: [2, 1], elements: [24, 12], thickness: 0.1}
material: steel
supports: [{where: {x: 0}, fix: [x, y]}]
loads: [{where: {x: 2, y: 0}, force: [0, -1000]}]
goal: {minimize: compliance, volume: 0.5}
"""

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """Run the command line in this process."""

    def go(*words: str | Path) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "100", "NO_COLOR": "1"})

    return go


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A problem file that solves in a moment."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture(scope="session")
def solved_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("solved")
    (folder / "small.yaml").write_text(SMALL)
    words = ["solve", str(folder / "small.yaml"), "--out", str(folder / "out"), "--quiet"]
    assert CliRunner().invoke(app, words).exit_code == 0
    return folder / "out"


@pytest.fixture
def solved(solved_once: Path, tmp_path: Path) -> Path:
    """A result folder of one's own."""
    return Path(shutil.copytree(solved_once, tmp_path / "solved"))
