"""A surface stays closed, whole and as large as its part, whatever it is cut by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from trabecula.surface import Mesh, surface
from trabecula.surface.boolean import subtract
from trabecula.surface.cut import Cut, carry_on
from trabecula.surface.primitives import make_ball, make_bar, make_box
from trabecula.surface.separate import separate

PLACES = st.sampled_from([0.0, 1.0, 2.5, 3.0, 4.2, 5.0, 6.0, 7.7])


@st.composite
def shapes(draw: st.DrawFn) -> tuple[Mesh, np.ndarray]:
    """A shape, and the cells whose centres it has, of a box of 8 x 7 x 6."""
    z, y, x = np.indices((6, 7, 8)) + 0.5
    center = np.array([draw(PLACES) for _ in range(3)])
    reach = draw(st.sampled_from([1.0, 1.5, 2.2, 3.0]))
    kind = draw(st.sampled_from(["box", "bar", "ball"]))
    away = np.stack([x, y, z], axis=-1) - center
    if kind == "box":
        return make_box(center - reach, center + reach), (np.abs(away) <= reach).all(axis=-1)
    if kind == "ball":
        return make_ball(center, reach, outside=False), (away**2).sum(axis=-1) <= reach**2
    return (
        make_bar(2, center, reach, (-1, 7), outside=True),
        (away[..., :2] ** 2).sum(axis=-1) <= reach**2,
    )


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10**6),
    st.lists(st.tuples(st.sampled_from(["solid", "void"]), shapes()), min_size=1, max_size=3),
)
def test_any_field_cut_by_any_shapes_is_watertight_in_metres_and_millimetres(seed, regions):
    field = gaussian_filter(np.random.default_rng(seed).random((6, 7, 8)), seed % 3 / 2)
    part = field > np.median(field)
    solid, void = np.zeros_like(part), np.zeros_like(part)
    for kind, (_, cells) in regions:
        solid[cells], void[cells] = kind == "solid", kind == "void"
        part[cells] = kind == "solid"
    cuts = [Cut(kind, mesh) for kind, (mesh, _) in regions]
    mesh = surface(field, (1, 1, 1), solid=solid, void=void, part=part, cuts=cuts)
    if len(mesh.faces):
        assert mesh.is_watertight() and mesh.scale(1000).is_watertight()
        assert mesh.volume() > 0
    else:
        assert np.count_nonzero(part) < 8  # less than half a cell of it is in the true shapes


def test_a_density_without_a_part_is_cut_too():
    field = np.clip(gaussian_filter(np.random.default_rng(1).random((20, 20, 20)), 2) * 20 - 9.5, 0, 1)
    y, x = (np.indices(field.shape) + 0.5)[1:]
    void = np.hypot(x - 10, y - 10) <= 4
    cut = Cut("void", make_bar(2, (10, 10, 0), 4.0, (-1, 21), outside=True))
    mesh = surface(field, (1, 1, 1), void=void, cuts=[cut])
    assert mesh.is_watertight()
    assert np.hypot(*(mesh.vertices[:, :2] - 10).T).min() >= 4 - 2e-3
    kept = ((field > 0.5) & ~void).sum() * (1 - mesh.island_volume)
    assert mesh.volume() == pytest.approx(kept, rel=0.01)


def test_a_symmetric_design_has_a_symmetric_cut_surface():
    field = np.zeros((8, 12, 20))
    field[1:7, 2:10, 2:18] = 1
    field[3:5, 2:10, 2:18] = 0
    y, x = (np.indices(field.shape) + 0.5)[1:]
    void = np.hypot(x - 10, y - 6) <= 2.3
    cut = Cut("void", make_bar(2, (10, 6, 0), 2.3, (-1, 9), outside=True))
    mesh = surface(field, (1, 1, 1), void=void, part=(field > 0) & ~void, cuts=[cut])
    assert mesh.is_watertight()
    for axis, size in enumerate((20, 12, 8)):
        mirrored = mesh.vertices.copy()
        mirrored[:, axis] = size - mirrored[:, axis]
        other = Mesh(mirrored, mesh.faces[:, ::-1])
        assert subtract(mesh, [other]).volume() < 1e-3 * mesh.volume()


def test_the_design_is_carried_on_straight_into_passive_cells():
    values = np.zeros((7, 7, 12), np.float32)
    values[2:5, 2:5, 1:6] = 0.9
    passive = np.zeros((5, 5, 10), dtype=bool)
    passive[:, :, 5:] = True
    carry_on(values, passive)
    assert (values[3, 3, 6:8] > 0.8).all()
    assert (values[2:5, 2:5, 6] > 0.5).all()
    assert (values[1, 1:6, 6:8] < 0.5).all()
    assert (values[:, :, 8:] == 0).all()


def test_vertices_that_touch_are_parted_and_short_edges_go():
    one, other = make_box((0, 0, 0), (1, 1, 1)), make_box((1, 1, 0), (2, 2, 1))
    touching = Mesh(
        np.concatenate([one.vertices, other.vertices]), np.concatenate([one.faces, other.faces + 8])
    )
    assert not touching.is_watertight()
    parted = separate(touching, 1e-3)
    assert parted.is_watertight()
    assert parted.volume() == pytest.approx(2, rel=0.01)
    one = make_box((1, 1, 1), (2, 2, 2))
    a, b, c = one.faces[0]
    near = one.vertices[a] + 1e-12 * (one.vertices[b] + one.vertices[c] - 2 * one.vertices[a])
    needles = Mesh(
        np.concatenate([one.vertices, [near]]),
        np.concatenate([one.faces[1:], [[a, b, 8], [b, c, 8], [c, a, 8]]]),
    )
    assert not needles.is_watertight()
    mended = separate(needles, 1e-3)
    assert mended.is_watertight()
    assert len(mended.faces) == 12
