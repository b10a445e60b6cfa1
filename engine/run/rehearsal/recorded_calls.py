"""The calls of a recorded run, tool by tool, as canned answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from engine.model.event import Event, EventKind
from engine.model.lazy_dataclass import dataclass
from engine.model.past import PastRun
from engine.model.prevention import FixCause
from engine.model.secret import MASK
from engine.run.rehearsal.placeholders import Placeholders
from tool_registry.arguments import checked
from tool_registry.tool import Tool, ToolError, ToolOutput

COMPUTE = "compute"
"""What an attempt of a compute step is called; such steps are computed again, not canned."""
EVIDENCE = ("http_status", "exit_status", "errno", "program", "sent", "retry_after", "details")
_VERIFIED = re.compile(r"(\S+) says it (happened|did not happen)")
_ANSWERED = re.compile(r"(.+\.(?:fix|settle)\d*) was answered: (.*)", re.DOTALL)
UNTOLD = frozenset({None, "unknown"})


@dataclass(slots=True)
class _Call:
    """One call and its answer; `args` None where history does not have them, the times in seconds since the epoch."""

    args: Mapping[str, Any] | None
    answer: dict[str, Any]
    started: float = 0.0
    finished: float = 0.0


@dataclass(slots=True, kw_only=True)
class RecordedCalls:
    """Hears the events of a run in order; `verifies` are the tools that check fixes, by fix tool.

    `cut` are the places whose value history did not keep whole, `invented` the calls whose answer it does not have.
    """

    past: PastRun
    placeholders: Placeholders
    tools: Mapping[str, Tool]
    verifies: Mapping[str, str]
    questions: dict[str, Any] = field(default_factory=dict)
    heals: dict[str, list[str]] = field(default_factory=dict)
    cut: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    _calls: dict[str, list[_Call]] = field(default_factory=dict)
    _open: dict[str, tuple[str, _Call]] = field(default_factory=dict)

    def hear(self, event: Event) -> None:
        """Takes in one event."""
        data = event.data
        match event.kind:
            case EventKind.ATTEMPT_FINISHED if data["tool"] != COMPUTE:
                self._attempt(event)
            case EventKind.STEP_FINISHED:
                self._finished(event)
            case EventKind.FIX_FINISHED if (data.get("cause") or FixCause.FAILURE) == FixCause.FAILURE:
                self._fix(event)  # nothing is looked at before a rehearsed run, so that nothing is repaired beforehand
            case EventKind.HEAL_STAGE:
                self._stage(event, str(data.get("answer") or ""))
            case EventKind.QUESTION_ANSWERED:
                self.questions[str(data["name"])] = self.placeholders.filled(data["answer"], f"answers.{data['name']}")

    def answers(self) -> dict[str, list[dict[str, Any]]]:
        """The answers of each tool, in order; calls of one tool that differ are told apart by what differs in them."""
        _keep_pace([call for calls in self._calls.values() for call in calls])
        told = {tool: _told_apart(calls) for tool, calls in self._calls.items()}
        return {tool: [self._promised(tool, answer) for answer in answers] for tool, answers in told.items()}

    def counted(self) -> dict[str, int]:
        """How often each tool was called, where that is known for certain."""
        uncertain = {call.partition(" ")[0] for call in self.invented}
        counts = Counter({tool: len(calls) for tool, calls in self._calls.items()})
        return {tool: number for tool, number in counts.items() if tool not in uncertain}

    def _attempt(self, event: Event) -> None:
        data, tool = event.data, str(event.data["tool"])
        where = self._where(tool)
        if data["ok"]:
            call = self._call(data, {"value": self._value(event, data.get("value"), where)})
            self._open[event.step] = (where, call)
        else:
            call = self._call(data, {"failure": self.placeholders.filled(_failure(data["failure"]), where)})
            self._open.pop(event.step, None)
        self._calls.setdefault(tool, []).append(call)

    def _call(self, data: Mapping[str, Any], answer: dict[str, Any]) -> _Call:
        return _Call(data["args"], answer, started=data["started_at"], finished=data["finished_at"])

    def _promised(self, tool: str, answer: dict[str, Any]) -> dict[str, Any]:
        """The answer; a value that breaks the tool's promise can only have come with "not found"."""
        known = self.tools.get(tool)
        if known is None or "value" not in answer:
            return answer
        try:
            checked(known, ToolOutput(value=answer["value"]))
        except ToolError:
            return {"not_found": True, **answer}
        return answer

    def _finished(self, event: Event) -> None:
        """The value of a step's last attempt is often told with the end of the step only."""
        where, call = self._open.pop(event.step, ("", None))
        if call is not None and call.answer.get("value") is None and event.data.get("value") is not None:
            call.answer["value"] = self._value(event, event.data["value"], where)

    def _value(self, event: Event, value: Any, where: str) -> Any:
        """The value as history has it: whole from beside its event, where the event only has the beginning."""
        if "value" in event.data.get("truncated", ()):
            step = self.past.steps.get(event.step)
            if step is not None and not step.lost and event.kind is EventKind.STEP_FINISHED:
                return step.value
            self.cut.append(where)
        tool = where.removeprefix("tools.").partition("[")[0]
        return self.placeholders.answer(value, tool=tool, step=event.step, where=where)

    def _fix(self, event: Event) -> None:
        data, fix = event.data, str(event.data["fix"])
        self.heals.setdefault(event.step, []).append(fix)
        failure = data.get("failure")
        answer = {"works": True} if data["ok"] else {"failure": {"message": str(failure or "it failed")}}
        self._calls.setdefault(fix, []).append(_Call(None, answer))
        verify = self.verifies.get(fix)
        if verify is not None and data["ok"]:
            self._invent(verify, {"works": True}, f"checks {fix}")

    def _stage(self, event: Event, answer: str) -> None:
        """What healing asked a tool's `verify`, and what somebody had answered beforehand, is told in words only."""
        if found := _VERIFIED.fullmatch(answer):
            self._invent(found[1], {"value": {"happened": found[2] == "happened"}}, f"for {event.step}")
        if found := _ANSWERED.fullmatch(answer):
            self.questions[found[1]] = {"True": True, "False": False}.get(found[2], found[2])

    def _invent(self, tool: str, answer: dict[str, Any], why: str) -> None:
        self._calls.setdefault(tool, []).append(_Call(None, answer))
        self.invented.append(f"{tool} ({why})")

    def _where(self, tool: str) -> str:
        return f"tools.{tool}[{len(self._calls.get(tool, ()))}]"


def _failure(told: Mapping[str, Any]) -> dict[str, Any]:
    """A failure as it was told in an event, as evidence that says the same again."""
    evidence: Mapping[str, Any] = told.get("evidence") or {}
    failure = {"message": told["message"], **{name: evidence[name] for name in EVIDENCE if name in evidence}}
    kind = evidence.get("declared") or (
        None if failure.keys() & {"http_status", "exit_status", "errno"} else told["kind"]
    )
    if kind not in UNTOLD:
        failure["kind"] = kind
    if evidence.get("text") not in {None, told["message"]}:
        failure["output"] = evidence["text"]
    return failure


def _keep_pace(calls: list[_Call]) -> None:
    """Gives calls that were under way at the same time the delays they had: their order may matter."""
    latest: _Call | None = None
    for call in sorted((call for call in calls if call.finished), key=lambda call: call.started):
        if latest is not None and call.started < latest.finished:
            for each in (latest, call):
                each.answer["delay"] = round(each.finished - each.started, 3)
        latest = call if latest is None or call.finished > latest.finished else latest


def _told_apart(calls: list[_Call]) -> list[dict[str, Any]]:
    known = [call.args for call in calls if call.args is not None]
    differing = {name for args in known for name in args if any(other.get(name, ...) != args[name] for other in known)}
    return [_with_when(call, differing) for call in calls]


def _with_when(call: _Call, differing: set[str]) -> dict[str, Any]:
    if call.args is None or not differing:
        return call.answer
    told = {name: value for name, value in call.args.items() if name in differing and MASK not in str(value)}
    return {**({"when": told} if told else {}), **call.answer}
