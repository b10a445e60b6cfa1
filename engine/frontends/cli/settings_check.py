"""What is wrong with the settings of a workspace, each mistake at its place in `skill.toml`."""

from __future__ import annotations

from collections.abc import Iterator

from engine.configuration import SECTIONS, check_settings, written_at
from engine.documents.toml import toml_document
from engine.errors import DocumentError
from engine.heal.preflight.arguments import refusal
from engine.heal.preflight.look import checks_of
from engine.library.codes import FindingCode
from engine.model.heal import Domain
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import ToolCall
from engine.model.place import Finding
from engine.model.prevention import Check
from engine.wiring import Engine
from tool_registry.registry import ToolRegistry
from tool_registry.tool import Effect

Way = tuple[str, *tuple[str | int, ...]]
ROLES = ("login", "connect", "registry_login")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A mistake in a domain: the domain and the way to it from there, and a sentence."""

    path: Way
    code: FindingCode
    message: str


def settings_findings(engine: Engine) -> tuple[Finding, ...]:
    """Every mistake in the workspace's `skill.toml`, in the order of the file; empty where there is none."""
    file = engine.workspace.settings_file
    if file is None:
        return ()
    try:
        check_settings(engine.workspace)
        written = engine.workspace.settings
        names = dict.fromkeys(name for section in SECTIONS for name in written.get(section, {}))
        known = engine.domains
        domains = [known[name] for name in names]
    except DocumentError as error:
        return error.told(str(file))
    document = toml_document(file.read_text(encoding="utf-8"), str(file))
    found = [
        Finding(
            place=document.place(written_at(document.value, *wrong.path)),
            code=wrong.code,
            message=wrong.message,
            hint="docs/configuration.md shows a domain, its fixes and its checks",
        )
        for domain in domains
        for wrong in wrong_in_domain(domain, engine.registry)
    ]
    return tuple(sorted(found, key=lambda finding: (finding.place.line, finding.place.column)))


def wrong_in_domain(domain: Domain, registry: ToolRegistry) -> Iterator[Wrong]:
    """What would else be found when a check is made, or a fix is needed."""
    for check in checks_of(domain):
        yield from _wrong_check(domain, check, registry)
    for role, plan in domain.fixes.items():
        here: Way = (domain.name, "fixes", role)
        for key, call in (("call", plan.call), ("verify", plan.verify)):
            if call is not None and call.tool not in registry:
                yield _unknown(f"{domain.name}.{role} names", (*here, key, "tool"), call)
        if plan.call.tool in registry and registry[plan.call.tool].fix is None:
            message = f"{domain.name}.{role} names {plan.call.tool}, which is not marked as a fix"
            yield Wrong(path=(*here, "call", "tool"), code=FindingCode.NOT_ALLOWED, message=message)
        if role not in ROLES and role not in registry:
            message = f"{domain.name}.{role} is neither login nor connect nor a fix tool"
            yield Wrong(path=here, code=FindingCode.NOT_ALLOWED, message=message)


def _wrong_check(domain: Domain, check: Check, registry: ToolRegistry) -> Iterator[Wrong]:
    """What keeps a check from being made, or from being repaired: both would else be noted, and no more."""
    name = f"{domain.name}.{check.name}"
    here: Way = (domain.name, *(("checks", check.name) if check.name in domain.checks else ("expiry",)))
    if check.call.tool not in registry:
        yield _unknown(f"{name} looks with", (*here, "tool"), check.call)
    elif registry[check.call.tool].effect is not Effect.READ:
        message = f"{name} looks with {check.call.tool}, which does more than read"
        yield Wrong(path=(*here, "tool"), code=FindingCode.NOT_ALLOWED, message=message)
    elif refused := refusal(registry[check.call.tool], check.call.args):
        yield Wrong(path=(*here, "args"), code=FindingCode.WRONG_ARGUMENT, message=f"{name}: {refused.message}")
    if check.name in domain.checks and check.role and check.role not in domain.fixes:
        message = f"{name} is repaired by {check.role}, and {domain.name} has no such fix"
        yield Wrong(path=(*here, "role"), code=FindingCode.NOT_ALLOWED, message=message)


def _unknown(begins: str, path: Way, call: ToolCall) -> Wrong:
    return Wrong(path=path, code=FindingCode.UNKNOWN_TOOL, message=f"{begins} {call.tool}, which is no tool")
