"""The text of a SKILL.md: how an agent runs one of our skills, and what to make of what comes out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from engine.agent_skills.describing import one_line
from engine.library.graph.wording import bare, marks_of
from engine.model.lazy_dataclass import dataclass
from engine.model.skill import AskStep, GroupStep, Input, SkillStep, Step, StopStep, ToolStep
from engine.model.skill import Skill as OurSkill
from engine.run.scope import all_steps
from tool_registry.tool import Effect, Tool

_TICKS = re.compile(r"`+")
_EFFECTS = {Effect.READ: "reads", Effect.WRITE: "changes something", Effect.DESTRUCTIVE: "takes something away"}
_HEALING = """\
## When something fails

Ordinary failures are repaired in the run: a login that has expired, a network that is down, a server that is busy.
The engine looks at what failed, runs the fix it knows, and repeats the step, but never a call that may have changed
something already. A step repaired like this is reported as `healed`, and the run went well.

What it cannot repair ends the run with a message, the likely cause and the way out. Follow these; do not run the same
again without a change. What was done is taken back where the steps say how.

| exit status | meaning | what to do |
|---|---|---|
| 0 | done | Report the outputs. |
| 1 | a step failed | Read `message` and the failed step's `remediation`; `skill logs RUN` shows everything. |
| 2 | wrong input | Mend the inputs. |
| 3 | there is no such skill here | `skill import` this folder, or work in the right folder with `-C`. |
| 4 | it waits for an answer | See below. |
| 5 | blocked | A person has to do what `message` says first. |
"""
_QUESTIONS = """\
A run that needs a decision waits for it, for as long as it takes, and nothing is undone. Its result has the open
`questions`. Put them to the person, unless the answer follows from what was asked of you, and answer with
`skill answer RUN NAME=VALUE --no-input --json` (over MCP: `run_answer`). The run goes on where it was; steps that are
done are not run again.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A skill with what its page needs: the tools it calls, and the skills whose files lie beside it."""

    skill: OurSkill
    tools: Mapping[str, Tool]
    others: Sequence[OurSkill] = ()


def body(shown: Shown) -> str:
    """The page below the front matter."""
    skill = shown.skill
    parts = [
        f"# {escaped(skill.name)}\n",
        f"{escaped(one_line(skill.description))}\n" if skill.description.strip() else "",
        _how_to_run(skill),
        _inputs(skill),
        _steps(shown),
        _outputs(skill),
        f"{_HEALING}{_depends(shown)}",
        _questions(shown),
        _files(shown),
    ]
    return "\n".join(part for part in parts if part)


def code(text: str) -> str:
    """The text as code on a line of Markdown, whatever is in it."""
    told = one_line(text)
    ticks = "`" * (1 + max((len(run) for run in _TICKS.findall(told)), default=0))
    room = " " if told.startswith("`") or told.endswith("`") else ""
    return f"{ticks}{room}{told}{room}{ticks}" if told else ""


def escaped(text: str) -> str:
    """The text as Markdown that shows it as it is, on one line and inside a table too."""
    return re.sub(r"([\\`*\[\]<>|])|(?<!\w)(_)|(_)(?!\w)|^([#>+-])", r"\\\g<0>", one_line(text))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _how_to_run(skill: OurSkill) -> str:
    given = "".join(
        f" -i {each.name}={'@FILE' if each.secret else '...'}" for each in skill.inputs if each.must_be_given
    )
    example = {each.name: "..." for each in skill.inputs if each.must_be_given and not each.secret}
    call = json.dumps({"name": skill.name, "inputs": example})
    return (
        "## How to run it\n\n"
        "By command, from the folder the work is about:\n\n"
        f"```sh\nskill run {skill.name} --no-input --json{given}\n```\n\n"
        "The result is one JSON object on standard output: `status`, `message`, `outputs`, `steps`, `questions`. "
        "`--dry-run` says what would be done and does nothing.\n\n"
        f"Over MCP, where the server `skill mcp serve` is connected: call its tool `{skill.name}` with the inputs as "
        f"arguments, or `skill_run` with {code(call)}. A run that takes longer than the call goes on by itself; "
        "`run_status` finds it by its id.\n"
    )


def _inputs(skill: OurSkill) -> str:
    if not skill.inputs:
        return "## Inputs\n\nIt takes none.\n"
    rows = "\n".join(
        f"| {code(each.name)} | {_kind(each)} | {_cell(_needed(each))} | {_told(each)} |" for each in skill.inputs
    )
    return f"## Inputs\n\n| name | type | when left out | what it is |\n|---|---|---|---|\n{rows}\n"


def _kind(declared: Input) -> str:
    return declared.type.value if declared.type else "any"


def _needed(declared: Input) -> str:
    if declared.must_be_given:
        return "**required**"
    return (
        code(json.dumps(declared.default, ensure_ascii=False)) if declared.has_default and not declared.secret else ""
    )


def _told(declared: Input) -> str:
    facts = [escaped(declared.description)] if declared.description.strip() else []
    if declared.enum:
        facts.append(
            "One of " + ", ".join(_cell(code(json.dumps(each, ensure_ascii=False))) for each in declared.enum) + "."
        )
    facts += [f"Matches {_cell(code(declared.pattern))}."] if declared.pattern else []
    facts += [f"At least {declared.minimum:g}."] if declared.minimum is not None else []
    facts += [f"At most {declared.maximum:g}."] if declared.maximum is not None else []
    facts += ["A secret: give it from a file, never in words."] if declared.secret else []
    return " ".join(f"{fact}." if fact[-1].isalnum() and len(facts) > 1 else fact for fact in facts)


def _steps(shown: Shown) -> str:
    lines = list(_lines(shown.skill.steps, shown.tools, ""))
    if shown.skill.always:
        lines += ["", "However that ends, then:", "", *_lines(shown.skill.always, shown.tools, "")]
    return "## What it does\n\n" + "\n".join(lines) + "\n"


def _lines(steps: Sequence[Step], tools: Mapping[str, Tool], indent: str) -> Iterator[str]:
    for number, step in enumerate(steps, start=1):
        head = f"{indent}{number}. "
        options = "".join(f"; {escaped(mark.text)}" for mark in marks_of(step, per_element=False))
        done = f"{_action(step, tools)}{options}"
        told = f"{escaped(step.description)} ({done})" if step.description.strip() else done
        yield f"{head}**{escaped(step.name)}**: {told}"
        if isinstance(step, GroupStep):
            yield from _lines(step.steps, tools, " " * len(head))


def _action(step: Step, tools: Mapping[str, Tool]) -> str:
    taken_back = f", taken back by {code(step.undo.tool)} when the run does not end well" if step.undo else ""
    match step:
        case ToolStep(tool=name):
            effect = f", which {_EFFECTS[tools[name].effect]}" if name in tools else ""
            return f"tool {code(name)}{effect}{taken_back}"
        case SkillStep(skill=name):
            return f"the skill {code(name)}"
        case GroupStep(parallel=parallel):
            return "these at the same time" if parallel else "these in order"
        case StopStep(status=status):
            return f"ends the run as {status.value}"
        case AskStep(question=question):
            return f"asks: {escaped(bare(question))}"
    return "computes"


def _outputs(skill: OurSkill) -> str:
    if not skill.outputs:
        return "## Outputs\n\nIt returns nothing but how it ended.\n"
    rows = "\n".join(f"| {code(each.name)} | {escaped(each.description)} |" for each in skill.outputs)
    return f"## Outputs\n\n| name | what it is |\n|---|---|\n{rows}\n"


def _depends(shown: Shown) -> str:
    """The domains whose trouble healing knows how to end."""
    steps = [step for skill in (shown.skill, *shown.others) for step in all_steps((*skill.steps, *skill.always))]
    tools = [shown.tools[step.tool] for step in steps if isinstance(step, ToolStep) and step.tool in shown.tools]
    domains = sorted({tool.domain for tool in tools if tool.domain})
    return f"\nIts steps depend on: {', '.join(map(code, domains))}.\n" if domains else ""


def _questions(shown: Shown) -> str:
    asks = [
        step for skill in (shown.skill, *shown.others) for step in all_steps(skill.steps) if isinstance(step, AskStep)
    ]
    told = [f"- {code(step.name)}: {escaped(bare(step.question))}" for step in asks]
    return "\n".join(["## Questions", "", _QUESTIONS, *told, *([""] if told else [])])


def _files(shown: Shown) -> str:
    names = [shown.skill.name, *(other.name for other in shown.others)]
    listed = "\n".join(f"- [references/{name}.yaml](references/{name}.yaml)" for name in names)
    return (
        "## Files\n\n"
        "The skill itself, as the engine runs it. Where `skill list` does not name it, `skill import FOLDER` with this "
        f"folder brings it in.\n\n{listed}\n"
    )
