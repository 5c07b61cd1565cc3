"""Where it begins: grids to work on, proposals for the coarsest, and hand-overs from one to the next.

A start returns densities; running them on a grid is `solve`'s business.
"""

from trabecula.starts.corrector import Corrector, slightly_grey
from trabecula.starts.drawn import Drawer, Leaper
from trabecula.starts.handover import HalfGrey, HandOver
from trabecula.starts.ladder import ladder
from trabecula.starts.past import Past
from trabecula.starts.propose import Proposal, Proposer, Ramps, RandomFields, volume_of
from trabecula.starts.resample import resample
from trabecula.starts.volume import fill, log_odds, target_volume

__all__ = [
    "Corrector",
    "Drawer",
    "HalfGrey",
    "HandOver",
    "Leaper",
    "Past",
    "Proposal",
    "Proposer",
    "Ramps",
    "RandomFields",
    "fill",
    "ladder",
    "log_odds",
    "resample",
    "slightly_grey",
    "target_volume",
    "volume_of",
]
