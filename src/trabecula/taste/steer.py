"""Steering: solves of the same problem that lean towards what a person likes, and what each costs.

What moves a design are the filter radius (thick members and few holes, or thin ones and many), planes of
symmetry, and the designs of a gallery. Every design is optimised, thresholded and proven as any other, under
the options it was made with; nicety decides which one is taken and enters no certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trabecula.discretisation import prepare
from trabecula.discretisation.grid import Grid
from trabecula.gallery.record import figure_name, figure_of, is_maximised, part_mask, spoken_figure
from trabecula.problem import Problem, ProblemError
from trabecula.results.result import Result
from trabecula.solve import solve
from trabecula.status import NoDesignError
from trabecula.taste.choices import GalleryScale
from trabecula.taste.exhibits import Exhibit
from trabecula.taste.features import NAMES, Look, look_at
from trabecula.taste.profile import TasteProfile

PLAIN = "plain"

RADII = (0.7, 1.4, 2.0, 2.8)
"""Filter radii that are tried, relative to the problem's own."""

LEAST_RADIUS = 1.0
"""Of the filter, in voxels."""

STANDARD_RADIUS = 1.5
"""Of the filter where the problem names none, in voxels."""


@dataclass(frozen=True, eq=False)
class SteeredDesign:
    """One design that steering may take.

    Attributes
    ----------
    name
        How it was made: "plain", "radius 1.4", "symmetric in x", "gallery: NAME".
    result
        As of any solve; its problem has the options that it was made with.
    figure
        What it is ranked by (`trabecula.gallery.record.figure_of`), in SI.
    price
        By which share that is worse than the plain design's; below 0 where it is better.
    nicety
        What the profile says, less what it says of the plain design; 1 is odds of e to 1.
    look
        As taste sees it.
    """

    name: str
    result: Result
    figure: float
    price: float
    nicety: float
    look: Look

    def to_json(self) -> dict[str, object]:
        """As a JSON object; the figure is in the problem's units."""
        return {
            "name": self.name,
            "figure": spoken_figure(self.result.problem, self.figure),
            "price": self.price,
            "nicety": self.nicety,
            "word": self.result.word,
            "features": dict(zip(NAMES, self.look.features.tolist(), strict=True)),
        }


@dataclass(frozen=True, eq=False)
class Steering:
    """The designs that were tried, the plain one first, and which one the weight takes.

    Attributes
    ----------
    weight
        Per cent of the figure that one unit of nicety may cost.
    designs
        All that were tried.
    """

    weight: float
    designs: tuple[SteeredDesign, ...]

    @property
    def plain(self) -> SteeredDesign:
        """The design of a plain solve."""
        return self.designs[0]

    @property
    def choice(self) -> SteeredDesign:
        """The one that is worth most: weight times nicety, less the price in per cent; plain at weight 0."""
        if self.weight == 0.0:
            return self.plain
        return max(self.designs, key=lambda each: self.weight * each.nicety - 100.0 * each.price)

    def to_json(self) -> dict[str, object]:
        """As a JSON object."""
        return {
            "weight": self.weight,
            "figure": figure_name(self.plain.result.problem),
            "units": self.plain.result.problem.units,
            "plain": self.plain.to_json(),
            "chosen": self.choice.to_json(),
            "tried": [each.to_json() for each in self.designs],
        }


def steer(
    problem: Problem,
    profile: TasteProfile,
    *,
    weight: float = 1.0,
    also: Sequence[Exhibit] = (),
    threads: int | None = None,
    report: Callable[[str], None] | None = None,
    **options: Any,
) -> Steering:
    """Solve a problem in several ways, and take the design that is worth its price to a person.

    Parameters
    ----------
    weight
        Per cent of the figure (the compliance of the finished part, as a rule) that a design may cost for
        each unit of nicety, at which a person takes it for the nicer one with odds of e to 1. At 0 the plain
        design is taken.
    also
        Designs of a gallery of the same problem, which are tried too.
    report
        Called with the name of every design before it is made.
    options
        Of every solve, as `iterations`.

    Raises
    ------
    ProblemError
        If the problem is meaningless or too large, or its domain is no box of voxels.
    NoDesignError
        If the plain solve has no design.
    ValueError
        If the weight is not allowed.
    """
    if not 0.0 <= weight <= 1000.0:
        raise ValueError(f"weight is {weight}; it must be at least 0 and at most 1000, in per cent")
    if not isinstance(prepare(problem)[0].grid, Grid):
        raise ProblemError(
            "domain.mesh", "is no box of voxels", "taste describes voxels", "leave `mesh` away to steer by it"
        )
    made = solve_ways(problem, is_plain_only=weight == 0.0, threads=threads, report=report, **options)
    steering = weigh_designs(made, profile, weight, also)
    both = _combine(problem, steering)
    if both is not None:
        _solve_into(made, *both, threads, report, options)
        steering = weigh_designs(made, profile, weight, also)
    return steering


def solve_ways(
    problem: Problem,
    *,
    is_plain_only: bool = False,
    threads: int | None = None,
    report: Callable[[str], None] | None = None,
    **options: Any,
) -> dict[str, Result]:
    """The designs that `steer` weighs, by name, the plain one first; they do not depend on a taste.

    Parameters
    ----------
    is_plain_only
        Whether nothing but the plain problem is solved.
    """
    made: dict[str, Result] = {}
    for name, variant in _variants(problem):
        if name == PLAIN or not is_plain_only:
            _solve_into(made, name, variant, threads, report, options)
    return made


def _solve_into(
    made: dict[str, Result],
    name: str,
    variant: Problem,
    threads: int | None,
    report: Callable[[str], None] | None,
    options: dict[str, Any],
) -> None:
    """Solve one way; one that has no design is left out, but for the plain one."""
    if report is not None:
        report(name)
    try:
        made[name] = solve(variant, threads=threads, **options)
    except (NoDesignError, ProblemError):
        if name == PLAIN:
            raise


def _variants(problem: Problem) -> Iterator[tuple[str, Problem]]:
    """The plain problem, then those with one option changed."""
    yield PLAIN, problem
    for factor in RADII:
        variant = _with_radius(problem, factor)
        if variant is not None:
            yield f"radius {factor:g}", variant
    for axis in "xyz"[: problem.domain.dimension]:
        variant = _with_plane(problem, axis)
        if variant is not None:
            yield f"symmetric in {axis}", variant


def _with_radius(problem: Problem, factor: float) -> Problem | None:
    """The problem with another filter radius; None where it has no filter, or would be too fine for it."""
    options, voxel = problem.options.filter, max(problem.domain.spacing)
    radius = factor * (options.radius or STANDARD_RADIUS * voxel)
    if options.kind == "none" or options.keys is not None or radius < LEAST_RADIUS * voxel:
        return None
    return replace(problem, options=replace(problem.options, filter=replace(options, radius=radius)))


def _with_plane(problem: Problem, axis: str) -> Problem | None:
    """The problem with a plane of symmetry more; None where it has it, or cannot have it."""
    planes = problem.options.symmetry
    if axis in planes:
        return None
    variant = replace(problem, options=replace(problem.options, symmetry=(*planes, axis)))
    try:
        prepare(variant)
    except ProblemError:
        return None
    return variant


def _combine(problem: Problem, steering: Steering) -> tuple[str, Problem] | None:
    """The best radius together with the best plane, where both are worth more than the plain design."""

    def best(kind: str) -> str | None:
        gains = {
            each.name: steering.weight * each.nicety - 100.0 * each.price
            for each in steering.designs
            if each.name.startswith(kind)
        }
        name = max(gains, key=lambda key: gains[key], default=None)
        return name if name is not None and gains[name] > 0.0 else None

    radius, plane = best("radius "), best("symmetric in ")
    if radius is None or plane is None:
        return None
    wider = _with_radius(problem, float(radius.split()[1]))
    variant = None if wider is None else _with_plane(wider, plane[-1])
    return None if variant is None else (f"{radius}, {plane}", variant)


def weigh_designs(
    made: dict[str, Result], profile: TasteProfile, weight: float, also: Sequence[Exhibit] = ()
) -> Steering:
    """Price and nicety of all designs, beside the plain one; the arguments are those of `steer`."""
    all_made = {**made, **{f"gallery: {each.name}": each.result for each in also}}
    looks = [look_at(part_mask(result), result.problem.domain.spacing) for result in all_made.values()]
    scale = GalleryScale.of(looks)
    niceties = profile.rank([scale.place(look) for look in looks])
    plain = figure_of(made[PLAIN])
    sign = -1.0 if is_maximised(made[PLAIN].problem) else 1.0
    designs = []
    for (name, result), look, nicety in zip(all_made.items(), looks, niceties, strict=True):
        figure = figure_of(result)
        price = sign * (figure - plain) / abs(plain) if plain else 0.0
        designs.append(SteeredDesign(name, result, figure, price, float(nicety - niceties[0]), look))
    return Steering(weight, tuple(designs))
