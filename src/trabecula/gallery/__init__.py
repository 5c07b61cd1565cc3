"""Many good designs of one problem: sources draw starts, what is different and good is refined and proven."""

from trabecula.gallery.difference import DIFFERENT, Comparison
from trabecula.gallery.draw import DEFAULT_SOURCES, gallery
from trabecula.gallery.ground import SOURCES, Draw, Ground, Source
from trabecula.gallery.record import Gallery, GalleryDesign

__all__ = [
    "DEFAULT_SOURCES",
    "DIFFERENT",
    "SOURCES",
    "Comparison",
    "Draw",
    "Gallery",
    "GalleryDesign",
    "Ground",
    "Source",
    "gallery",
]
