"""Networks for designs at work: the features they see, the models that ship, and how they are run."""

from trabecula.surrogate.features import channels, count, level, pull
from trabecula.surrogate.model import Card, Model, cards, load_model, shipped
from trabecula.surrogate.own import NetworkWarning, in_use
from trabecula.surrogate.packing import pack, unpack

__all__ = [
    "Card",
    "Model",
    "NetworkWarning",
    "cards",
    "channels",
    "count",
    "in_use",
    "level",
    "load_model",
    "pack",
    "pull",
    "shipped",
    "unpack",
]
