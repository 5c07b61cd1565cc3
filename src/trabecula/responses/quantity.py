"""What can be asked of a design: the base of all quantities."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from trabecula.discretisation.discrete import DiscreteProblem

if TYPE_CHECKING:
    from trabecula.responses.design_point import DesignPoint

Array = NDArray[np.float64]


class Quantity(ABC):
    """A number that is measured of a design, with its sensitivity side by side; a goal or a limit.

    A subclass says `name` and `unit`, and gives `value` and `gradient`; a frozen dataclass as a subclass has
    its fields as keys in the problem file (`trabecula.key`). Everything is in SI units. What is more is
    permission: where a quantity promises nothing, nothing is proven of it, and a promise does not pass on to
    a subclass that measures anything else.

    Attributes
    ----------
    name
        What it is called in a problem file, on the command line and in results.
    unit
        Of its value, as "J" or "m"; empty for a plain number.
    physics
        Name of the physics it belongs to, "elasticity" or "conduction"; None where it belongs to any.
    is_positive
        Whether only a failed solve can make its value zero or less.
    """

    name: ClassVar[str]
    unit: ClassVar[str] = ""
    physics: ClassVar[str | None] = None
    is_positive: ClassVar[bool] = False

    def __init_subclass__(cls, **options: object) -> None:
        """Take promises back where a subclass measures something else than the class that made them."""
        super().__init_subclass__(**options)
        if "value" in cls.__dict__ or "gradient" in cls.__dict__:
            for promise in ("material_share", "compliance_weights"):
                if promise not in cls.__dict__:
                    setattr(cls, promise, getattr(Quantity, promise))

    @abstractmethod
    def value(self, at: DesignPoint) -> float:
        """The value at a design."""

    @abstractmethod
    def gradient(self, at: DesignPoint) -> Array:
        """Derivative with respect to the physical densities, float64 in the shape of `at.physical`.

        A new array, which the caller may change.
        """

    def material_share(self, discrete: DiscreteProblem) -> float | None:
        """What the value is where the whole domain is solid, if it is proportional to the used volume.

        Whoever returns a number promises that the value is this times the used volume fraction; that permits
        optimality criteria, exact steps to a limit, and lower bounds.
        """
        return None

    def compliance_weights(self, discrete: DiscreteProblem) -> Array | None:
        """Weights, float64 `[case]`, with which it is the sum of the load cases' compliances, if it is one.

        Weights are in the units that the discrete problem is in. Whoever returns an array promises that the
        value is that sum; that permits optimality criteria and lower bounds.
        """
        return None
