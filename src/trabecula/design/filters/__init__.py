"""Length scale: density, sensitivity and Helmholtz filters, one file an idea.

`make_filter` builds what a problem asks for; every filter obeys the `Filter` protocol.
"""

from trabecula.design.filters.base import Filter, Identity
from trabecula.design.filters.cone import Cone
from trabecula.design.filters.helmholtz import Helmholtz
from trabecula.design.filters.make import make_filter
from trabecula.design.filters.sensitivity import SensitivityFilter
from trabecula.design.filters.smoothing import SmoothingFilter

__all__ = ["Cone", "Filter", "Helmholtz", "Identity", "SensitivityFilter", "SmoothingFilter", "make_filter"]
