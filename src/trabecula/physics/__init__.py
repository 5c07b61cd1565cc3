"""How a design responds: element matrices and state equations (elasticity, conduction) on voxel grids."""

from trabecula.physics.voxel import (
    Cycle,
    Guess,
    Solve,
    State,
    VoxelState,
    machine,
    thread_count,
)

__all__ = ["Cycle", "Guess", "Solve", "State", "VoxelState", "machine", "thread_count"]
