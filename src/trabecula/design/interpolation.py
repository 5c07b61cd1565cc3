"""How stiff a grey voxel is: SIMP and RAMP, as relative stiffness between `minimum` and 1.

Sources: Bendsoe & Sigmund 1999 (SIMP, "Material interpolation schemes in topology optimization"), Sigmund
2007 (the form with a minimum stiffness), Stolpe & Svanberg 2001 (RAMP, "An alternative interpolation scheme
for minimum compliance topology optimization").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem

Array = NDArray[np.float64]


class Interpolation(Protocol):
    """Relative stiffness of a physical density, with its derivative.

    Attributes
    ----------
    below_linear
        Whether it promises to be nowhere stiffer than `minimum + (1 - minimum) density`: that permits lower
        bounds.
    """

    below_linear: ClassVar[bool]

    @property
    def penalty(self) -> float:
        """How strongly grey is punished; 1 is linear."""

    def value(self, density: Array) -> Array:
        """Relative stiffness, same shape as `density`; negative densities count as zero."""

    def derivative(self, density: Array) -> Array:
        """Derivative of `value`, same shape as `density`."""

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


def make_interpolation(discrete: DiscreteProblem) -> Simp | Ramp:
    """The interpolation a problem asks for; RAMP where own weight acts and none was named, else SIMP."""
    options = discrete.options
    kind = options.interpolation or ("ramp" if np.any(discrete.gravity) else "simp")
    scheme = Ramp if kind == "ramp" else Simp
    return scheme(options.penalty, options.minimum_stiffness)


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
