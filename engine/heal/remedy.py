"""Which fix belongs to a diagnosis: a role of the failed call's domain, never a guess."""

from __future__ import annotations

from collections.abc import Callable

from engine.heal.evidence import words
from engine.model.failure import Diagnosis, FailureKind
from engine.model.heal import Domain, FixPlan, LeaveAlone
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import ToolCall
from tool_registry.tool import Tool

ROLES = {
    FailureKind.AUTH_EXPIRED: "login",
    FailureKind.NETWORK_UNREACHABLE: "connect",
    FailureKind.DNS_FAILURE: "connect",
    FailureKind.CONNECTION_REFUSED: "connect",
}
"""The role that repairs a kind, where structured evidence named it; a pattern names its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A fix that may be run: its role, its plan, the tool that runs it, and the domain it is for."""

    role: str
    plan: FixPlan
    tool: Tool
    domain: str


def find(
    diagnosis: Diagnosis, tool: Tool, domain: Domain | None, fix_tool: Callable[[str], Tool | None]
) -> Remedy | LeaveAlone:
    """The fix for this diagnosis, or why there is none.

    The domain's plan comes first; a fix that memory names needs no plan, and takes the arguments written beside it.
    """
    role = role_of(diagnosis)
    if role is None:
        return LeaveAlone(because=_no_role(diagnosis))
    plan = _plan(role, diagnosis, domain, fix_tool)
    if plan is None:
        return LeaveAlone(because=_no_plan(role, diagnosis, tool, domain))
    registered = fix_tool(plan.call.tool)
    if registered is None:
        return LeaveAlone(
            because=f"The fix {role} names {plan.call.tool}, and there is no such tool.", suggestion=plan.call
        )
    if registered.fix is None:
        return LeaveAlone(
            because=f"{plan.call.tool} is not marked as a fix, so it is not run as one.", suggestion=plan.call
        )
    if registered.name == tool.name:
        return LeaveAlone(
            because=f"{tool.name} is itself the fix for {words(diagnosis.kind)}; a fix does not repair itself."
        )
    return Remedy(role=role, plan=plan, tool=registered, domain=domain.name if domain is not None else "")


def role_of(diagnosis: Diagnosis) -> str | None:
    """What would repair it: what the pattern names, else by kind; None if nothing is known to.

    A time-out before anything was sent is a network that swallows packets, as a disconnected VPN does.
    """
    if diagnosis.pattern is not None:
        return diagnosis.pattern.fix
    if diagnosis.kind is FailureKind.TIMEOUT and diagnosis.untouched:
        return "connect"
    return ROLES.get(diagnosis.kind)


def _plan(
    role: str, diagnosis: Diagnosis, domain: Domain | None, fix_tool: Callable[[str], Tool | None]
) -> FixPlan | None:
    configured = domain.fixes.get(role) if domain is not None else None
    if configured is not None or diagnosis.pattern is None:
        return configured
    named = fix_tool(role)
    return FixPlan(call=ToolCall(tool=named.name, args=diagnosis.pattern.fix_args)) if named is not None else None


def _no_role(diagnosis: Diagnosis) -> str:
    if diagnosis.kind is FailureKind.UNKNOWN:
        return "Nothing says what this failure means, so nothing is tried."
    if diagnosis.kind is FailureKind.PERMISSION_DENIED:
        return "The permission is missing: logging in again cannot help, somebody has to grant it."
    return f"No fix is known for {words(diagnosis.kind)}."


def _no_plan(role: str, diagnosis: Diagnosis, tool: Tool, domain: Domain | None) -> str:
    kind = words(diagnosis.kind)
    if domain is None and tool.domain:
        return f"No profile describes the domain {tool.domain}, so nothing says how to {role} against {kind}."
    if domain is None:
        return f"{tool.name} has no domain, so nothing says how to {role} against {kind}."
    return f"The domain {domain.name} does not say how to {role} against {kind}."
