"""What a problem asks for as a shape is that shape in the exported surface, not a staircase of voxels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from trabecula.discretisation import discretise
from trabecula.export import Conditions, Design, write_stl
from trabecula.export.true_shapes import find_cuts
from trabecula.problem.model import Domain, Goal, Load, LoadCase, Problem, Region, Support
from trabecula.problem.where import (
    AllOf,
    AnyOf,
    Box,
    Cylinder,
    Everywhere,
    Nodes,
    Not,
    Plane,
    Range,
    Sphere,
    Stl,
    Where,
)
from trabecula.surface import Mesh
from trabecula.surface.primitives import make_ball, make_bar, make_box

MM = 1e-3


def pose(*regions: Region, elements=(20, 16, 12), spacing=1.0, shape=None, thickness=1.0) -> Problem:
    """A block, or a plate, of voxels with regions."""
    dimension = len(elements)
    return Problem(
        Domain(
            tuple(n * spacing * MM for n in elements),
            elements,
            thickness * MM if dimension == 2 else 1.0,
            shape,
        ),
        (Support(Everywhere(), ("x", "y", "z")[:dimension]),),
        (LoadCase((Load(Everywhere(), gravity=(0.0, -9.81, 0.0)[:dimension]),)),),
        Goal(volume=0.9),
        regions=regions,
    )


def export(problem: Problem, density: NDArray[np.float64] | None = None) -> tuple[Mesh, NDArray[np.bool_]]:
    """The surface of a design (all that may be material, where none is given), and its part."""
    discrete = discretise(problem)
    if density is None:
        density = np.ones(discrete.lower.shape)
    part = ((density > 0.5) | (discrete.lower >= 1)) & ~discrete.void
    conditions = Conditions(discrete.lower >= 1, discrete.void, cuts=find_cuts(problem))
    design = Design(
        density,
        problem.domain.spacing,
        thickness=problem.domain.thickness,
        part=part,
        find_conditions=lambda: conditions,
    )
    return design.surface, part


def waves(shape: tuple[int, ...], seed: int = 0) -> NDArray[np.float64]:
    """A design with members some voxels thick."""
    field = gaussian_filter(np.random.default_rng(seed).random(shape), 1.6)
    return np.clip((field - np.quantile(field, 0.35)) * 30 + 0.5, 0, 1)


def distances(mesh: Mesh, axis: int, center: tuple[float, ...]) -> NDArray[np.float64]:
    """The least distance of every edge of a mesh from an axis, in millimetres."""
    across = [a for a in range(3) if a != axis]
    corners = mesh.corners()[..., across] - np.array(center)[across]
    way = np.roll(corners, -1, axis=1) - corners
    length = (way**2).sum(axis=-1)
    along = np.clip(-(corners * way).sum(axis=-1) / np.where(length > 0, length, 1), 0, 1)
    return np.linalg.norm(corners + along[..., None] * way, axis=-1).min(axis=1) / MM


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("center", [(10, 8, 6), (10.5, 8.5, 6.5), (9.3, 7.1, 5.6)])
@pytest.mark.parametrize("spacing", [1.0, 0.7])
def test_a_bolt_passes_a_hole_of_its_diameter(axis, center, spacing):
    place = tuple(c * spacing * MM for c in center)
    hole = Region(Cylinder("xyz"[axis], place, 3.3 * MM), "void")
    mesh, part = export(pose(hole, spacing=spacing))
    assert mesh.is_watertight()
    away = distances(mesh, axis, place)
    assert away.min() >= 3.3
    bore = np.linalg.norm(np.delete(mesh.vertices - place, axis, axis=1), axis=1) / MM
    assert (bore[bore < 3.6 * spacing] <= 3.3 * 1.01).all()
    assert (bore <= 3.3 * 1.01).sum() > 90  # the bore is there
    assert mesh.volume() == pytest.approx(
        np.prod([n * spacing for n in (20, 16, 12)]) * MM**3
        - np.pi * 3.3**2 * (20, 16, 12)[axis] * spacing * MM**3,
        rel=2e-3,
    )
    assert mesh.volume() == pytest.approx(part.sum() * (spacing * MM) ** 3, rel=0.02)


def test_a_bolt_passes_through_a_design_of_thin_members_and_the_volume_is_that_of_the_part():
    place = (10.2 * MM, 7.9 * MM, 6 * MM)
    washer = AllOf((Cylinder("z", place, 6 * MM), Range("z", 0.0, 3 * MM)))
    problem = pose(Region(washer, "solid"), Region(Cylinder("z", place, 3.3 * MM), "void"))
    for seed in range(4):
        mesh, part = export(problem, waves((12, 16, 20), seed))
        assert mesh.is_watertight()
        assert distances(mesh, 2, place).min() >= 3.3
        assert mesh.volume() == pytest.approx(part.sum() * MM**3, rel=0.01)


def test_a_washer_is_round_flat_and_where_it_was_asked_for():
    place = (10.2 * MM, 7.9 * MM, 6 * MM)
    washer = AllOf((Cylinder("z", place, 5.2 * MM), Range("z", 2.4 * MM, 6.7 * MM)))
    mesh, _ = export(pose(Region(washer, "solid")), np.zeros((12, 16, 20)))
    assert mesh.volume() == pytest.approx(np.pi * 5.2**2 * 4.3 * MM**3, rel=1e-3)
    np.testing.assert_allclose(mesh.bounds[:, 2], [2.4 * MM, 6.7 * MM], rtol=0, atol=1e-12)
    assert np.linalg.norm((mesh.vertices - place)[:, :2], axis=1).max() <= 5.2 * MM * (1 + 1e-12)


@pytest.mark.parametrize(
    "where, volume",
    [
        (Box((2.3, 3.1, 4.2), (9.7, 8.8, 7.9)), 7.4 * 5.7 * 3.7),
        (Range("y", 4.3, 9.1), 20 * 4.8 * 12),
        (Range("y", 0.0, 4.3), 20 * 4.3 * 12),
        (Sphere((10.1, 8.2, 6.3), 4.4), 4 / 3 * np.pi * 4.4**3),
        (
            AllOf((Cylinder("x", (0, 8, 6), 4), Not(Cylinder("x", (0, 8, 6), 2.2)))),
            20 * np.pi * (16 - 2.2**2),
        ),
        (AnyOf((Box((1, 1, 1), (5.5, 5, 5)), Box((5.5, 1, 1), (9, 5, 5)))), 8 * 4 * 4),
        (Plane("z", 4.2), 20 * 16 * 1),
        (Nodes(((10.2, 7.7, 5.1),)), 1.0),
        (AllOf((Plane("z", 4.2), Cylinder("z", (10, 8, 6), 3.3))), np.pi * 3.3**2),
    ],
)
@pytest.mark.parametrize("kind", ["void", "solid"])
def test_regions_have_the_volume_of_their_shapes(where, volume, kind):
    def scale(part: Where) -> Where:
        """The same in millimetres."""
        match part:
            case AllOf(parts) | AnyOf(parts):
                return type(part)(tuple(scale(one) for one in parts))
            case Not(one):
                return Not(scale(one))
        values = {
            key: value if isinstance(value, str) else (np.array(value) * MM).tolist()
            for key, value in vars(part).items()
        }
        return type(part)(**{k: tuple(map(tuple, v)) if k == "points" else v for k, v in values.items()})

    full = np.ones((12, 16, 20)) if kind == "void" else np.zeros((12, 16, 20))
    mesh, _ = export(pose(Region(scale(where), kind)), full)
    assert mesh.is_watertight()
    found = mesh.volume() / MM**3
    assert (20 * 16 * 12 - found if kind == "void" else found) == pytest.approx(volume, rel=6e-3)


def test_later_regions_overrule_earlier_ones():
    place = (10 * MM, 8 * MM, 6 * MM)
    hole, boss = Region(Cylinder("z", place, 3 * MM), "void"), Region(Cylinder("z", place, 5 * MM), "solid")
    open_, _ = export(pose(boss, hole), np.zeros((12, 16, 20)))
    shut, _ = export(pose(hole, boss), np.zeros((12, 16, 20)))
    assert open_.volume() == pytest.approx(12 * np.pi * 16 * MM**3, rel=3e-3)
    assert shut.volume() == pytest.approx(12 * np.pi * 25 * MM**3, rel=3e-3)


def test_holes_in_a_plate_are_round():
    hole = Region(Cylinder("z", (10.3 * MM, 7.8 * MM), 3.3 * MM), "void")
    slot = Region(AllOf((Sphere((4 * MM, 4 * MM), 2 * MM), Not(Range("x", 4.5 * MM, 1.0)))), "void")
    mesh, _ = export(pose(hole, slot, elements=(20, 16), thickness=3.0))
    assert mesh.is_watertight()
    assert distances(mesh, 2, (10.3 * MM, 7.8 * MM, 0)).min() >= 3.3
    np.testing.assert_allclose(mesh.bounds, np.array([[0, 0, 0], [20, 16, 3]]) * MM, rtol=0, atol=1e-12)
    segment = 2 * np.pi * 2 - (4 * np.arccos(0.25) - 0.5 * np.sqrt(4 - 0.25))
    assert mesh.volume() / MM**3 == pytest.approx(3 * (320 - np.pi * 3.3**2 - segment), rel=3e-3)


def write(mesh: Mesh, path: Path) -> str:
    write_stl(path, mesh, "m")
    return str(path)


def slanted_plate() -> Mesh:
    """A plate that leans by 17 degrees."""
    mesh = make_box((3, 4, 2), (18, 7, 10))
    turn = np.radians(17)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    return Mesh((mesh.vertices @ rotation.T) * MM, mesh.faces)


@pytest.mark.parametrize(
    "shape",
    [
        slanted_plate(),
        make_bar(2, (10 * MM, 8 * MM, 0), 6.3 * MM, (1.5 * MM, 10.4 * MM), outside=False),
        make_ball((10 * MM, 8 * MM, 6 * MM), 5.4 * MM, outside=False),
    ],
)
def test_a_solid_domain_keeps_the_faces_of_its_stl(shape, tmp_path):
    mesh, _ = export(pose(shape=write(shape, tmp_path / "part.stl")))
    assert mesh.is_watertight()
    assert mesh.volume() == pytest.approx(shape.volume(), rel=1e-5)
    np.testing.assert_allclose(mesh.bounds, shape.bounds, atol=1e-8)


def test_a_design_in_an_stl_stays_within_it_and_touches_its_faces(tmp_path):
    bar = make_bar(2, (10 * MM, 8 * MM, 0), 7.3 * MM, (1.0 * MM, 10.3 * MM), outside=False)
    mesh, part = export(pose(shape=write(bar, tmp_path / "part.stl")), waves((12, 16, 20)))
    assert mesh.is_watertight()
    radius = np.linalg.norm((mesh.vertices / MM - [10, 8, 0])[:, :2], axis=1)
    assert radius.max() <= 7.3 * (1 + 1e-6)
    assert (radius > 7.3 * (1 - 1e-3)).sum() > 50
    assert mesh.volume() == pytest.approx(part.sum() * MM**3, rel=0.01)


def test_bodies_that_overlap_a_cavity_and_an_open_surface_are_told_apart(tmp_path):
    outer, inner = make_box((1, 1, 1), (19, 15, 11)), make_box((6.3, 5.2, 4.1), (13.8, 10.9, 7.7))
    cavity = Mesh(
        np.concatenate([outer.vertices, inner.vertices]) * MM,
        np.concatenate([outer.faces, inner.faces[:, ::-1] + 8]),
    )
    mesh, _ = export(pose(shape=write(cavity, tmp_path / "cavity.stl")))
    assert mesh.volume() / MM**3 == pytest.approx(18 * 14 * 10 - 7.5 * 5.7 * 3.6, rel=1e-5)
    turned = Mesh(outer.vertices * MM, outer.faces[:, ::-1])
    mesh, _ = export(pose(shape=write(turned, tmp_path / "turned.stl")))
    assert mesh.volume() / MM**3 == pytest.approx(18 * 14 * 10, rel=1e-5)
    gap = Mesh(outer.vertices * MM * 0.97, outer.faces[1:])
    mesh, part = export(pose(shape=write(gap, tmp_path / "open.stl")))
    assert mesh.is_watertight()
    assert mesh.volume() == pytest.approx(part.sum() * MM**3, rel=1e-6)  # along its voxels


def test_a_keep_out_from_an_stl_is_cut_exactly(tmp_path):
    tool = write(slanted_plate(), tmp_path / "tool.stl")
    mesh, _ = export(pose(Region(Stl(tool), "void")))
    assert mesh.volume() / MM**3 == pytest.approx(20 * 16 * 12 - 15 * 3 * 8, rel=1e-4)


def test_a_part_without_regions_is_not_cut():
    problem = pose()
    assert find_cuts(problem) == ()


def test_pads_that_the_part_has_lost_do_not_come_back():
    pads = AnyOf(
        tuple(AllOf((Cylinder("z", (x * MM, 8 * MM, 0), 3 * MM), Range("z", 0, 3 * MM))) for x in (4, 15))
    )
    problem = pose(Region(pads, "solid"))
    discrete = discretise(problem)
    part = discrete.lower >= 1
    part[:, :, :10] = False
    conditions = Conditions(discrete.lower >= 1, discrete.void, cuts=find_cuts(problem))
    mesh = Design(
        discrete.lower, problem.domain.spacing, part=part, find_conditions=lambda: conditions
    ).surface
    assert mesh.volume() == pytest.approx(27 * np.pi * MM**3, rel=3e-3)
    assert mesh.bounds[0, 0] == pytest.approx(12 * MM)
