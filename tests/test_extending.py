"""Every example of a part of one's own is solved by its name, has right gradients, and `check` agrees."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import trabecula as tb
from tests.extending import FOLDER, NAMES, TABLES, examples
from trabecula.certificate.bound import reason_unbounded
from trabecula.design import DesignChain, make_filter, make_interpolation
from trabecula.discretisation import discretise
from trabecula.discretisation.hierarchy import grid_hierarchy
from trabecula.discretisation.nondimensional import nondimensional
from trabecula.optimize.analysis import Analysis
from trabecula.problem import loads

Array = NDArray[np.float64]
ROOT = FOLDER.parents[1]


@pytest.fixture(scope="module")
def parts() -> Iterator[dict[str, ModuleType]]:
    """All examples, imported."""
    with examples(*NAMES) as modules:
        yield modules


def command(*words: str | Path, plugins: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, with examples as plugins."""
    path = os.pathsep.join([str(FOLDER), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "TRABECULA_PLUGINS": plugins, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-m", "trabecula", *map(str, words)]
    return subprocess.run(line, check=False, capture_output=True, text=True, env=environment)


SOLVED = {
    "mechanism.yaml": ("quantity_mechanism", "no lower bound is known"),
    "stress.yaml": ("quantity_stress", ""),
    "erode.yaml": ("filter_erode", ""),
    "fin.yaml": ("physics_fin", ""),
    "sinh.yaml": ("interpolation_sinh,optimizer_momentum", ""),
}
"""Problem files: the examples that each names, and what beside its part keeps it from being certified."""


@pytest.mark.parametrize("file", SOLVED)
def test_a_problem_file_that_names_it_is_solved_and_confirmed(file: str, tmp_path: Path) -> None:
    plugins, missing = SOLVED[file]
    solved = command(
        *("solve", FOLDER / file, "--out", tmp_path / "r", "--start", "uniform", "--no-history", "--json"),
        plugins=plugins,
    )
    assert solved.returncode == 0, solved.stderr
    told = json.loads(solved.stdout)
    assert told["word"] == ("verified" if told["not_certified"] else "certified")
    assert missing in (told["not_certified"] or "")
    assert missing or not re.search("bound|KKT|converged", told["not_certified"] or "")
    checked = command("check", tmp_path / "r", "--json", plugins=plugins)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    without = command("solve", FOLDER / file, "--out", tmp_path / "s")
    assert without.returncode == 2
    assert re.match(r"trabecula: [\w.\[\]]+: .*needs (one of|exactly one)", without.stderr), without.stderr


def test_a_start_and_an_export_are_asked_for_by_their_names(tmp_path: Path) -> None:
    plugins = "start_patient,export_obj,filter_erode"
    words = ("--start", "patient", "--iterations", "3", "--export", "obj", "--no-history", "-q")
    solved = command("solve", FOLDER / "erode.yaml", "--out", tmp_path / "r", *words, plugins=plugins)
    assert solved.returncode == 3, solved.stderr  # it stops at its limit of iterations
    lines = (tmp_path / "r" / "design.obj").read_text().splitlines()
    corners = np.array([line.split()[1:] for line in lines if line.startswith("v ")], float)
    faces = np.array([line.split()[1:] for line in lines if line.startswith("f ")], int)
    assert faces.min() == 1 and faces.max() == len(corners)
    assert corners.max() <= 2000.0 + 1e-9 and corners.min() >= -1e-9
    a, b, c = (corners[faces[:, corner] - 1] for corner in range(3))
    volume = float(np.einsum("fi,fi->", a, np.cross(b - a, c - a))) / 6.0
    assert 0.2e9 * 1000 < 1000 * volume < 2e9 * 1000
    shown = json.loads((tmp_path / "r" / "result.json").read_text())
    assert shown["start"] == "patient" and shown["iterations"] == 3


def test_a_part_that_fails_is_named_and_not_taken_for_a_mistake_of_the_package(tmp_path: Path) -> None:
    text = (FOLDER / "filter_erode.py").read_text()
    broken = text.replace(
        "return np.asarray(1.0 - np.log", "return density.nothing - np.asarray(1.0 - np.log"
    )
    assert broken != text
    (tmp_path / "filter_broken.py").write_text(broken)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "TRABECULA_PLUGINS": "filter_broken", "PYTHONPATH": path}
    line = [
        sys.executable,
        "-m",
        "trabecula",
        "solve",
        str(FOLDER / "erode.yaml"),
        "--out",
        str(tmp_path / "r"),
        "-q",
    ]
    found = subprocess.run(line, check=False, capture_output=True, text=True, env=environment)
    assert found.returncode == 2
    last = found.stderr.strip().splitlines()[-1]
    assert last.startswith(
        "trabecula: the module 'filter_broken' of TRABECULA_PLUGINS failed (AttributeError: "
    )


def problem_of(file: str, **options: Any) -> tb.Problem:
    problem = tb.load(FOLDER / file)
    return replace(problem, options=replace(problem.options, **options))


def sample(problem: tb.Problem) -> Array:
    discrete = discretise(problem)
    return np.clip(
        np.random.default_rng(3).uniform(0.2, 0.9, discrete.grid.shape), discrete.lower, discrete.upper
    )


@pytest.mark.filterwarnings("ignore::trabecula.physics.SlowMachineWarning")
@pytest.mark.parametrize("file", SOLVED)
@pytest.mark.usefixtures("parts")
def test_gradients_are_those_of_finite_differences(file: str) -> None:
    """Of the objective and all limits, through the filter, with respect to the design variables."""
    problem = problem_of(file)
    analysis = Analysis(discretise(problem), 1)
    x = sample(problem)
    direction = np.random.default_rng(4).normal(size=x.shape)
    direction[analysis.discrete.lower == analysis.discrete.upper] = 0.0
    found = analysis.evaluate(x, 3.0, tolerance=1e-12)

    def values(step: float) -> Array:
        at = analysis.evaluate(x + step * direction, 3.0, tolerance=1e-12)
        return np.array([at.objective, *(limit.value for limit in at.constraints)])

    steps = 1e-5
    slopes = (values(steps) - values(-steps)) / (2 * steps)
    exact = [
        np.vdot(g, direction) for g in (found.gradient, *(limit.gradient for limit in found.constraints))
    ]
    np.testing.assert_allclose(exact, slopes, rtol=2e-6, atol=1e-9)


@pytest.mark.usefixtures("parts")
def test_springs_at_the_ports_are_springs_in_the_stiffness_matrix(parts: dict[str, ModuleType]) -> None:
    problem = problem_of("mechanism.yaml")
    discrete = discretise(problem)
    analysis = Analysis(discrete, 1)
    x = sample(problem)
    at = analysis.measure(x, 3.0, tolerance=1e-12)
    quantity = problem.goal.keys
    from trabecula.physics.assembled import AssembledState

    state = AssembledState(discrete)
    state.set_stiffness(at.stiffness)
    matrix = state.assemble().toarray()
    p_in, p_out = at.load(0).ravel(), quantity._port(at).ravel()
    matrix += 0.1 * np.outer(p_in, p_in) + 0.1 * np.outer(p_out, p_out)
    free = ~at.fixed.ravel()
    moved = np.zeros(free.size)
    moved[free] = np.linalg.solve(matrix[np.ix_(free, free)], p_in[free])
    assert quantity.value(at) == pytest.approx(float(p_out @ moved), rel=1e-8)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("{x: 2, y: [0, 0.05]}\n  dir", "{x: 2, y: [0.01, 0.02]}\n  dir", "goal.where: selects no nodes"),
        ("[-1, 0]", "[-1]", "goal.direction: got [-1.0]; needs 2 numbers"),
        ("[-1, 0]", "[0, 0]", "goal.direction: got [0.0, 0.0]; needs 2 numbers, not all 0"),
    ],
)
@pytest.mark.usefixtures("parts")
def test_a_port_that_means_nothing_is_refused_in_one_sentence(before: str, after: str, said: str) -> None:
    text = (FOLDER / "mechanism.yaml").read_text()
    assert before in text
    with pytest.raises(tb.ProblemError) as caught:
        tb.solve(loads(text.replace(before, after)), start="uniform", threads=1)
    assert str(caught.value).startswith(said)


@pytest.mark.usefixtures("parts")
def test_the_stress_norm_bounds_the_largest_stress_from_above() -> None:
    problem = problem_of("stress.yaml")
    at = Analysis(discretise(problem), 1).measure(sample(problem), 3.0)
    gentle, steep = (replace(problem.goal.limits[0].keys, p=p).value(at) for p in (8.0, 64.0))
    assert gentle > steep > 0
    assert gentle < steep * at.physical.size ** (1 / 8)


@pytest.mark.usefixtures("parts")
def test_a_limit_on_the_stress_is_kept_and_costs_stiffness() -> None:
    problem = problem_of("stress.yaml")
    limited = tb.solve(problem, start="uniform", threads=1)
    plain = tb.solve(problem, limits=[tb.Limit("volume", 0.5)], start="uniform", threads=1)
    stress = problem.goal.limits[0].keys
    of_plain = stress.value(Analysis(discretise(problem), 1).measure(plain.design.astype(float), 3.0))
    assert of_plain > 1.02 * problem.goal.limits[0].value
    assert limited.compliance > plain.compliance
    assert all(limit.met for limit in limited.limits)


@pytest.mark.usefixtures("parts")
def test_what_erodes_is_below_the_mean_and_above_the_minimum_and_permits_no_convex_proof() -> None:
    problem = problem_of("erode.yaml", penalty=1.0)
    discrete = discretise(problem)
    chain = DesignChain(discrete, 1)
    assert not chain.is_linear and not chain.filter.is_linear
    x = np.random.default_rng(0).uniform(size=discrete.grid.shape)
    mean = DesignChain(
        replace(discrete, options=replace(discrete.options, filter=tb.FilterOptions("density", 0.15))), 1
    )
    eroded, near = chain.physical(x), mean.physical(x)
    assert (eroded < near).all() and eroded.min() >= 0.0
    for beta, reach in ((1e-3, 1e-4), (4.0, 1.0)):
        kind = replace(problem.options.filter.keys, beta=beta)
        soft = make_filter(discretise(problem_of("erode.yaml", filter=kind))).forward(x)
        assert np.abs(soft - near).max() < reach
    linear = tb.solve(problem, filter="density", start="uniform", threads=1)
    eroding = tb.solve(problem, start="uniform", threads=1)
    assert linear.certificate.gap is not None and linear.certificate.gap < 0.01
    assert eroding.certificate.gap is None or eroding.certificate.gap > linear.certificate.gap


@pytest.mark.usefixtures("parts")
def test_a_filter_is_given_metres_on_every_grid_and_reaches_over_the_elements_of_a_coarse_one() -> None:
    text = (FOLDER / "erode.yaml").read_text()
    for before, after in (
        ("[2.0, 1.0], elements: [40, 20]", "[0.002, 0.001], elements: [160, 80]"),
        ("{x: 2, y: [0.45, 0.55]}", "{x: 0.002, y: [0.00045, 0.00055]}"),
        ("radius: 0.15", "radius: 2.4e-5"),
    ):
        assert before in text
        text = text.replace(before, after)
    problem = loads(text)
    scaled = nondimensional(discretise(problem)).problem
    grids = grid_hierarchy(scaled)
    assert len(grids) > 1
    fine = make_filter(discretise(problem)).mean.smoothing  # type: ignore[attr-defined]
    assert make_filter(scaled).mean.smoothing == fine  # type: ignore[attr-defined]
    assert fine.spacing == problem.domain.spacing and fine.radius == pytest.approx(2.4e-5)
    coarse = make_filter(grids[0]).mean.smoothing  # type: ignore[attr-defined]
    assert coarse.radius == pytest.approx(1.5 * max(coarse.spacing))


@pytest.mark.usefixtures("parts")
def test_a_whole_search_over_the_grids_works_with_a_filter_and_an_interpolation_of_ones_own() -> None:
    problem = replace(tb.load(FOLDER / "erode.yaml"), domain=tb.Domain((2.0, 1.0), (80, 40)))
    result = tb.solve(problem, interpolation="sinh", proposals=2, iterations=30, threads=2)
    assert result.certificate.lower_bound is not None
    assert result.check().ok
    assert result.problem.options.interpolation == "sinh"
    assert result.problem.options.filter.kind == "erode"


@pytest.mark.usefixtures("parts")
def test_a_promise_of_an_interpolation_is_looked_at(parts: dict[str, ModuleType]) -> None:
    sinh = parts["interpolation_sinh"].Sinh

    class Stiff(sinh):  # type: ignore[misc, valid-type]
        """Claims to be below the linear one, and is above it."""

        def value(self, density: Array) -> Array:
            return np.sqrt(np.maximum(density, 1e-9))

        def derivative(self, density: Array) -> Array:
            return 0.5 / np.sqrt(np.maximum(density, 1e-9))

    discrete = discretise(problem_of("fin.yaml", interpolation=sinh(sharpness=2.0)))
    assert reason_unbounded(discrete) == ""
    assert make_interpolation(discrete) == sinh(3.0, discrete.options.minimum_stiffness, 2.0)
    options = replace(discrete.options, interpolation=Stiff())
    assert reason_unbounded(replace(discrete, options=options)) == "no bound is known for this interpolation"


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("optimizer", ["momentum", "mma"])
def test_an_optimiser_of_ones_own_comes_near_to_the_known_ones(optimizer: str) -> None:
    problem = problem_of("sinh.yaml", interpolation=None, optimizer=None)
    known = tb.solve(problem, start="uniform", threads=1)
    own = tb.solve(problem, start="uniform", optimizer=optimizer, threads=1)
    assert own.compliance < 1.05 * known.compliance
    assert own.problem.options.optimizer == optimizer


@pytest.mark.usefixtures("parts")
def test_its_memory_is_kept_and_an_interrupted_solve_goes_on_to_the_same_bits(
    tmp_path: Path, parts: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trabecula.optimize.checkpoint._PATIENCE", 0.0)
    problem = problem_of("sinh.yaml", optimizer=parts["optimizer_momentum"].Momentum(momentum=0.3))
    words: dict[str, Any] = {"start": "uniform", "iterations": 25, "threads": 1}
    whole = tb.solve(problem, **words)
    with tb.iterate(problem, out=tmp_path, **words) as steps:
        for step in steps:
            if step.iteration == 12:
                break
    with np.load(tmp_path / "checkpoint" / "uniform.npz") as kept:
        assert kept["memory_direction"].shape == whole.density.shape
    resumed = tb.solve(problem, out=tmp_path, resume=True, **words)
    np.testing.assert_array_equal(resumed.design, whole.design)
    assert resumed.iterations == whole.iterations


@pytest.mark.parametrize("name", NAMES)
def test_every_part_stands_in_its_table_with_a_description(parts: dict[str, ModuleType], name: str) -> None:
    kind = name.partition("_")[0]
    table = {
        "export": tb.EXPORTS, "filter": tb.FILTERS, "interpolation": tb.INTERPOLATIONS,
        "optimizer": tb.OPTIMIZERS, "physics": tb.PHYSICS, "quantity": tb.QUANTITIES, "start": tb.STARTS,
    }[kind]  # fmt: skip
    registered = re.findall(
        r"^tb\.[A-Z]+\.register\(([\w.]+|\"\w+\")", (FOLDER / f"{name}.py").read_text(), re.M
    )
    assert len(registered) == 1
    ours = [each for each in table if type(table[each]).__module__ == f"example_{name}"]
    ours += [each for each in table if getattr(table[each], "__module__", "") == f"example_{name}"]
    ours += [each for each in table if each in ("fin", "patient") and kind in ("physics", "start")]
    assert ours and all(table.description(each) for each in ours)


def test_the_page_shows_the_very_files() -> None:
    """They are included when the site is built, which fails where one is missing."""
    page = (ROOT / "docs" / "extending.md").read_text()
    shown = re.findall(r'^```\w+ title="examples/extending/([\w.]+)"\n--8<-- "([\w.]+)"\n```$', page, re.M)
    assert all(title == included for title, included in shown)
    assert sorted(included for _, included in shown) == sorted(path.name for path in FOLDER.glob("*.*"))
    settings = (ROOT / "mkdocs.yml").read_text()
    assert "pymdownx.snippets: {base_path: [examples/extending], check_paths: true}" in settings


@pytest.mark.usefixtures("parts")
def test_what_the_page_says_of_tables_and_groups_is_so() -> None:
    page = (ROOT / "docs" / "extending.md").read_text()
    rows = re.findall(r"\| `tb\.([A-Z]+)` \| [^|]*`tb\.(\w+)` \| `([\w.]+)` \|", page)
    assert {getattr(tb, table).group for table, _, _ in rows} == {group for _, _, group in rows}
    assert all(getattr(tb, table).group == group and hasattr(tb, each) for table, each, group in rows)
    assert len(rows) == len(TABLES)
