"""Tools that answer from a list, for rehearsals: no world, but the same values and the same failures.

    canned:
      answers:
        - failure: {http_status: 401, message: token expired}
        - value: {digest: "sha256:..."}

Answers are given in order, the last one again and again. One with `when` is for calls whose arguments include those
values; a call takes the next unused answer that fits it, else the last that fits.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import anyio

from tool_registry.sources.placeholders import DefinitionError
from tool_registry.sources.python import within
from tool_registry.tool import Call, Tool, ToolContext, ToolError, ToolOutput

KEYS = frozenset({"answers"})
ANSWER_KEYS = frozenset({"value", "text", "failure", "not_found", "when", "delay"})
FAILURE_KEYS = frozenset(
    {
        "message", "kind", "http_status", "exit_status", "errno", "program", "output", "sent", "retry_after", "details",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: a value, "not found", or the evidence of a failure; `delay` in seconds comes first."""

    value: Any = None
    text: str = ""
    found: bool = True
    failure: Mapping[str, Any] | None = None
    when: Mapping[str, Any] = field(default_factory=dict)
    delay: float = 0.0

    def fits(self, arguments: Mapping[str, Any]) -> bool:
        """Whether it is for a call with these arguments."""
        return all(name in arguments and arguments[name] == value for name, value in self.when.items())

    def give(self) -> ToolOutput:
        """The output, or the failure raised."""
        if self.failure is not None:
            evidence = dict(self.failure)
            raise ToolError(str(evidence.pop("message", "the canned answer is a failure")), **evidence)
        return ToolOutput(value=self.value, text=self.text, found=self.found)


class Answers:
    """The answers of one tool, and which of them have been given."""

    def __init__(self, name: str, answers: Sequence[Answer]) -> None:
        self._name = name
        self._unused = list(answers)
        self._used: list[Answer] = []

    def take(self, arguments: Mapping[str, Any]) -> Answer:
        """The next answer for a call; ToolError (`usage_error`) when none is for it."""
        for position, answer in enumerate(self._unused):
            if answer.fits(arguments):
                self._used.append(self._unused.pop(position))
                return answer
        for answer in reversed(self._used):
            if answer.fits(arguments):
                return answer
        raise ToolError(f"no canned answer of {self._name} is for {dict(arguments)}", kind="usage_error", sent=False)

    async def call(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolOutput:
        """Gives the next answer, after its delay and within the call's time."""
        answer = self.take(arguments)
        if answer.delay:
            await within(context.timeout, self._name, functools.partial(anyio.sleep, answer.delay))
        return answer.give()


def answering(tool: Tool, answers: Sequence[Mapping[str, Any]], place: str = "canned") -> Tool:
    """A tool like `tool`, with the same name, parameters and promises, that gives canned answers."""
    return replace(tool, call=_call_of(tool.name, answers, place), source="canned", location=place)


def canned_call(spec: Mapping[str, Any], name: str, place: str) -> Call:
    """What a tool with this `canned` does when it is called; DefinitionError names what is wrong in it."""
    answers = spec.get("answers")
    if not isinstance(answers, list) or not answers:
        raise DefinitionError(place, "canned needs a list of answers")
    return _call_of(name, answers, place)


def _call_of(name: str, answers: Sequence[Mapping[str, Any]], place: str) -> Call:
    return Answers(name, [read_answer(answer, place) for answer in answers]).call


def read_answer(spec: Any, place: str) -> Answer:
    """One answer as it is written: `value`, `failure` or `not_found: true`, with `when`, `delay` and `text`."""
    if not isinstance(spec, Mapping) or not ANSWER_KEYS.issuperset(spec):
        raise DefinitionError(place, f"an answer has the keys {', '.join(sorted(ANSWER_KEYS))}, not {spec!r}")
    failure = spec.get("failure")
    if failure is not None and (not isinstance(failure, Mapping) or not FAILURE_KEYS.issuperset(failure)):
        raise DefinitionError(place, f"a failure has the keys {', '.join(sorted(FAILURE_KEYS))}, not {failure!r}")
    return Answer(
        value=spec.get("value"),
        text=str(spec.get("text", "")),
        found=not spec.get("not_found", False),
        failure=failure,
        when=spec.get("when", {}),
        delay=float(spec.get("delay", 0.0)),
    )
