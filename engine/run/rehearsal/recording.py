"""A rehearsal written from a recorded run: what its tools answered becomes canned, what came of it is expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from engine.documents import dump
from engine.model.event import Event, EventKind
from engine.model.lazy_dataclass import dataclass
from engine.model.past import PastRun
from engine.model.secret import MASK
from engine.model.skill import Skill
from engine.run.rehearsal.placeholders import Placeholders
from engine.run.rehearsal.recorded_calls import RecordedCalls
from tool_registry.tool import Tool

MOST_SHOWN = 20
"""Places that one note lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A rehearsal as it is written to a file; `notes` say what in it is not as it was."""

    rehearsal: Mapping[str, Any]
    notes: tuple[str, ...]

    @property
    def text(self) -> str:
        """The file: the notes as a comment, then every key after a blank line."""
        notes = "".join(f"# {note}\n" for note in self.notes)
        small = {key: value for key, value in self.rehearsal.items() if key in {"name", "skill", "clock", "profile"}}
        parts = [dump(small), *(dump({key: value}) for key, value in self.rehearsal.items() if key not in small)]
        return notes + "\n" + "\n".join(parts)

    def without(self, way: str) -> Recording:
        """Without an expectation (`outputs.summary`) that is another one each time, and with a note of that."""
        section, _, name = way.partition(".")
        expect = dict(self.rehearsal["expect"])
        if name:
            expect[section] = {key: value for key, value in expect[section].items() if key != name}
        if not name or not expect[section]:
            expect.pop(section, None)
        note = f"expect.{way} was left out: it is another one each time"
        return Recording(rehearsal={**self.rehearsal, "expect": expect}, notes=(*self.notes, note))


def record(
    past: PastRun,
    events: Sequence[Event],
    *,
    skill: Skill,
    named: str,
    tools: Mapping[str, Tool],
    verifies: Mapping[str, str],
) -> Recording:
    """The rehearsal of a run that is over.

    `named` is what the rehearsal calls the skill, `verifies` are the tools that check fixes, by fix tool.
    """
    placeholders = Placeholders(skill=skill, tools=tools)
    calls = RecordedCalls(past=past, placeholders=placeholders, tools=tools, verifies=verifies)
    for event in events:
        calls.hear(event)
    written = {
        "name": f"as in {past.run_id}",
        "skill": named,
        "clock": datetime.fromtimestamp(past.started_at, UTC).isoformat().replace("+00:00", "Z"),
        "inputs": _inputs(past, skill, placeholders),
        "answers": calls.questions,
        "tools": calls.answers(),
        "expect": _expected(events, calls),
    }
    kept = {key: value for key, value in written.items() if value}
    return Recording(rehearsal=kept, notes=(_head(past, events), *_notes(placeholders, calls)))


def _inputs(past: PastRun, skill: Skill, placeholders: Placeholders) -> dict[str, Any]:
    """The inputs that were given: those that are not what the skill takes without."""
    defaults = {declared.name: declared.default for declared in skill.inputs}
    given = {name: value for name, value in past.inputs.items() if value != defaults.get(name)}
    return {name: placeholders.filled(value, f"inputs.{name}") for name, value in given.items()}


def _expected(events: Sequence[Event], calls: RecordedCalls) -> dict[str, Any]:
    finished = next((event for event in reversed(events) if event.kind is EventKind.RUN_FINISHED), None)
    waiting = next((event for event in reversed(events) if event.kind is EventKind.RUN_WAITING), None)
    ended: Mapping[str, Any] = finished.data if finished else {"status": "waiting"}
    message = str(ended.get("message") or "")
    outputs = {name: value for name, value in ended.get("outputs", {}).items() if not _is_spoilt(value)}
    expected = {
        "status": ended["status"],
        "message": message if MASK not in message else "",
        "questions": [question["name"] for question in waiting.data["questions"]] if waiting and not finished else [],
        "steps": {event.step: event.data["status"] for event in events if event.kind is EventKind.STEP_FINISHED},
        "heals": calls.heals,
        "calls": calls.counted(),
        "outputs": outputs,
    }
    return {key: value for key, value in expected.items() if value}


def _is_spoilt(value: Any) -> bool:
    """Whether something in a value was masked or cut."""
    match value:
        case str():
            return MASK in value or value.endswith("characters more)")
        case dict():
            return "truncated" in value or "..." in value or any(_is_spoilt(inner) for inner in value.values())
        case list():
            return any(_is_spoilt(inner) for inner in value)
        case _:
            return False


def _head(past: PastRun, events: Sequence[Event]) -> str:
    moment = datetime.fromtimestamp(past.started_at, UTC)
    resumed = sum(event.kind is EventKind.RUN_RESUMED for event in events)
    again = f" (it was interrupted and resumed {resumed} times; here it runs through)" if resumed else ""
    return f"Written by `skill test --record` from the run {past.run_id} of {moment:%Y-%m-%d %H:%M} UTC{again}."


def _notes(placeholders: Placeholders, calls: RecordedCalls) -> list[str]:
    notes = []
    if placeholders.made:
        notes.append(f"Secrets are not in history; made up in their place: {_listed(placeholders.made)}")
    if calls.cut:
        notes.append(f"Longer than history keeps, and cut there: {_listed(calls.cut)}")
    if calls.invented:
        notes.append(f"History does not have these answers; they are made up: {_listed(calls.invented)}")
    return notes


def _listed(places: Sequence[str]) -> str:
    more = len(places) - MOST_SHOWN
    return ", ".join(places[:MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
