"""Published numbers, reproduced through the public way in.

Andreassen, Clausen, Schevenels, Lazarov & Sigmund 2011, "Efficient topology optimization in MATLAB using 88
lines of code": the MBB half-beam on unit voxels, unit load, E 1, nu 0.3, E_min 1e-9, volume 0.5, penalty 3,
filter radius 0.04 times the width, OC with move limit 0.2, until no density changes by 0.01. The code prints
the compliance of the design its last iteration began with.
"""

from __future__ import annotations

from typing import Literal

import pytest

import trabecula as tb
from trabecula import where


def mbb(width: int, height: int, kind: Literal["density", "sensitivity"], **options: object) -> tb.Problem:
    return tb.Problem(
        domain=tb.Domain(size=(float(width), float(height)), elements=(width, height)),
        supports=(
            tb.Support(where.Plane("x", 0.0), fix=("x",)),
            tb.Support(where.Nodes(((float(width), 0.0),)), fix=("y",)),
        ),
        cases=(tb.LoadCase((tb.Load(where.Nodes(((0.0, float(height)),)), force=(0.0, -1.0)),)),),
        goal=tb.Goal("compliance", volume=0.5),
        material=tb.Material(young=1.0, poisson=0.3),
        options=tb.Options(
            penalty=3.0,
            filter=tb.FilterOptions(kind, 0.04 * width),
            projection=False,
            minimum_stiffness=1e-9,
            move=0.2,
        ),
        name="MBB of the 88-line code",
    )


@pytest.mark.parametrize(
    ("width", "height", "kind", "published"),
    [(60, 20, "density", 233.71), (60, 20, "sensitivity", 216.81), (150, 50, "density", 235.73)],
)
def test_the_classical_way_ends_at_the_compliance_of_the_88_line_code(
    width: int, height: int, kind: Literal["density", "sensitivity"], published: float
) -> None:
    result = tb.solve(mbb(width, height, kind), start="classical")
    assert result.converged
    assert result.history[-1]["compliance"] == pytest.approx(published, rel=1e-3)
    assert result.compliance == pytest.approx(published, rel=1e-3)
