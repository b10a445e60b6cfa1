"""What is wrong in a rehearsal that only the tools can tell: names of no tool, answers that a tool cannot give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.library.nearest import did_you_mean
from engine.model.place import Finding, Place
from engine.model.rehearsal import AnswerSpec, Rehearsal
from engine.run.rehearsal.answers import canned
from tool_registry.tool import Tool


def mistakes(rehearsal: Rehearsal, tools: Mapping[str, Tool]) -> tuple[Finding, ...]:
    """Every mistake, in the order of the file."""
    found = dict.fromkeys(_all(rehearsal, tools))
    return tuple(sorted(found, key=lambda finding: (finding.place.line, finding.place.column)))


def _all(rehearsal: Rehearsal, tools: Mapping[str, Tool]) -> Iterator[Finding]:
    for name, place in _named(rehearsal):
        if name not in tools:
            hint = did_you_mean(name, tools) or "`skill tools` lists them"
            yield Finding(place=place, code="unknown-tool", message=f"there is no tool called {name}", hint=hint)
    for name, answers in rehearsal.tools.items():
        if name in tools:
            for answer in answers:
                yield from _answer(answer, tools[name])
    for injection in rehearsal.injections:
        if injection.tool in tools:
            yield from _answer(injection.answer, tools[injection.tool])


def _named(rehearsal: Rehearsal) -> Iterator[tuple[str, Place]]:
    """Every tool that is named, and where."""
    expected = rehearsal.expected
    yield from rehearsal.tool_places.items()
    yield from ((each.tool, each.answer.place) for each in rehearsal.injections if each.tool)
    yield from ((each.key, each.place) for each in expected.calls)
    yield from ((fix, each.place) for each in expected.heals for fix in each.value)
    for each in expected.order:
        name = each.value if isinstance(each.value, str) else each.value.get("tool")
        if name:
            yield name, each.place


def _answer(answer: AnswerSpec, tool: Tool) -> Iterator[Finding]:
    try:
        canned(answer, tool)
    except ValueError as error:
        message = str(error).removeprefix(f"{answer.place}: ")
        hint = "docs/rehearsals.md shows the forms"
        yield Finding(place=answer.place, code="wrong-form", message=message, hint=hint)
    known = tool.parameters.get("properties", {})
    if tool.parameters.get("additionalProperties", True) is False:
        for name in answer.spec.get("when", {}):
            if name not in known:
                hint = did_you_mean(name, known) or f"it takes {', '.join(known) or 'none'}"
                message = f"{tool.name} takes no argument {name}, so no call is ever answered by this"
                yield Finding(place=answer.place, code="unknown-argument", message=message, hint=hint)
