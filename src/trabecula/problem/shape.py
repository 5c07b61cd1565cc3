"""The domain of a part: the box around its STL file, and what is wrong where file and box do not fit.

Files of shapes hold no unit and come from programs with an origin of their own. So where a selection finds
nothing, or a part lies outside its box, the extents of both say which of the usual troubles it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trabecula.problem.errors import Caution, ProblemError
from trabecula.problem.model import Domain, Problem
from trabecula.problem.point_in_mesh import inside_shells
from trabecula.problem.shells import Shells, find_shells
from trabecula.problem.stl import METRES, extent, in_metres, read_solid, stated_unit
from trabecula.problem.unit_system import SI, UnitSystem
from trabecula.problem.where import Lattice, Stl, StlUnit, Where

Floats = NDArray[np.float64]

TOO_DIFFERENT = 8.0
"""A part this many times larger or smaller than its box along its longest edge is in another unit."""

_FITS = 1.05  # of the box, after a change of unit
_LEAST_PART, _LEAST_REGION = 0.4, 0.02  # of the box at least, after a change of unit
_OUTSIDE = 0.01  # of the box, that a part may stand out unsaid
_SAME_SIZE = 0.02
_POORLY = 1.2  # times as much material in voxels as in the file, or as little
_TOLD_BODIES = 5


def fit_domain(
    stl: Stl,
    resolution: float | None = None,
    elements: Sequence[int] | None = None,
    where: str = "domain",
    units: UnitSystem = SI,
) -> Domain:
    """The domain of a part: the box around an STL file, in the file's co-ordinates.

    Parameters
    ----------
    stl
        The file; with `origin: corner` the box begins at the origin.
    resolution
        Edge length of a voxel in metres, about: a whole number of them fits the box along every axis.
    elements
        Voxels along x, y, z, in place of `resolution`.
    where
        The key of the domain, for messages.
    units
        What messages speak.

    Raises
    ------
    ProblemError
        If the file cannot be read, or is flat.
    ValueError
        If neither or both of `resolution` and `elements` are given.

    Examples
    --------
    >>> fit_domain(Stl("bracket.stl", "mm"), resolution=0.002)  # doctest: +SKIP
    Domain(size=(0.1, 0.1, 0.08), elements=(50, 50, 40), ...)
    """
    if (resolution is None) == (elements is None):
        raise ValueError("fit_domain needs either a resolution or elements")
    low, high = extent(stl, f"{where}.shape")
    size = tuple(_difference(a, b) for a, b in zip(low, high, strict=True))
    if not all(s > 1e-6 * max(size) for s in size):
        raise ProblemError(
            f"{where}.shape",
            f"the STL spans {units.tell_spans(low, high)} and is flat",
            "needs the surface of a solid",
            "export the solid again",
        )
    if elements is None:
        assert resolution is not None
        elements = [max(1, round(s / resolution)) for s in size]
    origin = () if stl.origin == "corner" else low
    return Domain(size, tuple(elements), shape=stl, origin=origin)


def _difference(low: float, high: float) -> float:
    """The length of an edge, without the digits that only the subtraction has made."""
    return float(f"{high - low:.12g}")


def check_fit(problem: Problem) -> None:
    """Refuse a shape that is in another unit than its box, or has its size and lies elsewhere.

    Raises
    ------
    ProblemError
        Naming both extents and what would mend it.
    """
    solid, domain, units = problem.domain.solid, problem.domain, problem.unit_system
    if solid is None:
        return
    low, high = extent(solid, "domain.shape")
    size, box = np.subtract(high, low), np.array(domain.size)
    ratio = float(size.max() / box.max())
    spans, spanned = units.tell_spans(low, high), domain_spans(domain, units)
    if not 1.0 / TOO_DIFFERENT < ratio < TOO_DIFFERENT:
        times = f"{ratio:.4g} times" if ratio > 1.0 else f"1/{1.0 / ratio:.4g} of"
        likely = _likely_unit(solid, size, box)
        mend = (
            f"the file's numbers are probably {_SAID[likely]}: write `shape: {{stl: ..., units: {likely}}}`"
            if likely
            else "mend domain.size, or leave it out: it is then the part's"
        )
        raise ProblemError("domain.shape", f"the STL spans {spans}, {times} the domain ({spanned})", "", mend)
    if solid.origin == "corner" or (np.abs(size - box) > _SAME_SIZE * box).any():
        return
    shift = np.subtract(low, domain.low)
    if (np.abs(shift) > np.maximum(np.array(domain.spacing), 0.05 * box)).any():
        raise ProblemError(
            "domain.shape",
            f"the STL spans {spans}: the domain's size, but elsewhere than the domain ({spanned})",
            "",
            "leave domain.size out to use the file's co-ordinates, or write "
            "`shape: {stl: ..., origin: corner}` to move the part into the domain",
        )


def explain_nothing(stl: Stl, lattice: Lattice, path: str, problem: Problem) -> ProblemError:
    """Why an STL file selects nothing of the domain: another unit, another place, or too thin.

    Parameters
    ----------
    stl
        The selector.
    lattice
        The points none of which it selects.
    path
        Its key.
    problem
        For its domain and units.
    """
    domain, units = problem.domain, problem.unit_system
    low, high = extent(stl, path)
    size, box = np.subtract(high, low), np.array(domain.size)
    if stl.origin == "corner":
        low, high = domain.low, tuple(np.add(domain.low, size).tolist())
    given = f"the STL selects nothing; it spans {units.tell_spans(low, high)}"
    spanned = f"the domain spans {domain_spans(domain, units)}"
    apart = (np.array(low) > np.array(domain.high)).any() or (np.array(high) < np.array(domain.low)).any()
    likely = _likely_unit(stl, size, box, (low, high), domain)
    key = "shape" if path == "domain.shape" else "stl"
    if apart and likely:
        said = f"the file's numbers are probably {_SAID[likely]}"
        mend = f"{said}: write `{key}: {{stl: ..., units: {likely}}}`"
        return ProblemError(path, given, spanned, mend)
    if apart:
        fits = (size <= _FITS * box).all()
        mend = "its co-ordinates must be the domain's; `origin: corner` moves it to the domain's lower corner"
        return ProblemError(path, given, spanned, mend if fits else "move it")
    shells = find_shells(read_solid(stl, domain.low, path))
    what = "node" if lattice.nodes else "voxel centre"
    voxel = units.tell(min(domain.spacing), "m")
    thin = f"no {what} lies inside it: it is thinner than a voxel ({voxel}){_thickness(shells, units)}"
    if len(shells.open_edges):
        thin += f"; and {tell_openings(shells, units)}"
    return ProblemError(path, given, thin, "take a finer resolution, or thicken the part")


def notes(problem: Problem, void: NDArray[np.bool_] | None = None) -> list[Caution]:
    """What is worth knowing of every STL file of a problem that is used all the same.

    Parameters
    ----------
    problem
        As it is asked.
    void
        bool `[z, y, x]`, what is no part of the domain, where it is known already.

    Raises
    ------
    ProblemError
        If a file cannot be read.
    """
    solid, found = problem.domain.solid, []
    for path, stl in _stl_selectors(problem):
        found += [Caution(path, text) for text in _notes_of(problem, stl, path)]
    if solid is not None:
        found += [Caution("domain.shape", text) for text in _notes_of(problem, solid, "domain.shape")]
        found += _stands_out(problem, solid) or _poorly_shown(problem, solid, void)
    return found


def domain_spans(domain: Domain, units: UnitSystem) -> str:
    """Where a domain lies: "x 0..60, y 0..20 mm"."""
    return units.tell_spans(domain.low, domain.high)


def tell_openings(shells: Shells, units: UnitSystem) -> str:
    """How many edges are open, and where: a sentence without its full stop."""
    ends = shells.open_edges
    count = len(ends)
    low, high = ends.min(axis=(0, 1)), ends.max(axis=(0, 1))
    edges = "1 edge" if count == 1 else f"{count} edges"
    return f"its surface is open: it ends at {edges} within {units.tell_spans(low, high)}"


def _notes_of(problem: Problem, stl: Stl, path: str) -> list[str]:
    units = problem.unit_system
    shells = find_shells(read_solid(stl, problem.domain.low, path))
    said = []
    if len(shells.open_edges):
        said.append(
            f"{tell_openings(shells, units)}; what is inside is a guess: export it again as a closed solid"
        )
    if shells.inner_bodies:
        which = _bodies(shells, shells.inner_bodies, units)
        said.append(
            f"{which} lies inside another body and is turned like it, so it is material; "
            "turn its triangles round if a cavity is meant"
        )
    domain = problem.domain
    centres = Lattice(domain.elements, domain.spacing, nodes=False, origin=domain.origin)
    if shells.count > 1:
        thin = _without_voxels(shells, centres)
        if thin and len(thin) < shells.count:
            said.append(f"{_bodies(shells, thin, units)} holds no voxel centre and is left out")
    return said


def _bodies(shells: Shells, which: list[int], units: UnitSystem) -> str:
    """Shells by where they are: "the body within x 0..1 lies", or of several how many."""
    low, high = shells.boxes[which[0]]
    others = "" if len(which) == 1 else f" (and {len(which) - 1} more)"
    return f"the body within {units.tell_spans(low, high)}{others}"


def _without_voxels(shells: Shells, centres: Lattice) -> list[int]:
    """Shells of material in the domain that hold no element centre."""
    axes, spacing = tuple(centres.along(a) for a in range(3)), centres.spacing
    reach = [(places[0] - 0.5 * h, places[-1] + 0.5 * h) for places, h in zip(axes, spacing, strict=True)]
    found = []
    for k, sense in enumerate(shells.senses):
        low, high = shells.boxes[k]
        if sense < 0 or any(b < r[0] or a > r[1] for a, b, r in zip(low, high, reach, strict=True)):
            continue
        if all(b - a > 2.0 * h for a, b, h in zip(low, high, spacing, strict=True)):
            continue  # looked at only where it could be thin
        one = Shells(shells.of(k), np.zeros(int((shells.label == k).sum()), np.int64), 1, np.empty((0, 2, 3)))
        if not inside_shells(one, axes).any():
            found.append(k)
        if len(found) >= _TOLD_BODIES:
            break
    return found


def _stands_out(problem: Problem, solid: Stl) -> list[Caution]:
    domain, units = problem.domain, problem.unit_system
    low, high = extent(solid, "domain.shape")
    if solid.origin == "corner":
        low, high = domain.low, tuple(np.add(domain.low, np.subtract(high, low)).tolist())
    slack = _OUTSIDE * np.array(domain.size)
    if (np.array(low) >= np.array(domain.low) - slack).all() and (
        np.array(high) <= np.array(domain.high) + slack
    ).all():
        return []
    text = (
        f"the STL spans {units.tell_spans(low, high)}, more than the domain ({domain_spans(domain, units)}); "
        "what lies outside is cut off"
    )
    return [Caution("domain.shape", text)]


def _poorly_shown(problem: Problem, solid: Stl, void: NDArray[np.bool_] | None) -> list[Caution]:
    """A part whose voxels hold much more or less material than it has: it is about as thin as a voxel."""
    domain, units = problem.domain, problem.unit_system
    shells = find_shells(read_solid(solid, domain.low, "domain.shape"))
    volume = float(np.dot(np.abs(shells.volumes), shells.senses)) if shells.count else 0.0
    if len(shells.open_edges) or shells.inner_bodies or volume <= 0.0:
        return []
    if void is None or problem.holes or any(region.kind == "void" for region in problem.regions):
        centres = Lattice(domain.elements, domain.spacing, nodes=False, origin=domain.origin)
        void = ~solid.select(centres)
    shown = float(np.count_nonzero(~void)) * float(np.prod(domain.spacing))
    is_thinned = shown < volume / _POORLY and shells.count == 1  # bodies that overlap count twice in the sum
    if not (is_thinned or shown > volume * _POORLY):
        return []
    text = (
        f"its voxels hold {units.tell(float(f'{shown:.3g}'), 'm3')}, and the solid in the file "
        f"{units.tell(float(f'{volume:.3g}'), 'm3')}: some of it is about as thin as a voxel "
        f"({units.tell(min(domain.spacing), 'm')}){_thickness(shells, units)}; take a finer resolution"
    )
    return [Caution("domain.shape", text)]


def _stl_selectors(problem: Problem) -> list[tuple[str, Stl]]:
    """All STL selectors of regions, supports and loads, with their keys."""
    from trabecula.problem.read import load_path

    places: list[tuple[str, Where]] = [
        *((f"regions[{i}].where", region.where) for i, region in enumerate(problem.regions)),
        *((f"supports[{i}].where", support.where) for i, support in enumerate(problem.supports)),
        *(
            (f"{load_path(problem, c, i)}.where", load.where)
            for c, case in enumerate(problem.cases)
            for i, load in enumerate(case.loads)
        ),
    ]
    found: dict[Stl, str] = {}
    for path, where in places:
        for part in where.every():
            if isinstance(part, Stl):
                found.setdefault(part, path)
    return [(path, stl) for stl, path in found.items()]


_SAID = {"m": "in metres", "mm": "in millimetres", "cm": "in centimetres", "inch": "in inches"}


def _likely_unit(
    stl: Stl,
    size: Floats,
    box: Floats,
    bounds: tuple[Sequence[float], Sequence[float]] | None = None,
    domain: Domain | None = None,
) -> StlUnit | None:
    """The unit in which a file would fit the box, if there is one and the file does not state another."""
    if stated_unit(Path(stl.file)) is not None:
        return None
    now, least = in_metres(stl), _LEAST_PART if bounds is None else _LEAST_REGION
    found: list[tuple[float, StlUnit]] = []
    for unit, metres in METRES.items():
        if metres == now:
            continue
        scaled = size * (metres / now)
        if bounds is not None and domain is not None and stl.origin == "keep":
            low, high = (np.array(bound) * (metres / now) for bound in bounds)
            slack = 0.05 * box
            if (low > np.array(domain.high) + slack).any() or (high < np.array(domain.low) - slack).any():
                continue
        if (scaled <= _FITS * box).all() and scaled.max() > least * box.max():
            found.append((float(scaled.max()), unit))
    return max(found)[1] if found else None


def _thickness(shells: Shells, units: UnitSystem) -> str:
    """How thick the material is in the mean: twice its volume by its surface."""
    if not shells.count or not len(shells.triangles):
        return ""
    a, b, c = (shells.triangles[:, k] for k in range(3))
    area = 0.5 * float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())
    volume = float(np.dot(np.abs(shells.volumes), shells.senses))
    return f", some {units.from_si(2.0 * volume / area, 'm'):.2g} {units.unit('m')} thick in the mean"
