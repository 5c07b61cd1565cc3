"""WHERE IT LIVES: a problem on its grid, as arrays; coarser grids; and what makes an answer meaningless.

`discretise` puts a problem on its voxels, `coarsen` on fewer of them, `hierarchy` on all grids that are
worked on; `precheck` finds what would make the answer meaningless; `nondimensional` takes the units away.
"""

from trabecula.discretisation.coarsen import coarsen
from trabecula.discretisation.discrete import DiscreteProblem
from trabecula.discretisation.discretise import discretise
from trabecula.discretisation.grid import Grid
from trabecula.discretisation.precheck import check, prepare

__all__ = ["DiscreteProblem", "Grid", "check", "coarsen", "discretise", "prepare"]
