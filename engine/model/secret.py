"""Secret values, and how they are kept out of everything that is written or shown."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

MASK = "•••"
SHORTEST = 4
"""Values shorter than this many characters are not masked: they would blank ordinary text."""

SHORTEST_BASE64 = 8
"""Signs of base64 that must be sure before they are masked."""

SHORT_NUMBER = 5
"""A number of up to this many digits is a port, a count or a year, and stands in ordinary text all the time."""

EVERYDAY = frozenset(
    {
        "true", "false", "null", "none", "default", "localhost", "localhost.localdomain", "ip6-localhost",
        "127.0.0.1", "127.0.1.1", "0.0.0.0", "[::1]", "http://localhost", "http://127.0.0.1",  # noqa: S104 - a word here
    }
)  # fmt: skip
"""What settings often hold beside a password; it hides nothing, and blanking it would make every message unreadable."""

FIELDS = frozenset(
    {
        "action", "answer", "args", "attempts", "basis", "because", "call", "code", "confidence", "declared",
        "decision", "default", "delay", "details", "diagnosis", "digest", "domain", "duration", "errno", "evidence",
        "exception", "exit_status", "failure", "file", "finished_at", "first_failure", "fix", "fixes", "healed",
        "healed_by", "helped", "hint", "http_status", "index", "inputs", "issues", "kind", "level", "message", "name",
        "notes", "number", "ok",
        "outputs", "pattern", "pid", "place", "profile", "program", "reason", "remediation", "retry_after", "right",
        "risk", "role", "run", "section", "sent", "shared", "signature", "skill", "source", "stage", "started_at",
        "status", "step", "steps", "suggestion", "text", "timed_out", "tool", "truncated", "untouched", "value",
        "version",
    }
)  # fmt: skip
"""Names of the engine's own fields (docs/events.md, docs/commands.md). As keys they are never masked: a password that
is one of these words must not take an event apart."""

COUNTS = frozenset({"attempts", "exit_status", "healed", "http_status", "index", "number", "pid"})
"""Fields of the engine whose numbers are its own."""


class Secrets:
    """The secret values of one process, masked by value wherever they stand.

    Additions come from secret inputs, steps marked `secret`, and tools that hand out credentials. Everyday values and
    very short ones are not masked, short numbers only where they are the whole of a value. A value is also masked as
    JSON, Python and URLs write it.
    """

    def __init__(self) -> None:
        self._values: list[str] = []
        self._numbers: set[str] = set()

    def add(self, value: Any) -> None:
        """Keeps every text inside `value` (a string, or mappings and lists of them) secret from now on."""
        for text in _texts(value):
            if len(text) < SHORTEST or text.lower() in EVERYDAY or text in self._values:
                continue
            if text.isdecimal() and len(text) <= SHORT_NUMBER:
                self._numbers.add(text)
            else:
                forms = (text, *_written(text), *_in_base64(text))
                self._values.extend(form for form in forms if form not in self._values)
                self._values.sort(key=len, reverse=True)

    def mask(self, value: Any) -> Any:
        """`value` with every secret text in it, keys included, replaced by `•••`; the same object if none is known.

        Members of enumerations are the engine's own words, and stay.
        """
        if not self._values and not self._numbers:
            return value
        match value:
            case str():
                return value if isinstance(value, Enum) else self._mask_text(value)
            case dict():
                return self._mask_mapping(value)
            case list() | tuple():
                return [self.mask(inner) for inner in value]
            case int() | float() if not isinstance(value, bool):
                return MASK if str(value) in self._numbers or str(value) in self._values else value
            case _:
                return value

    def inside(self, text: str) -> bool:
        """Whether a secret stands in a JSON text."""
        return any(secret in text for secret in self._values) or any(number in text for number in self._numbers)

    def _mask_mapping(self, value: Mapping[Any, Any]) -> dict[Any, Any]:
        masked = {}
        for key, inner in value.items():
            own = key in COUNTS and isinstance(inner, int)
            masked[key if key in FIELDS else self.mask(key)] = inner if own else self.mask(inner)
        return masked

    def _mask_text(self, text: str) -> str:
        if text in self._numbers:
            return MASK
        for secret in self._values:
            if secret in text:
                text = text.replace(secret, MASK)
        return text


def _written(text: str) -> list[str]:
    """How JSON, JSON inside JSON, Python and URLs write `text`, where that differs from the text itself."""
    if text.isascii() and text.replace("-", "").replace("_", "").replace(".", "").isalnum():
        return []
    import json  # noqa: PLC0415 - late: most processes have no secret that needs it
    from urllib.parse import quote, quote_plus  # noqa: PLC0415 - late, as above

    quoted = (json.dumps(text), json.dumps(text, ensure_ascii=False), repr(text))
    forms = [form[1:-1] for form in quoted]
    twice = [json.dumps(form, ensure_ascii=False)[1:-1] for form in forms]
    addresses = [
        quote(text, safe="", errors="replace"),
        quote(text, errors="replace"),
        quote_plus(text, errors="replace"),
    ]
    return [form for form in dict.fromkeys([*forms, *twice, *addresses]) if form != text]


def _in_base64(text: str) -> list[str]:
    """The part of `text` that every base64 of something with it inside shows, for each of the three ways it can fall.

    `Authorization: Basic` writes a password so. The first and last signs depend on the neighbours and are left out.
    """
    import base64  # noqa: PLC0415 - late: most processes have no secret

    raw = text.encode("utf-8", "surrogatepass")
    whole_text = base64.b64encode(raw).decode()
    forms = [whole_text, whole_text.replace("+", "-").replace("/", "_")] if len(whole_text) >= SHORTEST_BASE64 else []
    for before, unsure in enumerate((0, 2, 3)):
        whole = (before + len(raw)) // 3 * 3
        signs = base64.b64encode((b"\0" * before + raw)[:whole]).decode()[unsure:]
        if len(signs) >= SHORTEST_BASE64:
            forms += [signs, signs.replace("+", "-").replace("/", "_")]
    return list(dict.fromkeys(forms))


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
