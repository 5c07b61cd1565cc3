"""What is asked: domain, regions, materials, supports, load cases, goal; between files and arrays.

`model` holds the problem as frozen dataclasses, `where` the selectors they use. `read` and `write` turn files
into problems and back, strictly and without loss; `discretise` puts a problem on its voxels, `coarsen` on
fewer of them; `precheck` finds what would make the answer meaningless; `problems` holds ready ones. Imports
nothing of ours.
"""

from trabecula.problem import problems
from trabecula.problem.coarsen import coarsen
from trabecula.problem.discrete import DiscreteProblem, Grid
from trabecula.problem.discretise import discretise
from trabecula.problem.errors import Caution, ProblemError
from trabecula.problem.estimate import Estimate, estimate, refuse_if_too_large
from trabecula.problem.materials import MATERIALS
from trabecula.problem.model import (
    Domain,
    Filter,
    Goal,
    Load,
    LoadCase,
    Material,
    Options,
    Problem,
    Region,
    Support,
)
from trabecula.problem.precheck import check, prepare
from trabecula.problem.read import load, loads, parse
from trabecula.problem.write import dump, files, save, to_tree, validate, with_files

__all__ = [
    "MATERIALS",
    "Caution",
    "DiscreteProblem",
    "Domain",
    "Estimate",
    "Filter",
    "Goal",
    "Grid",
    "Load",
    "LoadCase",
    "Material",
    "Options",
    "Problem",
    "ProblemError",
    "Region",
    "Support",
    "check",
    "coarsen",
    "discretise",
    "dump",
    "estimate",
    "files",
    "load",
    "loads",
    "parse",
    "prepare",
    "problems",
    "refuse_if_too_large",
    "save",
    "to_tree",
    "validate",
    "with_files",
]
