"""One event of an earlier run, and one step's events put together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from engine.history.recorder import value_key
from engine.model.outcome import StepStatus
from engine.model.past import PastAttempt, PastFix, PastStep
from engine.model.prevention import FixCause
from engine.model.secret import MASK

Values = Mapping[tuple[str, str], str]
"""The JSON of values that were too large for their events, by step and by what they are."""


class Heard:
    """One event: its fields as they were kept, and the values a resume needs, whole."""

    __slots__ = ("_body", "_values", "at", "fields", "kind", "number", "step")

    def __init__(self, row: tuple[int, str, float, str, str], values: Values) -> None:
        self.number, self.kind, self.at, self.step, self._body = row
        self.fields: dict[str, Any] = json.loads(self._body)
        self._values = values

    def text(self, name: str) -> str:
        """A field that is a text; empty when it is not there."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    def figure(self, name: str) -> float | None:
        """A field that is a number; None when it is not there."""
        value = self.fields.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def names(self, name: str) -> frozenset[str]:
        """A field that lists names (`truncated`, `lost`)."""
        value = self.fields.get(name)
        return frozenset(map(str, value)) if isinstance(value, list) else frozenset()

    def whole(self, name: str) -> tuple[Any, bool]:
        """A field's value, and whether a part of it is all that was kept."""
        if name not in self.names("truncated"):
            return self.fields.get(name), False
        kept = self._values.get((self.step, value_key(self.kind, self.fields)))
        return (self.fields.get(name), True) if kept is None else (json.loads(kept), False)

    def value(self, name: str) -> tuple[Any, bool]:
        """A field's value, and whether it is lost: masked, cut, or something else than it was."""
        value, cut = self.whole(name)
        return value, cut or name in self.names("lost") or (MASK in self._body and is_masked(value))


def is_masked(value: Any) -> bool:
    """Whether a mask stands anywhere in a value; events of older versions do not say that by themselves."""
    return MASK in json.dumps(value, ensure_ascii=False)


class StepTelling:
    """The events of one step; what it holds is made into a PastStep once, at the end."""

    __slots__ = ("_attempts", "_began", "_begun", "_end", "_fixes", "_items", "_open", "_path", "_skill", "_worked")

    def __init__(self, path: str) -> None:
        self._path = path
        self._begun = 0
        self._began: Heard | None = None
        self._items: Heard | None = None
        self._skill: Heard | None = None
        self._end: Heard | None = None
        self._attempts: list[PastAttempt] = []
        self._open: dict[int, int] = {}
        self._worked: Heard | None = None
        self._fixes: list[PastFix] = []

    @property
    def digest(self) -> str:
        """The SHA-256 of the sub-skill it ran; empty when it ran none."""
        return self._skill.text("digest") if self._skill else ""

    def started(self, heard: Heard) -> None:
        """It began, or began anew in a later process: an end it had counts no more."""
        self._begun += 1
        self._began, self._end = heard, None
        if "items" in heard.fields:
            self._items = heard
        if heard.fields.get("digest"):
            self._skill = heard

    def attempt_started(self, heard: Heard) -> None:
        """A call began; nobody knows yet how it ends."""
        number = _number(heard)
        self._open[number] = len(self._attempts)
        self._attempts.append(PastAttempt(number=number, tool=heard.text("tool"), started_at=heard.at))

    def attempt_finished(self, heard: Heard) -> None:
        """A call came back; one whose beginning was not told (as it once was) came after those before it."""
        fields, number = heard.fields, _number(heard)
        ended = PastAttempt(
            number=number,
            tool=heard.text("tool"),
            started_at=fields.get("started_at", heard.at),
            ok=bool(fields.get("ok")),
            finished_at=fields.get("finished_at", heard.at),
            value=fields.get("value"),
            failure=fields.get("failure"),
        )
        self._worked = heard if ended.ok else None
        spot = self._open.pop(number, None)
        if spot is None:
            self._attempts.append(ended)
        else:
            self._attempts[spot] = ended

    def fix_started(self, heard: Heard) -> None:
        """A fix began; nobody knows yet how it ends. One that ran beforehand belongs to no failure, and counts not."""
        if _is_beforehand(heard):
            return
        self._fixes.append(self._fix(heard, after=len(self._attempts), call=heard.text("call")))

    def fix_finished(self, heard: Heard) -> None:
        """A fix ended: the last that was begun, when it is the same one."""
        if _is_beforehand(heard):
            return
        fields = heard.fields
        begun = self._fixes[-1] if self._fixes else None
        after, call = len(self._attempts), ""
        if begun is not None and begun.ok is None and (begun.fix, begun.domain) == _which(heard):
            after, call = begun.after, begun.call
            self._fixes.pop()
        self._fixes.append(self._fix(heard, after=after, call=call, ok=bool(fields.get("ok"))))

    def finished(self, heard: Heard) -> None:
        """It ended."""
        self._end = heard

    def told(self, texts: Mapping[str, str]) -> PastStep:
        """The step; `texts` are skill files by digest."""
        value, lost = self._end.value("value") if self._end else (None, False)
        items, items_lost = self._items.value("items") if self._items else (None, False)
        attempts, worked_lost = self._known_attempts()
        began, skill, digest = self._began, self._skill, self.digest
        return PastStep(
            path=self._path,
            action=began.text("action") if began else "",
            section=(began.text("section") if began else "") or "steps",
            status=_status(self._end),
            begun=self._begun,
            ended=self._end.number if self._end else 0,
            value=value,
            lost=lost if self._end else items_lost or worked_lost,
            items=tuple(items) if isinstance(items, list) and not items_lost else None,
            attempts=attempts,
            fixes=tuple(self._fixes),
            finished={**self._end.fields, "value": value} if self._end else {},
            skill_text=texts.get(digest, ""),
            skill_file=skill.text("file") if skill else "",
            digest=digest,
        )

    def _known_attempts(self) -> tuple[tuple[PastAttempt, ...], bool]:
        """The attempts; of one that worked and did not get to end its step, the value whole, and whether it is lost."""
        if self._worked is None or self._end is not None:
            return tuple(self._attempts), False
        value, lost = self._worked.value("value")
        *before, last = self._attempts
        last = replace(last, value=value) if last.number == _number(self._worked) else last
        return (*before, last), lost

    def _fix(self, heard: Heard, *, after: int, call: str, ok: bool | None = None) -> PastFix:
        fields = heard.fields
        fix, domain = _which(heard)
        return PastFix(
            fix=fix,
            domain=domain,
            call=call,
            after=after,
            ok=ok,
            shared=bool(fields.get("shared")),
            kind=heard.text("kind"),
            signature=heard.text("signature"),
            pattern=fields.get("pattern"),
            started_at=fields.get("started_at", heard.at),
            finished_at=fields.get("finished_at", 0.0),
            failure=fields.get("failure"),
        )


def _which(heard: Heard) -> tuple[str, str]:
    return heard.text("fix"), heard.text("domain")


def _is_beforehand(heard: Heard) -> bool:
    return (heard.text("cause") or FixCause.FAILURE) != FixCause.FAILURE


def _number(heard: Heard) -> int:
    value = heard.fields.get("number")
    return value if isinstance(value, int) else 0


def _status(end: Heard | None) -> StepStatus | None:
    with suppress(ValueError):
        return StepStatus(end.text("status")) if end else None
    return None
