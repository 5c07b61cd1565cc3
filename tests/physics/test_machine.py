"""Two machines give the same answers; the package works where there is no compiled core, and says so."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import trabecula as tb
from tests.physics.blocks import block, struts
from trabecula.cli.edge import BAD_INPUT, explain
from trabecula.design import Schedule
from trabecula.design.filters import Cone
from trabecula.discretisation import discretise
from trabecula.optimize.analysis import Analysis
from trabecula.optimize.loop import run
from trabecula.optimize.plan import Plan, Stop
from trabecula.optimizers import MMA, OC, MovingAsymptotes, OptimalityCriteria
from trabecula.physics import (
    Machine,
    MachineError,
    SlowMachineWarning,
    default_machine,
    machine,
    machine_name,
    machine_of,
)
from trabecula.physics.assembled import AssembledState, make_witness
from trabecula.physics.assembled_machine import AssembledMachine
from trabecula.physics.compiled_machine import CompiledMachine
from trabecula.problem import problems, save

Array = NDArray[np.float64]
COMPILED, ASSEMBLED = CompiledMachine(2), AssembledMachine(2)


@pytest.fixture
def _afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if no machine had been chosen in this process, with nothing asked for."""
    machine._choose.cache_clear()
    monkeypatch.delenv(machine.VARIABLE, raising=False)
    yield
    machine._choose.cache_clear()


@pytest.mark.parametrize("heat", [False, True], ids=["elasticity", "heat"])
@pytest.mark.parametrize("elements", [(17, 9), (9, 6, 5)], ids=["plane", "solid"])
def test_states_of_both_machines_agree(elements: tuple[int, ...], heat: bool) -> None:
    problem = block(elements, heat=heat)
    relative, load = struts(problem, 0, void=1e-6), problem.loads[0]
    answers = []
    for one in (COMPILED, ASSEMBLED):
        state = one.state(problem)
        state.set_stiffness(relative)
        u, how = state.solve(load, tolerance=1e-11)
        assert how.residual <= 1e-10
        assert how.method == {"compiled": "multigrid", "assembled": "direct"}[one.name.split()[0]]
        np.testing.assert_array_equal(u[problem.fixed], 0.0)
        np.testing.assert_array_equal(state.bilinear(u, u), state.bilinear(u, u))
        answers.append((u, state.bilinear(u, u), state.apply(u)))
    for found, expected in zip(*answers, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max())


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 7), st.integers(1, 9)),
    reach=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4)),
    seed=st.integers(0, 2**31),
    is_masked=st.booleans(),
)
def test_convolutions_agree(
    shape: tuple[int, ...], reach: tuple[int, ...], seed: int, is_masked: bool
) -> None:
    random = np.random.default_rng(seed)
    voxels, octant = random.standard_normal(shape), random.random(tuple(map(min, reach, shape)))
    masks = tuple(random.random((2, *shape))) if is_masked else (None, None)
    expected = COMPILED.convolve(voxels, octant, *masks)
    np.testing.assert_allclose(ASSEMBLED.convolve(voxels, octant, *masks), expected, atol=1e-12)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    reciprocal=st.booleans(),
    each=st.booleans(),
    value=st.floats(-0.5, 0.5),
    scale=st.floats(-100.0, 100.0),
    guess=st.sampled_from([-300.0, 0.0, 7.0]),
)
def test_steps_of_optimality_criteria_agree(
    seed: int, reciprocal: bool, each: bool, value: float, scale: float, guess: float
) -> None:
    random, n = np.random.default_rng(seed), 300
    x, dc = random.random(n), -np.exp(random.normal(0.0, 3.0, n) + scale)
    dc[random.random(n) < 0.1] *= -1.0
    dc[random.random(n) < 0.05] = 0.0
    dv = random.uniform(0.5, 1.5, n) / n
    dv[random.random(n) < 0.1] = 0.0
    exponent = random.uniform(0.3, 12.0, n) if each else np.array([0.5])
    size = float(np.abs(dc) @ x) if reciprocal else 1.0
    given_ = (x, dc, dv, np.zeros(n), np.ones(n), exponent, 1e-3, 0.2, value * size, reciprocal, guess)
    found, multiplier = ASSEMBLED.oc_update(*given_)
    expected, other = COMPILED.oc_update(*given_)
    np.testing.assert_allclose(found, expected, atol=1e-7)
    if abs(other) < 1e3:
        assert multiplier == pytest.approx(other, abs=1e-6)
    change, residual = found - x, value * size
    if reciprocal:
        share = np.where(dc < 0.0, x * (1.0 - x / np.maximum(found, 1e-12)), change)
        residual += float(dc @ share)
        assert residual == pytest.approx(_residual_of(expected, x, dc, value * size), abs=1e-9 * size)
    else:
        assert residual + dv @ change == pytest.approx(residual + dv @ (expected - x), abs=1e-10)


def _residual_of(new: Array, x: Array, dc: Array, value: float) -> float:
    share = np.where(dc < 0.0, x * (1.0 - x / np.maximum(new, 1e-12)), new - x)
    return value + float(dc @ share)


def test_adaption_and_duals_agree() -> None:
    random, n = np.random.default_rng(5), 400
    exponent, step, last = random.uniform(0.3, 12.0, n), random.standard_normal(n), random.integers(-1, 2, n)
    given_ = (exponent, step, last.astype(float), 1.5, 0.5, 0.3, 12.0)
    np.testing.assert_allclose(ASSEMBLED.oc_adapt(*given_), COMPILED.oc_adapt(*given_), rtol=1e-14)
    x, p, q = random.random(n), *random.uniform(0.0, 2.0, (2, 4, n))
    for multipliers in (np.array([0.5, 0.0, 3.0]), np.zeros(0)):
        rows = slice(0, 1 + multipliers.size)
        arrays = (x - 0.4, x + 0.5, x - 0.1, x + 0.1, p[rows].copy(), q[rows].copy(), multipliers)
        for found, expected in zip(ASSEMBLED.mma_dual(*arrays), COMPILED.mma_dual(*arrays), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-11)


def test_everything_takes_a_machine_and_passes_it_on() -> None:
    discrete = block((6, 4))
    analysis = Analysis(discrete, ASSEMBLED)
    assert analysis.machine is ASSEMBLED and analysis.chain.machine is ASSEMBLED
    assert isinstance(analysis.state, AssembledState)
    assert Cone((4, 6), (1.0, 1.0), 1.5, ASSEMBLED).machine is ASSEMBLED
    for step in (OC, MMA):
        assert step(machine=ASSEMBLED) == step() and step().machine.threads == 1
        assert "machine" not in repr(step())
    assert Analysis(discrete, 1).threads == 1 and Analysis(discrete, 1).machine == CompiledMachine(1)
    assert make_witness(discrete, 0).is_direct is False


def test_threads_are_chosen_once() -> None:
    assert default_machine(1) == CompiledMachine(1) and machine_of(ASSEMBLED) is ASSEMBLED
    assert machine_of(1).threads == 1 and machine_of(None) == default_machine()
    assert COMPILED.with_threads(1) == CompiledMachine(1) and ASSEMBLED.with_threads(3).threads == 3


SOURCE = Path(tb.__file__).parent


def test_the_compiled_core_is_asked_for_by_its_machine_only() -> None:
    asking = {
        str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py") if "compiled_core" in path.read_text()
    }
    own = {f"physics/{name}.py" for name in ("compiled_machine", "machine", "voxel")}  # machine: is it there?
    assert asking - {"physics/compiled_core.py"} == own | {"cli/edge.py"}  # edge: its exceptions


@pytest.mark.parametrize("room", ["design", "optimizers"])
def test_designs_and_optimizers_are_given_a_machine_and_no_threads(room: str) -> None:
    for path in (SOURCE / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.arg) and node.arg == "threads"), path
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                assert node.target.id != "threads", path


@pytest.mark.usefixtures("_afresh")
def test_the_variable_chooses_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine_name().startswith("compiled ")
    monkeypatch.setenv(machine.VARIABLE, "assembled")
    assert machine_name() == "assembled" and default_machine(1) == AssembledMachine(1)
    monkeypatch.setenv(machine.VARIABLE, "compiled")
    assert default_machine(1) == CompiledMachine(1)
    monkeypatch.setenv(machine.VARIABLE, "abacus")
    with pytest.raises(
        MachineError, match="TRABECULA_MACHINE is 'abacus'; it can be compiled or assembled"
    ) as caught:
        default_machine()
    assert explain(caught.value)[1] == BAD_INPUT


@pytest.mark.usefixtures("_afresh")
def test_without_a_core_the_assembled_machine_takes_over_with_one_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from trabecula.physics import compiled_core

    def fail(name: str) -> ModuleType:
        raise compiled_core.CoreError("the compiled core is not here; install it")

    monkeypatch.delitem(vars(compiled_core), "core", raising=False)
    monkeypatch.setattr(compiled_core, "_load", fail)
    with pytest.warns(
        SlowMachineWarning, match="not here; install it; until then .* many times slower"
    ) as notes:
        found: list[Machine] = [default_machine(2) for _ in range(3)]
    assert found == [AssembledMachine(thread) for thread in (found[0].threads,) * 3]
    assert len(notes) == 1
    monkeypatch.setenv(machine.VARIABLE, "compiled")
    with pytest.raises(compiled_core.CoreError, match="not here"):
        default_machine()
    monkeypatch.setenv(machine.VARIABLE, "assembled")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert default_machine(1).name == "assembled"


WITHOUT = """
import importlib.abc, sys

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.startswith("trabecula._core_"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Refuse())
"""
"""Makes the compiled core impossible to import."""

SOLVED = {
    "plane": "problems.get('mbb', (30, 10))",
    "solid": "problems.get('cantilever_3d', (10, 5, 5))",
    "heat": "problems.get('heat_sink', (16, 16))",
    "MMA": "changed(problems.get('mbb', (30, 10)), optimizer='mma')",
    "volume": "replace(problems.get('mbb', (30, 10)), goal=Goal('volume', compliance=(8.0,)))",
    "convex": "changed(problems.get('cantilever', (24, 12)), penalty=1.0)",
    "helmholtz": "changed(problems.get('mbb', (30, 10)), filter=FilterOptions('helmholtz', None))",
}

SOLVE = """
import json
from dataclasses import replace

import trabecula as tb
from trabecula.problem import problems, save
from trabecula.problem.model import FilterOptions, Goal


def changed(problem, **options):
    return replace(problem, options=replace(problem.options, **options))


found = {{}}
for name, problem in {named}.items():  # grey ones, whose last digits no projection makes larger
    result = tb.solve(changed(problem, projection=False), start="uniform", threads=1)
    result.save({folder!r} + "/" + name)
    found[name] = [result.compliance, result.volume, result.word, result.machine, result.check().ok]
    found[name].append(result.certificate.lower_bound)
print(json.dumps(found))
"""


def solve_all(folder: Path, prelude: str = "", **variables: str) -> dict[str, list[object]]:
    """Solve the problems in a process of its own."""
    named = "{" + ", ".join(f"{name!r}: {made}" for name, made in SOLVED.items()) + "}"
    script = prelude + SOLVE.format(named=named, folder=str(folder))
    environment = {name: value for name, value in os.environ.items() if name != machine.VARIABLE}
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", script],
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    found: dict[str, list[object]] = json.loads(done.stdout)
    return found


Both = tuple[dict[str, list[object]], dict[str, list[object]], Path]


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, list[object]], dict[str, list[object]], Path]:
    folder = tmp_path_factory.mktemp("machines")
    slow = solve_all(folder / "slow", WITHOUT, TRABECULA_MACHINE="assembled")
    return slow, solve_all(folder / "fast"), folder


@pytest.mark.parametrize("name", SOLVED)
def test_the_package_solves_without_a_core_what_it_solves_with_it(name: str, both: Both) -> None:
    slow, fast, folder = both
    compliance, volume, word, by, is_confirmed, bound = slow[name]
    assert by == "assembled" and str(fast[name][3]).startswith("compiled ")
    assert is_confirmed is True and fast[name][4] is True
    assert word == fast[name][2]
    assert compliance == pytest.approx(fast[name][0], rel=AGREE[name])
    assert volume == pytest.approx(fast[name][1], rel=AGREE[name])
    assert bound == pytest.approx(fast[name][5], rel=2e-3)
    result = tb.Result.load(folder / "slow" / name)
    assert result.check().ok  # by the process that has a core
    analysis = Analysis(discretise(result.problem), COMPILED)
    found = analysis.evaluate(result.design, result.penalty, tolerance=1e-9)
    assert found.compliance == pytest.approx(compliance, rel=1e-6)


AGREE = {
    "plane": 5e-4, "solid": 2e-4, "heat": 1e-5, "MMA": 1e-5, "volume": 1e-5, "convex": 1e-6, "helmholtz": 2e-4
}  # fmt: skip
"""How near whole solves end: on the way the compiled machine solves to 1e-3, the assembled one exactly."""


@pytest.mark.parametrize("name", ["mbb", "cantilever_3d", "heat_sink"])
@pytest.mark.parametrize("optimizer", [OC, MMA], ids=["OC", "MMA"])
def test_steps_of_both_machines_are_the_same_to_rounding_where_both_solve_exactly(
    name: str, optimizer: type[OC] | type[MMA]
) -> None:
    elements = {"mbb": (24, 8), "cantilever_3d": (8, 4, 4), "heat_sink": (12, 12)}[name]
    designs = []
    for one in (COMPILED, ASSEMBLED):
        analysis = Analysis(discretise(problems.get(name, elements)), one)
        adapter = OptimalityCriteria if optimizer is OC else MovingAsymptotes
        plan = Plan(adapter(optimizer(machine=one)), Schedule(3.0, 3.0), Stop(limit=12), tolerance=1e-11)
        designs.append(run(analysis, plan, analysis.chain.uniform(0.4)).x)
    np.testing.assert_allclose(designs[1], designs[0], atol=1e-6)


@cache
def cut_off() -> list[str]:
    """A command line in a process that cannot import the core."""
    return [sys.executable, "-c", WITHOUT + "from trabecula.cli.app import app\napp(sys.argv[1:])"]


def test_the_command_line_works_without_a_core_and_says_so_once(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != machine.VARIABLE}
    path = tmp_path / "small.yaml"
    save(problems.get("mbb", (24, 8)), path)
    out = str(tmp_path / "out")

    def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*cut_off(), *arguments], env=environment | variables, capture_output=True, text=True, check=False
        )

    solved = call("solve", str(path), "--out", out, "--start", "uniform", "--json")
    assert solved.returncode in (0, 3), solved.stderr
    assert json.loads(solved.stdout)["machine"] == "assembled"
    said = [line for line in solved.stderr.splitlines() if "assembled machine" in line]
    assert len(said) == 1 and said[0].startswith("trabecula: note: the compiled core ")
    assert "many times slower" in said[0] and "pip install" in said[0]
    checked = call("check", out)
    assert checked.returncode == 0, checked.stderr
    quiet = call("check", out, TRABECULA_MACHINE="assembled")
    assert (quiet.returncode, quiet.stderr) == (0, "")
    refused = call("check", out, TRABECULA_MACHINE="compiled")
    assert refused.returncode == BAD_INPUT and len(refused.stderr.splitlines()) == 1
    assert refused.stderr.startswith("trabecula: the compiled core _core_base")
    unknown = call("check", out, TRABECULA_MACHINE="abacus")
    assert unknown.returncode == BAD_INPUT and "it can be compiled or assembled" in unknown.stderr
