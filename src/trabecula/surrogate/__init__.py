"""Networks for designs at work: the features they see, the models that ship, and how they are run."""

from trabecula.surrogate.cells import Cells, coder
from trabecula.surrogate.features import (
    channels,
    count,
    level,
    log_sensitivity_ratio,
)
from trabecula.surrogate.flow import EXTRA, draw
from trabecula.surrogate.latent import Latent, nearest
from trabecula.surrogate.model import (
    Card,
    Model,
    cards,
    load_model,
    shipped_model,
)
from trabecula.surrogate.packing import pack, unpack
from trabecula.surrogate.user_networks import NetworkWarning, model_in_use

__all__ = [
    "EXTRA",
    "Card",
    "Cells",
    "Latent",
    "Model",
    "NetworkWarning",
    "cards",
    "channels",
    "coder",
    "count",
    "draw",
    "level",
    "load_model",
    "log_sensitivity_ratio",
    "model_in_use",
    "nearest",
    "pack",
    "shipped_model",
    "unpack",
]
