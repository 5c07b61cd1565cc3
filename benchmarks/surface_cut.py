"""Claim: a Boolean of closed meshes cuts a bore so that its bolt passes at any voxel size; a field that is
cut by signed distances does not, whatever is done to its samples.

A plate of 40 x 30 x 12 mm with a 6.6 mm bore and a washer of 13 mm around it, by four ways: voxels (the
faces of passive voxels), field (signed distances of the true shapes merged into the samples, then surface
nets), projected (the same, with every vertex near a true shape moved onto it), and boolean (manifold3d). For
every voxel size: the least free radius of the bore, edges included, its largest radius, how far the rim of
the washer is off a circle, the volume over the true one, faces, seconds, and whether the surface is
watertight in float32.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trabecula.surface import Mesh, surface
from trabecula.surface.cut import MARGIN, Cut
from trabecula.surface.primitives import make_bar

SIZE = np.array([40.0, 30.0, 12.0])
CENTER = np.array([19.7, 15.2])
BORE, WASHER, PLATE, TOP = 3.3, 6.5, 8.0, 10.4
EXACT = 40 * 30 * PLATE + np.pi * WASHER**2 * (TOP - PLATE) - np.pi * BORE**2 * TOP

Floats = NDArray[np.float64]
Way = Callable[[float], Mesh]


def centres(h: float) -> tuple[Floats, Floats, Floats]:
    """Places of the cell centres: x, y, z, each `[z, y, x]`."""
    z, y, x = (np.indices(tuple(np.round(SIZE[::-1] / h).astype(int))) + 0.5) * h
    return x, y, z


def distances(x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats]:
    """Signed distances from the bore and from the washer, positive within."""
    radius = np.hypot(x - CENTER[0], y - CENTER[1])
    return BORE - radius, np.minimum(WASHER - radius, TOP - z)


def masks(h: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Plate, washer and bore by the centres of their voxels."""
    x, y, z = centres(h)
    bore, washer = distances(x, y, z)
    return z <= PLATE, (washer >= 0) & (bore < 0), bore >= 0


def by_voxels(h: float) -> Mesh:
    """The faces of passive voxels."""
    plate, washer, bore = masks(h)
    part = (plate | washer) & ~bore
    return surface(part.astype(float), (h,) * 3, solid=washer, void=bore, part=part)


def by_field(h: float) -> Mesh:
    """Signed distances in the samples."""
    x, y, z = centres(h)
    bore, washer = distances(x, y, z)
    inside = np.minimum(np.maximum(PLATE - z, washer), -bore)
    return surface(np.clip(0.5 + inside / h, 0, 1), (h,) * 3, smoothing=0)


def by_projection(h: float) -> Mesh:
    """The same, with the vertices near the bore and the washer's rim put onto them."""
    mesh = by_field(h)
    points = mesh.vertices.copy()
    away = points[:, :2] - CENTER
    radius = np.linalg.norm(away, axis=1)
    for true, near in ((BORE, points[:, 2] < TOP + h), (WASHER, points[:, 2] > PLATE + 0.5 * h)):
        chosen = (np.abs(radius - true) < 0.6 * h) & near
        points[chosen, :2] = CENTER + away[chosen] * (true / radius[chosen])[:, None]
    return Mesh(points, mesh.faces)


def by_boolean(h: float) -> Mesh:
    """What the package does."""
    plate, washer, bore = masks(h)
    place = (*CENTER, 0.0)
    cuts = [
        Cut("solid", make_bar(2, place, WASHER, (-h, TOP), outside=False)),
        Cut("void", make_bar(2, place, BORE + MARGIN * h, (-h, SIZE[2] + h), outside=True)),
    ]
    part = (plate | washer) & ~bore
    return surface(part.astype(float), (h,) * 3, solid=washer, void=bore, part=part, cuts=cuts)


WAYS: dict[str, Way] = {
    "voxels": by_voxels,
    "field": by_field,
    "projected": by_projection,
    "boolean": by_boolean,
}


def least_radius(mesh: Mesh) -> float:
    """The least distance of any edge from the bore's axis."""
    corners = mesh.corners()[..., :2] - CENTER
    way = np.roll(corners, -1, axis=1) - corners
    length = (way**2).sum(axis=-1)
    along = np.clip(-(corners * way).sum(axis=-1) / np.where(length > 0, length, 1), 0, 1)
    return float(np.linalg.norm(corners + along[..., None] * way, axis=-1).min())


def upright_faces(mesh: Mesh, h: float) -> tuple[Floats, Floats]:
    """Radii of the corners of upright faces: of the bore, and of the washer's rim above the plate."""
    normals = mesh.normals()
    upright = np.abs(normals[:, 2]) < 0.3 * np.linalg.norm(normals, axis=1)
    corners = mesh.corners()[upright]
    radius = np.linalg.norm(corners[..., :2] - CENTER, axis=-1)
    within = (radius < 0.5 * (BORE + WASHER)).all(axis=1)
    above = (corners[..., 2].mean(axis=1) > PLATE + 0.6 * h) & ~within
    return radius[within], radius[above]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the table and the machine here")
    asked = parser.parse_args()
    print(
        f"{'voxel':>6} {'way':10}{'free':>7}{'largest':>9}{'rim off':>9}"
        f"{'volume':>9}{'faces':>8}{'s':>7} tight"
    )
    rows = []
    for h in (2.0, 1.0, 0.5):
        for name, way in WAYS.items():
            start = time.perf_counter()
            mesh = way(h)
            seconds = time.perf_counter() - start
            wall, rim = upright_faces(mesh, h)
            row = {
                "voxel": h,
                "way": name,
                "free": least_radius(mesh),
                "largest": float(wall.max()),
                "rim": float(np.abs(rim - WASHER).max()) if len(rim) else None,
                "volume": mesh.volume() / EXACT,
                "faces": len(mesh.faces),
                "seconds": seconds,
                "watertight": mesh.is_watertight(),
            }
            rows.append(row)
            off = "" if row["rim"] is None else f"{row['rim']:.3f}"
            print(
                f"{h:6g} {name:10}{row['free']:7.3f}{row['largest']:9.3f}{off:>9}{row['volume']:9.4f}"
                f"{row['faces']:8}{seconds:7.2f} {'yes' if row['watertight'] else 'no'}"
            )
    if asked.json:
        asked.json.write_text(json.dumps({"machine": platform.platform(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
