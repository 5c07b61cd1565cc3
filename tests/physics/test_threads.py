"""Threads of the compiled core: forks, several Python threads, the same bits, the end of the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

import trabecula as tb
from tests.physics.blocks import INSTRUCTION_SETS, block, compiled, using
from trabecula.physics import VoxelState, thread_count
from trabecula.physics import threads as counting
from trabecula.problem import problems

SLOWEST = 120
"""Seconds after which a child that hangs is a failure, on a busy machine too."""

PRELUDE = """
import os, sys, threading
import numpy as np
import trabecula as tb
from trabecula.physics import VoxelState
from trabecula.physics import threads as counting
from trabecula.discretisation import discretise
from trabecula.problem import problems

counting.processor_count = lambda: 4  # so that there are threads on any machine
PLATE = problems.cantilever((96, 48))


def solve(_=None):
    return tb.solve(PLATE, start="uniform", iterations=3, threads=2).compliance.hex()


def product(stop=lambda: False, threads=2, begun=threading.Event()):
    discrete = discretise(problems.cantilever_3d((24, 12, 12)))
    state = VoxelState(discrete, threads)
    state.set_stiffness(np.ones(discrete.grid.shape))
    u = np.random.default_rng(0).standard_normal(discrete.fixed.shape)
    first = state.apply(u)
    begun.set()
    while not stop():
        state._core.apply_single(5)
    return first


def in_child(action):
    child = os.fork()
    if child == 0:
        try:
            print(action(), flush=True)
            os._exit(0)
        except BaseException as error:
            print(repr(error), flush=True)
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
"""


def run(script: str, code: int = 0) -> list[str]:
    """The lines that a script after `PRELUDE` prints; it and its children end after `SLOWEST` seconds."""
    with subprocess.Popen(
        [sys.executable, "-c", PRELUDE + script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=SLOWEST)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert (process.returncode, err) == (code, "")
    return out.split("\n")[:-1]


def test_a_solve_in_a_fork_and_in_its_fork_gives_the_bits_of_the_parent() -> None:
    lines = run("""
def both():
    in_child(solve)
    return solve()

print(solve(), flush=True)
in_child(both)
print(solve())
""")
    assert len(lines) == 4
    assert len(set(lines)) == 1


@pytest.mark.parametrize(
    "pool", ["multiprocessing.get_context('fork').Pool(2)", "ProcessPoolExecutor(2, get_context('fork'))"]
)
def test_pools_of_forked_processes_solve_after_the_parent_did(pool: str) -> None:
    lines = run(f"""
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

before = solve()
with {pool} as pool:
    print(before, *pool.map(solve, range(3)))
""")
    assert len(lines) == 1
    found = lines[0].split()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_fork_works_while_other_python_threads_are_inside_kernels() -> None:
    lines = run("""
done = threading.Event()
others = [threading.Thread(target=product, args=(done.is_set, threads)) for threads in (2, 3)]
print(solve(), flush=True)
for other in others:
    other.start()
for _ in range(5):
    in_child(solve)
done.set()
for other in others:
    other.join()
print(solve())
""")
    assert len(lines) == 7
    assert len(set(lines)) == 1


DAEMONS = """
for _ in range(3):
    threading.Thread(target=product, daemon=True).start()
print(solve())
sys.exit(5)
"""
EXIT_IN_A_THREAD = """
other = threading.Thread(target=lambda: (solve(), sys.exit(3)))
other.start()
other.join()
print(solve())
"""
DAEMON_AND_FORK = """
begun = threading.Event()  # a child of a process whose other thread imports waits for that import for ever
threading.Thread(target=lambda: product(begun=begun), daemon=True).start()
begun.wait()
in_child(solve)
sys.exit(6)
"""
CHILD_ENDS_BY_ITSELF = """
solve()
child = os.fork()
if child:
    sys.exit(os.wait()[1] >> 8)
print(solve())
sys.exit(7)
"""


@pytest.mark.parametrize(
    ("script", "code"),
    [(DAEMONS, 5), (EXIT_IN_A_THREAD, 0), (DAEMON_AND_FORK, 6), (CHILD_ENDS_BY_ITSELF, 7)],
    ids=["daemon threads in kernels", "exit in a thread", "daemon and fork", "child that ends by itself"],
)
def test_the_process_ends_with_its_own_code_and_without_a_word(script: str, code: int) -> None:
    lines = run(script, code)
    assert len(lines) == 1


def test_importing_starts_no_thread_and_many_callers_share_the_workers() -> None:
    lines = run("""
from pathlib import Path
from trabecula.physics.compiled_core import core

def native():
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else 0

before = native()
core.convolve(np.ones((4, 4, 4)), np.ones((1, 1, 1)), np.empty((4, 4, 4)), threads=1)
print(native() - before)
done = threading.Event()
callers = [threading.Thread(target=product, args=(done.is_set, 4)) for _ in range(8)]
for caller in callers:
    caller.start()
most = max(native() for _ in range(2000))
done.set()
for caller in callers:
    caller.join()
print(most - before - len(callers) <= max(3, (os.cpu_count() or 1) - 1))
""")
    assert lines == ["0", "True"]


@pytest.mark.parametrize("instruction_set", INSTRUCTION_SETS)
@pytest.mark.parametrize("heat", [False, True], ids=["elasticity", "heat"])
@pytest.mark.parametrize("elements", [(97, 41), (24, 13, 17), (3000, 2), (40, 40, 3)], ids=str)
def test_the_solver_gives_the_same_bits_on_any_number_of_threads(
    elements: tuple[int, ...], heat: bool, instruction_set: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "processor_count", lambda: 5)
    problem = block(elements, heat=heat)
    random = np.random.default_rng(0)
    stiffness = random.uniform(0.01, 1.0, problem.grid.shape)

    def results(threads: int) -> tuple[NDArray[np.float64], ...]:
        with using(instruction_set):
            state = VoxelState(problem, threads)
        state.set_stiffness(stiffness)
        u, info = state.solve(problem.loads[0], tolerance=1e-7)
        return u, state.bilinear(u, u), state.apply(u), np.array([info.iterations, info.residual])

    alone = results(1)
    for threads in (2, 3, 5):
        for found, expected in zip(results(threads), alone, strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("instruction_set", INSTRUCTION_SETS)
def test_the_kernels_of_a_step_give_the_same_bits_on_any_number_of_threads(instruction_set: str) -> None:
    core = compiled(instruction_set)
    alone = _step(core, 1)
    for threads in (2, 3, 5, 4096):
        for found, expected in zip(_step(core, threads), alone, strict=True):
            np.testing.assert_array_equal(found, expected)


def _step(core: ModuleType, threads: int, n: int = 30_001) -> list[NDArray[np.float64]]:
    """What convolution, OC, its adaption and MMA's dual make of the same random design."""
    random = np.random.default_rng(0)
    x, gain, turn = random.uniform(0.1, 0.9, n), -random.lognormal(size=n), random.standard_normal(n)
    zero, one = np.zeros(n), np.ones(n)
    made = [np.empty(n) for _ in range(4)]
    sums = np.empty(13)
    multiplier = core.oc_update(x, gain, one, zero, one, x, made[0], 1e-3, 0.2, 0.0, False, 3.0, threads)
    core.oc_adapt(x, gain, turn, made[1], 1.1, 0.7, 0.1, 0.9, threads)
    p = random.uniform(0.1, 1.0, (4, n))
    multipliers = np.array([0.5, 0.0, 2.0])
    core.mma_dual(x - 0.5, x + 0.5, x - 0.2, x + 0.2, p, p, multipliers, made[2], sums, threads)
    shape = (1, 3, n // 3)
    weights = random.uniform(size=(1, 2, 3))
    core.convolve(
        x[: n // 3 * 3].reshape(shape), weights, made[3][: n // 3 * 3].reshape(shape), threads=threads
    )
    return [*made[:3], made[3][: n // 3 * 3], sums, np.array(multiplier)]


@pytest.mark.parametrize("problem", [problems.cantilever((96, 48)), problems.cantilever_3d((20, 10, 10))])
def test_a_whole_solve_gives_the_same_bits_on_any_number_of_threads(
    problem: tb.Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "processor_count", lambda: 5)
    alone, *others = (tb.solve(problem, start="uniform", iterations=8, threads=n) for n in (1, 2, 3, 5))
    for threads, other in zip((2, 3, 5), others, strict=True):
        assert other.threads == threads
        assert other.compliance == alone.compliance
        np.testing.assert_array_equal(other.design, alone.design)


def test_python_threads_that_solve_at_once_give_the_bits_of_one_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counting, "processor_count", lambda: 4)
    problem = block((24, 13, 17))

    def solve(threads: int) -> NDArray[np.float64]:
        state = VoxelState(problem, threads)
        state.set_stiffness(np.random.default_rng(0).uniform(0.01, 1.0, problem.grid.shape))
        return np.concatenate([state.solve(problem.loads[0])[0] for _ in range(4)])

    alone = solve(1)
    with ThreadPoolExecutor(6) as pool:
        for found in pool.map(solve, [2, 2, 4, 1, 3, 2]):
            np.testing.assert_array_equal(found, alone)


@pytest.mark.parametrize(
    ("given", "threads"),
    [
        ("3", 3), ("2,3", 2), (" 2 ", 2), ("+2", 2), ("007", 7), ("9" * 5000, 8), ("1000", 8),
        ("0", 8), ("-3", 8), ("foo", 8), ("", 8), (",2", 8), ("2foo", 8), ("1.5", 8),
        ("\u00b2", 8), ("\u0663", 8),
    ],
)  # fmt: skip
def test_what_is_no_number_of_threads_stands_for_all_processors_and_more_than_those_for_all(
    given: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "processor_count", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert thread_count() == threads
    assert thread_count(5) == 5
    assert thread_count(1024) == 8
    assert thread_count(0) == 1


def test_a_thousand_threads_can_be_asked_for_and_are_not_started() -> None:
    lines = run("""
from pathlib import Path

counting.processor_count = lambda: os.cpu_count() or 1
problem = problems.cantilever((96, 48))
result = tb.solve(problem, start="uniform", iterations=3, threads=1024)
print(result.compliance.hex() == solve(), result.threads <= (os.cpu_count() or 1))
counting.processor_count = lambda: 1024
print(tb.solve(problem, start="uniform", iterations=3, threads=1024).compliance.hex() == solve())
tasks = Path("/proc/self/task")
print(len(list(tasks.iterdir())) < 300 if tasks.exists() else True)
""")
    assert lines == ["True True", "True", "True"]
