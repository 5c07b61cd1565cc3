"""Where it begins: grids to work on, proposals for the coarsest, and hand-overs from one to the next.

A start returns densities; running them on a grid is `solve`'s business.
"""

from trabecula.starts.hand_over import HalfGrey, HandOver
from trabecula.starts.past_designs import PastDesigns
from trabecula.starts.proposal_network import ExtrapolationNetwork, ProposalNetwork
from trabecula.starts.propose import (
    Proposal,
    Proposer,
    Ramps,
    RandomFields,
    volume_of,
)
from trabecula.starts.upscaling import UpscalingNetwork, slightly_grey
from trabecula.starts.volume import fill, log_odds, target_volume

__all__ = [
    "ExtrapolationNetwork",
    "HalfGrey",
    "HandOver",
    "PastDesigns",
    "Proposal",
    "ProposalNetwork",
    "Proposer",
    "Ramps",
    "RandomFields",
    "UpscalingNetwork",
    "fill",
    "log_odds",
    "slightly_grey",
    "target_volume",
    "volume_of",
]
