"""What the steps of a plan need, all at once: programs, environment, modules, domains with their settings, tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace

from engine.configuration.naming import table_of, table_to_write
from engine.errors import SandboxError
from engine.heal.preflight.needs import has, install_line
from engine.model.heal import Domain
from engine.model.lazy_dataclass import dataclass
from engine.run.dry.calls import RUN_ID
from engine.run.dry.plan import MAY_RUN, Need, PlannedStep, Verdict
from engine.run.dry.surroundings import DryParts
from engine.sandbox.compute import interpreter_version
from tool_registry.registry import Requirement, requirements
from tool_registry.tool import Tool, ToolContext

SURE = frozenset({Verdict.WOULD_RUN, Verdict.WOULD_FAIL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A step that calls something; `needed` when it surely runs and its failure would fail the run."""

    step: PlannedStep
    needed: bool


def callers(steps: Iterable[PlannedStep], *, sure: bool = True) -> Iterator[Caller]:
    """Every step that may run, however deep, and whether the run can do without it."""
    for step in steps:
        if step.verdict not in MAY_RUN:
            continue
        here = sure and step.verdict in SURE and step.on_error == "fail" and step.section != "undo"
        if step.calls:
            yield Caller(step=step, needed=here)
        certain = here and (step.elements is None or step.elements.count is not None)
        yield from callers(step.steps, sure=certain)
        if step.undo is not None:
            yield from callers([step.undo], sure=False)


@dataclass(slots=True, kw_only=True)
class Collected:
    """The needs found so far, each once, with the steps that have it."""

    found: dict[tuple[str, str], Need] = field(default_factory=dict)

    def add(self, need: Need, caller: Caller) -> None:
        """Notes that a step has this need."""
        known = self.found.get((need.kind, need.name), replace(need, needed=False))
        steps = tuple(dict.fromkeys((*known.steps, caller.step.path)))
        self.found[need.kind, need.name] = replace(known, steps=steps, needed=known.needed or caller.needed)


def look_at(parts: DryParts, steps: Iterable[PlannedStep], tool_of: Callable[[str], Tool]) -> tuple[Need, ...]:
    """Everything the steps need, but for how long tokens hold."""
    collected = Collected()
    for caller in callers(steps):
        if caller.step.action == "compute":
            collected.add(_interpreter(), caller)
        if caller.step.tool and caller.step.effect:
            for need in _of_call(parts, tool_of(caller.step.tool), caller.step.domain):
                collected.add(need, caller)
    return tuple(collected.found.values())


def _of_call(parts: DryParts, tool: Tool, domain: str) -> Iterator[Need]:
    context = parts.healer.calls.contexts(domain=domain or None, run_id=RUN_ID, step="", timeout=tool.timeout)
    for requirement in requirements(tool, context.environment):
        yield _machine(requirement)
    if domain:
        yield from _domain(parts, domain, tool, context)


def _machine(requirement: Requirement) -> Need:
    way_out = {
        "program": f"install {requirement.name}",
        "environment": f"set {requirement.name}",
        "module": install_line(requirement.name) if requirement.found is None else "",
    }[requirement.kind]
    there = requirement.found is not None
    return Need(
        kind=requirement.kind,
        name=requirement.name,
        there=there,
        found=requirement.found or "",
        way_out="" if there else way_out,
    )


def _domain(parts: DryParts, name: str, tool: Tool, context: ToolContext) -> Iterator[Need]:
    known = parts.domains.get(name)
    way_out = f"describe it under {table_to_write(name, tool.domain)}"
    if known is None:
        yield Need(kind="domain", name=name, there=False, found="no profile describes it", way_out=way_out)
        return
    yield Need(kind="domain", name=name, there=True, found=known.description)
    for setting in tool.needs.settings:
        yield _setting(known, setting, context.settings)


def _setting(domain: Domain, setting: str, settings: Mapping[str, object]) -> Need:
    """One setting of a domain; `a|b` is there when one of the two is."""
    choices = setting.split("|")
    there = next((each for each in choices if has(settings, each)), "")
    listed = " or ".join(choices)
    way_out = "" if there else f"set {listed} under {table_of(domain.name, domain.kind)} in skill.toml"
    return Need(kind="setting", name=f"{domain.name}.{there or listed}", there=bool(there), way_out=way_out)


def _interpreter() -> Need:
    name = "compute interpreter"
    try:
        return Need(kind="interpreter", name=name, there=True, found=f"pydantic-monty {interpreter_version()}")
    except SandboxError as error:
        return Need(kind="interpreter", name=name, there=False, found=error.message, way_out=error.hint)


def cannot(steps: tuple[PlannedStep, ...], missing: Mapping[str, str]) -> tuple[PlannedStep, ...]:
    """The steps, those that lack something (a sentence by path) marked as not able to run."""
    return tuple(_cannot(step, missing) for step in steps)


def _cannot(step: PlannedStep, missing: Mapping[str, str]) -> PlannedStep:
    inner = replace(step, steps=cannot(step.steps, missing))
    if step.undo is not None:
        inner = replace(inner, undo=_cannot(step.undo, missing))
    if step.path in missing and step.verdict in {Verdict.WOULD_RUN, Verdict.DEPENDS}:
        return replace(inner, verdict=Verdict.CANNOT_RUN, because=missing[step.path])
    return inner


def lacks(needs: Iterable[Need]) -> dict[str, str]:
    """For each step that lacks something, what."""
    told: dict[str, list[str]] = {}
    for need in needs:
        for path in need.steps if not need.there else ():
            told.setdefault(path, []).append(sentence(need))
    return {path: "; ".join(sentences) for path, sentences in told.items()}


def sentence(need: Need) -> str:
    """What is missing, in words."""
    match need.kind:
        case "program":
            return f"the program {need.name} is not on the PATH"
        case "environment":
            return f"the environment variable {need.name} is not set"
        case "module":
            return f"the Python module {need.name} is not installed"
        case "setting":
            domain, _, name = need.name.partition(".")
            return f"the domain {domain} has no setting {name}"
        case _:
            return f"{need.name}: {need.found}"
