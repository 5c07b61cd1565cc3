"""The problem as it is asked: frozen dataclasses, in SI units, that know nothing of files or arrays.

Co-ordinates: x right, y up, z towards you. Two-number sizes are plane stress, three-number sizes solids.
"""

from __future__ import annotations

from dataclasses import dataclass, field, is_dataclass, replace
from typing import Any, Literal

from trabecula.problem.errors import ProblemError
from trabecula.problem.physics import Physics, choose_physics
from trabecula.problem.quantities import name_of
from trabecula.problem.unit_system import SI, UNIT_SYSTEMS, UnitSystem
from trabecula.problem.where import Everywhere, Stl, Where

AXES = ("x", "y", "z")
UNNAMED = "load"
"""Name of a load case that was given none."""


@dataclass(frozen=True)
class Domain:
    """A box of voxels.

    Attributes
    ----------
    size
        Edge lengths along x, y(, z) in metres; see `trabecula.problem.shape.fit_domain` for the box around a
        part.
    elements
        Voxels along x, y(, z).
    thickness
        In metres; 2-D only.
    shape
        An STL file of a solid, 3-D only: outside of it there is only void. A name is that of a file in metres
        in the domain's co-ordinates; else a `trabecula.problem.where.Stl`.
    origin
        Co-ordinates of the lower corner in metres, that all selections count from; empty where they are zero.
    """

    size: tuple[float, ...]
    elements: tuple[int, ...]
    thickness: float = 1.0
    shape: str | Stl | None = None
    origin: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.shape, Stl) and self.shape == Stl(self.shape.file):
            object.__setattr__(self, "shape", self.shape.file)
        if not any(self.origin):
            object.__setattr__(self, "origin", ())

    @property
    def dimension(self) -> int:
        """2 for plane stress, 3 for solids."""
        return len(self.size)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Edge lengths of one element along x, y(, z) in metres."""
        return tuple(s / n for s, n in zip(self.size, self.elements, strict=True))

    @property
    def low(self) -> tuple[float, ...]:
        """The lower corner in metres: `origin`, with its zeros."""
        return self.origin or (0.0,) * len(self.size)

    @property
    def high(self) -> tuple[float, ...]:
        """The upper corner in metres."""
        return tuple(a + s for a, s in zip(self.low, self.size, strict=True))

    @property
    def solid(self) -> Stl | None:
        """The solid of `shape`, or None."""
        return Stl(self.shape) if isinstance(self.shape, str) else self.shape


@dataclass(frozen=True)
class Material:
    """An isotropic material, SI units; `yield_strength` in Pa, `conductivity` in W/(m K)."""

    young: float = 1.0
    poisson: float = 0.3
    density: float = 1.0
    yield_strength: float | None = None
    conductivity: float = 1.0
    name: str | None = None


@dataclass(frozen=True)
class Support:
    """Where displacement components are held at zero (`fix`), or a temperature is kept (`temperature`)."""

    where: Where
    fix: tuple[str, ...] = ()
    temperature: float | None = None


@dataclass(frozen=True)
class Load:
    """One load: exactly one of total `force` (N), `pressure` (Pa, positive pushes into the domain's surface),
    `gravity` (m/s2, the body's own weight) or `heat` (W in total)."""

    where: Where = field(default_factory=Everywhere)
    force: tuple[float, ...] | None = None
    pressure: float | None = None
    gravity: tuple[float, ...] | None = None
    heat: float | None = None


@dataclass(frozen=True)
class LoadCase:
    """Loads that act together; the objective is the weighted sum over cases.

    Left without names, several cases of a problem are called "case 1", "case 2" and so on.
    """

    loads: tuple[Load, ...]
    name: str = UNNAMED
    weight: float = 1.0


@dataclass(frozen=True)
class Region:
    """A part of the domain that is not designed: always solid, or always void."""

    where: Where
    kind: Literal["solid", "void"]


@dataclass(frozen=True)
class Hole:
    """A hole for a bolt: its bore, a ring of material around it, and what the bolt holds or carries.

    `trabecula.problem.holes.expand_holes` says what it stands for in regions, supports and loads.

    Attributes
    ----------
    at
        A point of the bore's axis, in metres; of a blind hole its mouth.
    axis
        "x", "y" or "z", the direction of the bore; with a sign before it ("-z") the one that a blind hole is
        drilled in. Without a sign that goes from the mouth towards the middle of the domain.
    diameter
        Of the bore, in metres.
    wall
        Thickness of the ring that stays solid around the bore, in metres; 0 for none.
    depth
        Of a blind hole, in metres; None for one through everything.
    fix
        Displacement components that the bolt holds at zero.
    force
        Total force that the bolt carries to the part, in N, in every load case; spread over the bore.
    """

    at: tuple[float, ...]
    axis: str
    diameter: float
    wall: float = 0.0
    depth: float | None = None
    fix: tuple[str, ...] = ()
    force: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Limit:
    """A quantity and what it may be at most (or at least), in the quantity's unit.

    Attributes
    ----------
    quantity
        Name of a quantity, or a `trabecula.Quantity` with values of its own; a name after construction.
    value
        The limit.
    sense
        Whether the quantity is to be at most or at least the limit.
    keys
        The quantity as an object, where it was given as one; None for a plain name.
    """

    quantity: str | Any
    value: float
    sense: Literal["at_most", "at_least"] = "at_most"
    keys: Any = None

    def __post_init__(self) -> None:
        if not isinstance(self.quantity, str):
            object.__setattr__(self, "keys", self.quantity)
            object.__setattr__(self, "quantity", name_of(self.quantity))


@dataclass(frozen=True)
class Goal:
    """What is minimised or maximised, and under what.

    Attributes
    ----------
    minimize
        Name of a quantity, or a `trabecula.Quantity` with values of its own; a name after construction.
    volume
        Limit on the used fraction of the domain that is not passive void; None where nothing limits it here.
    compliance
        Where the volume is minimised: one limit on the weighted compliance in J, or one a load case.
    limits
        More limits, on any quantities.
    maximize
        Whether the quantity is maximised instead.
    keys
        The quantity as an object, where it was given as one; None for a plain name.
    """

    minimize: str | Any = "compliance"
    volume: float | None = None
    compliance: tuple[float, ...] | None = None
    limits: tuple[Limit, ...] = ()
    maximize: bool = False
    keys: Any = None

    def __post_init__(self) -> None:
        if not isinstance(self.minimize, str):
            object.__setattr__(self, "keys", self.minimize)
            object.__setattr__(self, "minimize", name_of(self.minimize))


@dataclass(frozen=True)
class FilterOptions:
    """Which filter gives the design its length scale.

    Attributes
    ----------
    kind
        Name of a filter in the table `trabecula.FILTERS`, as "density", "sensitivity", "helmholtz" or "none";
        or a filter of one's own as an object with its keys; a name after construction.
    radius
        In metres; None: 1.5 elements.
    keys
        The filter as an object, where it has keys besides its radius; None for a plain name. Its `radius`, if
        it has one, is the radius here.
    """

    kind: str | Any = "density"
    radius: float | None = None
    keys: Any = None

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str):
            object.__setattr__(self, "keys", self.kind)
            object.__setattr__(self, "kind", name_of(self.kind, "filter", "trabecula.FilterKind"))
        if not hasattr(self.keys, "radius"):
            return
        if self.radius is None:
            object.__setattr__(self, "radius", self.keys.radius)
        elif self.keys.radius != self.radius and is_dataclass(self.keys) and not isinstance(self.keys, type):
            object.__setattr__(self, "keys", replace(self.keys, radius=self.radius))


@dataclass(frozen=True)
class Options:
    """How the design is described and changed; the defaults are measured choices (docs/decisions).

    `filter`, `interpolation` and `optimizer` may be names of the tables `trabecula.FILTERS`,
    `trabecula.INTERPOLATIONS` and `trabecula.OPTIMIZERS`, or objects of one's own; None leaves the choice to
    the program. Where `projection` is None, `projects` says what is done.
    """

    penalty: float = 3.0
    interpolation: str | Any | None = None
    filter: FilterOptions = field(default_factory=FilterOptions)
    projection: bool | None = None
    symmetry: tuple[str, ...] = ()
    minimum_stiffness: float = 1e-9
    optimizer: str | Any | None = None
    move: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        given: Any = self.filter
        if not isinstance(given, FilterOptions):
            object.__setattr__(self, "filter", FilterOptions(given))

    @property
    def projects(self) -> bool:
        """Whether filtered densities are projected to black and white.

        Where nothing is said they are, but for penalty 1, where the problem is convex without, and for the
        sensitivity filter, which leaves the densities as they are.
        """
        if self.projection is not None:
            return self.projection
        return self.penalty > 1.0 and self.filter.kind != "sensitivity"


@dataclass(frozen=True)
class Problem:
    """A whole design problem; see `trabecula.load` for the file form. All its values are in SI.

    `physics_name` names an entry of the table `trabecula.problem.physics.PHYSICS`; None: the goal decides.
    `units` says what its file and its results speak, "SI" or "mm".
    """

    domain: Domain
    supports: tuple[Support, ...]
    cases: tuple[LoadCase, ...]
    goal: Goal
    material: Material = field(default_factory=Material)
    regions: tuple[Region, ...] = ()
    options: Options = field(default_factory=Options)
    name: str = "problem"
    physics_name: str | None = None
    holes: tuple[Hole, ...] = ()
    units: str = "SI"

    def __post_init__(self) -> None:
        if len({case.name for case in self.cases}) < len(self.cases):
            object.__setattr__(self, "cases", _told_apart(self.cases))

    @property
    def unit_system(self) -> UnitSystem:
        """The units that its file and its results speak; SI for a name that is none of them."""
        return UNIT_SYSTEMS.get(self.units, SI)

    @property
    def physics(self) -> Physics:
        """The state equation: the one that is named, else the one that the goal stands for."""
        return choose_physics(self.goal.minimize, self.physics_name)


def _told_apart(cases: tuple[LoadCase, ...]) -> tuple[LoadCase, ...]:
    """Cases under names that differ: results and files speak of them by name.

    Raises
    ------
    ProblemError
        If a name was given twice.
    """
    named = tuple(
        replace(case, name=f"case {i + 1}") if case.name == UNNAMED else case for i, case in enumerate(cases)
    )
    for i, case in enumerate(named):
        if any(case.name == other.name for other in named[:i]):
            raise ProblemError(f"cases[{i}].name", f"{case.name!r} is given twice", "needs names that differ")
    return named
