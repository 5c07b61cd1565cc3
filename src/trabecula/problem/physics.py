"""What reading and discretising must know of a physics; its equations are in the room `physics`.

A physics says how many values a node has, which supports and loads it takes, which properties of the material
it needs, and in which units it answers. The two of the package come with equations of their own; one that a
program or an installed package registers brings its element matrix along:

```python
def fin(spacing, material, thickness):
    ...  # [dof, dof], degree of freedom `component * nodes + node`

PHYSICS.register("fin", Physics("fin", components=1, supports=("temperature",), loads=("heat",), ...,
                                element_matrix=fin))
```
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from trabecula.problem.tables import Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trabecula.problem.model import Material

    ElementMatrix = Callable[[tuple[float, ...], Material, float], NDArray[np.float64]]
    """From edge lengths along x, y(, z), material and thickness (1 for solids) to float64 `[dof, dof]`."""


@dataclass(frozen=True)
class Physics:
    """One linear state equation K(x) u = f, as far as files and grids are concerned.

    Attributes
    ----------
    name
        Its name in the table.
    components
        Values per node; None for one per axis (a displacement).
    supports, loads
        Keys of a problem file that it takes: `fix` or `temperature`; `force`, `pressure`, `gravity`, `heat`.
    properties
        Fields of `Material` that it needs; a file must give those of `required`.
    required
        See `properties`.
    modulus
        The property that its element matrix is proportional to, if it is `modulus * length^(dimension - 2)`
        times a number that only depends on proportions and on properties without unit: such a problem is
        solved in units of its own. None where other constants have a part in it.
    load_unit, state_unit, compliance_unit
        Units of a load's total, of the state, and of their product, for people.
    free
        What the element matrix leaves free, so that supports must hold it: "rigid motions", a "constant"
        state, or "nothing".
    element_matrix
        Element matrix of a box of solid material, for a physics that is not the package's own: symmetric and
        positive semi-definite. None: the package has the equations.
    """

    name: str
    components: int | None = field(repr=False)
    supports: tuple[str, ...] = field(repr=False)
    loads: tuple[str, ...] = field(repr=False)
    properties: tuple[str, ...] = field(repr=False)
    required: tuple[str, ...] = field(repr=False)
    load_unit: str = field(repr=False)
    state_unit: str = field(repr=False)
    compliance_unit: str = field(repr=False)
    free: Literal["rigid motions", "constant", "nothing"] = field(repr=False)
    modulus: str | None = field(default=None, repr=False)
    element_matrix: ElementMatrix | None = field(default=None, repr=False)

    def count(self, dimension: int) -> int:
        """Values per node on a grid of 2 or 3 dimensions."""
        return dimension if self.components is None else self.components

    @property
    def is_vector(self) -> bool:
        """Whether the state has a direction: one value per axis."""
        return self.components is None


ELASTICITY = Physics(
    name="elasticity",
    components=None,
    supports=("fix",),
    loads=("force", "pressure", "gravity"),
    properties=("young", "poisson"),
    required=("young",),
    load_unit="N",
    state_unit="m",
    compliance_unit="J",
    free="rigid motions",
    modulus="young",
)
"""Linear isotropic elasticity: plane stress, or a solid."""

CONDUCTION = Physics(
    name="conduction",
    components=1,
    supports=("temperature",),
    loads=("heat",),
    properties=("conductivity",),
    required=("conductivity",),
    load_unit="W",
    state_unit="K",
    compliance_unit="W K",
    free="constant",
    modulus="conductivity",
)
"""Steady conduction of heat."""

PHYSICS: Table[Physics] = Table("physics", "trabecula.physics")
"""All state equations by name."""

PHYSICS.register("elasticity", ELASTICITY, "displacements under forces, pressures and own weight")
PHYSICS.register("conduction", CONDUCTION, "temperatures under heat, above those that are kept")

GOALS = {"thermal_compliance": CONDUCTION}
"""Goals that only make sense for one physics, and choose it."""


def is_measured_in(physics: Physics, wanted: str | None) -> bool:
    """Whether a quantity of one physics (None: of any) means something in a problem of another: where both
    are loaded alike, as by forces, it does."""
    return wanted in (None, physics.name) or bool(set(PHYSICS[wanted].loads) & set(physics.loads))


def choose_physics(minimize: str, name: str | None = None) -> Physics:
    """The physics of a problem: the one it names, else the one its goal stands for, else elasticity.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    return GOALS.get(minimize, ELASTICITY) if name is None else PHYSICS[name]
