"""What a tool declares, and what of that this machine lacks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from engine.configuration.naming import table_to_write
from engine.heal.preflight.needs import Lack, lacks
from engine.model.failure import FailureKind
from engine.model.heal import Domain
from tool_registry.registry import requirements
from tool_registry.tool import Tool, ToolContext


def contract(tool: Tool) -> dict[str, Any]:
    """What a tool declares: what it does to the world, what it needs, takes and gives."""
    return {
        "description": tool.description,
        "parameters": dict(tool.parameters),
        "result": dict(tool.result) if tool.result else None,
        "effect": tool.effect.value,
        "idempotent": tool.idempotent,
        "domain": tool.domain,
        "timeout": tool.timeout,
        "fix": tool.fix.value if tool.fix else None,
        "verify": tool.verify,
        "needs": {
            "programs": list(tool.needs.programs),
            "environment": list(tool.needs.environment),
            "modules": list(tool.needs.modules),
            "settings": list(tool.needs.settings),
        },
    }


def lacking(tool: Tool) -> list[str]:
    """What the tool needs and this machine has not, as sentences."""
    nouns = {"program": "the program", "environment": "the environment variable", "module": "the Python module"}
    return [f"{nouns[each.kind]} {each.name}" for each in requirements(tool, os.environ) if each.found is None]


def lacking_here(tool: Tool, domains: Mapping[str, Domain]) -> list[Lack]:
    """What the tool needs and has not, on this machine and in its domain, each with the way out."""
    domain = domains.get(tool.domain or "")
    context = ToolContext(settings=domain.settings if domain else {}, environment=os.environ)
    found = list(lacks(tool, domain, context))
    if tool.domain and domain is None:
        message = f"no profile describes the domain {tool.domain}"
        way_out = f"describe it under {table_to_write(tool.domain)}"
        found.append(Lack(message=message, way_out=way_out, kind=FailureKind.CONFIGURATION_ERROR))
    return found
