"""From a rehearsal file to rehearsals; every mistake in it at its line and column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.documents import findings, read
from engine.errors import DocumentError
from engine.library.durations import seconds
from engine.library.part import Part, whole
from engine.model.heal import HealMode
from engine.model.place import Finding
from engine.model.rehearsal import START, AnswerSpec, CrashPoint, Injection, Rehearsal, Wanted
from engine.run.rehearsal.expecting import expected

SCHEMA = "rehearsal"


def read_rehearsals(path: Path, *, cache: Path | None = None) -> tuple[Rehearsal, ...]:
    """The rehearsals in a file, in its order. Raises DocumentError with every finding."""
    document = read(path)
    found = findings(document, SCHEMA, cache=cache)
    if not found:
        part = whole(document)
        found = tuple(_mistakes(part))
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise DocumentError(f"{found[0].message}{more}", findings=found, hint=found[0].hint)
    return tuple(_rehearsal(shared, own, default=path.stem) for shared, own in _entries(part))


def _entries(part: Part) -> list[tuple[Part | None, Part]]:
    """Each rehearsal with what it shares with the others of its file."""
    return [(part, own) for own in part.listed("rehearsals")] if "rehearsals" in part else [(None, part)]


def _mistakes(part: Part) -> Iterator[Finding]:
    """What the schema cannot see: a skill nobody named, a name given twice, an expression that is none."""
    names = set[str]()
    for shared, own in _entries(part):
        if not any("skill" in each for each in (shared, own) if each is not None):
            hint = "write `skill: NAME` here, or once beside `rehearsals`"
            yield Finding(place=own.place, code="missing-key", message="the key `skill` is missing", hint=hint)
        if own.name() in names:
            message = f"there is already a rehearsal called {own.name()!r} in this file"
            yield Finding(place=own["name"].place, code="given-twice", message=message, hint="call it something else")
        names.add(own.name())
        if "expect" in own:
            yield from _bad_expressions(own["expect"])


def _bad_expressions(part: Part) -> Iterator[Finding]:
    """Every `matches` that is no regular expression, wherever it stands."""
    match part.value:
        case {"matches": str() as pattern}:
            try:
                re.compile(pattern)
            except re.error as error:
                message = f"{pattern!r} is no regular expression: {error}"
                yield Finding(place=part["matches"].place, code="wrong-form", message=message)
        case dict() as inner:
            yield from (found for key in inner for found in _bad_expressions(part[key]))
        case list() as inner:
            yield from (found for index in range(len(inner)) for found in _bad_expressions(part[index]))


def _rehearsal(shared: Part | None, own: Part, *, default: str) -> Rehearsal:
    both = [part for part in (shared, own) if part is not None]
    skill, heal, clock = _last(both, "skill"), _last(both, "heal"), _last(both, "clock")
    timeout, profile = _last(both, "timeout"), _last(both, "profile")
    return Rehearsal(
        name=own.name() or default,
        description=own.get("description", ""),
        skill=skill.value if skill else "",
        place=own["name"].place if "name" in own else own.place,
        skill_place=skill.place if skill else own.place,
        expected=expected(own),
        inputs=_plain(both, "inputs"),
        answers={name: _wanted("answers", part) for name, part in _laid_over(both, "answers").items()},
        tools={tool: tuple(_answers(part)) for tool, part in _laid_over(both, "tools").items()},
        tool_places={tool: part.key_place for tool, part in _laid_over(both, "tools").items()},
        injections=tuple(_injection(part) for part in own.listed("inject")),
        crashes=(*_crashes(own, "crash_after"), *_crashes(own, "crash_during")),
        profile=profile.value if profile else None,
        domains=_plain(both, "domains"),
        config=_plain(both, "config"),
        env=_plain(both, "env"),
        heal=HealMode(heal.value) if heal else None,
        clock=datetime.fromisoformat(clock.value) if clock else START,
        timeout=seconds(timeout.value) if timeout else None,
        no_secrets=tuple(_secrets(both)),
    )


def _last(parts: Sequence[Part], key: str) -> Part | None:
    """The part under `key` that counts: the rehearsal's own, else the shared one."""
    return next((part[key] for part in reversed(parts) if key in part), None)


def _laid_over(parts: Sequence[Part], key: str) -> dict[str, Part]:
    """The members under `key`, the rehearsal's own over the shared ones."""
    return {name: part[key][name] for part in parts for name in part.mapping(key)}


def _plain(parts: Sequence[Part], key: str) -> dict[str, Any]:
    return {name: part.value for name, part in _laid_over(parts, key).items()}


def _wanted(way: str, part: Part) -> Wanted:
    key = str(part.route[-1])
    return Wanted(way=f"{way}.{key}", key=key, value=part.value, place=part.key_place)


def _answers(part: Part) -> Iterator[AnswerSpec]:
    yield from (AnswerSpec(spec=part[index].value, place=part[index].place) for index in range(len(part.value)))


def _injection(part: Part) -> Injection:
    told = {key: value for key, value in part.value.items() if key not in {"step", "tool", "call"}}
    return Injection(
        answer=AnswerSpec(spec=told, place=part.place),
        step=part.get("step", ""),
        tool=part.get("tool", ""),
        call=part.get("call", 1),
    )


def _crashes(part: Part, key: str) -> Iterator[CrashPoint]:
    if key not in part:
        return
    named = part[key]
    parts = [named[index] for index in range(len(named.value))] if isinstance(named.value, list) else [named]
    yield from (CrashPoint(step=each.value, place=each.place, during=key == "crash_during") for each in parts)


def _secrets(parts: Sequence[Part]) -> Iterator[Wanted]:
    for part in parts:
        if "no_secrets" in part:
            named = part["no_secrets"]
            for index, secret in enumerate(named.value):
                yield Wanted(way=f"no_secrets[{index}]", value=secret, place=named[index].place)
