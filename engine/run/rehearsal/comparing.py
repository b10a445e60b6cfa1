"""What came of a rehearsal beside what must come of it: pure, from values to differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from engine.errors import SandboxError
from engine.library.nearest import did_you_mean
from engine.model.place import Text
from engine.model.rehearsal import (
    NOT_REACHED,
    REFUSED,
    CallEnd,
    Difference,
    Played,
    PlayedCall,
    PlayedStep,
    Rehearsal,
    Wanted,
)
from engine.run.rehearsal.matching import Mismatch, included, mismatches, shown, times, was_called

Evaluate = Callable[[Text, Mapping[str, Any]], Any]
"""Evaluates an author's expression over names. Raises SandboxError."""


def differences(rehearsal: Rehearsal, played: Played, evaluate: Evaluate) -> tuple[Difference, ...]:
    """Everything that is not as the rehearsal wants it, what nobody could expect first; empty when it passed."""
    return tuple(_all(rehearsal, played, evaluate))


def _all(rehearsal: Rehearsal, played: Played, evaluate: Evaluate) -> Iterator[Difference]:
    expected = rehearsal.expected
    yield from _unanswered(rehearsal, played)
    yield from _ending(rehearsal, played)
    if played.status == REFUSED:
        return  # nothing began, so nothing else can be as it was meant
    yield from _in_order(expected.steps, played) if expected.all_steps else _steps(expected.steps, played.steps)
    yield from _calls(expected.calls, played)
    yield from _order(expected.order, played.calls)
    yield from _heals(expected.heals, played)
    yield from _outputs(expected.outputs, played.outputs)
    if expected.questions is not None:
        asked = mismatches(sorted(expected.questions.value), sorted(played.questions))
        yield from _under(expected.questions, asked, "the questions that wait")
    for expression in expected.holds:
        yield from _holds(expression, rehearsal, played, evaluate)
    yield from _no_events(expected.no_events, played)
    yield from played.unmet


def _unanswered(rehearsal: Rehearsal, played: Played) -> Iterator[Difference]:
    for call in played.calls:
        if call.end is CallEnd.UNANSWERED:
            where = f" (in the step {call.step})" if call.step else ""
            message = f"{call} was called{where}, and {call.why}; nothing real was called"
            yield Difference(place=rehearsal.place, way=f"tools.{call.tool}", message=message)


def _ending(rehearsal: Rehearsal, played: Played) -> Iterator[Difference]:
    """The status, and the message where one is expected; a run that ended otherwise says why."""
    expected = rehearsal.expected
    if expected.refused is not None:
        if played.status == REFUSED:
            yield from _under(expected.refused, mismatches(expected.refused.value, played.message), "the refusal")
        else:
            message = f"the run was not refused, it ended {played.status}"
            yield Difference(place=expected.refused.place, way=expected.refused.way, message=message)
        return
    if played.status != expected.status.value:
        message = f"the run ended {played.status}, not {expected.status.value}{_because(played)}"
        sides = (expected.status.value, played.status)
        yield Difference(place=expected.status.place, way=expected.status.way, message=message, sides=sides)
    if expected.message is not None:
        yield from _under(expected.message, mismatches(expected.message.value, played.message), "the message")


def _because(played: Played) -> str:
    if played.questions:
        return f"; it waits for an answer to {', '.join(played.questions)}"
    return f": {played.message}" if played.message else ""


def _steps(wanted: Sequence[Wanted], steps: Sequence[PlayedStep]) -> Iterator[Difference]:
    last = {step.path: step for step in steps}
    for each in wanted:
        yield from _step(each, last.get(each.key), last)


def _step(wanted: Wanted, step: PlayedStep | None, known: Mapping[str, PlayedStep]) -> Iterator[Difference]:
    asked = {"status": wanted.value} if isinstance(wanted.value, str) else wanted.value
    if step is None:
        if asked.get("status") != NOT_REACHED:
            hint = did_you_mean(wanted.key, known)
            message = f"the run did not come to a step {wanted.key}{f'; {hint}' if hint else ''}"
            sides = (asked.get("status"), NOT_REACHED) if "status" in asked else None
            yield Difference(place=wanted.place, way=wanted.way, message=message, sides=sides)
        return
    for name, value in asked.items():
        found = [_told(wanted, name, mismatch, step) for mismatch in mismatches(value, getattr(step, name))]
        yield from found


def _told(wanted: Wanted, name: str, mismatch: Mismatch, step: PlayedStep) -> Difference:
    """A difference of a step; one of its status says why the step ended so."""
    why = f" ({step.kind}: {step.error})" if name == "status" and step.error else ""
    message = f"the {name} of {step.path}: {mismatch.message}{why}"
    way = f"{wanted.way}.{name}" if isinstance(wanted.value, dict) else wanted.way
    return Difference(place=wanted.place, way=f"{way}{mismatch.way}", message=message, sides=mismatch.sides)


def _in_order(wanted: Sequence[Wanted], played: Played) -> Iterator[Difference]:
    """All steps there may be, in the order they end."""
    paths, found = [each.key for each in wanted], [step.path for step in played.steps]
    if paths != found:
        place = wanted[0].place
        message = "the steps that ended are others, or in another order"
        yield Difference(place=place, way="expect.steps", message=message, sides=(paths, found))
        return
    for each, step in zip(wanted, played.steps, strict=True):
        yield from _step(each, step, {})


def _calls(wanted: Sequence[Wanted], played: Played) -> Iterator[Difference]:
    for each in wanted:
        calls = [call for call in played.calls if call.tool == each.key]
        number = each.value if isinstance(each.value, int) else len(each.value)
        if len(calls) != number:
            wanted_so = f"not {times(number)}" if number else "and may not be"
            told = f": {'; '.join(map(str, calls))}" if calls else ""
            message = f"{each.key} {was_called(len(calls))}, {wanted_so}{told}"
            yield Difference(place=each.place, way=each.way, message=message, sides=(number, len(calls)))
        elif isinstance(each.value, list):
            yield from _arguments(each, calls)


def _arguments(wanted: Wanted, calls: Sequence[PlayedCall]) -> Iterator[Difference]:
    for index, (asked, call) in enumerate(zip(wanted.value, calls, strict=True)):
        for name, value in asked.items():
            what = f"the argument {name} of call {index + 1} of {call.tool}"
            if name in call.args:
                yield from _under(wanted, mismatches(value, call.args[name]), what)
            else:
                yield Difference(place=wanted.place, way=wanted.way, message=f"{what} is missing: {call}")


def _order(wanted: Sequence[Wanted], calls: Sequence[PlayedCall]) -> Iterator[Difference]:
    """The first call of the order that does not come after the one before it; the rest would only follow from it."""
    waiting = iter(calls)
    for position, each in enumerate(wanted):
        if not any(_is_called(each.value, call) for call in waiting):
            after = f" after {_named(wanted[position - 1].value)}" if position else ""
            message = f"there is no call of {_named(each.value)}{after}"
            sides = ([_named(one.value) for one in wanted], [f"{call.tool} (step {call.step})" for call in calls])
            yield Difference(place=each.place, way=each.way, message=message, sides=sides)
            return


def _is_called(wanted: Any, call: PlayedCall) -> bool:
    if isinstance(wanted, str):
        return call.tool == wanted
    same = all(getattr(call, name) == wanted[name] for name in ("tool", "step") if name in wanted)
    return same and included(wanted.get("args", {}), call.args)


def _named(wanted: Any) -> str:
    if isinstance(wanted, str):
        return wanted
    tool, step = wanted.get("tool", "any tool"), wanted.get("step")
    arguments = f" with {shown(wanted['args'])}" if "args" in wanted else ""
    return f"{tool}{arguments}{f' in the step {step}' if step else ''}"


def _heals(wanted: Sequence[Wanted], played: Played) -> Iterator[Difference]:
    for each in wanted:
        fixes = list(played.heals.get(each.key, ()))
        if fixes != each.value:
            message = f"the fixes of {each.key}: expected {_fixes(each.value)}, got {_fixes(fixes)}"
            yield Difference(place=each.place, way=each.way, message=message, sides=(each.value, fixes))


def _fixes(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _outputs(wanted: Sequence[Wanted], outputs: Mapping[str, Any]) -> Iterator[Difference]:
    for each in wanted:
        if each.key in outputs:
            yield from _under(each, mismatches(each.value, outputs[each.key]), f"the output {each.key}")
        else:
            hint = did_you_mean(each.key, outputs) or f"there is {', '.join(outputs) or 'none'}"
            message = f"there is no output {each.key}; {hint}"
            yield Difference(place=each.place, way=each.way, message=message)


def _holds(expression: Text, rehearsal: Rehearsal, played: Played, evaluate: Evaluate) -> Iterator[Difference]:
    try:
        value = evaluate(expression, _scope(rehearsal, played))
    except SandboxError as error:
        place = error.place or expression.place
        yield Difference(place=place, way="expect.holds", message=f"{expression.text}: {error.message}")
        return
    if not value:
        message = f"{expression.text} is not true; it is {shown(value)}"
        yield Difference(place=expression.place, way="expect.holds", message=message)


def _scope(rehearsal: Rehearsal, played: Played) -> dict[str, Any]:
    """The names that expressions of `holds` see."""
    steps = {
        step.path: {
            "status": step.status,
            "kind": step.kind,
            "error": step.error,
            "attempts": step.attempts,
            "duration": step.duration,
            "value": step.value,
        }
        for step in played.steps
    }
    return {
        "status": played.status,
        "message": played.message,
        "inputs": dict(rehearsal.inputs),
        "outputs": dict(played.outputs),
        "steps": steps,
        "notes": list(played.notes),
        "duration": played.duration,
        "calls": [{"tool": call.tool, "step": call.step, "args": dict(call.args)} for call in played.calls],
    }


def _no_events(wanted: Sequence[Wanted], played: Played) -> Iterator[Difference]:
    for each in wanted:
        found = [event for event in played.events if event.kind == each.value]
        if found:
            where = f" in the step {found[0].step}" if found[0].step else ""
            message = f"{each.value} happened {times(len(found))}, first{where}: {shown(dict(found[0].data))}"
            yield Difference(place=each.place, way=each.way, message=message)


def _under(wanted: Wanted, found: Iterator[Mismatch], what: str) -> Iterator[Difference]:
    """Mismatches as differences of what was wanted; `what` it is, in words."""
    for each in found:
        message = f"{what}{each.way}: {each.message}"
        yield Difference(place=wanted.place, way=f"{wanted.way}{each.way}", message=message, sides=each.sides)
