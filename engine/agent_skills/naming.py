"""Names in the Agent Skills format, and the names of ours that they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.errors import InputError

LONGEST_NAME = 64
LONGEST_DESCRIPTION = 1024
LONGEST_COMPATIBILITY = 500
"""Characters; the format's limits (agentskills.io/specification)."""
PAGE = "SKILL.md"
REFERENCES = "references"
_OURS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def folder_name(skill: str) -> str:
    """The name a skill of ours has in the format: small letters, digits and single hyphens; the folder's name too."""
    return re.sub(r"[^a-z0-9]+", "-", skill.lower()).strip("-")


def folder_names(skills: Iterable[str]) -> dict[str, str]:
    """The folder of each skill. Raises InputError for a name that is too long, and for two that would be the same."""
    names = {skill: folder_name(skill) for skill in skills}
    taken: dict[str, str] = {}
    for skill, name in names.items():
        if len(name) > LONGEST_NAME:
            message = f"{skill} has {len(name)} characters, and the format allows {LONGEST_NAME}"
            raise InputError(message, hint=f"give the skill a shorter name: skill new SHORTER --from {skill}")
        if name in taken:
            message = f"{taken[name]} and {skill} would both be called {name}"
            raise InputError(message, hint="export one of them, by its name, or into another folder")
        taken[name] = skill
    return names


def is_ours(name: str) -> bool:
    """Whether a skill of ours can have this name."""
    return _OURS.fullmatch(name) is not None
