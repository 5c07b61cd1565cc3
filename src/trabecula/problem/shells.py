"""What the triangles of a file bound: closed shells, how they lie in each other, and what is open.

A file may hold several bodies, each turned inside out or not, touching, overlapping, or given twice. Corners
are joined, what is there twice is taken once, triangles are turned alike from neighbour to neighbour, and
what hangs together and is closed is a shell. A shell that lies in no other bounds material, whichever way it
is turned. One inside another bounds a cavity if it is turned the other way, as the format has it, and what is
material already if it is turned the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trabecula.problem.ray_crossings import winding_at

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_JOIN = 1e-5
"""Corners on open edges that are nearer than this, of the longest edge of the file's box, are one corner."""

_SAMPLES = 256  # corners of a shell that are looked for inside another one, at most
_PAIRS = 4_000_000  # corners times triangles looked at for one pair of shells


@dataclass(frozen=True, eq=False)
class Shells:
    """The triangles of a file, sorted by what they bound.

    Attributes
    ----------
    triangles
        float64 `[triangle, corner, axis]`: those that count, turned alike within a shell.
    label
        int `[triangle]`: the shell it belongs to, or -1 where what it belongs to is not closed.
    count
        Number of shells.
    open_edges
        float64 `[edge, end, axis]`: edges at which the surface ends.
    """

    triangles: Floats
    label: Ints
    count: int
    open_edges: Floats

    def of(self, shell: int) -> Floats:
        """The triangles of one shell; of -1 those that are in none."""
        return np.asarray(self.triangles[self.label == shell])

    @cached_property
    def boxes(self) -> Floats:
        """Lower and upper corner of every shell, float64 `[shell, (low, high), axis]`."""
        parts = [self.of(k) for k in range(self.count)]
        return np.array([[p.min(axis=(0, 1)), p.max(axis=(0, 1))] for p in parts]).reshape(-1, 2, 3)

    @cached_property
    def volumes(self) -> Floats:
        """What every shell encloses, float64 `[shell]`; negative where its triangles face inwards."""
        a, b, c = (self.triangles[:, k] - self.triangles[0, 0] for k in range(3))
        parts = np.einsum("ij,ij->i", a, np.cross(b, c)) / 6.0
        closed = self.label >= 0
        return np.bincount(self.label[closed], parts[closed], self.count).astype(np.float64)

    @cached_property
    def parents(self) -> list[int]:
        """For every shell the smallest one around it, -1 where there is none."""
        size = np.abs(self.volumes)
        parents = []
        for k, (low, high) in enumerate(self.boxes):
            around = (self.boxes[:, 0] < low).all(axis=1) & (self.boxes[:, 1] > high).all(axis=1)
            candidates = sorted(map(int, np.flatnonzero(around)), key=lambda other: float(size[other]))
            parents.append(next((other for other in candidates if self._holds(other, k)), -1))
        return parents

    @cached_property
    def senses(self) -> list[int]:
        """For every shell 1 where it bounds material, -1 where it bounds a cavity."""
        turned = np.sign(self.volumes)
        senses = [1] * self.count
        for k in sorted(range(self.count), key=lambda k: -abs(float(self.volumes[k]))):
            parent = self.parents[k]
            if parent >= 0:
                senses[k] = senses[parent] * (1 if turned[k] == turned[parent] else -1)
        return senses

    @cached_property
    def inner_bodies(self) -> list[int]:
        """Shells inside material that are turned like it, so that they change nothing."""
        return [k for k, p in enumerate(self.parents) if p >= 0 and self.senses[k] == self.senses[p] == 1]

    def _holds(self, outer: int, inner: int) -> bool:
        """Whether all corners of one shell lie inside another one."""
        around = self.of(outer)
        corners = np.unique(self.of(inner).reshape(-1, 3), axis=0)
        most = int(np.clip(_PAIRS // len(around), 8, _SAMPLES))
        chosen = corners[np.unique(np.linspace(0, len(corners) - 1, most).astype(np.int64))]
        return bool((winding_at(chosen, around) != 0).all())


def find_shells(triangles: Floats) -> Shells:
    """Sort the triangles of a file.

    Parameters
    ----------
    triangles
        float64 `[triangle, corner, axis]`.
    """
    points, faces = _join_equal(triangles)
    faces = _without_flat(faces)
    faces = _without_twice(faces)
    if len(faces):
        points, faces = _join_near(points, faces)
        faces = _without_flat(faces)
    label, turned, ends = _sort(faces)
    found = points[np.where(turned[:, None], faces[:, ::-1], faces)] if len(faces) else np.empty((0, 3, 3))
    # What has no area bounds nothing and is no opening that anybody could see.
    kept = (label >= 0) | _has_area(points, faces, label)
    open_edges = points[ends[0][kept[ends[1]]]] if len(ends[1]) else np.empty((0, 2, 3))
    return Shells(found[kept], label[kept], int(label.max(initial=-1)) + 1, open_edges)


def _join_equal(triangles: Floats) -> tuple[Floats, Ints]:
    """Points float64 `[point, axis]` and faces int `[triangle, corner]` of triangles with equal corners."""
    corners = triangles.reshape(-1, 3) + 0.0  # no negative zeros
    key = np.zeros(len(corners), dtype=np.int64)
    for axis in range(3):
        values, place = np.unique(corners[:, axis], return_inverse=True)
        _, key = np.unique(key * len(values) + place.ravel(), return_inverse=True)
        key = key.ravel().astype(np.int64)
    count = int(key.max(initial=-1)) + 1
    points = np.empty((count, 3))
    points[key] = corners
    return points, key.reshape(-1, 3)


def _without_flat(faces: Ints) -> Ints:
    """The faces whose corners differ."""
    a, b, c = faces.T
    return np.asarray(faces[(a != b) & (b != c) & (c != a)])


def _without_twice(faces: Ints) -> Ints:
    """Each face once; two that face each other are the wall between two bodies that touch, and go.

    A body that is there twice, once turned inside out, would go altogether: its faces stay, once.
    """
    if not len(faces):
        return faces
    a, b, c = np.sort(faces, axis=1).T
    span = int(c.max()) + 1
    _, pair = np.unique(a * span + b, return_inverse=True)
    _, first, group = np.unique(pair.ravel() * span + c, return_index=True, return_inverse=True)
    group = group.ravel()
    if len(first) == len(faces):
        return faces
    lowest = np.argmin(faces, axis=1)
    rows = np.arange(len(faces))
    is_positive = faces[rows, (lowest + 1) % 3] < faces[rows, (lowest + 2) % 3]
    positive = np.bincount(group, is_positive) > 0
    negative = np.bincount(group, ~is_positive) > 0
    walls = positive & negative
    is_first = np.zeros(len(faces), dtype=np.bool_)
    is_first[first] = True
    body = _components(faces)
    only_walls = np.bincount(body, ~walls[group], body.max() + 1) == 0
    return np.asarray(faces[is_first & (~walls[group] | only_walls[body])])


def _join_near(points: Floats, faces: Ints) -> tuple[Floats, Ints]:
    """The same with corners of open edges joined that differ by the rounding of the file alone."""
    from scipy.spatial import cKDTree

    ends, _ = _odd_edges(faces)
    loose = np.unique(ends)
    if not len(loose):
        return points, faces
    within = _JOIN * float(np.ptp(points, axis=0).max())
    pairs = cKDTree(points[loose]).query_pairs(within, output_type="ndarray")
    if not len(pairs):
        return points, faces
    same = _labels(len(points), loose[pairs[:, 0]], loose[pairs[:, 1]])
    first = np.unique(same, return_index=True)[1]
    return points, first[same][faces]


def _edges(faces: Ints) -> tuple[Ints, Ints, NDArray[np.bool_], Ints]:
    """Edges `[edge, end]`, and of every face's three sides: its edge, whether it runs upwards, its face."""
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    up = sides[:, 0] < sides[:, 1]
    low, high = np.minimum(*sides.T), np.maximum(*sides.T)
    span = int(faces.max()) + 1
    key, edge = np.unique(low * span + high, return_inverse=True)
    ends = np.stack(np.divmod(key, span), axis=1)
    return ends, edge.ravel().astype(np.int64), up, np.tile(np.arange(len(faces)), 3)


def _odd_edges(faces: Ints) -> tuple[Ints, Ints]:
    """Edges where the surface ends, int `[edge, end]`, and a face at each."""
    ends, edge, _, face = _edges(faces)
    odd = np.bincount(edge, minlength=len(ends)) % 2 == 1
    at = np.zeros(len(ends), dtype=np.int64)
    at[edge] = face
    return ends[odd], at[odd]


def _components(faces: Ints) -> Ints:
    """A number for every face: the same for those that hang together by edges."""
    ends, edge, _, face = _edges(faces)
    nodes = _labels(len(ends) + len(faces), edge, face + len(ends))
    return np.unique(nodes[len(ends) :], return_inverse=True)[1].ravel().astype(np.int64)


def _labels(count: int, one: Ints, other: Ints) -> Ints:
    """Connected components of a graph with `count` nodes and an edge from `one` to `other` each."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _sort(faces: Ints) -> tuple[Ints, NDArray[np.bool_], tuple[Ints, Ints]]:
    """Of every face its shell (-1: none) and whether it must be turned; and where the surface ends."""
    if not len(faces):
        none = np.empty(0, dtype=np.int64)
        return none, none.astype(np.bool_), (none.reshape(0, 2), none)
    ends, edge, up, face = _edges(faces)
    patch, turned = _patches(faces, edge, up, face)
    step = np.where(up ^ turned[face], 1, -1)
    closed = _is_balanced(edge, patch[face], step)
    # Patches that need each other's edges are closed together or not at all, turned as the file has them.
    loose = ~closed[patch[face]]
    nodes = _labels(int(patch.max()) + 1 + len(ends), patch[face[loose]], edge[loose] + int(patch.max()) + 1)
    group = np.where(closed[patch], patch, nodes[patch] + int(patch.max()) + 1)
    turned &= closed[patch]
    step = np.where(up ^ turned[face], 1, -1)
    number = np.unique(group, return_inverse=True)[1].ravel().astype(np.int64)
    whole = _is_balanced(edge, number[face], step)
    shell = np.where(whole, np.cumsum(whole) - 1, -1)
    odd = np.bincount(edge, minlength=len(ends)) % 2 == 1
    at = np.zeros(len(ends), dtype=np.int64)
    at[edge] = face
    return shell[number], turned, (ends[odd], at[odd])


def _patches(faces: Ints, edge: Ints, up: NDArray[np.bool_], face: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Faces joined across edges that have two of them, and which must be turned so that they agree.

    Every face stands twice in a graph, as it is and turned; across an edge that both of its faces run along
    in opposite ways like is joined to like. What is then joined to its own turned self has no two sides.
    """
    count = len(faces)
    order = np.argsort(edge, kind="stable")
    starts = np.flatnonzero(np.diff(edge[order], prepend=-1))
    many = np.diff(np.append(starts, len(order)))
    one, other = order[starts[many == 2]], order[starts[many == 2] + 1]
    a, b, differ = face[one], face[other], up[one] == up[other]
    first = np.concatenate([a, a + count])
    second = np.concatenate([np.where(differ, b + count, b), np.where(differ, b, b + count)])
    sides = _labels(2 * count, first, second)
    patch = np.unique(np.minimum(sides[:count], sides[count:]), return_inverse=True)[1].ravel()
    turned = sides[:count] > sides[count:]
    mostly = np.bincount(patch, turned) > 0.5 * np.bincount(patch)  # most of a patch stays as it is
    return patch.astype(np.int64), turned ^ mostly[patch]


def _is_balanced(edge: Ints, group: Ints, step: Ints) -> NDArray[np.bool_]:
    """For every group of faces whether each edge is run along both ways equally often, bool `[group]`."""
    count = int(group.max()) + 1
    key, place = np.unique(edge * count + group, return_inverse=True)
    left_over = np.bincount(place.ravel(), step) != 0
    return np.asarray(np.bincount(key % count, left_over, count) == 0)


def _has_area(points: Floats, faces: Ints, label: Ints) -> NDArray[np.bool_]:
    """For every face whether what hangs together with it has an area."""
    if not (label < 0).any():
        return np.ones(len(faces), dtype=np.bool_)
    a, b, c = (points[faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    body = _components(faces)
    return np.asarray(np.bincount(body, area)[body] > 0.0)
