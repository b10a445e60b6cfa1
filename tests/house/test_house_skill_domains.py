"""Which server a shipped skill asks, and as whom, is said by who runs it, and never by what a server answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.documents import read

SKILLS = Path(__file__).parents[2] / "skills"
GIVEN = {"inputs", "config"}
"""What is known before the first step, and comes from people."""
GRAMMAR = {"and", "else", "if", "in", "is", "none", "not", "or"}
NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")


def domains(part: Any) -> Iterator[str]:
    """Every `heal: {domain: ...}` in a part of a skill."""
    if isinstance(part, dict):
        named = part["heal"].get("domain") if isinstance(part.get("heal"), dict) else None
        yield from [named] if named is not None else []
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else []:
        yield from domains(inner)


def names(template: str) -> set[str]:
    """The names that a template uses."""
    used = (
        NAME.findall(re.sub(r"'[^']*'|\"[^\"]*\"", "", each)) for each in re.findall(r"\{[{%](.*?)[%}]\}", template)
    )
    return {name for found in used for name in found} - GRAMMAR


@pytest.mark.parametrize("path", sorted(SKILLS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_domain_of_a_call_is_made_of_what_people_said(path: Path) -> None:
    """An answer that names a domain could have a call made with the credentials of another place."""
    used = {name for named in domains(read(path).value) for name in names(named)}
    assert used <= GIVEN


def test_the_names_of_a_template_are_found() -> None:
    """Also those of a step's result, and none of what is quoted or behind a dot."""
    assert names("{{ inputs.environment or config.get('where') }}") == GIVEN
    assert names("x-{{ pods.pods[0].name }}{% if not seen %}{{ 'web' }}{% endif %}") == {"pods", "seen", "endif"}
