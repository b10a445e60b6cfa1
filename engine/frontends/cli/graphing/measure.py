"""How much room text takes in a picture, reckoned without a font: rather too wide than too narrow."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

Face = Literal["sans", "bold", "mono"]

_SANS: Mapping[float, str] = {
    0.30: "'IJijl",
    0.35: " ,./:;\\|",
    0.40: "()-[]ft",
    0.45: "!r",
    0.50: '"*_`',
    0.55: "?csz",
    0.60: "FLkvxy",
    0.65: "$0123456789EPSTYabdeghnopqu{}",
    0.70: "ABCKRVXZ",
    0.75: "NU",
    0.80: "&DGHOQ",
    0.85: "#+<=>^w~",
    0.90: "M",
    1.00: "%@Wm…",
}
"""Widths of DejaVu Sans in parts of the size, rounded up; it is among the widest of the fonts people have."""
_WIDTHS = {letter: width for width, letters in _SANS.items() for letter in letters}
_MONO, _WIDE, _FULL, _BOLD = 0.61, 1.0, 1.4, 1.12
"""A letter of a fixed pitch; one of another alphabet; one as wide as high (and pictures); how much wider bold is."""


def text_width(text: str, size: float, face: Face = "sans") -> float:
    """The width of `text` in the unit of `size`, the height of its font."""
    widths = sum(_mono(letter) if face == "mono" else _sans(letter) for letter in text)
    return widths * size * (_BOLD if face == "bold" else 1)


def _mono(letter: str) -> float:
    return _MONO if letter.isascii() else max(_MONO, _other(letter))


def _sans(letter: str) -> float:
    return _WIDTHS.get(letter) or _other(letter)


@lru_cache(maxsize=4096)
def _other(letter: str) -> float:
    if unicodedata.category(letter) in {"Mn", "Me"}:
        return 0.0
    return _FULL if unicodedata.east_asian_width(letter) in {"W", "F"} or ord(letter) > 0xFFFF else _WIDE  # noqa: PLR2004 - beyond it stand pictures


def fitted(text: str, room: float, size: float, face: Face = "sans") -> str:
    """As much of `text` as fits, with an ellipsis where it was cut."""
    if text_width(text, size, face) <= room:
        return text
    end = text_width("…", size, face)
    return text[: _count(text, room - end, size, face)].rstrip() + "…"


def lines_of(text: str, room: float, size: float, face: Face = "sans", *, most: int = 2) -> list[str]:
    """The words of `text` in at most `most` lines; a word that is too long for a line is broken, what is left cut."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < most - 1 and text_width(rest, size, face) > room:
        count = max(1, _count(rest, room, size, face))
        blank = rest.rfind(" ", 0, count + 1)
        count = blank if blank > 0 else count
        lines.append(rest[:count].rstrip())
        rest = rest[count:].lstrip()
    return [*lines, fitted(rest, room, size, face)] if rest else lines


def pieces_of(word: str, room: float, size: float, face: Face) -> list[str]:
    """A word in as many lines as it needs, nothing cut."""
    pieces: list[str] = []
    while word:
        count = max(1, _count(word, room, size, face))
        pieces.append(word[:count])
        word = word[count:]
    return pieces


def _count(text: str, room: float, size: float, face: Face) -> int:
    """How many letters of `text` fit."""
    used = 0.0
    for index, letter in enumerate(text):
        used += text_width(letter, size, face)
        if used > room:
            return index
    return len(text)
