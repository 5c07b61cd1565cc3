"""Length scale: density, sensitivity and Helmholtz filters, one file an idea.

`make_filter` builds what a problem asks for, from the table `trabecula.problem.design_tables.FILTERS`; every
filter obeys the `Filter` protocol, every entry of the table `FilterKind`.
"""

from trabecula.design.filters.base import Filter, FilterKind, Identity
from trabecula.design.filters.cone import Cone
from trabecula.design.filters.helmholtz import Helmholtz
from trabecula.design.filters.kinds import average_by_cone
from trabecula.design.filters.make import make_filter
from trabecula.design.filters.sensitivity import SensitivityFilter
from trabecula.design.filters.smoothing import SmoothingFilter

__all__ = [
    "Cone",
    "Filter",
    "FilterKind",
    "Helmholtz",
    "Identity",
    "SensitivityFilter",
    "SmoothingFilter",
    "average_by_cone",
    "make_filter",
]
