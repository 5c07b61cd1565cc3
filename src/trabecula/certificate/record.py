"""The certificate as it is kept: seven values that mean the same in Python, in JSON and in a report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Certificate:
    """What is proven of a design; None where something is not known or does not apply.

    Attributes
    ----------
    equilibrium_residual
        Largest |f - K u| / |f| over the load cases, recomputed in float64.
    kkt_residual
        Projected step of the Lagrangian: about 1 at a uniform start, 0 at a stationary design.
    lower_bound
        What no admissible design can go below: compliance in J (W K for heat), or the used volume fraction
        where volume is minimised.
    gap
        Objective / lower_bound - 1.
    volume_violation
        Used volume fraction above what is allowed, 0 if none.  Where volume is minimised: the largest
        relative excess over a compliance limit.
    connected
        All material above 0.5 is one piece that joins loads to supports.
    grey
        Mean of 4 x (1 - x) over the domain: 0 black and white, 1 all grey.
    """

    equilibrium_residual: float | None = None
    kkt_residual: float | None = None
    lower_bound: float | None = None
    gap: float | None = None
    volume_violation: float | None = None
    connected: bool | None = None
    grey: float | None = None

    def __post_init__(self) -> None:
        # NumPy's scalars are no Python ones: a bool of theirs is no `bool`, and none of them is JSON.
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                object.__setattr__(self, field.name, _plain(field.name, value))

    def to_json(self) -> dict[str, float | bool | None]:
        """The fields as a JSON object; what is infinite or undefined becomes None."""
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Certificate:
        """The inverse of `to_json`.

        Raises
        ------
        ValueError
            If a field is missing, unknown, or not of its kind.
        """
        names = [field.name for field in fields(cls)]
        if set(values) != set(names):
            raise ValueError(
                f"a certificate holds {', '.join(names)}; this one {', '.join(map(str, values))}"
            )
        connected = values["connected"]
        if connected is not None and not isinstance(connected, bool):
            raise ValueError(f"connected is {connected!r}; true, false or null belong there")
        numbers = {name: _number(name, values[name]) for name in names if name != "connected"}
        return cls(**numbers, connected=connected)


def _plain(name: str, value: Any) -> bool | float:
    """A scalar, of Python or of NumPy, as the Python scalar that belongs in a field.

    Raises
    ------
    TypeError
        If it is of another kind than the field.
    """
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, bool) == (name == "connected") and isinstance(plain, bool | int | float):
        return plain if isinstance(plain, bool) else float(plain)
    wanted = "true or false" if name == "connected" else "a number"
    raise TypeError(f"{name} is {value!r}; {wanted} or None belongs there")


def _number(name: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}; a finite number or null belongs there")
    return float(value)
