"""Canned answers of a rehearsal: those of a canned tool, and three that need the real tool's promises to be made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.library.durations import seconds
from engine.model.lazy_dataclass import dataclass
from engine.model.rehearsal import AnswerSpec
from engine.run.rehearsal.samples import sample
from tool_registry.sources.canned import ANSWER_KEYS, Answer, Answers, read_answer
from tool_registry.sources.outputs import selected
from tool_registry.sources.raw import RawOutput, raw_output, read_raw
from tool_registry.tool import Tool, ToolContext, ToolOutput

GARBLED = '{"half": [1, \x00\ufffd<html>'
"""What comes when what comes cannot be read: no JSON, no table, no number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canned:
    """An answer, and what of its value the real tool would keep secret: all, nothing, or the parts at some paths."""

    answer: Answer
    tool: Tool
    raw: RawOutput | None = None
    secret: bool | Sequence[str] = False

    def give(self, context: ToolContext) -> ToolOutput:
        """The output, with its secrets registered as the real tool would; ToolError where it is a failure."""
        output = read_raw(self.tool, self.raw) if self.raw is not None else self.answer.give()
        if output.found:
            for path in [""] if self.secret is True else self.secret or ():
                context.secret(selected(output.value, tuple(path.split(".")) if path else (), self.tool.name))
        return output


def canned(written: AnswerSpec, tool: Tool) -> Canned:
    """The answer as it is written; DefinitionError names what is wrong in it, ValueError what does not fit the tool."""
    spec = dict(written.spec)
    garbled = spec.pop("garbled", False)
    raw = raw_output(tool, spec.pop("raw")) if "raw" in spec else None
    if spec.pop("works", False):
        spec["value"] = sample(tool.result)
    elif garbled:
        raw = raw_output(tool, GARBLED)
        spec["value"] = GARBLED
    secret = spec.pop("secret", False)
    plain = {key: value for key, value in spec.items() if key in ANSWER_KEYS}
    if "delay" in plain:
        plain["delay"] = seconds(plain["delay"])
    return Canned(answer=read_answer(plain, str(written.place)), tool=tool, raw=raw, secret=secret)


class Cue:
    """The answers of one tool, and which have been given; an answer is chosen as canned tools choose theirs."""

    def __init__(self, tool: Tool, written: Sequence[AnswerSpec]) -> None:
        self._by_answer = {id(made.answer): made for made in (canned(spec, tool) for spec in written)}
        self._answers = Answers(tool.name, [made.answer for made in self._by_answer.values()])

    def take(self, arguments: Mapping[str, Any]) -> Canned:
        """The next answer for a call; ToolError when none is for it."""
        return self._by_answer[id(self._answers.take(arguments))]
