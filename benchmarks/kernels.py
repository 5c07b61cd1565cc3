"""Claim: the products of the fine grid run within 70 % of the figures the design was made for, and many times
faster than an assembled sparse matrix, on any instruction set.

The figures (another processor, AMD Zen 4 with AVX-512): float32 106 and 207, float64 61 and 120 million
elements per second on one and two threads, 3-D. Measured: the products K u of the finest grid, on padded
arrays as the solver has them (float32 in the multigrid cycle, float64 in the conjugate gradients around
it), SciPy's product with the assembled matrix in the same types, the energies u_e K0 u_e and u_e K0 v_e of
every element beside those in NumPy, the cone filter beside `scipy.ndimage.convolve`, and the OC step beside
NumPy's bisection. Every instruction set this processor has runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve

from benchmarks.report import Cell, Figure, Table, arguments, finish, median_seconds, parse_size, size_text
from trabecula.design.filters.cone import Cone
from trabecula.discretisation import discretise
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimizers import OC
from trabecula.physics import VoxelState, default_machine
from trabecula.physics.assembled import AssembledState
from trabecula.problem import problems

Array = NDArray[np.float64]
Size = tuple[int, ...]
Rates = dict[tuple[str, str, int, str], float]
"""By instruction set, size, threads and what."""

LIBRARIES = {
    "float32": "SciPy's sparse matrix",
    "float64": "SciPy's sparse matrix",
    "energy": "NumPy, slab by slab",
    "bilinear": "NumPy, slab by slab",
    "filter": "scipy.ndimage.convolve",
    "OC": "NumPy's bisection",
}

SIZES = ((96, 48, 48), (160, 80, 80), (1000, 500))
QUICK = ((32, 16, 16), (100, 50))
WANTED = {("float32", 1): 106.0, ("float32", 2): 207.0, ("float64", 1): 61.0, ("float64", 2): 120.0}
"""Million elements per second, 3-D, as designed for."""
SHARE = 0.7
RADIUS = 1.5
ASSEMBLED = 600_000
"""Elements up to which the matrix is assembled: a million would take 15 GB on the way."""


def cantilever(elements: Size) -> DiscreteProblem:
    """The cantilever of as many dimensions as the grid has."""
    make = problems.cantilever if len(elements) == 2 else problems.cantilever_3d
    return discretise(make(elements=elements))


def rate(action: Callable[[], object], elements: Size, calls: int = 1) -> float:
    """Million elements per second: the median of seven (three, if slow), after one for warmth."""
    clock = time.perf_counter()
    action()
    repeats = 7 if time.perf_counter() - clock < 1 else 3
    return math.prod(elements) * calls / median_seconds(action, repeats) / 1e6


def products(elements: Size, threads: int) -> dict[str, float]:
    """Rates of the compiled products."""
    discrete = cantilever(elements)
    state = VoxelState(discrete, threads)
    random = np.random.default_rng(0)
    state.set_stiffness(random.uniform(0.1, 1.0, discrete.grid.shape))
    u = random.standard_normal(discrete.fixed.shape)
    state.apply(u)  # leaves it in the padded arrays
    calls = max(1, 2_000_000 // math.prod(elements))
    core = state._core
    v = u[::-1].copy()
    return {
        "float32": rate(lambda: core.apply_single(calls), elements, calls),
        "float64": rate(lambda: core.apply_double(calls), elements, calls),
        "energy": rate(lambda: state.bilinear(u, u), elements),
        "bilinear": rate(lambda: state.bilinear(u, v), elements),
    }


def assembled(elements: Size) -> dict[str, float]:
    """Rates of SciPy's product with the assembled matrix, and of element energies in NumPy, on one thread."""
    discrete = cantilever(elements)
    random = np.random.default_rng(0)
    state = AssembledState(discrete)
    state.set_stiffness(random.uniform(0.1, 1.0, discrete.grid.shape))
    matrix = state.assemble().tocsr()
    found = {}
    for name in ("float64", "float32"):
        matrix = matrix.astype(name)
        u = random.standard_normal(matrix.shape[1]).astype(name)
        found[name] = rate(partial(matrix.dot, u), elements)
    u, v = random.standard_normal((2, *discrete.fixed.shape))
    found["energy"] = rate(partial(state.energy, u), elements)
    found["bilinear"] = rate(partial(state.bilinear, u, v), elements)
    return found


def bisection(x: Array, dc: Array, dv: Array, move: float = 0.2) -> Array:
    """The OC step of the 88-line code in NumPy."""
    low, high = 0.0, 1e9
    new = x
    while (high - low) / (high + low) > 1e-9:
        middle = 0.5 * (low + high)
        grown = x * np.sqrt(-dc / dv / middle)
        new = np.clip(np.clip(grown, x - move, x + move), 0.0, 1.0)
        low, high = (middle, high) if new.sum() > x.sum() else (low, middle)
    return new


def design(elements: Size) -> tuple[Array, Array, Array]:
    """Random densities, sensitivities of the compliance and of the volume."""
    random = np.random.default_rng(0)
    shape = elements[::-1]
    x = random.uniform(0.1, 0.9, shape)
    return x, -random.lognormal(size=shape), np.full(shape, 1.0 / x.size)


def filters_and_steps(elements: Size, threads: int) -> dict[str, float]:
    """Rates of the cone filter and the OC step."""
    x, dc, dv = design(elements)
    lower, upper = np.zeros_like(x), np.ones_like(x)
    machine = default_machine(threads)
    cone = Cone(x.shape, (1.0,) * x.ndim, RADIUS, machine)
    oc = OC(machine=machine)
    return {
        "filter": rate(lambda: cone.apply(x), elements),
        "OC": rate(lambda: oc.step(oc.start(), x, dc, 0.0, dv, lower, upper), elements),
    }


def libraries(elements: Size) -> dict[str, float]:
    """Rates of SciPy's convolution, and of the OC step in NumPy (one thread: they know no more)."""
    x, dc, dv = design(elements)
    one = np.pad(np.ones((1,) * x.ndim), 1)
    stencil = Cone(one.shape, (1.0,) * x.ndim, RADIUS).apply(one)
    return {
        "filter": rate(lambda: convolve(x, stencil, mode="constant"), elements),
        "OC": rate(lambda: bisection(x, dc, dv), elements),
    }


def measure(sizes: list[Size], threads: int) -> list[dict[str, object]]:
    """All rates of this process' instruction set."""
    rows: list[dict[str, object]] = []
    for elements in sizes:
        for count in range(1, threads + 1):
            for name, value in {**products(elements, count), **filters_and_steps(elements, count)}.items():
                rows.append({"size": size_text(elements), "threads": count, "what": name, "rate": value})
    return rows


def child(name: str, sizes: list[Size], threads: int) -> list[dict[str, object]]:
    """`measure` in a process of its own that uses the given instruction set; nothing where that fails."""
    code = [sys.executable, "-m", "benchmarks.kernels", "--measure", "--threads", str(threads)]
    environment = {**os.environ, "TRABECULA_ISA": name}
    print(f"measuring {name}", file=sys.stderr)
    done = subprocess.run(
        [*code, "--sizes", *map(size_text, sizes)],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        print(f"{name} cannot be measured: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return []
    rows: list[dict[str, object]] = json.loads(done.stdout)
    return rows


def main() -> None:
    """Measure, print, write."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--sizes", nargs="*", type=parse_size)
    asked = parser.parse_args()
    sizes = asked.sizes or list(QUICK if asked.quick else SIZES)
    if asked.measure:
        print(json.dumps(measure(sizes, asked.threads)))
        return
    from trabecula import _core_base

    names = _core_base.instruction_sets()
    rates: Rates = {}
    for name in names:
        for row in child(name, sizes, asked.threads):
            rates[name, str(row["size"]), int(str(row["threads"])), str(row["what"])] = float(
                str(row["rate"])
            )
    others: dict[tuple[str, str], float] = {}
    for elements in sizes:
        size = size_text(elements)
        print(f"measuring libraries, {size}", file=sys.stderr)
        found = libraries(elements)
        if math.prod(elements) <= ASSEMBLED:
            found.update(assembled(elements))
        others.update({(size, what): value for what, value in found.items()})
    finish(
        "kernels",
        __doc__ or "",
        asked,
        figures(rates, others, sizes, names[0]),
        [table(rates, others, sizes, names)],
    )


def figures(rates: Rates, others: dict[tuple[str, str], float], sizes: list[Size], best: str) -> list[Figure]:
    """The rates against the design's, at the first 3-D size, and the ratios to the libraries'."""
    size = size_text(next(s for s in sizes if len(s) == 3))
    found = [
        Figure(
            f"{kind} product K u on {threads} thread{'s' * (threads > 1)}, {size}",
            value,
            "M elements/s",
            SHARE * wanted,
            larger=True,
            note=f"{best}; {100 * value / wanted:.0f} % of the figure designed for",
        )
        for (kind, threads), wanted in WANTED.items()
        if (value := rates.get((best, size, threads, kind))) is not None
    ]
    most = max(threads for _, _, threads, _ in rates)
    for what, name in LIBRARIES.items():
        if (size, what) in others:
            ratio = rates[best, size, most, what] / others[size, what]
            found.append(Figure(f"{what} on {most} threads against {name} (one), {size}", ratio, "x"))
    return found


def table(rates: Rates, others: dict[tuple[str, str], float], sizes: list[Size], names: list[str]) -> Table:
    """One row a grid and instruction set, and one for the libraries."""
    threads = sorted({count for _, _, count, _ in rates})
    keys = [(what, count) for what in LIBRARIES for count in threads]
    rows: list[tuple[Cell, ...]] = []
    for size in map(size_text, sizes):
        for name in names:
            rows.append((size, name, *(rates.get((name, size, count, what)) for what, count in keys)))
        alone = [others.get((size, what)) if count == 1 else None for what, count in keys]
        rows.append((size, "SciPy, NumPy", *alone))
    columns = ("grid", "core", *(f"{what}, {count} thr." for what, count in keys))
    return Table("Million elements per second", columns, tuple(rows))


if __name__ == "__main__":
    main()
