"""How stiff a grey voxel is: SIMP, RAMP and a polynomial, as relative stiffness between `minimum` and 1.

Sources: Bendsoe & Sigmund 1999 (SIMP, "Material interpolation schemes in topology optimization"), Sigmund
2007 (the form with a minimum stiffness), Stolpe & Svanberg 2001 (RAMP, "An alternative interpolation scheme
for minimum compliance topology optimization"), Zhu, Zhang & Beckers 2009 (the polynomial, "Integrated layout
design of multi-component system").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, Self, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.problem.design_tables import INTERPOLATIONS
from trabecula.problem.keyed import keys_of
from trabecula.problem.physics import CONDUCTION
from trabecula.problem.tables import BrokenEntryError

Array = NDArray[np.float64]

_SAMPLES = 4097
"""Densities at which a promise is looked at."""

LINEAR = 0.01
"""Share of the linear law in the polynomial: its slope at zero density (docs/decisions/own-weight.md)."""

CRISP_CONDUCTION, THIN, MOST = 8.0, 2.25, 0.5
"""Penalty that trees of conductors end with at least, where the filter's radius is less than so many voxels
and more than such a share of the nodes is heated. With less penalty a twig of half dense voxels is better
than a thinner one of solid voxels, and is missing in the part (docs/decisions/crisp.md)."""

_ROUNDING = 1e-12
"""Relative excess that counts as rounding."""


@runtime_checkable
class Interpolation(Protocol):
    """Relative stiffness of a physical density, with its derivative.

    Classes in the table `trabecula.INTERPOLATIONS` obey it; the fields of a frozen dataclass are its keys in
    the file, all but `penalty` and `minimum`, which it must have with defaults and which `options.penalty`
    and `options.minimum_stiffness` say. An interpolation may inherit from this class, which promises nothing.

    Attributes
    ----------
    name
        What it is called in a problem file.
    below_linear
        Whether it promises to be nowhere stiffer than `minimum + (1 - minimum) density`: that permits lower
        bounds.
    """

    name: ClassVar[str]
    below_linear: ClassVar[bool] = False

    @property
    def penalty(self) -> float:
        """How strongly grey is punished; 1 is linear."""

    def value(self, density: Array) -> Array:
        """Relative stiffness, same shape as `density`, a new array; negative densities count as zero."""

    def derivative(self, density: Array) -> Array:
        """Derivative of `value`, same shape as `density`, a new array."""

    def with_penalty(self, penalty: float) -> Self:
        """The same interpolation with another penalty (continuation)."""


@dataclass(frozen=True)
class Simp:
    """Solid isotropic material with penalisation: `minimum + (1 - minimum) x^penalty`.

    Examples
    --------
    >>> Simp(3.0, 0.0).value(np.array([0.0, 0.5, 1.0]))
    array([0.   , 0.125, 1.   ])
    """

    name: ClassVar[str] = "simp"
    below_linear: ClassVar[bool] = True
    penalty: float = 3.0
    minimum: float = 1e-9

    def value(self, density: Array) -> Array:
        """Relative stiffness, same shape as `density`; negative densities count as zero."""
        stiffness = _power(density, self.penalty)
        stiffness *= 1.0 - self.minimum
        stiffness += self.minimum
        return stiffness

    def derivative(self, density: Array) -> Array:
        """Derivative of `value`, same shape as `density`."""
        slope = _power(density, self.penalty - 1.0)
        slope *= (1.0 - self.minimum) * self.penalty
        return slope

    def with_penalty(self, penalty: float) -> Simp:
        """The same interpolation with another penalty (continuation)."""
        return replace(self, penalty=penalty)


@dataclass(frozen=True)
class Ramp:
    """Rational approximation of material properties: `minimum + (1 - minimum) x / (1 + q (1 - x))`.

    `penalty` means what it means for SIMP: `q = 2^penalty - 2` gives a half-dense voxel the same stiffness in
    both (penalty 1: q = 0, linear; penalty 3: q = 6), so continuation schedules serve both. Unlike SIMP its
    slope at zero density, `1 / (1 + q)`, does not vanish, which own weight and pressure need (Bruyneel &
    Duysinx 2005).

    Examples
    --------
    >>> Ramp(3.0, 0.0).value(np.array([0.0, 0.5, 1.0]))
    array([0.   , 0.125, 1.   ])
    """

    name: ClassVar[str] = "ramp"
    below_linear: ClassVar[bool] = True
    penalty: float = 3.0
    minimum: float = 1e-9

    @property
    def q(self) -> float:
        """The parameter of Stolpe & Svanberg."""
        return float(2.0**self.penalty - 2.0)

    def value(self, density: Array) -> Array:
        """Relative stiffness, same shape as `density`; negative densities count as zero."""
        x = np.maximum(density, 0.0)
        x /= self._denominator(x)
        x *= 1.0 - self.minimum
        x += self.minimum
        return x

    def derivative(self, density: Array) -> Array:
        """Derivative of `value`, same shape as `density`."""
        slope = self._denominator(np.maximum(density, 0.0))
        np.square(slope, out=slope)
        np.divide((1.0 - self.minimum) * (1.0 + self.q), slope, out=slope)
        return slope

    def with_penalty(self, penalty: float) -> Ramp:
        """The same interpolation with another penalty (continuation)."""
        return replace(self, penalty=penalty)

    def _denominator(self, x: Array) -> Array:
        denominator = x * -self.q
        denominator += 1.0 + self.q
        return denominator


@dataclass(frozen=True)
class Polynomial:
    """SIMP with a hundredth of the linear law: `minimum + (1 - minimum) (0.01 x + 0.99 x^penalty)`.

    A light voxel is then never without stiffness for its weight, as with RAMP, and yet next to worthless.

    Examples
    --------
    >>> Polynomial(3.0, 0.0).value(np.array([0.0, 0.5, 1.0]))
    array([0.     , 0.12875, 1.     ])
    """

    name: ClassVar[str] = "polynomial"
    below_linear: ClassVar[bool] = True
    penalty: float = 3.0
    minimum: float = 1e-9

    def value(self, density: Array) -> Array:
        """Relative stiffness, same shape as `density`; negative densities count as zero."""
        stiffness = _power(density, self.penalty)
        stiffness *= 1.0 - LINEAR
        stiffness += LINEAR * np.maximum(density, 0.0)
        stiffness *= 1.0 - self.minimum
        stiffness += self.minimum
        return stiffness

    def derivative(self, density: Array) -> Array:
        """Derivative of `value`, same shape as `density`."""
        slope = _power(density, self.penalty - 1.0)
        slope *= (1.0 - LINEAR) * self.penalty
        slope += LINEAR
        slope *= 1.0 - self.minimum
        return slope

    def with_penalty(self, penalty: float) -> Polynomial:
        """The same interpolation with another penalty (continuation)."""
        return replace(self, penalty=penalty)


def make_interpolation(discrete: DiscreteProblem) -> Interpolation:
    """The interpolation a problem asks for; where it names none, SIMP, or where own weight acts the
    polynomial, and RAMP for a design that is left grey (docs/decisions/own-weight.md).

    Raises
    ------
    BrokenEntryError
        If what the problem names, or was given, is no interpolation.
    """
    options = discrete.options
    own_weight = "polynomial" if options.projection else "ramp"
    asked: Any = options.interpolation or (own_weight if np.any(discrete.gravity) else "simp")
    scheme: object = INTERPOLATIONS[asked]() if isinstance(asked, str) else asked
    if not isinstance(scheme, Interpolation) or isinstance(scheme, type):
        raise BrokenEntryError(
            f"the interpolation {asked!r} is a {type(scheme).__name__}; it needs the attributes of "
            "trabecula.Interpolation: name, below_linear, penalty, value, derivative, with_penalty"
        )
    if "minimum" in keys_of(type(scheme)):
        least: dict[str, Any] = {"minimum": options.minimum_stiffness}
        scheme = cast(Interpolation, replace(cast(Any, scheme), **least))
    return scheme.with_penalty(final_penalty(discrete))


def final_penalty(discrete: DiscreteProblem) -> float:
    """The penalty that a design ends with: the problem's, and a higher one for a projected thin conductor.

    A tree grows where heat is made in most of the domain, and its twigs are as thin as the filter lets them.
    """
    penalty = discrete.options.penalty
    if not discrete.options.projection or penalty <= 1.0 or discrete.physics != CONDUCTION:
        return penalty
    is_thin = discrete.radius < THIN * discrete.grid.edges[1]
    nodes = discrete.fixed[0].size
    is_tree = any(np.count_nonzero(load) > MOST * nodes for load in discrete.loads)
    return max(penalty, CRISP_CONDUCTION) if is_thin and is_tree else penalty


def permits_bound(interpolation: Interpolation, minimum: float) -> bool:
    """Whether an interpolation promises to be below the linear one, and is where one looks.

    Parameters
    ----------
    minimum
        Stiffness at density zero that the linear one has.
    """
    if not interpolation.below_linear:
        return False
    density = np.linspace(0.0, 1.0, _SAMPLES)
    linear = minimum + (1.0 - minimum) * density
    return bool((interpolation.value(density) <= linear * (1.0 + _ROUNDING)).all())


def _power(density: Array, exponent: float) -> Array:
    """`max(density, 0) ** exponent` in a new array; small whole exponents without calling `pow`."""
    x = np.maximum(density, 0.0)
    if exponent == 0.0:
        x.fill(1.0)
    elif exponent == 2.0:
        np.square(x, out=x)
    elif exponent == 3.0:
        x *= np.square(x)
    elif exponent != 1.0:
        np.power(x, exponent, out=x)
    return x
