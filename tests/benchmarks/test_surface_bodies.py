"""Surfaces are re-analysed under the loads of the voxel model: same work, same resultants, known answers."""

from __future__ import annotations

import numpy as np
import pytest

import trabecula as tb
from benchmarks.surface_bodies import (
    Body,
    VoxelNodes,
    same_work,
    spread,
    tetrahedra,
    triangles,
    voxel_mass,
    voxel_tetrahedra,
)
from benchmarks.surface_reanalysis import compliance, split_voxels, spread_loads, thinnest
from trabecula.surface import surface

YOUNG, FORCE = 2e9, 1e4


def bar(dimension: int, poisson: float = 0.0) -> tb.Problem:
    """A bar held at its left end and pulled at its right: compliance F^2 L / (E A)."""
    size, elements = ((4.0, 1.0, 2.0), (8, 2, 4)) if dimension == 3 else ((4.0, 1.0), (16, 4))
    return tb.Problem(
        name="Bar",
        domain=tb.Domain(size[:dimension], elements[:dimension], thickness=0.5 if dimension == 2 else 1.0),
        material=tb.Material(young=YOUNG, poisson=poisson),
        supports=(tb.Support(tb.where.Plane("x", 0.0), fix=("x", "y", "z")[:dimension]),),
        cases=(tb.LoadCase((tb.Load(tb.where.Plane("x", 4.0), force=(FORCE, 0.0, 0.0)[:dimension]),)),),
        goal=tb.Goal("compliance", volume=1.0),
    )


@pytest.mark.parametrize("dimension, section", [(2, 0.5), (3, 2.0)])
def test_a_pulled_bar_has_its_known_compliance(dimension, section):
    problem = bar(dimension)
    whole = np.ones(problem.domain.elements[::-1], dtype=bool)
    cell = np.array(problem.domain.spacing)
    body = Body(voxel_tetrahedra(whole, cell), problem)
    exact = FORCE**2 * 4.0 / (YOUNG * section)
    assert body.volume == pytest.approx(4.0 * section)
    same, even = body.compliances()
    assert same == pytest.approx(exact, rel=0.02)  # the end face's load reaches a voxel into the bar
    assert even == pytest.approx(exact, rel=0.06)
    # what the voxel model makes of the spread loads is what the body makes of them
    assert compliance(spread_loads(problem, whole), whole) == pytest.approx(even, rel=0.02)


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_exported_surface_of_a_block_is_meshed_and_answers_as_its_voxels(dimension):
    problem = bar(dimension, poisson=0.3)
    whole = np.ones(problem.domain.elements[::-1], dtype=np.float32)
    cell = np.array(problem.domain.spacing)
    exported = surface(whole, problem.domain.spacing, thickness=0.5)
    body = Body(triangles(exported, cell) if dimension == 2 else tetrahedra(exported, cell), problem)
    voxels = Body(voxel_tetrahedra(whole > 0, cell), problem)
    assert body.volume == pytest.approx(voxels.volume, rel=1e-3)
    assert body.compliances() == pytest.approx(voxels.compliances(), rel=0.01)
    assert voxels.compliances()[0] >= tb.evaluate(problem, whole).compliance * (1 - 1e-6)  # Galerkin


@pytest.mark.parametrize("dimension", [2, 3])
def test_split_voxels_are_softer_and_near_what_quadratic_elements_say(dimension):
    problem = bar(dimension, poisson=0.3)
    whole = np.ones(problem.domain.elements[::-1], dtype=bool)
    split = compliance(*split_voxels(problem, whole))
    assert split >= tb.evaluate(problem, whole).compliance * (1 - 1e-6)  # the same loads on more elements
    quadratic = Body(voxel_tetrahedra(whole, np.array(problem.domain.spacing)), problem).compliances()[0]
    assert split == pytest.approx(quadratic, rel=0.01)


def test_loads_of_equal_work_are_the_nodal_loads_of_voxels_again():
    generator = np.random.default_rng(1)
    part = np.zeros((4, 5, 6), dtype=bool)
    part[1:3, 1:5, :4] = True
    mass = voxel_mass(part)
    lumped = np.asarray(mass.sum(axis=1)).ravel()
    assert lumped.sum() == pytest.approx(part.sum())
    nodal = np.where(lumped > 0, generator.standard_normal(lumped.size), 0.0)
    assert mass @ same_work(nodal, mass, lumped, 1.0) == pytest.approx(nodal, abs=1e-7)
    assert (mass @ spread(nodal, lumped)).sum() == pytest.approx(nodal.sum())


def test_forces_keep_resultant_and_moment_whatever_the_mesh():
    problem = bar(3)
    whole = np.ones(problem.domain.elements[::-1], dtype=np.float32)
    exported = surface(whole, problem.domain.spacing)
    body = Body(tetrahedra(exported, np.array(problem.domain.spacing)), problem)
    force = body.forces(is_spread=False)[0][body.dofs[0]]
    assert force.sum() == pytest.approx(FORCE, rel=1e-6)
    assert force @ body.places.T / FORCE == pytest.approx([4.0, 0.5, 1.0], rel=1e-3)


def test_hat_functions_are_one_in_sum_and_at_their_node():
    hats = VoxelNodes((3, 4, 5), np.array([0.5, 1.0, 2.0]))
    points = np.random.default_rng(2).uniform(0, 1, (3, 50)) * np.array([2.0, 3.0, 4.0])[:, None]
    assert hats.at(points).sum(axis=1) == pytest.approx(np.ones((50, 1)))
    node = np.ravel_multi_index((1, 2, 3), (3, 4, 5))
    assert hats.at(np.array([[1.5], [2.0], [2.0]]))[0, node] == pytest.approx(1.0)


@pytest.mark.parametrize("edge", [2, 3, 5])
def test_the_thinnest_member_is_found(edge):
    part = np.zeros((20, 20, 60), dtype=bool)
    part[4:14, 4:14, :20] = True
    part[6 : 6 + edge, 6 : 6 + edge, 20:] = True
    assert thinnest(part) == edge
