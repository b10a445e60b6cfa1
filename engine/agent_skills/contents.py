"""What is to be written for each skill: a folder, its files, and how they are known again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from engine.agent_skills.describing import compatibility, description
from engine.agent_skills.front_matter import written
from engine.agent_skills.naming import PAGE, REFERENCES, folder_names
from engine.agent_skills.page import Shown, body
from engine.bundle import bundle
from engine.errors import DocumentError, SkillInvalidError
from engine.library import SkillLibrary
from engine.model.lazy_dataclass import dataclass
from engine.model.skill import Skill, SkillStep
from engine.run.scope import all_steps
from tool_registry.tool import Tool

GENERATOR = "skill-engine"
LICENCE = "Apache-2.0"
"""Of the shipped skills; that of other people's is theirs to say."""
_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder in the format: its name, the skill it stands for, and the text of each file in it."""

    name: str
    skill: str
    files: Mapping[str, str]


def folders(
    library: SkillLibrary, names: Sequence[str], tools: Mapping[str, Tool], *, license_: str = ""
) -> tuple[Folder, ...]:
    """The folders of the named skills, by name.

    Raises SkillNotFoundError, SkillInvalidError, and InputError for names that the format cannot hold.
    """
    skills = {skill.name: skill for skill in map(library.load, names)}
    called = folder_names(skills)
    made = (_folder(skill, called[name], library, tools, license_) for name, skill in skills.items())
    return tuple(sorted(made, key=lambda folder: folder.name))


def _folder(skill: Skill, name: str, library: SkillLibrary, tools: Mapping[str, Tool], license_: str) -> Folder:
    others = _others(skill, library)
    references = {f"{REFERENCES}/{each.name}.yaml": _as_written(each) for each in (skill, *others)}
    fields: dict[str, str | Mapping[str, str]] = {"name": name, "description": description(skill)}
    licence = license_ or (LICENCE if Path(skill.file).parent == bundle("skills") else "")
    fields |= {"license": licence} if licence else {}
    fields["compatibility"] = compatibility((skill, *others), tools)
    known = {
        "generator": GENERATOR,
        "skill": skill.name,
        **({"version": skill.version} if skill.version else {}),
        **({"tags": ", ".join(skill.tags)} if skill.tags else {}),
        "files": " ".join(f"{path}={digest(text)}" for path, text in references.items()),
    }
    page = body(Shown(skill=skill, tools=tools, others=others))
    return Folder(name=name, skill=skill.name, files={PAGE: _signed(fields, known, page), **references})


def _signed(fields: Mapping[str, str | Mapping[str, str]], known: Mapping[str, str], page: str) -> str:
    """The SKILL.md with a digest of itself in it, taken while there was none."""
    unsigned = written({**fields, "metadata": known}) + "\n" + page
    return written({**fields, "metadata": {**known, "page": digest(unsigned)}}) + "\n" + page


def digest(text: str) -> str:
    """A few digits that tell a file as it was written from one that was changed since."""
    return sha256(text.encode()).hexdigest()[:_DIGITS]


def _others(skill: Skill, library: SkillLibrary) -> tuple[Skill, ...]:
    """The skills that a skill runs, those they run, and so on, by name."""
    found: dict[str, Skill] = {}
    pending = [skill]
    while pending:
        one = pending.pop()
        for step in all_steps((*one.steps, *one.always)):
            if isinstance(step, SkillStep) and step.skill not in found:
                found[step.skill] = library.load(step.skill)
                pending.append(found[step.skill])
    return tuple(found[name] for name in sorted(found))


def _as_written(skill: Skill) -> str:
    """The skill's file, every byte of it."""
    try:
        text = Path(skill.file).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(f"{skill.file} cannot be read: {error}") from error
    if text.removeprefix("\ufeff") != skill.text:
        raise SkillInvalidError(f"{skill.file} was changed just now", hint="try again")
    return text
