"""A big teacher makes a small student better: one trainer, nine methods, any `torch.nn.Module`.

`distill(teacher, student, batches, methods=[SoftTargets(), Weighted(Attention(), 1000)])` trains the
student in place and leaves the teacher untouched. Every method keeps its paper's name and equation, one file
each; a new one is a subclass of `Method` and a line in `METHODS`.
"""

from trabecula.nn.distill.attention import Attention
from trabecula.nn.distill.born_again import BornAgain
from trabecula.nn.distill.factor import Factor
from trabecula.nn.distill.features import ForwardPass, landmarks, taps
from trabecula.nn.distill.fsp import FSP
from trabecula.nn.distill.hints import Hints
from trabecula.nn.distill.logits import Logits
from trabecula.nn.distill.method import (
    Method,
    Pair,
    PairedPasses,
    Term,
    TrainingBatch,
    TrainingStage,
    Weighted,
)
from trabecula.nn.distill.outputs import (
    CLASSES,
    DENSITIES,
    OUTPUTS,
    Ensemble,
    Output,
)
from trabecula.nn.distill.recasting import Recasting
from trabecula.nn.distill.record import DistillationResult, Epoch
from trabecula.nn.distill.relational import Relational
from trabecula.nn.distill.soft_targets import SoftTargets
from trabecula.nn.distill.trainer import Distiller, distill

METHODS: dict[str, type[Method]] = {
    method.name: method
    for method in (Logits, SoftTargets, Hints, FSP, Attention, Factor, BornAgain, Recasting, Relational)
}

__all__ = [
    "CLASSES",
    "DENSITIES",
    "FSP",
    "METHODS",
    "OUTPUTS",
    "Attention",
    "BornAgain",
    "DistillationResult",
    "Distiller",
    "Ensemble",
    "Epoch",
    "Factor",
    "ForwardPass",
    "Hints",
    "Logits",
    "Method",
    "Output",
    "Pair",
    "PairedPasses",
    "Recasting",
    "Relational",
    "SoftTargets",
    "Term",
    "TrainingBatch",
    "TrainingStage",
    "Weighted",
    "distill",
    "landmarks",
    "taps",
]
