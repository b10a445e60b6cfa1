"""A skill of somebody else's as a skill of ours that a person or an agent carries out: it asks what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from engine.agent_skills.describing import one_line, shortened
from engine.agent_skills.reading import AgentSkill, steps_of
from engine.documents.written import entry

_LONGEST_COMMENT = 160
_LONGEST_TITLE = 72
_MARKS = re.compile(r"[*_`#>\[\]]+")
_TASK = "{{ 'What it is for: ' + inputs.task + '\\n\\n' if inputs.task else '' }}"
_BEFORE = "{{ defaults.before }}\n\n"
_WHERE = "\n\nThe files it speaks of lie in {{ defaults.folder }}."
_ALL = "Say what came of it when it is done, or why it could not be done."
_ONE = "Say what came of this step when it is done, or why it could not be done."


def manual_skill(found: AgentSkill, name: str, *, folder: str = "") -> str:
    """The YAML of a skill that asks for what the body says to be done; in one question, or one for each numbered step.

    The body is kept under `defaults`, which are never read as templates: braces in it stay braces. `folder` is where
    other files of the skill lie.
    """
    before, items = steps_of(found.body)
    defaults: dict[str, Any] = {"folder": folder} if folder else {}
    defaults |= {"before": before} if before and items else {}
    defaults["instructions"] = list(items) if items else found.body.strip() or found.description
    steps = _several(items, before, folder) if items else [_alone(folder)]
    head = "".join(f"# {line}\n" for line in _comments(found))
    parts: list[dict[str, Any]] = [
        {"name": name, "description": found.description, **_version(found), "tags": ["manual"]},
        {"inputs": [_input()]},
        {"defaults": defaults},
        {"steps": steps},
        {"outputs": _outputs([step["name"] for step in steps])},
    ]
    return head + "\n".join(
        "".join(f"{line}\n" for key, value in part.items() for line in entry(key, value)) for part in parts
    )


def _alone(folder: str) -> dict[str, Any]:
    question = f"{_TASK}{{{{ defaults.instructions }}}}{_WHERE if folder else ''}\n\n{_ALL}"
    return {"name": "outcome", "description": "Done by whoever is asked", "ask": {"question": question}}


def _several(items: tuple[str, ...], before: str, folder: str) -> list[dict[str, Any]]:
    """A question for each item; the first says what stands before the list, too."""
    first = f"{_TASK}{_BEFORE if before else ''}"
    return [
        {
            "name": f"step_{number}",
            "description": _title(item) or f"Step {number}",
            "ask": {
                "question": f"{first if number == 1 else ''}Step {number} of {len(items)}: "
                f"{{{{ defaults.instructions[{number - 1}] }}}}{_WHERE if folder else ''}\n\n{_ONE}"
            },
        }
        for number, item in enumerate(items, start=1)
    ]


def _title(item: str) -> str:
    """The first line of an item without the marks of Markdown, as a line of progress has room for it."""
    return shortened(one_line(_MARKS.sub("", item.split("\n", maxsplit=1)[0])).rstrip(":."), _LONGEST_TITLE)


def _input() -> dict[str, Any]:
    told = "What it is to be done for, in words; the questions begin with it."
    return {"name": "task", "type": "string", "default": "", "description": told}


def _outputs(names: list[str]) -> list[dict[str, Any]]:
    return [{"name": name, "description": "What came of it", "value": f"{{{{ {name} }}}}"} for name in names]


def _version(found: AgentSkill) -> dict[str, str]:
    version = found.metadata.get("version", "")
    return {"version": version} if version else {}


def _comments(found: AgentSkill) -> Iterator[str]:
    yield "Written for other agents (Agent Skills), taken in by `skill import`. It is carried out by whoever is asked."
    said = {"licence": found.license, "needs": found.compatibility, "wants to use": found.allowed_tools}
    for key, value in said.items():
        if value:
            yield f"{key}: {shortened(one_line(value), _LONGEST_COMMENT)}"
