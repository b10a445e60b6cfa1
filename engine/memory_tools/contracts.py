"""What a tool declares, and what of that this machine lacks."""

from __future__ import annotations

import os
from typing import Any

from tool_registry.registry import requirements
from tool_registry.tool import Tool


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
