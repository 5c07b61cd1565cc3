"""What is spent, in iterations times voxels: the same on every machine, unlike seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.optimize.analysis import Analysis
from trabecula.results.records import Stage
from trabecula.strategy.multistart import search_stage, stage_of
from trabecula.strategy.runner import Runner
from trabecula.strategy.workbench import Workbench


class Work:
    """Counts the work of runs on the grids of a workbench, apart by what they were made for.

    Solves of the proof and of the finished part are not counted; a default solve has as many of them as any
    design of a gallery.
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._runners: dict[str, list[Runner]] = {}
        finest = bench.discrete.grid.count
        self._voxels = {"finish": finest}
        for grid in bench.grids:
            self._voxels[stage_of(grid)] = self._voxels[search_stage(grid)] = grid.grid.count

    def runner(
        self, purpose: str, make_analysis: Callable[[DiscreteProblem], Analysis] | None = None
    ) -> Runner:
        """A new runner whose runs count for a purpose.

        Parameters
        ----------
        make_analysis
            Makes the analyses of runs that are made side by side; default: those of the problem.
        """
        machine = self._bench.machine.with_threads(1)
        made = Runner(self._bench.runner.checkpoints, make_analysis or (lambda grid: Analysis(grid, machine)))
        self._runners.setdefault(purpose, []).append(made)
        return made

    def of(self, purpose: str) -> float:
        """What was spent on a purpose so far, in iterations times voxels."""
        return sum(self.of_stages(runner.stages) for runner in self._runners.get(purpose, ()))

    @property
    def total(self) -> float:
        """What was spent on everything."""
        return sum(map(self.of, self._runners))

    def of_stages(self, stages: Iterable[Stage]) -> float:
        """The work of the stages of a solve of the same problem."""
        return float(sum(stage.iterations * self._voxels.get(stage.name, 0) for stage in stages))
