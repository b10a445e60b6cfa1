"""Secret values, and how they are kept out of everything that is written or shown."""

from __future__ import annotations

from typing import Any

MASK = "•••"
SHORTEST = 4
"""Values shorter than this many characters are not masked: they would blank ordinary text."""


class Secrets:
    """The secret values of one process, masked by value wherever they stand.

    Additions come from secret inputs, steps marked `secret`, and tools that hand out credentials.
    """

    def __init__(self) -> None:
        self._values: list[str] = []

    def add(self, value: Any) -> None:
        """Keeps every text inside `value` (a string, or mappings and lists of them) secret from now on."""
        for text in _texts(value):
            if len(text) >= SHORTEST and text not in self._values:
                self._values.extend(form for form in (text, *_escaped(text)) if form not in self._values)
                self._values.sort(key=len, reverse=True)

    def mask(self, value: Any) -> Any:
        """`value` with every secret text in it, keys included, replaced by `•••`; the same object if none is known."""
        if not self._values:
            return value
        match value:
            case str():
                return self._mask_text(value)
            case dict():
                return {self.mask(key): self.mask(inner) for key, inner in value.items()}
            case list() | tuple():
                return [self.mask(inner) for inner in value]
            case int() | float() if not isinstance(value, bool):
                return MASK if str(value) in self._values else value
            case _:
                return value

    def inside(self, text: str) -> bool:
        """Whether a secret stands in the text, plainly or as JSON and Python write it between quotes."""
        return any(secret in text for secret in self._values)

    def _mask_text(self, text: str) -> str:
        for secret in self._values:
            if secret in text:
                text = text.replace(secret, MASK)
        return text


def _escaped(text: str) -> list[str]:
    """How JSON and Python write `text` between quotes, where that differs from the text itself."""
    if text.isascii() and text.isprintable() and not any(mark in text for mark in "\"'\\"):
        return []
    import json  # noqa: PLC0415 - late: most processes have no secret that needs it

    forms = (json.dumps(text), json.dumps(text, ensure_ascii=False), repr(text))
    return [form[1:-1] for form in forms]


def _texts(value: Any) -> list[str]:
    match value:
        case None | bool():
            return []
        case dict():
            return [text for inner in value.values() for text in _texts(inner)]
        case list() | tuple() | set():
            return [text for inner in value for text in _texts(inner)]
        case str():
            lines = [line.strip() for line in value.splitlines() if line.strip()]
            return [value, *lines] if len(lines) > 1 else [value.strip()]
        case _:
            return [str(value)]
