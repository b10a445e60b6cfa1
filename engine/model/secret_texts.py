"""The texts in a secret value that are secret each by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Any

SHORTEST = 4
"""Values shorter than this many characters are not masked inside of text: they would blank ordinary words."""

SHORTEST_WHOLE = 3
"""Characters of the shortest secret that is masked where it is the whole of a value, if it is no part of a mapping."""

SHORT_NUMBER = 5
"""A number of up to this many digits is a port, a count or a year, and stands in ordinary text all the time."""

DEEPEST = 100
"""Levels of mappings and lists that are looked into; nothing that is kept or shown has so many."""

EVERYDAY = frozenset(
    {
        "true", "false", "null", "none", "default", "localhost", "localhost.localdomain", "ip6-localhost",
        "127.0.0.1", "127.0.1.1", "0.0.0.0", "[::1]", "http://localhost", "http://127.0.0.1",  # noqa: S104 - a word here
        "yes", "off",
    }
)  # fmt: skip
"""What settings often hold beside a password; it hides nothing, and blanking it would make every message unreadable."""

_PASSWORD = re.compile(r"\w{2,20}://[^/\s:@]*:([^/\s@]+)@")
"""The password in the address of a server."""


def texts_in(value: Any) -> set[str]:
    """The texts that are to be masked, if `value` is secret: of a mapping or list all that it holds."""
    alone = not isinstance(value, dict | list | tuple | AbstractSet | bool | None)
    whole = {str(value).strip()} if alone else set()
    found = {text for text in whole if len(text) >= SHORTEST_WHOLE}
    found |= {text for text in _texts(value, DEEPEST) if len(text) >= SHORTEST}
    return {text for text in found if text.lower() not in EVERYDAY}


def is_masked_alone(text: str) -> bool:
    """Whether a text is masked only where it is the whole of a value."""
    return len(text) < SHORTEST or (text.isdecimal() and len(text) <= SHORT_NUMBER)


def _texts(value: Any, depth: int) -> Iterator[str]:
    match value:
        case None | bool():
            return
        case dict() | list() | tuple() | AbstractSet() if depth:
            for inner in value.values() if isinstance(value, dict) else value:
                yield from _texts(inner, depth - 1)
        case str():
            yield from _parts(value, depth)
        case int() | float():
            yield str(value)


def _parts(text: str, depth: int) -> Iterator[str]:
    """A text, each of its lines, what it holds if it is JSON, and a password in an address."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    yield from [text.strip(), *lines] if len(lines) > 1 else [text.strip()]
    yield from (_unquoted(found[1]) for found in _PASSWORD.finditer(text))
    if text.lstrip()[:1] in {"{", "["}:
        with suppress(ValueError, RecursionError):
            yield from _texts(json.loads(text), depth - 1)


def _unquoted(text: str) -> str:
    from urllib.parse import unquote  # noqa: PLC0415 - late: few secrets are addresses

    return unquote(text)
