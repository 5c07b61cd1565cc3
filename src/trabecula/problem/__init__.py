"""What is asked: domain, regions, materials, supports, load cases, goal; and the file form of all of it.

`model` holds the problem as frozen dataclasses, `where` the selectors they use. `read` and `write` turn files
into problems and back, strictly and without loss; `problems` holds ready ones.
"""

from trabecula.problem import problems
from trabecula.problem.errors import Caution, ProblemError
from trabecula.problem.estimate import Estimate, estimate, refuse_if_too_large
from trabecula.problem.materials import MATERIALS
from trabecula.problem.model import (
    Domain,
    FilterOptions,
    Goal,
    Hole,
    Load,
    LoadCase,
    Material,
    Options,
    Problem,
    Region,
    Support,
)
from trabecula.problem.read import load, loads, parse
from trabecula.problem.write import (
    dump,
    files,
    save,
    to_tree,
    validate,
    with_files,
)

__all__ = [
    "MATERIALS",
    "Caution",
    "Domain",
    "Estimate",
    "FilterOptions",
    "Goal",
    "Hole",
    "Load",
    "LoadCase",
    "Material",
    "Options",
    "Problem",
    "ProblemError",
    "Region",
    "Support",
    "dump",
    "estimate",
    "files",
    "load",
    "loads",
    "parse",
    "problems",
    "refuse_if_too_large",
    "save",
    "to_tree",
    "validate",
    "with_files",
]
