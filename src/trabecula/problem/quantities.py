"""The table of quantities: what a goal can minimise or maximise, and what limits can be put on.

The classes themselves measure designs and live in `trabecula.responses`, further up; a problem only names
them and holds their keys.
"""

from __future__ import annotations

from typing import Any

from trabecula.problem.tables import Table

QUANTITIES: Table[Any] = Table("quantity", "trabecula.quantities")
"""Subclasses of `trabecula.Quantity` by the name they have in a problem file."""

QUANTITIES.declare(
    "compliance",
    "trabecula.responses.compliance:Compliance",
    "load times displacement, the weighted sum over the load cases; the less the stiffer",
)
QUANTITIES.declare(
    "thermal_compliance",
    "trabecula.responses.compliance:ThermalCompliance",
    "heat times temperature, the weighted sum over the load cases; the less the cooler",
)
QUANTITIES.declare(
    "volume", "trabecula.responses.volume:Volume", "used fraction of the domain that is not passive void"
)


def name_of(part: Any, kind: str = "quantity", base: str = "trabecula.Quantity") -> str:
    """The name of a quantity, or of another `kind` of part, given by its name or as an object.

    Raises
    ------
    TypeError
        If it is neither.
    """
    name = part if isinstance(part, str) else getattr(part, "name", None)
    if not isinstance(name, str) or isinstance(part, type):
        raise TypeError(f"{part!r} is neither the name of a {kind} nor a {base} with a name")
    return name
