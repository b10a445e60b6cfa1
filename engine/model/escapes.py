"""One sign of a text in all the ways programs write it, as regular expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

_SLASH = r"(?:\\|%(?:25){0,3}5[cC]|&#92;)"
_PERCENT = r"%(?:25){0,3}"
_END = rf"(?:;|{_PERCENT}3[bB])"
_ENTITY = rf"(?:&(?:amp;){{0,3}}|{_PERCENT}26(?:amp{_END}){{0,3}}|{_SLASH}{{1,15}}u0026(?:amp;){{0,3}})"
_HASH = rf"(?:#|{_PERCENT}23)"
_BLANK = (
    rf"(?:\s|\+|{_SLASH}{{1,15}}(?:[nrtfv ]|u00(?:20|09|0[aAdD])|x(?:20|09|0[aAdD])|0(?:40|11|12|15))"
    rf"|{_PERCENT}(?:20|2[bB]|0[aAdD9])|{_ENTITY}(?:{_HASH}(?:32|9|10|13)|{_HASH}[xX](?:20|9|[aAdD])|nbsp){_END})"
)
_NAMED = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_SIGNS = {
    "+": rf"(?:{_SLASH}{{0,7}}\+|-|{_PERCENT}2[bB]|{_SLASH}{{1,7}}u002[bB])",
    "/": rf"(?:{_SLASH}{{0,7}}/|_|{_PERCENT}2[fF])",
    "=": rf"(?:=|{_PERCENT}3[dD]|{_SLASH}{{1,7}}u003[dD])",
}
QUOTES = "'\""
ASCII, LATIN, PLANE = 128, 256, 0x10000
"""Where codes stop being ASCII, one byte of Latin-1, and one unit of UTF-16."""


class Piece(NamedTuple):
    """A few signs of a text, and the expression for all ways to write them."""

    raw: str
    expression: str


def pieces_of(text: str) -> list[Piece]:
    """The signs of a text one by one; runs of blanks, of backslashes and of quotes taken together.

    What cannot be printed may be left out by whoever shows it, but of a text that is nothing else something must stand.
    """
    found: list[Piece] = []
    left_out = any(sign.isprintable() and not sign.isspace() for sign in text)
    for kind, run in groupby(text, key=_kind):
        raw = "".join(run)
        match kind:
            case "plain":
                found += [Piece(sign, re.escape(sign)) for sign in raw]
            case "blank":
                odd = sorted({_escaped(sign) for sign in raw if not sign.isascii()})
                found.append(Piece(raw, rf"(?:{'|'.join([_BLANK, *odd])}){{1,64}}"))
            case "slash":
                found.append(Piece(raw, rf"{_SLASH}{{{len(raw)},{16 * len(raw)}}}"))
            case "quote":
                # Between quotes, a shell ends them and begins them anew; SQL and YAML write a quote twice.
                either = f"(?:{_escaped(QUOTES[0])}|{_escaped(QUOTES[1])})"
                found.append(Piece(raw, f"{either}{{{len(raw)},{20 * len(raw)}}}"))
            case _:
                found += [
                    Piece(sign, _escaped(sign) + ("?" if left_out and not sign.isprintable() else "")) for sign in raw
                ]
    return found


def signs_of(base64: str) -> list[Piece]:
    """The signs of a base64 text, in its two alphabets and as URLs write it."""
    return [Piece(sign, _SIGNS.get(sign, sign)) for sign in base64]


def _kind(sign: str) -> str:
    if sign.isspace():
        return "blank"
    if sign == "\\":
        return "slash"
    if sign in QUOTES:
        return "quote"
    return "plain" if sign.isascii() and (sign.isalnum() or sign in "_.-") else "special"


def _escaped(sign: str) -> str:
    """A sign that is escaped in one place or another, in each way in which that is done."""
    code, raw = ord(sign), sign.encode("utf-8", "surrogatepass")
    percent = "".join(rf"{_PERCENT}{_hex(f'{byte:02x}')}" for byte in raw)
    entity = rf"{_ENTITY}(?:{_HASH}0{{0,6}}{code}|{_HASH}[xX]0{{0,6}}{_hex(f'{code:x}')}{_named(sign)}){_END}"
    ways = [
        rf"{_SLASH}{{0,15}}(?:{re.escape(sign)}|{percent}|{entity})",
        rf"{_SLASH}{{1,15}}(?:{'|'.join((*_units(code), *_octets(raw)))})",
    ]
    if code >= ASCII:
        # Other character sets: percent-encoded Latin-1, UTF-8 taken for Latin-1, and what could not be decoded.
        ways += [rf"{_PERCENT}{_hex(f'{code:02x}')}"] if code < LATIN else []
        ways += [re.escape(raw.decode("latin-1")), "\ufffd{1,4}", r"\?{1,4}"]
    return f"(?:{'|'.join(ways)})"


def _units(code: int) -> Iterator[str]:
    r"""The sign as `\u00f6`, `\U000000f6`, `\u{f6}` and `\xf6`, from behind the first backslash."""
    yield rf"u\{{?0{{0,4}}{_hex(f'{code:x}')}\}}?"
    yield rf"U0{{0,7}}{_hex(f'{code:x}')}"
    if code < LATIN:
        yield f"x{_hex(f'{code:02x}')}"
    if code >= PLANE:
        high, low = divmod(code - PLANE, 0x400)
        yield rf"u{_hex(f'{high + 0xD800:04x}')}{_SLASH}{{1,15}}u{_hex(f'{low + 0xDC00:04x}')}"


def _octets(raw: bytes) -> Iterator[str]:
    r"""The bytes of a sign as `\xc3\xb6` and as `\303\266`, from behind the first backslash."""
    yield rf"{_SLASH}{{1,15}}".join(f"x{_hex(f'{byte:02x}')}" for byte in raw)
    yield rf"{_SLASH}{{1,15}}".join(f"{byte:03o}" for byte in raw)


def _named(sign: str) -> str:
    from html.entities import codepoint2name  # noqa: PLC0415 - late: few secrets are met in HTML

    name = _NAMED.get(sign) or codepoint2name.get(ord(sign))
    return f"|{name}" if name else ""


def _hex(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)
