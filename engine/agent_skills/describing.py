"""What a skill of ours is and when to use it, in as few words as the format allows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from engine.agent_skills.naming import LONGEST_COMPATIBILITY, LONGEST_DESCRIPTION
from engine.model.skill import Skill, Step, ToolStep
from engine.run.scope import all_steps
from tool_registry.tool import Tool

_TAG = re.compile(r"<(/?[A-Za-z][^<>]*)>")
_SENTENCE_END = ".!?:;"


def description(skill: Skill) -> str:
    """What the skill does and when to use it, at most 1,024 characters.

    What looks like a tag is put in round brackets: some readers of the format refuse it.
    """
    what = _TAG.sub(r"(\1)", one_line(skill.description)) or f"Runs the skill {skill.name}."
    what = what if what[-1] in _SENTENCE_END else f"{what}."
    when = f" {_when(skill)}"
    return shortened(what, LONGEST_DESCRIPTION - len(when)) + when


def _when(skill: Skill) -> str:
    about = ", ".join(dict.fromkeys([re.sub(r"[_-]+", " ", skill.name), *skill.tags]))
    return (
        shortened(f"Use it when asked for: {about}", 400)
        + ". It runs by the command `skill` or over MCP, and mends itself."
    )


def compatibility(skills: Iterable[Skill], tools: Mapping[str, Tool]) -> str:
    """What must be there to run the skills, at most 500 characters."""
    programs = sorted({need for skill in skills for need in _programs(skill, tools)})
    needed = f" It calls {', '.join(programs)}." if programs else ""
    return shortened(f"Needs the command `skill` (Python package skill-engine).{needed}", LONGEST_COMPATIBILITY)


def _programs(skill: Skill, tools: Mapping[str, Tool]) -> Iterator[str]:
    for step in _calls((*skill.steps, *skill.always)):
        tool = tools.get(step.tool)
        yield from (need.split(">=")[0] for need in (tool.needs.programs if tool else ()))


def _calls(steps: Iterable[Step]) -> Iterator[ToolStep]:
    for step in all_steps(steps):
        if isinstance(step, ToolStep):
            yield step
        if step.undo is not None:
            yield step.undo


def one_line(text: str) -> str:
    """The text with every run of blanks and line breaks as one space, without what does not print."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def shortened(text: str, most: int) -> str:
    """At most `most` characters of the text, cut between words."""
    if len(text) <= most:
        return text
    kept = text[: most - 2]
    return (kept.rpartition(" ")[0] or kept).rstrip() + " …"
