"""A person's taste: learned from choices among the designs of galleries, private, and kept out of proofs."""

from trabecula.taste.ask import choose_question
from trabecula.taste.choices import GalleryScale, Pick, Place
from trabecula.taste.exhibits import Exhibit, exhibits_of, read_choices, read_exhibits
from trabecula.taste.features import FEATURES, Feature, Look, look_at
from trabecula.taste.model import Belief, Taste, learn
from trabecula.taste.prior import Prior
from trabecula.taste.profile import TasteProfile, average_profiles
from trabecula.taste.steer import SteeredDesign, Steering, steer
from trabecula.taste.store import (
    HOUSE,
    delete_profile,
    export_profile,
    load_profile,
    names,
    save_profile,
)
from trabecula.taste.words import Leaning, describe_taste, say_taste

__all__ = [
    "FEATURES",
    "HOUSE",
    "Belief",
    "Exhibit",
    "Feature",
    "GalleryScale",
    "Leaning",
    "Look",
    "Pick",
    "Place",
    "Prior",
    "SteeredDesign",
    "Steering",
    "Taste",
    "TasteProfile",
    "average_profiles",
    "choose_question",
    "delete_profile",
    "describe_taste",
    "exhibits_of",
    "export_profile",
    "learn",
    "load_profile",
    "look_at",
    "names",
    "rank",
    "read_choices",
    "read_exhibits",
    "save_profile",
    "say_taste",
    "steer",
]


def rank(exhibits: tuple[Exhibit, ...], profile: TasteProfile) -> list[tuple[Exhibit, float]]:
    """The designs of a gallery with their niceties, the nicest first; 1 more is odds of e to 1."""
    niceties = profile.rank([exhibit.place for exhibit in exhibits])
    order = sorted(range(len(exhibits)), key=lambda k: (-niceties[k], k))
    return [(exhibits[k], float(niceties[k])) for k in order]
