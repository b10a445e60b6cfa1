"""Secret values, and how they are kept out of everything that is written or shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from enum import Enum
from threading import Lock
from typing import Any, NamedTuple

from engine.model.cuts import LONG, Halves
from engine.model.spelling import Span, Spelling, spellings

MASK = "•••"
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

FIELDS = frozenset(
    {
        "about", "action", "answer", "answer_lost", "args", "attempts", "basis", "because", "by", "call", "choices",
        "code", "confidence", "count", "decision", "declared", "default", "delay", "details", "diagnosis", "digest",
        "domain", "duration", "errno", "evidence", "exception", "exit_status", "failure", "file", "finished_at",
        "first_failure", "fix", "fixes", "foreach", "from", "healed", "healed_by", "helped", "hint", "http_status",
        "index", "inputs", "issues", "items", "kind", "level", "lost", "message", "name", "notes", "number", "ok",
        "outputs", "pattern", "pid", "place", "profile", "program", "question", "questions", "reason", "remediation",
        "retry_after", "reused", "reused_from", "right", "risk", "role", "run", "section", "sent", "shared",
        "signature", "skill", "source", "stage", "started_at", "status", "step", "steps", "suggestion", "text",
        "timed_out", "tool", "truncated", "type", "untouched", "value", "version",
    }
)  # fmt: skip
"""Names of the engine's own fields (docs/events.md, docs/commands.md). As keys they are never masked: a password that
is one of these words must not take an event apart."""

OWN = frozenset(
    {
        "action", "attempts", "count", "domain", "exit_status", "fix", "from", "healed", "http_status", "index",
        "name", "number", "pattern", "pid", "section", "skill", "step", "tool",
    }
)  # fmt: skip
"""Fields of events with the engine's own numbers, and with names that an author gave: a resume finds its way by them."""

GIVEN = frozenset({"answer", "args", "choices", "default", "details", "inputs", "items", "outputs", "value"})
"""Fields of events that hold what runs work with; nothing beneath them is the engine's own."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_/.#\[\]-]*")
"""The names of steps and tools, and the paths of steps."""

_PASSWORD = re.compile(r"\w{2,20}://[^/\s:@]*:([^/\s@]+)@")
"""The password in the address of a server."""


class _Known(NamedTuple):
    """What is secret; replaced as a whole, so that no thread ever sees a part of it.

    `whole` are texts that are masked where they are the whole of a value, `numeric` says that some of it are numbers.
    """

    anchored: tuple[tuple[str, Spelling], ...] = ()
    whole: frozenset[str] = frozenset()
    numeric: bool = False
    halves: Halves = Halves(())


class Secrets:
    """The secret values of one process, masked by value wherever they stand and however programs write them.

    Additions come from secret inputs, answers and variables, steps marked `secret`, and tools that hand out
    credentials. Everyday values are not masked; short numbers and very short texts only where they are the whole of a
    value. At a cut, a part of a secret counts as well. Several threads may use it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._texts: dict[str, tuple[Spelling, ...]] = {}
        self._known = _Known()

    def add(self, value: Any) -> None:
        """Keeps every text inside `value` (a string, or mappings and lists of them) secret from now on."""
        alone = not isinstance(value, dict | list | tuple | AbstractSet | bool | None)
        texts = [text for text in (str(value).strip(),) if alone and len(text) >= SHORTEST_WHOLE]
        texts += [text for text in _texts(value, DEEPEST) if len(text) >= SHORTEST]
        with self._lock:
            fresh = {text for text in texts if text not in self._texts and text.lower() not in EVERYDAY}
            if fresh:
                self._texts.update((text, () if _is_short(text) else tuple(spellings(text))) for text in fresh)
                self._known = _known(self._texts)

    def mask(self, value: Any) -> Any:
        """`value` with every secret text in it, keys included, replaced by `•••`; the same object if there is none.

        Members of enumerations are the engine's own words, and stay.
        """
        found = self._found(value)
        return found.masked(value) if found else value

    def mask_event(self, fields: Mapping[str, Any]) -> Any:
        """The fields of an event, masked; the engine's own numbers and the names of steps and tools stay."""
        found = self._found(fields)
        return found.masked(fields, own=True) if found else fields

    def mask_name(self, name: str) -> str:
        """The path of a step. It stays as it is: it stands in the skill, and a resume finds its way by it."""
        return name if _NAME.fullmatch(name) else str(self.mask(name))

    def inside(self, text: str) -> bool:
        """False only if no secret stands in a JSON text."""
        known = self._known
        return any(anchor in text for anchor, _ in known.anchored) or any(word in text for word in known.whole)

    def _found(self, value: Any) -> _Found | None:
        """What of all that is secret may stand in a value: a quick look at all its texts at once."""
        known = self._known
        if not self._texts:
            return None
        texts = [value] if isinstance(value, str) else _leaves(value, numbers=known.numeric)
        joined = "\n".join(texts)
        anchored = tuple([each for each in known.anchored if each[0] in joined])
        marked = "..." in joined or "…" in joined
        cut = any(known.halves.suspects(text) for text in texts if marked or len(text) >= LONG)
        if not anchored and not cut and known.whole.isdisjoint(texts):
            return None
        return _Found(anchored=anchored, whole=known.whole, halves=known.halves if cut else None)


class _Found(NamedTuple):
    """What may stand in one value, and masks it there."""

    anchored: tuple[tuple[str, Spelling], ...]
    whole: frozenset[str]
    halves: Halves | None

    def masked(self, value: Any, depth: int = DEEPEST, *, own: bool = False) -> Any:
        """The value without it; `own` says that it is an event, or a part of one that the engine fills."""
        match value:
            case str():
                return self._text(value)
            case None | bool():
                return value
            case int() | float():
                text = str(value)
                return value if self._text(text) == text else MASK
            case Mapping() | list() | tuple() | AbstractSet() if not depth:
                return MASK
            case Mapping():
                return {self._key(key): self._field(key, inner, depth, own=own) for key, inner in value.items()}
            case list() | tuple() | AbstractSet():
                return [self.masked(inner, depth - 1, own=own) for inner in value]
            case _:
                text = str(value)
                masked = self._text(text)
                return value if masked == text else masked

    def _key(self, key: Any) -> Any:
        if key in FIELDS:
            return key
        masked = self.masked(key)
        return tuple(masked) if isinstance(masked, list) else masked

    def _field(self, name: Any, value: Any, depth: int, *, own: bool) -> Any:
        if own and name in OWN and (isinstance(value, int) or (isinstance(value, str) and _NAME.fullmatch(value))):
            return value
        return self.masked(value, depth - 1, own=own and name not in GIVEN)

    def _text(self, text: str) -> str:
        if isinstance(text, Enum):
            return text
        if text in self.whole:
            return MASK
        found = [spelling for anchor, spelling in self.anchored if anchor in text]
        spans = [match.span() for spelling in found for match in spelling.expression.finditer(text)]
        if self.halves is not None:
            spans += self.halves.spans(text)
        return _without(text, spans) if spans else text


def _known(texts: Mapping[str, tuple[Spelling, ...]]) -> _Known:
    every = [spelling for known in texts.values() for spelling in known]
    return _Known(
        anchored=tuple((anchor, each) for each in every for anchor in each.anchors),
        whole=frozenset(text for text, known in texts.items() if not known),
        numeric=any(map(_is_number, texts)),
        halves=Halves(every),
    )


def _without(text: str, spans: Iterable[Span]) -> str:
    """The text with a mask for each span; of spans that overlap, one for all."""
    kept, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            kept += [text[end:start], MASK]
        end = max(end, stop)
    return "".join([*kept, text[end:]])


def _leaves(value: Any, *, numbers: bool) -> list[str]:
    """Every text in a value, keys included, and every number as text if asked for."""
    texts: list[str] = []
    level = [value]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for one in level:
            match one:  # what there is most of comes first: this is asked of everything that is ever told
                case str():
                    texts.append(one)
                case dict():
                    inner += one
                    inner += one.values()
                case list() | tuple():
                    inner += one
                case None | bool():
                    pass
                case int() | float():
                    texts += [str(one)] if numbers else []
                case Mapping():
                    inner += [*one, *one.values()]
                case AbstractSet():
                    inner += one
                case _:
                    texts.append(str(one))
        if not inner:
            break
        level = inner
    return texts


def _texts(value: Any, depth: int) -> Iterator[str]:
    """The texts in a value that are secret each by itself: lines, what a JSON text holds, a password in an address."""
    match value:
        case None | bool():
            return
        case dict() | list() | tuple() | AbstractSet() if depth:
            for inner in value.values() if isinstance(value, dict) else value:
                yield from _texts(inner, depth - 1)
        case str():
            lines = [line.strip() for line in value.splitlines() if line.strip()]
            yield from [value.strip(), *lines] if len(lines) > 1 else [value.strip()]
            yield from (_unquoted(found[1]) for found in _PASSWORD.finditer(value))
            if value.lstrip()[:1] in {"{", "["}:
                with suppress(ValueError, RecursionError):
                    yield from _texts(json.loads(value), depth - 1)
        case int() | float():
            yield str(value)


def _unquoted(text: str) -> str:
    from urllib.parse import unquote  # noqa: PLC0415 - late: few secrets are addresses

    return unquote(text)


def _is_short(text: str) -> bool:
    """Whether a text is masked only where it is the whole of a value."""
    return len(text) < SHORTEST or (text.isdecimal() and len(text) <= SHORT_NUMBER)


def _is_number(text: str) -> bool:
    with suppress(ValueError):
        float(text)
        return True
    return False
