"""The pages that are written from what there is: docs/tools.md from the registry, docs/skills.md from the skill files.

`make pages` writes both; `python bench/pages.py --check` ends with 1 if one of them is not what would be written.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from engine.documents import dump
from engine.frontends.cli.layout import one_line
from engine.frontends.cli.tools import example_step, fields, needs, promises, type_word
from engine.library.catalog import SkillLibrary
from engine.model.skill import AskStep, GroupStep, Skill, SkillStep, Step, ToolStep, action_of
from engine.wiring import Engine
from tool_registry.tool import Effect, Tool

OTHERS = "others"
ROOT = Path(__file__).resolve().parent.parent
WRITTEN = "<!-- written by `make pages`; change the {of} instead -->\n"
TOOLS_HEAD = f"""# The tools that come with the engine

{WRITTEN.format(of="tools")}
What skills call, by family; `skill tools NAME` shows the same of one, and what it lacks on your machine. How to write
one: [tools-authoring.md](tools-authoring.md). A tool with a domain takes its settings from there
([workspace.md](workspace.md)).
"""
SKILLS_HEAD = f"""# The skills that come with the engine

{WRITTEN.format(of="skill files")}
What each takes, does, gives and changes; `skill show NAME` explains one, `skill graph NAME` draws it, and
`skill run NAME --dry-run` says what it would do. Where it fails, the engine repairs what it may
([healing.md](healing.md)).
"""


def tools_page(registry: Mapping[str, Tool]) -> str:
    """Every tool by family: what it takes, gives, promises and needs, and an example."""
    grouped = families(registry)
    index = [
        f"| {family} | {', '.join(f'[`{name}`](#{name.lower()})' for name in names)} |"
        for family, names in grouped.items()
    ]
    parts = [TOOLS_HEAD, "\n".join(["| family | tools |", "|---|---|", *index, ""])]
    for family, names in grouped.items():
        parts.append(f"## {family}\n")
        parts += [_tool(registry[name]) for name in names]
    return "\n".join(parts)


def families(names: Iterable[str]) -> dict[str, list[str]]:
    """The tools by the word their names begin with; those whose word no other tool shares come last."""
    shared = Counter(name.partition("_")[0] for name in names)
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        word = name.partition("_")[0]
        found.setdefault(word if shared[word] > 1 else OTHERS, []).append(name)
    others = found.pop(OTHERS, [])
    return {**found, **({OTHERS: others} if others else {})}


def _tool(tool: Tool) -> str:
    lines = [f"### {tool.name}", "", one_line(tool.description), "", f"{promises(tool)}."]
    lines += [f"Needs {', '.join(needs(tool))}."] if needs(tool) else []
    lines += ["", *_parameters(tool), *_result(tool), "```yaml"]
    for example in tool.examples:
        lines += dump([example_step(tool, example)]).splitlines()
    return "\n".join([*lines, "```", ""])


def _parameters(tool: Tool) -> Iterator[str]:
    known = tool.parameters.get("properties", {})
    if not known:
        yield from ("It takes no arguments.", "")
        return
    yield from ("| argument | type | | |", "|---|---|---|---|")
    for name, schema in known.items():
        need = "required" if name in tool.parameters.get("required", ()) else _default(schema)
        yield f"| `{name}` | {type_word(schema)}{_bounds(schema)} | {need} | {_cell(schema.get('description', ''))} |"
    yield ""


def _default(schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    return "optional" if default is None or default == "" else f"default `{_shown(default)}`"


def _bounds(schema: Mapping[str, Any]) -> str:
    """What else a schema says of a value, as far as it fits into a table."""
    if choices := schema.get("enum"):
        return ": " + ", ".join(f"`{choice}`" for choice in choices)
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f", {low} to {high}"
    return f", at least {low}" if low is not None else f", at most {high}" if high is not None else ""


def _result(tool: Tool) -> Iterator[str]:
    rows = list(fields(tool.result)) if tool.result else []
    if not rows:
        yield from ("It gives whatever there is.", "")
        return
    if rows == [("", rows[0][1], rows[0][2])]:
        yield from (f"It gives: {rows[0][1]}. {rows[0][2]}".rstrip(), "")
        return
    told = [f"`{path}` {kind}" + (f" ({_cell(about)})" if about else "") for path, kind, about in rows]
    yield from (f"It gives {', '.join(told)}.", "")


def skills_page(library: SkillLibrary, registry: Mapping[str, Tool]) -> str:
    """Every skill: its inputs, steps and outputs, and what it changes."""
    skills = [library.load(entry.name) for entry in library.entries()]
    rows = [f"| [`{skill.name}`](#{skill.name}) | {_cell(_sentence(skill.description))} |" for skill in skills]
    index = "\n".join(["| skill | what it does |", "|---|---|", *rows, ""])
    return "\n".join([SKILLS_HEAD, index, *(_skill(skill, registry) for skill in skills)])


def _skill(skill: Skill, registry: Mapping[str, Tool]) -> str:
    lines = [f"## {skill.name}", "", one_line(skill.description), "", f"**Changes**: {_changes(skill, registry)}", ""]
    lines += ["**Inputs**", "", *_inputs(skill)] if skill.inputs else ["It takes no inputs.", ""]
    lines += ["**Steps**", "", *_steps(skill.steps), *_closing(skill), ""]
    outputs = [f"| `{each.name}` | {_cell(each.description)} |" for each in skill.outputs]
    lines += ["**Outputs**", "", "| name | |", "|---|---|", *outputs, ""] if outputs else []
    return "\n".join(lines)


def _changes(skill: Skill, registry: Mapping[str, Tool]) -> str:
    """The tools by which it changes something; those of skills it runs are told there."""
    steps = list(every_step((*skill.steps, *skill.always)))
    called = dict.fromkeys(step.tool for step in steps if isinstance(step, ToolStep))
    changing = [registry[name] for name in called if registry[name].effect is not Effect.READ]
    ran = dict.fromkeys(step.skill for step in steps if isinstance(step, SkillStep))
    told = [f"[`{tool.name}`](tools.md#{tool.name}) ({tool.effect.value})" for tool in changing]
    told += [f"what [`{name}`](#{name}) changes" for name in ran]
    return ", ".join(told) + "." if told else "nothing; it only reads."


def every_step(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps, those inside of groups, and what undoes them."""
    for step in steps:
        yield step
        if step.undo is not None:
            yield step.undo
        if isinstance(step, GroupStep):
            yield from every_step(step.steps)


def _inputs(skill: Skill) -> Iterator[str]:
    yield from ("| name | type | | |", "|---|---|---|---|")
    for each in skill.inputs:
        need = "required" if each.required else f"default `{_shown(each.default)}`" if each.has_default else "optional"
        kind = f"{each.type.value if each.type else 'any'}" + "".join(f", `{choice}`" for choice in each.enum)
        yield f"| `{each.name}` | {kind} | {need} | {_cell(each.description)} |"
    yield ""


def _steps(steps: Iterable[Step], indent: str = "") -> Iterator[str]:
    for number, step in enumerate(steps, 1):
        yield f"{indent}{number}. `{step.name}`: {_does(step)}"
        if isinstance(step, GroupStep):
            yield from _steps(step.steps, indent + "   ")


def _does(step: Step) -> str:
    parts = [_cell(step.description).rstrip("."), _action(step)]
    parts += ["for each element"] if step.foreach is not None else []
    parts += ["only under a condition"] if step.condition is not None else []
    parts += [f"undone by `{step.undo.tool}`"] if step.undo is not None else []
    return "; ".join(part for part in parts if part)


def _action(step: Step) -> str:
    match step:
        case ToolStep():
            return f"`{step.tool}`"
        case SkillStep():
            return f"runs [`{step.skill}`](#{step.skill})"
        case AskStep():
            return "asks"
        case GroupStep() if step.parallel:
            return "all at once"
        case _:
            return action_of(step)


def _closing(skill: Skill) -> Iterator[str]:
    if skill.always:
        yield from ("", "Always, however it ends:", "", *_steps(skill.always))


def _sentence(text: str) -> str:
    return one_line(text).partition(". ")[0].rstrip(".")


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cell(text: str) -> str:
    return one_line(text).replace("|", "\\|")


@contextmanager
def shipped() -> Iterator[Engine]:
    """An engine with the shipped skills and tools alone, whatever workspace this is called in."""
    with tempfile.TemporaryDirectory() as folder:
        yield Engine.open(folder, home=Path(folder) / "home")


def pages() -> dict[str, str]:
    """Every page by its file's name in docs/."""
    with shipped() as engine:
        return {
            "tools.md": tools_page(engine.registry),
            "skills.md": skills_page(engine.library, engine.registry),
        }


def main() -> int:
    """Writes the pages, or with `--check` says which are not as they would be written."""
    stale = []
    for name, text in pages().items():
        path = ROOT / "docs" / name
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
    print(f"{', '.join(stale)}: run `make pages`" if stale else "the pages are as they should be")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
