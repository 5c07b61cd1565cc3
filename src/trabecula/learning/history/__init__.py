"""Learning from the user's own solves: kept on this machine, the nearest one offered as a proposal.

`keep` and `recall` follow the environment (`place`) and never fail; `Store` is the history itself, for the
command line and for fine-tuning. Nothing leaves the machine.
"""

from trabecula.learning.history.around_solve import (
    keep,
    open_history,
    recall,
    solve,
)
from trabecula.learning.history.entry import Entry
from trabecula.learning.history.location import folder, is_on, limit
from trabecula.learning.history.similar_designs import SimilarDesign, similar
from trabecula.learning.history.store import ALIKE, Match, Store

__all__ = [
    "ALIKE",
    "Entry",
    "Match",
    "SimilarDesign",
    "Store",
    "folder",
    "is_on",
    "keep",
    "limit",
    "open_history",
    "recall",
    "similar",
    "solve",
]
