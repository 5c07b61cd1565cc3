"""Lettering: every text can be written, by a font of the system where it has the letters."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageFont

from trabecula.drawing import font
from trabecula.drawing.font import set_line, shorten
from trabecula.drawing.page import Page

BLACK = "#000000"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """What is remembered of fonts belongs to one test."""
    yield
    forget()


def forget() -> None:
    for function in (font._find_fonts, font._load_font, font._measure_capital, font._has_letter):
        function.cache_clear()


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without any font."""
    monkeypatch.setattr(font, "_font_folders", lambda: iter(()))
    forget()


def image(text: str, bold: bool = False) -> np.ndarray:
    page = Page(260, 40)
    page.write(text, 10, 30, 14, BLACK, bold)
    return 255 - page.pixels[..., 0].astype(np.int64)


def test_every_printable_letter_is_drawn_and_no_two_alike(bare: None) -> None:
    seen = {image(chr(code)).tobytes(): chr(code) for code in range(33, 127)}
    assert len(seen) == 94
    assert bytes(image(" ").nbytes) not in seen


@pytest.mark.parametrize("system", [True, False])
@pytest.mark.parametrize("bold", [True, False])
def test_letters_stand_on_their_line_within_their_width(
    system: bool, bold: bool, request: pytest.FixtureRequest
) -> None:
    if not system:
        request.getfixturevalue("bare")
    rows, columns = np.nonzero(image("Hamburg 109", bold) > 100)
    line = set_line("Hamburg 109", 14, bold)
    assert columns.min() >= 9
    assert columns.max() <= 11 + line.width
    assert columns.max() > 4 + line.width
    rows, _ = np.nonzero(image("H109", bold) > 100)
    assert 14 <= rows.max() - rows.min() + 1 <= 17, "a capital is as high as was asked"
    assert 29 <= rows.max() <= 30, "and stands on its line"


def test_bold_is_wider_and_darker() -> None:
    assert set_line("CERTIFIED", 11, bold=True).width > set_line("CERTIFIED", 11).width
    assert image("CERTIFIED", bold=True).sum() > 1.1 * image("CERTIFIED").sum()


@pytest.mark.parametrize(
    "text",
    [
        "Γέφυρα",
        "Мост",
        "橋 다리",
        "جسر",
        "גשר",
        "पुल",
        "🌉",
        "\ud800",
        "\u202eexe",
        "\x1b[31m",
        "\0",
        "a\nb\tc",
        "",
    ],
)
def test_no_text_is_an_exception(text: str, request: pytest.FixtureRequest) -> None:
    on_this_system = image(text)
    request.getfixturevalue("bare")
    assert (image(text).sum() > 0) == (on_this_system.sum() > 0) == bool(text)


def test_without_a_font_letters_lose_their_marks_rather_than_their_sense(bare: None) -> None:
    assert set_line("Brücke – 3 × Größe", 12).text == "Brucke - 3 x Grosse"
    assert set_line("a\u0301", 12).text == "a"
    assert set_line("½", 12).text == "1/2"


def test_what_acts_on_a_terminal_is_shown_as_an_escape() -> None:
    assert set_line("a\x1b[2J\u202eb", 12).text == r"a\x1b[2J\u202eb"
    assert set_line(" a \n\t b ", 12).text == "a b"


def made_font(folder: Path, name: str) -> Path:
    """A font file that any Pillow has: its own, which knows ASCII."""
    path = folder / "deep" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(ImageFont.load_default(10).font_bytes)
    return path


def test_fonts_are_found_by_their_names_in_the_order_of_preference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(font, "_font_folders", lambda: iter([tmp_path / "none", tmp_path]))
    second, first = made_font(tmp_path, "ARIAL.TTF"), made_font(tmp_path / "b", "DejaVuSans.ttf")
    made_font(tmp_path, "Other.ttf")
    (tmp_path / "NotoSans-Regular.ttf").write_bytes(b"no font")
    (tmp_path / "msyh.ttc").mkdir()
    forget()
    assert font._find_fonts() == (str(first), str(second))
    assert set_line("Bridge", 12).font.path == str(first)


def test_a_line_is_set_in_the_first_font_that_has_all_its_letters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(font, "_font_folders", lambda: iter([tmp_path]))
    first, second = made_font(tmp_path, "DejaVuSans.ttf"), made_font(tmp_path, "NotoSansCJK-Regular.ttc")
    had = {str(first): "Мост", str(second): "Мост橋", None: ""}
    monkeypatch.setattr(font, "_has_letter", lambda path, letter: letter.isascii() or letter in had[path])
    font._find_fonts.cache_clear()
    for text, path in (
        ("Bridge", first),
        ("Мост", first),
        ("Мост 橋", second),
        ("橋", second),
        ("Мост다", first),
    ):
        assert set_line(text, 12).font.path == str(path)


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_DATA_HOME": "/u"}, ["/u/fonts", "{home}/.fonts", "/usr/local/share/fonts"]),
        ("linux", {"XDG_DATA_DIRS": "/a:/b"}, ["{home}/.local/share/fonts", "/a/fonts", "/b/fonts"]),
        ("darwin", {}, ["{home}/Library/Fonts", "/Library/Fonts", "/System/Library/Fonts"]),
        (
            "win32",
            {"WINDIR": "W:/Win", "LOCALAPPDATA": "L:/"},
            ["W:/Win/Fonts", "L:/Microsoft/Windows/Fonts"],
        ),
    ],
)
def test_the_usual_folders_of_every_system_are_looked_through(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], expected: list[str]
) -> None:
    monkeypatch.setattr(font.sys, "platform", platform)
    for name in ("XDG_DATA_HOME", "XDG_DATA_DIRS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    folders = [path.as_posix() for path in font._font_folders()]
    assert {each.format(home=Path.home().as_posix()) for each in expected} <= set(folders)


def test_a_text_is_cut_to_its_room_and_says_so() -> None:
    long = "A very long title indeed, " * 9
    for room in (0.0, 5.0, 30.0, 100.0, 333.3):
        shown = shorten(long, 12.6, room)
        assert set_line(shown, 12.6).width <= room
        assert shown == "" or shown.endswith("...")
    assert shorten(long, 12.6, -40.0) == ""
    assert shorten("Bridge", 12.6, 200.0) == "Bridge"
    shown = shorten(long, 12.6, 300.0)
    assert set_line(shown[:-3] + long[len(shown) - 3] + "...", 12.6).width > 300, "no letter more would fit"
    assert len(shorten("x" * 3_000_000, 12.6, 300.0)) < 60


def test_pillow_is_loaded_for_pictures_only() -> None:
    rooms = "trabecula.drawing, trabecula.export, trabecula.results.result"
    code = f"import sys, {rooms}; print('PIL' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
