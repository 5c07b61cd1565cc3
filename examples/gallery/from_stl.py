"""A design space from an STL file: an arm that may only be where the drawing allows.

CAD programs give the space that a part may take as a closed surface. Voxels outside of it become passive void
and are no part of the domain: 30 % of the volume are 30 % of the shape. The file is in metres, in the
domain's co-ordinates; here the script makes it, a plate whose outline is a polygon.

A saved result keeps a copy of the file, so that it can be checked anywhere.
"""

import sys
from pathlib import Path

import numpy as np

import trabecula as tb
from trabecula.drawing import picture
from trabecula.export.stl import write_stl
from trabecula.surface.mesh import Mesh

OUTLINE = ((0.0, 0.0), (0.08, 0.0), (0.2, 0.05), (0.2, 0.09), (0.08, 0.1), (0.0, 0.1))  # m, convex


def extrude(outline: tuple[tuple[float, float], ...], height: float) -> Mesh:
    """A prism on a convex polygon that runs counter-clockwise."""
    n = len(outline)
    bottom, top = (np.column_stack([outline, np.full(n, z)]) for z in (0.0, height))
    caps = [((0, k + 1, k), (n, n + k, n + k + 1)) for k in range(1, n - 1)]
    sides = [((k, (k + 1) % n, n + k), ((k + 1) % n, n + (k + 1) % n, n + k)) for k in range(n)]
    return Mesh(np.vstack([bottom, top]), np.array([face for pair in caps + sides for face in pair]))


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    mesh = extrude(OUTLINE, 0.03)
    assert mesh.is_watertight() and mesh.volume() > 0.0
    write_stl(folder / "from_stl.stl", mesh, unit="m")
    problem = tb.Problem(
        name="Arm from an STL",
        domain=tb.Domain((0.2, 0.1, 0.03), (40, 20, 6), shape=str(folder / "from_stl.stl")),
        material=tb.Material(young=70e9),
        supports=(tb.Support(tb.where.Plane("x", 0.0), fix=("x", "y", "z")),),
        cases=(tb.LoadCase((tb.Load(tb.where.Plane("x", 0.2), force=(0.0, -500.0, 0.0)),)),),
        goal=tb.Goal("compliance", volume=0.3),
        options=tb.Options(symmetry=("z",)),
    )
    result = tb.solve(problem, proposals=2)
    print(result)
    png = picture(result.density, result.spacing, title=problem.name, word=result.word, width=640)
    (folder / "from_stl.png").write_bytes(png)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/gallery"))
