"""Every mistake of a skill file, found in one pass, before any run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from engine.documents import Document
from engine.library.check_flow import unreachable_steps
from engine.library.check_heal import Domains, heal_findings
from engine.library.check_names import used_names
from engine.library.check_secrets import leaking_secrets
from engine.library.check_shape import shape_findings
from engine.library.check_skills import FindSkill, SkillErrors, skill_findings
from engine.library.check_steps import step_findings
from engine.library.check_taken import taken_names
from engine.library.check_tools import tool_findings
from engine.library.outline import Language, Outline, Site, outline
from engine.library.part import whole
from engine.library.shapes import shapes
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding
from engine.sandbox import Reading, Sandbox, helper_names
from tool_registry.tool import Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a skill file is checked against.

    `skills` are the names of all skills, `find` gives the file of one, `errors` what is wrong with it by itself;
    `domains` are those that healing knows, None where nobody can tell.
    """

    sandbox: Sandbox
    tools: Mapping[str, Tool]
    skills: Collection[str] = ()
    find: FindSkill = lambda _: None
    errors: SkillErrors = lambda _: ()
    cache: Path | None = None
    domains: Domains | None = None


def check_document(document: Document, around: Surroundings) -> tuple[Finding, ...]:
    """Every mistake in a skill file, in the order of the file; empty when there is none."""
    outlined = outline(whole(document))
    found = dict.fromkeys(_all(outlined, around))
    return tuple(sorted(found, key=lambda finding: (finding.place.line, finding.place.column, finding.code)))


def _all(outlined: Outline, around: Surroundings) -> Iterator[Finding]:
    helpers = helper_names()
    readings = {site.number: _read(site, around.sandbox) for site in outlined.sites}
    yield from shape_findings(outlined, cache=around.cache)
    yield from step_findings(outlined)
    yield from taken_names(outlined, helpers)
    yield from tool_findings(outlined, around.tools)
    yield from heal_findings(outlined, around.tools, around.domains)
    yield from skill_findings(outlined, around.find, around.skills, around.errors)
    for reading in readings.values():
        yield from reading.findings
    yield from used_names(outlined, readings, helpers, shapes(outlined, around.find))
    yield from unreachable_steps(outlined.skill)
    yield from leaking_secrets(outlined, readings, around.find)


def _read(site: Site, sandbox: Sandbox) -> Reading:
    match site.language:
        case Language.EXPRESSION:
            return sandbox.read_expression(site.text)
        case Language.TEMPLATE:
            return sandbox.read_template(site.text)
        case Language.COMPUTE:
            return sandbox.read_compute(site.text)
