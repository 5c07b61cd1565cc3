"""WHAT IS MADE OF IT: the finished part of a design, solid or nothing in every voxel, and what it does.

`threshold` ranks the voxels and keeps so many that the material stays the same, `load_paths` says which
pieces join loads to supports and joins what stands apart, `finish` makes the part of both, and `measure`
solves it once more and reads off what an engineer asks. `fields` has displacements and stresses as arrays,
for viewers.
"""

from trabecula.part.record import Part, PartCase, PartLimit

__all__ = ["Part", "PartCase", "PartLimit"]
