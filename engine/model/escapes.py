"""One sign of a text in all the ways programs write it, as regular expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

_SLASH = r"(?:\\|%(?:25){0,3}5[cC]|&#92;)"
_PERCENT = r"%(?:25){0,3}"
_ENTITY = r"(?:&(?:amp;){0,3}|%26)"
_BLANK = (
    rf"(?:\s|\+|{_SLASH}{{1,15}}(?:[nrtfv ]|u00(?:20|09|0[aAdD])|x(?:20|09|0[aAdD])|0(?:40|11|12|15))"
    rf"|{_PERCENT}(?:20|0[aAdD9])|{_ENTITY}(?:#(?:32|9|10|13)|#[xX](?:20|9|[aAdD])|nbsp);){{1,64}}"
)
_NAMED = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_SIGNS = {
    "+": rf"(?:{_SLASH}{{0,7}}\+|-|{_PERCENT}2[bB]|{_SLASH}{{1,7}}u002[bB])",
    "/": rf"(?:{_SLASH}{{0,7}}/|_|{_PERCENT}2[fF])",
    "=": rf"(?:=|{_PERCENT}3[dD]|{_SLASH}{{1,7}}u003[dD])",
}
ASCII, LATIN, PLANE = 128, 256, 0x10000
"""Where codes stop being ASCII, one byte of Latin-1, and one unit of UTF-16."""


def pieces_of(text: str) -> list[str]:
    """An expression for each sign of a text, runs of blanks and of backslashes taken together."""
    found: list[str] = []
    for kind, run in groupby(text, key=_kind):
        signs = list(run)
        match kind:
            case "plain":
                found += [re.escape(sign) for sign in signs]
            case "blank":
                found.append(_BLANK)
            case "slash":
                found.append(rf"{_SLASH}{{{len(signs)},{16 * len(signs)}}}")
            case _:
                found += [_special(sign) for sign in signs]
    return found


def signs_of(base64: str) -> list[str]:
    """An expression for each sign of a base64 text, in its two alphabets and as URLs write it."""
    return [_SIGNS.get(sign, sign) for sign in base64]


def _kind(sign: str) -> str:
    if sign.isspace():
        return "blank"
    if sign == "\\":
        return "slash"
    return "plain" if sign.isascii() and (sign.isalnum() or sign in "_.-") else "special"


def _special(sign: str) -> str:
    """A sign that is escaped in one place or another, in each way in which that is done."""
    if sign not in "'\"":
        return _escaped(sign)
    # Between quotes of its kind, a shell ends and begins them anew, SQL and YAML write a quote twice.
    single, double = _escaped("'"), _escaped('"')
    ended = [f"{single}{double}{single}{double}{single}", f"{single}{single}{single}"] if sign == "'" else []
    return f"(?:{'|'.join([*ended, _escaped(sign) * 2, _escaped(sign)])})"


def _escaped(sign: str) -> str:
    code, raw = ord(sign), sign.encode("utf-8", "surrogatepass")
    percent = "".join(rf"{_PERCENT}{_hex(f'{byte:02x}')}" for byte in raw)
    entity = rf"{_ENTITY}(?:#0{{0,6}}{code}|#[xX]0{{0,6}}{_hex(f'{code:x}')}{_named(sign)});"
    ways = [
        rf"{_SLASH}{{0,15}}(?:{re.escape(sign)}|{percent}|{entity})",
        rf"{_SLASH}{{1,15}}(?:{'|'.join((*_units(code), *_octets(raw)))})",
    ]
    if code >= ASCII:
        # Other character sets: percent-encoded Latin-1, UTF-8 taken for Latin-1, and what could not be decoded.
        ways += [rf"{_PERCENT}{_hex(f'{code:02x}')}"] if code < LATIN else []
        ways += [re.escape(raw.decode("latin-1")), "\ufffd{1,4}", r"\?{1,4}"]
    return f"(?:{'|'.join(ways)}){'' if sign.isprintable() else '?'}"


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
