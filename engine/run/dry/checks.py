"""What the checks of a plan's domains say now: pre-flight would make them before the run."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from engine.errors import DocumentError
from engine.heal.preflight.look import look
from engine.heal.preflight.preflight import LEAST
from engine.model.heal import Domain, HealMode
from engine.model.outcome import Attempt, ToolCall
from engine.model.prevention import Check, CheckResult
from engine.run.dry.calls import Caller
from engine.run.dry.plan import GOOD, Expected, Need
from engine.run.dry.surroundings import DryParts
from tool_registry.tool import Effect, ToolError


async def look_at(
    parts: DryParts, caller: Caller, needs: Iterable[Need], expected: Expected | None, *, reads: bool
) -> tuple[Need, ...]:
    """What each check that a needed domain declares finds; nothing is repaired.

    Unless `reads`, only those that look at this machine only are made; one whose tool does more than read never is.
    """
    if not parts.looks_ahead:
        return ()
    needed = max(LEAST, expected.seconds if expected else 0.0)
    found = []
    for need in needs:
        domain = parts.domains.get(need.name) if need.kind == "domain" else None
        for check in domain.checks.values() if domain is not None else ():
            if domain is not None and (reads or check.offline) and _only_reads(caller, check):
                call = partial(_called, caller, domain, check)
                result = await look(domain, check, call, now=parts.clock(), needed=needed)
                found.append(_told(parts, domain, check, result, need))
    return tuple(found)


def _only_reads(caller: Caller, check: Check) -> bool:
    try:
        tool = caller.tool(check.call.tool)
    except (ToolError, DocumentError):
        return True  # looking says what is wrong with it
    return tool.effect is Effect.READ and tool.fix is None


async def _called(caller: Caller, domain: Domain, check: Check, call: ToolCall) -> Attempt:
    return await caller.look(call, domain=domain.name, within=check.within)


def _told(parts: DryParts, domain: Domain, check: Check, result: CheckResult, of: Need) -> Need:
    need = partial(Need, kind="check", name=f"{domain.name}.{check.name}", steps=of.steps, needed=of.needed)
    if result.ok is not False:
        return need(there=True, found=GOOD if result.ok else f"not known: {result.message}")
    fix = domain.fixes.get(result.role or "")
    if fix is None:
        return need(there=False, found=result.message, way_out="no fix is declared for it")
    if parts.healing(domain.name) is HealMode.AUTO:
        return need(there=True, found=f"{result.message}; pre-flight will repair it ({fix.call.tool})")
    return need(there=False, found=result.message, way_out=f"{fix.call.tool} repairs it")
