"""Which domain a call depends on: its tool's own, or another that its author names, known only in the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from engine.model.heal import Domain
from engine.model.place import Text
from engine.model.skill import HealOption
from tool_registry.tool import ToolError

Domains = Callable[[], Mapping[str, Domain]]
"""Gives the domains of the profile in use; asked only where a step names one."""

Render = Callable[[Text], Any]
"""Gives the value of an author's text. Raises SandboxError."""


SAME_LOGIN = frozenset({"gitlab", "forge", "git"})
"""Services of which one's settings do for the tools of another."""


def settled(option: HealOption, render: Render, domains: Domains, *, own: str | None = None) -> HealOption:
    """How healing is narrowed, with the name of the domain; without one where the tool's own (`own`) is meant.

    Raises SandboxError, and ToolError for a domain that nobody describes, for a call without its settings might reach
    another server, or another person's account; and for one of another sort, whose server would be shown the
    credential of the tool's own.
    """
    option = named(option, render)
    if option.domain is not None and option.domain not in domains():
        from engine.heal.preflight.needs import undescribed  # noqa: PLC0415 - late: only a mistake needs it

        lack = undescribed(option.domain, domains())
        raise ToolError(f"{lack.message}; {lack.way_out}", kind=lack.kind.value, sent=False)
    if option.domain is not None and own is not None:
        _insist_on_sort(own, domains()[option.domain])
    return option


def _insist_on_sort(own: str, chosen: Domain) -> None:
    """Raises ToolError where a tool of a cluster is to ask a service, or one of a service another sort of place."""
    from engine.configuration.naming import CLUSTERS  # noqa: PLC0415 - late: only where a step names a domain
    from engine.configuration.services import SERVICES  # noqa: PLC0415 - as above

    match chosen.kind:
        case "cluster" if own in SERVICES:
            known = f"a cluster, and its tool asks {SERVICES[own].title}"
        case "service" if own in CLUSTERS:
            known = f"{SERVICES[chosen.name].title}, and its tool asks a cluster"
        case "service" if own in SERVICES and chosen.name != own and not {own, chosen.name} <= SAME_LOGIN:
            known = f"{SERVICES[chosen.name].title}, and its tool asks {SERVICES[own].title}"
        case _:
            return
    message = f"the domain {chosen.name} is {known}; name one of its sort, or describe it as [domains.NAME]"
    raise ToolError(message, kind="configuration_error", sent=False)


def named(option: HealOption, render: Render) -> HealOption:
    """The same, whether or not anybody describes the domain. Raises SandboxError, and ToolError for what is no name."""
    if option.domain_text is None:
        return option
    value = render(option.domain_text)
    if value is not None and not isinstance(value, str):
        said = f"`heal: domain` is the name of a domain, not of type {type(value).__name__}"
        raise ToolError(said, kind="usage_error", sent=False)
    return replace(option, domain=(value or "").strip() or None, domain_text=None)
