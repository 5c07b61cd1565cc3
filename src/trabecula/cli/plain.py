"""A console on which texts are texts: what comes from a file is neither markup nor an order to a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import (
    Console,
    ConsoleOptions,
    ConsoleRenderable,
    RenderableType,
    RenderHook,
    RenderResult,
)
from rich.measure import Measurement
from rich.segment import Segment
from rich.text import Text

from trabecula.storage.visible import visible


class PlainConsole(Console):
    """Rich's console, with every text that it prints made visible (`trabecula.visible`).

    Strings, in cells of tables too, are taken as they are, never as markup, and are made visible before they
    are laid out; what rich has laid out by itself (`Text`, progress columns) is looked through once more
    before it is written.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.push_render_hook(_Hook())

    def render_str(self, text: str, **options: Any) -> Text:
        """A string as rich's text."""
        return super().render_str(visible(text), **{**options, "markup": False, "emoji": False})


class _Hook(RenderHook):
    """Wraps whatever is about to be printed."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """The same, looked through."""
        return [_Visible(each) for each in renderables]


class _Visible:
    """Something to print, with its texts made visible; rich's own orders to the terminal are kept."""

    def __init__(self, inner: RenderableType) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The segments of what is inside."""
        for segment in console.render(self._inner, options):
            plain = segment.control is None
            yield Segment(visible(segment.text), segment.style) if plain else segment

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """As wide as what is inside."""
        return Measurement.get(console, options, self._inner)
