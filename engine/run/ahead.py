"""Looking ahead of a run: what its calls stand on is made sure of before the first of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.errors import JournalError
from engine.heal.request import Ahead, Upcoming
from engine.model.event import EventKind
from engine.model.outcome import RunStatus
from engine.model.prevention import CheckAction, CheckResult
from engine.run.ending import Ending
from engine.run.frame import Frame, Walks
from engine.run.outline import KNOWN, Level, upcoming
from engine.run.running import Running


async def look_ahead(walk: Walks, frame: Frame) -> Ending | None:
    """How the run ends before it has begun; None when it may begin. Raises JournalError.

    A run that an earlier process began is looked at too, but never ended by that: what it did would have to be taken
    back through the very door that is closed.
    """
    running = walk.running
    if running.past is not None and "" in running.past.endings:
        return None
    names = {name: frame.scope.names[name] for name in KNOWN}
    calls = tuple(upcoming(running, frame.skill.steps, Level(names=names)))
    results = await _looked(running, frame.skill.name, calls) if calls else ()
    running.preflight.extend(results)
    blocking = [result for result in results if result.action is CheckAction.BLOCKED]
    if not blocking:
        return None
    message = _told(blocking)
    if running.past is not None:
        running.note(f"it goes on all the same: {message}", "")
        return None
    return Ending(status=RunStatus.BLOCKED, message=message, untouched=True)


async def _looked(running: Running, skill: str, calls: tuple[Upcoming, ...]) -> tuple[CheckResult, ...]:
    """What was found; looking that breaks stops nothing."""
    prevents = running.healer.preventing()
    if prevents is None:
        return ()

    def emit(kind: EventKind, data: Mapping[str, Any], *, durable: bool = True) -> None:
        running.send(kind, "", data, durable=durable)

    try:
        return await prevents.before_run(Ahead(run_id=running.run_id, skill=skill, emit=emit, calls=calls))
    except JournalError:
        raise
    except Exception as error:  # noqa: BLE001 - looking ahead must not keep a run from beginning
        running.note(f"looking ahead broke and was left out: {type(error).__name__}: {error}", "")
        return ()


def _told(blocking: list[CheckResult]) -> str:
    """Why the run does not begin and what to do, in lines; domains that lack the same thing share them."""
    lines: dict[tuple[str, ...], list[CheckResult]] = {}
    for result in blocking:
        steps = result.cause.steps if result.cause is not None else ()
        ways = tuple(f"- {step}" for step in steps if step.command or step.call)
        lines.setdefault((result.check, *(ways or (result.message,))), []).append(result)
    return "\n".join(line for (_, *ways), alike in lines.items() for line in _lines(alike, ways))


def _lines(alike: list[CheckResult], ways: list[str]) -> list[str]:
    first, *others = alike
    also = f" (the same in {', '.join(other.domain for other in others)})" if others else ""
    return [f"{first.message}{also}", *(way for way in ways if way != first.message)]
