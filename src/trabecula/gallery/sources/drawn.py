"""What the shipped proposal network draws, or the user's own; nothing where there is none (2-D)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trabecula.gallery.ground import Draw, Ground
from trabecula.optimize.loop import run
from trabecula.optimizers import make_optimizer
from trabecula.starts import volume_of
from trabecula.strategy.learned_steps import Learned, convex_plan, propose


@dataclass(frozen=True)
class Drawn:
    """Designs that a network draws out of noise, mixed with grey.

    The network is shown the convex design of the grid; the 20 iterations for it are not counted as work.
    """

    description: str = "What the proposal network draws."

    def draw(self, ground: Ground, first: int, count: int) -> list[Draw]:
        """As many as asked for; none where no network knows the dimension."""
        analysis = ground.analysis
        proposer = Learned.in_use(len(ground.discrete.grid.shape)).proposer
        if proposer is None:
            return []
        plan = convex_plan(make_optimizer(ground.discrete, analysis.machine))
        convex = run(analysis, plan, analysis.chain.uniform(volume_of(ground.discrete)))
        proposals = propose(analysis, proposer, convex.x, first + count)[first:]
        return [Draw(replace(proposal, name=f"drawn-{first + k}")) for k, proposal in enumerate(proposals)]


DRAWN = Drawn()
