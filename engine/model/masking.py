"""Takes what is secret out of a value: first a quick look whether anything may be there, then leaf by leaf."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from enum import Enum
from typing import Any, NamedTuple

from engine.model.cuts import LONG, Halves
from engine.model.secret_texts import DEEPEST, is_masked_alone
from engine.model.spelling import Span, Spelling, spellings

FIELDS = frozenset(
    {
        "about", "action", "answer", "answer_lost", "args", "at", "attempts", "basis", "because", "by", "call", "came",
        "cause", "check", "checks", "choices", "code", "command", "commands", "confidence", "confirmed",
        "cost_of_failure", "cost_of_fix", "count", "decision", "declared", "default", "delay", "details", "diagnosis",
        "digest", "domain", "duration", "effect", "enabled", "errno", "evidence", "exception", "exit_status",
        "expires_at", "failure", "false_alarms", "file", "finished_at", "first_call_of_day", "first_call_since_wake",
        "first_failure", "fix", "fix_args", "fixes", "folder", "foreach", "found", "from", "heal", "healed",
        "healed_by", "helped", "hint", "hour", "http_status", "id", "idempotent", "index", "inputs", "issues", "items",
        "kind", "last_calls", "last_failure", "layer", "left_out", "level", "log", "looks", "lost", "message", "name",
        "notes", "number", "ok", "outputs", "parameters", "pattern", "pid", "place", "predicted", "prevented",
        "probability", "profile", "program", "protocol", "question", "questions", "reason", "remediation", "remedy",
        "repeatable", "result", "retry_after", "reused", "reused_from", "right", "risk", "role", "root_cause", "run",
        "said", "section", "sent", "sequence", "server", "shared", "signature", "since_wake", "situation", "skill",
        "source", "stage", "started_at", "status", "step", "steps", "suggestion", "text", "timed_out", "timeout",
        "title", "token_left", "tool", "tools", "traceparent", "truncated", "type", "unset", "untouched", "url",
        "usable", "user", "value", "version", "weekday",
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
"""Fields of events with the engine's own numbers, and with names that an author gave: a resume goes by them."""

GIVEN = frozenset({"answer", "args", "choices", "default", "details", "inputs", "items", "outputs", "value"})
"""Fields of events that hold what runs work with; nothing beneath them is the engine's own."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_/.#\[\]-]*")
"""The names of steps and tools, and the paths of steps."""


class Known(NamedTuple):
    """All that is secret at a moment.

    `whole` are texts that are masked where they are the whole of a value; `numeric` says that some of it are numbers.
    """

    sign: str
    anchored: tuple[tuple[str, Spelling], ...] = ()
    whole: frozenset[str] = frozenset()
    numeric: bool = False
    halves: Halves = Halves(())

    def with_texts(self, texts: Collection[str]) -> Known:
        """The same and these texts."""
        alone = {text for text in texts if is_masked_alone(text)}
        spelled = [spelling for text in texts if text not in alone for spelling in spellings(text)]
        return Known(
            sign=self.sign,
            anchored=(*self.anchored, *((anchor, each) for each in spelled for anchor in each.anchors)),
            whole=self.whole | alone,
            numeric=self.numeric or any(map(_is_number, texts)),
            halves=self.halves.with_spellings(spelled),
        )

    def masked(self, value: Any, *, event: bool = False) -> Any:
        """The value with a mask in place of every secret; the same object if there is none."""
        texts = [value] if isinstance(value, str) else _leaves(value, numbers=self.numeric)
        joined = "\n".join(texts)
        anchored = tuple([each for each in self.anchored if each[0] in joined])
        marked = "..." in joined or "…" in joined
        cut = any(self.halves.suspects(text) for text in texts if marked or len(text) >= LONG)
        if not anchored and not cut and self.whole.isdisjoint(texts):
            return value
        return _Found(self.sign, anchored, self.whole, self.halves if cut else None).masked(value, own=event)

    def inside(self, text: str) -> bool:
        """False only if no secret stands in a JSON text."""
        return any(anchor in text for anchor, _ in self.anchored) or any(word in text for word in self.whole)

    def name(self, name: str) -> str:
        """The path of a step, which stays if it is one that the language allows."""
        return name if _NAME.fullmatch(name) else str(self.masked(name))


class _Found(NamedTuple):
    """What may stand in one value, and masks it there."""

    mask: str
    anchored: tuple[tuple[str, Spelling], ...]
    whole: frozenset[str]
    halves: Halves | None

    def masked(self, value: Any, depth: int = DEEPEST, *, own: bool = False) -> Any:
        """The value without it; `own` says that it is an event, or a part of one that the engine fills."""
        match value:
            case str() | int() | float() | None:
                return self._leaf(value)
            case Mapping() | list() | tuple() | AbstractSet() if not depth:
                return self.mask
            case Mapping():
                return {self._key(key): self._field(key, inner, depth, own=own) for key, inner in value.items()}
            case list() | tuple() | AbstractSet():
                return [self.masked(inner, depth - 1, own=own) for inner in value]
        return self._leaf(value)

    def _leaf(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | Enum):
            return value
        text = str(value)
        masked = self._text(text)
        if masked == text:
            return value
        return self.mask if isinstance(value, int | float) else masked

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
        if text in self.whole:
            return self.mask
        found = [spelling for anchor, spelling in self.anchored if anchor in text]
        spans = [match.span() for spelling in found for match in spelling.expression.finditer(text)]
        if self.halves is not None:
            spans += self.halves.spans(text)
        return _without(text, spans, self.mask) if spans else text


def _without(text: str, spans: Iterable[Span], mask: str) -> str:
    """The text with a mask for each span; of spans that overlap, one for all."""
    kept, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            kept += [text[end:start], mask]
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
                case list() | tuple() | AbstractSet():
                    inner += one
                case None | int() | float():
                    texts += [str(one)] if numbers else []
                case Mapping():
                    inner += [*one, *one.values()]
                case _:
                    texts.append(str(one))
        if not inner:
            break
        level = inner
    return texts


def _is_number(text: str) -> bool:
    with suppress(ValueError):
        float(text)
        return True
    return False
