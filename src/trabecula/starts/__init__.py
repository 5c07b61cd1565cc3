"""Where it begins: grids to work on, proposals for the coarsest, and hand-overs from one to the next.

A start returns densities; running them on a grid is `solve`'s business.
"""

from trabecula.starts.handover import HalfGrey, HandOver
from trabecula.starts.ladder import ladder
from trabecula.starts.propose import Proposal, Proposer, Ramps, RandomFields, volume_of
from trabecula.starts.resample import resample

__all__ = [
    "HalfGrey",
    "HandOver",
    "Proposal",
    "Proposer",
    "Ramps",
    "RandomFields",
    "ladder",
    "resample",
    "volume_of",
]
