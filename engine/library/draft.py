"""The text of a new skill: right as it stands, and with comments that say what can be changed."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from engine.documents import Document, Editing
from engine.documents.layout import newline
from engine.documents.written import flow, scalar
from engine.library.language import RESERVED
from engine.model.lazy_dataclass import dataclass
from engine.model.skill import InputType
from tool_registry.tool import Effect, Tool

PURPOSE = "Write here in a sentence what it is for; people and agents choose by it."
_EDITOR_LINE = re.compile(r"^#\s*yaml-language-server\s*:\s*\$schema=\S+", re.MULTILINE)
_WIDTH = 100
"""Columns of a comment."""
_GREETING = """\
inputs:
  # What a run is given: `skill run {name} -i who=Ada`. With `required: true` a run without it is refused.
  - name: who
    type: string
    default: world
    description: Whom to greet.

steps:
  # A step does one thing. This one calls a tool; `skill tools` lists them all.
  - name: greeting
    description: What is said
    tool: echo
    args:
      value: "hello {{{{ inputs.who }}}}"

  # This one computes, in a small and safe Python; what it assigns to `result` is the step's value.
  - name: verdict
    description: How it was said
    condition: greeting
    compute: |
      words = greeting.split()
      result = {{"text": greeting, "words": len(words)}}

outputs:
  # What a run returns. A value that is one whole expression keeps its type.
  - name: greeting
    value: "{{{{ verdict.text }}}}"
  - name: words
    value: "{{{{ verdict.words }}}}"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """A step of the draft: `given` says which input each required argument is taken from."""

    step: str
    tool: Tool
    given: Mapping[str, str]


@dataclass(slots=True)
class _Plan:
    """The steps of a draft, and the inputs they need."""

    calls: list[_Call] = field(default_factory=list)
    inputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)


def draft(
    name: str, *, schema: str, description: str = "", tools: Sequence[Tool] = (), taken: Collection[str] = ()
) -> str:
    """The text of a skill that calls these tools, each in a step whose required arguments are inputs of the skill.

    `schema` is where editors find the schema, `taken` are names that expressions have already. Without tools it greets.
    """
    told = description or f"{_does(tools)} {PURPOSE}"
    head = f'{editor_line(schema)}\nname: {scalar(name)}\ndescription: {scalar(told)}\nversion: "0.1"\n'
    if not tools:
        return f"{head}\n{_GREETING.format(name=name)}"
    plan = _planned(tools, RESERVED | frozenset(taken))
    sections = [_inputs(name, plan), _steps(plan), _outputs(plan)]
    return head + "".join(f"\n{section}" for section in sections if section)


def _does(tools: Sequence[Tool]) -> str:
    return f"Calls {', '.join(dict.fromkeys(tool.name for tool in tools))}." if tools else "Greets somebody."


def copied(document: Document, name: str, *, schema: str, description: str = "") -> str:
    """The text of a skill under another name; comments stay, and editors find the schema from the new place."""
    editing = Editing(document)
    editing.set(("name",), name)
    if description:
        editing.set(("description",), description)
    text, line = editing.finished().text, editor_line(schema)
    if _EDITOR_LINE.search(text):
        return _EDITOR_LINE.sub(lambda _: line, text, count=1)
    return f"{line}{newline(text)}{text}"


def editor_line(schema: str) -> str:
    """The comment by which editors with yaml-language-server find the schema."""
    return f"# yaml-language-server: $schema={schema}"


def _planned(tools: Sequence[Tool], taken: Collection[str]) -> _Plan:
    plan = _Plan()
    for tool in tools:
        step = _free(_plain(tool.name), {*taken, *(call.step for call in plan.calls)})
        known = tool.parameters.get("properties", {})
        given = {}
        for argument in tool.parameters.get("required", ()):
            rules = known.get(argument, {})
            given[argument] = _input_for(plan, _plain(argument), step, rules if isinstance(rules, Mapping) else {})
        plan.calls.append(_Call(step=step, tool=tool, given=given))
    return plan


def _input_for(plan: _Plan, argument: str, step: str, rules: Mapping[str, Any]) -> str:
    """The input for an argument; tools that take the same thing under the same name share one."""
    name = argument
    if name in plan.inputs and _shape(plan.inputs[name]) != _shape(rules):
        name = _free(f"{step}_{argument}", plan.inputs)
    plan.inputs.setdefault(name, rules)
    return name


def _shape(rules: Mapping[str, Any]) -> Any:
    return {key: rule for key, rule in rules.items() if key not in {"description", "title", "default", "examples"}}


def _plain(name: str) -> str:
    """A name that expressions can use."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    return plain if plain[:1].isalpha() or plain[:1] == "_" else f"call_{plain}"


def _free(name: str, taken: Collection[str]) -> str:
    while name in taken or keyword.iskeyword(name):
        stem, _, number = name.rpartition("_")
        name = f"{stem}_{int(number) + 1}" if number.isdecimal() else f"{name}_2"
    return name


def _inputs(name: str, plan: _Plan) -> str:
    if not plan.inputs:
        return ""
    first = next(iter(plan.inputs))
    lines = ["inputs:", f"  # What a run is given: `skill run {name} -i {first}=...`. `default:` makes one optional."]
    for declared, rules in plan.inputs.items():
        lines += [f"  - name: {declared}", *_rules(rules)]
        lines.append(f"    description: {scalar(_told(rules) or f'What the tools take as {declared}.')}")
    return _text(lines)


def _rules(rules: Mapping[str, Any]) -> Iterator[str]:
    """What an input can promise of a value that a tool wants."""
    kind = _kind(rules)
    if kind:
        yield f"    type: {kind}"
    if (items := rules.get("items")) and kind == InputType.ARRAY and (inner := _kind(items)):
        yield f"    items: {{type: {inner}}}"
    yield "    required: true"
    if isinstance(rules.get("enum"), list):
        yield f"    enum: {flow(rules['enum'])}"
    for bound in ("minimum", "maximum"):
        if isinstance(rules.get(bound), int | float):
            yield f"    {bound}: {scalar(rules[bound])}"


def _kind(rules: Any) -> str:
    """The one type that rules allow beside null; empty when there are several."""
    if not isinstance(rules, Mapping):
        return ""
    choices = [rules, *rules.get("anyOf", ()), *rules.get("oneOf", ())]
    named = [choice.get("type") for choice in choices if isinstance(choice, Mapping)]
    kinds = {kind for each in named for kind in ([each] if isinstance(each, str) else each or ())} - {"null"}
    return kinds.pop() if len(kinds) == 1 and kinds <= {kind.value for kind in InputType} else ""


def _steps(plan: _Plan) -> str:
    lines = ["steps:", "  # Steps run in order; later text reads the value of a step by its name."]
    for number, call in enumerate(plan.calls):
        lines += [*([""] if number else []), *_step(call)]
    return _text(lines)


def _step(call: _Call) -> Iterator[str]:
    tool = call.tool
    if tool.effect is not Effect.READ:
        yield "  # This changes something. `undo:` can name the tool that takes it back when the run does not end well."
    yield f"  - name: {call.step}"
    if tool.description:
        yield f"    description: {scalar(_sentence(tool.description))}"
    yield f"    tool: {scalar(tool.name)}"
    if call.given:
        yield "    args:"
        for argument, given in call.given.items():
            yield f'      {scalar(argument)}: "{{{{ inputs.{given} }}}}"'
        yield from (f"      # {line}" for line in _optional(call))
    elif optional := list(_optional(call)):
        yield "    # args:"
        yield from (f"    #   {line}" for line in optional)


def _optional(call: _Call) -> Iterator[str]:
    """A line of comment for each argument that may be left out."""
    known = call.tool.parameters.get("properties", {})
    for name, rules in known.items():
        if name not in call.given:
            told = _told(rules)
            yield _cut(f"{name}: {told}" if told else f"{name}: ...")


def _outputs(plan: _Plan) -> str:
    lines = ["outputs:", "  # What a run returns. `skill tools NAME` tells what is inside a tool's value."]
    for call in plan.calls:
        lines += [f"  - name: {call.step}", f'    value: "{{{{ {call.step} }}}}"']
    return _text(lines)


def _told(rules: Any) -> str:
    return " ".join(str(rules.get("description", "")).split()) if isinstance(rules, Mapping) else ""


def _sentence(text: str) -> str:
    """The first sentence, which is what a line of progress has room for."""
    return " ".join(text.split()).partition(". ")[0].rstrip(".")


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else line[: _WIDTH - 3].rstrip() + "..."


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
