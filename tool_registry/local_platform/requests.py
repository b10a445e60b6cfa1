"""What was asked: one request, read and bounded, with the questions routes put to it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from tool_registry.local_platform.answers import Refusal

WORD = re.compile(r"[a-z][a-z0-9-]{0,39}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
WORDS_LIMIT, LENGTH_LIMIT = 200, 32_768
LONGEST = 1e12
"""Seconds; a number beyond is a mistake, and may be too large to be reckoned with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request. `headers` have small-letter names."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def asked(self, name: str) -> str | None:
        """Give a query parameter, None when it is not there."""
        return parse_qs(self.query, keep_blank_values=True).get(name, [None])[-1]

    def form(self) -> dict[str, str]:
        """Give the body as a form."""
        return dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True, max_num_fields=50))

    def fields(self) -> Fields:
        """Give the body as a JSON object."""
        try:
            value = json.loads(self.body or b"{}")
        except (ValueError, RecursionError):
            raise _bad("the body is not JSON") from None
        if not isinstance(value, dict):
            raise _bad("the body must be a JSON object")
        return Fields(value)


class Fields:
    """A JSON object from outside; a field that is missing or of the wrong shape is refused by name."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        """Ask `value`."""
        self._value = value

    def text(self, name: str, default: str | None = None) -> str:
        """Give a text."""
        value = self._value.get(name, default)
        if not isinstance(value, str) or not value or len(value) > LENGTH_LIMIT or "\0" in value:
            raise _bad(f"{name} must be a text")
        return value

    def word(self, name: str, default: str | None = None) -> str:
        """Give a text that can be part of a name."""
        value = self.text(name, default)
        if not WORD.fullmatch(value):
            raise _bad(f"{name} must be small letters, digits and hyphens, at most 40, a letter first")
        return value

    def seconds(self, name: str, default: float | None = None, *, most: float = math.inf) -> float:
        """Give a number of seconds above zero."""
        value = self._value.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= min(most, LONGEST):
            bound = f" and at most {most:g}" if most < math.inf else ""
            raise _bad(f"{name} must be a number of seconds above 0{bound}")
        return float(value)

    def words(self, name: str) -> list[str]:
        """Give a list of texts, at least one: the arguments of a command."""
        value = self._value.get(name)
        if not isinstance(value, list) or not value or len(value) > WORDS_LIMIT:
            raise _bad(f"{name} must be a list of texts, one for each argument")
        if (
            not all(isinstance(word, str) and "\0" not in word and len(word) <= LENGTH_LIMIT for word in value)
            or not value[0]
        ):
            raise _bad(f"{name} must be a list of texts, the program first")
        return value

    def variables(self, name: str) -> dict[str, str]:
        """Give a mapping of environment variables, empty when there is none."""
        value = self._value.get(name) or {}
        if not isinstance(value, dict) or len(value) > WORDS_LIMIT:
            raise _bad(f"{name} must map names to texts")
        for key, text in value.items():
            if not VARIABLE.fullmatch(key) or not isinstance(text, str) or "\0" in text or len(text) > LENGTH_LIMIT:
                raise _bad(f"{name}: {key[:80]!r} must be a variable name with a text")
        return value

    def inner_path(self, name: str) -> str | None:
        """Give a relative path that stays where it is, None when there is none."""
        if self._value.get(name) is None:
            return None
        value = self.text(name)
        if value.startswith("/") or ".." in value.split("/") or value.endswith("/"):
            raise _bad(f"{name} must be the path of a file below the app's folder")
        return value


def _bad(sentence: str) -> Refusal:
    return Refusal(400, "bad_request", sentence)
