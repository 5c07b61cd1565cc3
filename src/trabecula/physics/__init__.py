"""HOW IT RESPONDS: state equations (elasticity, conduction, and what others bring along), and the machines
that solve them.

`Machine` does the arithmetic and makes a `State`; `operators` has strains, stresses and mass of its answers.
"""

from trabecula.physics.machine import (
    Machine,
    MachineError,
    SlowMachineWarning,
    default_machine,
    machine_name,
    machine_of,
)
from trabecula.physics.state import Guess, Solve, State, WitnessState
from trabecula.physics.threads import thread_count
from trabecula.physics.voxel import Cycle, VoxelState

__all__ = [
    "Cycle",
    "Guess",
    "Machine",
    "MachineError",
    "SlowMachineWarning",
    "Solve",
    "State",
    "VoxelState",
    "WitnessState",
    "default_machine",
    "machine_name",
    "machine_of",
    "thread_count",
]
