"""What would make the answer meaningless, found before anything is solved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.discretise import discretise, nodal_load
from trabecula.discretisation.grid import Grid
from trabecula.discretisation.notes import (
    check_pieces,
    check_regions,
    check_selections,
    check_supports,
    merge_shares,
)
from trabecula.discretisation.rigid_motions import loose
from trabecula.numerics.errstate import own_errstate
from trabecula.problem import holes, plausibility, shape
from trabecula.problem.errors import Caution, ProblemError, name_first
from trabecula.problem.estimate import refuse_if_too_large
from trabecula.problem.model import AXES, Domain, Problem
from trabecula.problem.read import is_single, load_path
from trabecula.problem.unit_system import UnitSystem

_ROUNDING = 1e-9
_UNEVEN = 1e-6  # of the largest nodal load
_WORTH_SAYING = 0.25
_LONG = 4.0  # edges of a voxel


@own_errstate
def prepare(problem: Problem, max_memory: float | None = None) -> tuple[DiscreteProblem, list[Caution]]:
    """Everything between a problem and its solve: the limit on memory, the arrays, the pre-check.

    Parameters
    ----------
    problem
        From a file or built in Python.
    max_memory
        In bytes, as `load`.

    Raises
    ------
    ProblemError
        If the problem is too large, or meaningless.
    """
    if isinstance(problem.domain, Domain):
        refuse_if_too_large(problem, max_memory)
    discrete = discretise(problem)
    return discrete, check(problem, discrete)


def check(problem: Problem, discrete: DiscreteProblem) -> list[Caution]:
    """Look for what would make the answer meaningless.

    Parameters
    ----------
    problem, discrete
        The problem as it is asked, and on its grid.

    Returns
    -------
    What the user should know though it does not stop a solve.

    Raises
    ------
    ProblemError
        If the answer would mean nothing: a motion left free, nothing to design, too little volume for what is
        passive solid, a filter finer than a voxel or wider than the domain, passive regions against the
        symmetry, no load but the weight of what is designed.
    """
    _check_material(problem, discrete)
    return [
        *_check_filter(problem, discrete),
        *_check_symmetry(problem, discrete),
        *(_check_voxels(problem, discrete) if isinstance(discrete.grid, Grid) else ()),
    ]


def _check_voxels(problem: Problem, discrete: DiscreteProblem) -> list[Caution]:
    """What is known of a box of voxels only."""
    expansion = holes.expand(problem)
    whole, about_motions = expansion.problem, _check_motions(discrete, problem.unit_system)
    about_selections = [*_check_loads(whole, discrete), *check_supports(whole, discrete)]
    return [
        *about_motions,
        *(replace(caution, where=expansion.key(caution.where)) for caution in about_selections),
        *check_regions(problem, discrete),
        *check_pieces(discrete),
        *shape.notes(problem, discrete.void),
        *holes.notes(problem),
        *plausibility.questions(problem),
    ]


def _check_material(problem: Problem, discrete: DiscreteProblem) -> None:
    if not (discrete.lower < discrete.upper).any():
        raise ProblemError(
            "regions",
            "cover the whole domain",
            "needs elements that may be designed",
            "make a region smaller",
        )
    solid = discrete.solid_fraction
    volume = problem.goal.volume
    if volume is not None and solid >= volume * (1 + _ROUNDING):
        raise ProblemError(
            "goal.volume",
            f"got {volume:g}, passive solid alone takes {solid:.3g}",
            f"needs more than {solid:.3g}",
            "raise the volume or make the solid regions smaller",
        )


def _check_filter(problem: Problem, discrete: DiscreteProblem) -> list[Caution]:
    chosen, spacing = problem.options.filter, discrete.grid.spacing
    where = "options.filter.radius"
    if chosen.kind == "none":
        return [
            Caution(
                "options.filter.kind",
                "without a filter the design depends on the grid and may be a checkerboard",
            )
        ]
    said = _check_settling(problem)
    units = problem.unit_system
    if chosen.radius is None:
        return [*said, *_check_default_radius(spacing, units)]
    radius, least = units.show(chosen.radius, "m"), units.show(min(spacing), "m")
    if chosen.radius < min(spacing) * (1 - _ROUNDING):
        raise ProblemError(
            where,
            f"{radius} is under one voxel ({least})",
            f"needs at least {least}; 1.5 voxels and more work well",
            f"write {units.show(1.5 * max(spacing), 'm')}, or `kind: none` if no filter is meant",
        )
    largest = max(problem.domain.size) if isinstance(problem.domain, Domain) else float("inf")
    if chosen.radius > largest:
        raise ProblemError(
            where,
            f"{radius} is larger than the domain",
            f"needs less than {units.show(largest, 'm')}",
            f"is it in {units.spoken('m')}? 1.5 voxels are {units.show(1.5 * max(spacing), 'm')}",
        )
    if chosen.radius < max(spacing) * (1 - _ROUNDING):
        longer = units.show(max(spacing), "m")
        return [*said, Caution(where, f"{radius} is under one voxel along the longer edge ({longer})")]
    return said


def _check_default_radius(spacing: Sequence[float], units: UnitSystem) -> list[Caution]:
    """Where voxels are long, the radius by their longer edge spans many of them across."""
    long, short = max(spacing), min(spacing)
    if long < _LONG * short:
        return []
    edges = " x ".join(units.show(h, "m") for h in spacing)
    across = AXES[list(spacing).index(short)]
    text = (
        f"is not given, so it is {units.tell(1.5 * long, 'm')}, 1.5 of the longer edge of a voxel ({edges}), "
        f"and smooths the design over {1.5 * long / short:.0f} voxels along {across}; take voxels of nearly "
        "equal edges, or write a radius"
    )
    return [Caution("options.filter.radius", text)]


def _check_settling(problem: Problem) -> list[Caution]:
    """What the sensitivity filter gives is the gradient of no function; MMA trusts it where limits are."""
    options, goal = problem.options, problem.goal
    limits = goal.compliance if goal.minimize == "volume" else None
    uses_mma = options.optimizer == "mma" or len(limits or ()) > 1
    if limits is None or not uses_mma or options.filter.kind != "sensitivity":
        return []
    text = "under a limit on the compliance MMA seldom settles with it; `density` needs less material"
    return [Caution("options.filter.kind", text)]


def _check_symmetry(problem: Problem, discrete: DiscreteProblem) -> list[Caution]:
    askew: list[str] = []
    uneven: list[str] = []
    for axis in problem.options.symmetry:
        place = discrete.grid.dimension - 1 - AXES.index(axis)
        middle = _middle(problem, AXES.index(axis))
        if any(
            not np.array_equal(bound, np.flip(bound, place)) for bound in (discrete.lower, discrete.upper)
        ):
            raise ProblemError(
                "options.symmetry",
                f"the passive regions or the shape are not symmetric in {axis}",
                f"needs them mirrored about {axis} = {middle}",
                f"leave {axis} out of symmetry, or mirror the regions",
            )
        held = discrete.fixed.any(axis=0)  # a pin mirrored by a roller is symmetric enough
        if not np.array_equal(held, np.flip(held, place)):
            askew.append(axis)
        pull = np.abs(discrete.loads).sum(axis=(0, 1))
        if np.abs(pull - np.flip(pull, place)).max() > _UNEVEN * pull.max():
            uneven.extend(axis if axis not in askew else "")
    said = []
    for what, axes in (("supports", askew), ("loads", uneven)):
        if axes:
            message = f"the {what} are not symmetric in {' and '.join(axes)}; the design will be"
            said.append(Caution("options.symmetry", message, len(axes)))
    return said


def _middle(problem: Problem, axis: int) -> str:
    """The middle of the domain along an axis, in the problem's units."""
    domain = problem.domain
    return problem.unit_system.tell(domain.low[axis] + domain.size[axis] / 2, "m")


def _check_motions(discrete: DiscreteProblem, units: UnitSystem) -> list[Caution]:
    idle = []
    for piece in loose(discrete):
        if not piece.loaded:
            idle.append(piece.tell(units))
            continue
        if discrete.physics.free == "constant":
            given, allowed, mend = (
                f"{piece.tell(units)} {piece.motions[0]}",
                "",
                "add a support with `temperature: 0` that touches it",
            )
        else:
            given = f"{piece.tell(units)} " + " and ".join(piece.motions)
            allowed, mend = "needs supports that hold it", f"add {_remedy(piece.motions)} to a support"
        raise ProblemError("supports", given, allowed, mend)
    if not idle:
        return []
    rest = "is neither loaded nor held; it" if len(idle) == 1 else "are neither loaded nor held; they"
    return [Caution("domain", f"{name_first(idle)} {rest} will be empty", len(idle))]


def _remedy(motions: tuple[str, ...]) -> str:
    slides = [motion[-1] for motion in motions if motion.startswith("can slide in ") and motion[-2] == " "]
    return f"`fix: [{', '.join(slides)}]`" if slides else "another point away from the first"


def _check_weight(problem: Problem, discrete: DiscreteProblem) -> None:
    """Where all that must be carried is the design's own weight, nothing at all carries it best."""
    if any(load.gravity is None for case in problem.cases for load in case.loads) or discrete.lower.any():
        return
    raise ProblemError(
        "loads" if is_single(problem) else "cases",
        "gravity is the only load, and the best design against its own weight is no material",
        "needs something to carry",
        "add a force or a pressure, or a region `as: solid` whose weight is to be carried",
    )


def _check_loads(problem: Problem, discrete: DiscreteProblem) -> list[Caution]:
    _check_weight(problem, discrete)
    held: list[tuple[str, float]] = []
    material = ~discrete.void
    for c, case in enumerate(problem.cases):
        for i, load in enumerate(case.loads):
            if load.gravity is not None:
                continue
            path = load_path(problem, c, i)
            forces = np.abs(nodal_load(problem, discrete.voxels, material, load, path))
            total = float(forces.sum())
            share = float(forces[discrete.fixed].sum()) / total if total else 0.0
            if share > _WORTH_SAYING:
                held.append((path, share))
    said = merge_shares(held, "acts on held nodes and goes straight into the supports")
    return [*said, *check_selections(problem, discrete)]
