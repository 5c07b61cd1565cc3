"""The tables of filters, interpolations and optimisers: what `options` of a problem file can name.

The classes themselves live in `trabecula.design` and `trabecula.optimizers`, further up; a problem only names
them and holds their keys. An entry is a class; where it is a frozen dataclass, its fields are its keys.
"""

from __future__ import annotations

from typing import Any

from trabecula.problem.keyed import Key, keys_of
from trabecula.problem.tables import Table

FILTERS: Table[Any] = Table("filter", "trabecula.filters")
"""Classes that obey `trabecula.FilterKind`, by the name they have in a problem file."""

FILTERS.declare(
    "density",
    "trabecula.design.filters.kinds:DensityKind",
    "mean of the densities around, weighted by a cone; the design keeps a length scale",
)
FILTERS.declare(
    "sensitivity",
    "trabecula.design.filters.kinds:SensitivityKind",
    "mean of the sensitivities around, weighted by a cone; a heuristic of the literature",
)
FILTERS.declare(
    "helmholtz",
    "trabecula.design.filters.kinds:HelmholtzKind",
    "smoothing by a differential equation, whose cost does not grow with the radius",
)
FILTERS.declare(
    "none", "trabecula.design.filters.kinds:NoneKind", "no filter: the design depends on the grid"
)

INTERPOLATIONS: Table[Any] = Table("interpolation", "trabecula.interpolations")
"""Classes that obey `trabecula.Interpolation`, by the name they have in a problem file."""

INTERPOLATIONS.declare(
    "simp", "trabecula.design.interpolation:Simp", "stiffness as a power of the density, x^p"
)
INTERPOLATIONS.declare(
    "ramp",
    "trabecula.design.interpolation:Ramp",
    "stiffness as a fraction, x / (1 + q (1 - x)); for own weight and pressure",
)
INTERPOLATIONS.declare(
    "polynomial",
    "trabecula.design.interpolation:Polynomial",
    "SIMP with a share of the linear law, for crisp designs with own weight",
)

OPTIMIZERS: Table[Any] = Table("optimizer", "trabecula.optimizers")
"""Classes that obey `trabecula.Optimizer`, by the name they have in a problem file."""

OPTIMIZERS.declare(
    "oc",
    "trabecula.optimizers.optimality_criteria:OcKind",
    "optimality criteria; for a compliance under one limit on the volume, or the other way round",
)
OPTIMIZERS.declare(
    "mma",
    "trabecula.optimizers.moving_asymptotes:MmaKind",
    "the method of moving asymptotes; for any goal and any number of limits",
)

FROM_OPTIONS = ("penalty", "minimum")
"""Fields of an interpolation that are no keys of its own: `options` says them for all."""


def own_keys(cls: type) -> dict[str, Key]:
    """The keys that an entry has in a file, without those that `options` says."""
    return {name: about for name, about in keys_of(cls).items() if name not in FROM_OPTIONS}
