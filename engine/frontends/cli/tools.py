"""`skill tools`: what skills can call, and what each tool promises and needs."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from engine.frontends.cli.screen import Screen, screen_options
from engine.wiring import Engine
from engine.workspace import find_workspace
from tool_registry.tool import Tool


@click.command("tools")
@click.argument("name", required=False)
@click.pass_obj
@screen_options
def tools_command(workspace: str | None, name: str | None, screen: Screen) -> None:
    """List the tools skills can call, or show the tool NAME with an example."""
    registry = Engine(find_workspace(Path(workspace) if workspace else None)).registry
    if name is not None:
        _show_tool(registry.get_tool(name), screen)
        return
    tools = [registry[known] for known in sorted(registry)]
    if not screen.is_text:
        screen.result([tool_data(tool) for tool in tools])
        return
    rows = [[tool.name, tool.effect.value, tool.domain or "", _one_line(tool.description)] for tool in tools]
    screen.table(rows, ["TOOL", "EFFECT", "DOMAIN", "WHAT IT DOES"])


def tool_data(tool: Tool) -> dict[str, Any]:
    """A tool as JSON-like data."""
    return {
        "name": tool.name,
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
        },
        "missing": missing(tool),
        "examples": [dict(example) for example in tool.examples],
        "source": tool.source,
        "location": tool.location,
    }


def missing(tool: Tool) -> list[str]:
    """What the tool needs and this machine has not, as sentences."""
    programs = [f"the program {name}" for name in tool.needs.programs if shutil.which(name) is None]
    variables = [f"the environment variable {name}" for name in tool.needs.environment if name not in os.environ]
    modules = [f"the Python module {name}" for name in tool.needs.modules if find_spec(name.partition(".")[0]) is None]
    return programs + variables + modules


def _show_tool(tool: Tool, screen: Screen) -> None:
    if not screen.is_text:
        screen.result(tool_data(tool))
        return
    screen.text(tool.name, bold=True)
    screen.text(f"  {tool.description.strip()}")
    screen.text(f"\n  {_promises(tool)}")
    required = tool.parameters.get("required", [])
    for name, schema in tool.parameters.get("properties", {}).items():
        need = "required" if name in required else "optional"
        screen.text(f"    {name:<16} {schema.get('type', 'any')!s:<9} {need}  {schema.get('description', '')}".rstrip())
    for lack in missing(tool):
        screen.text(f"  missing: {lack}", fg="yellow")
    for example in tool.examples:
        screen.text("\n  example step:")
        screen.text(f"    - name: example\n      tool: {tool.name}")
        if example:
            screen.text("      args:")
            for name, value in example.items():
                screen.text(f"        {name}: {value!r}")
    screen.note(f"\n  {tool.location}", dim=True)


def _promises(tool: Tool) -> str:
    facts = [f"effect {tool.effect.value}", f"timeout {tool.timeout:g} s"]
    facts += ["idempotent"] if tool.idempotent else []
    facts += [f"domain {tool.domain}"] if tool.domain else []
    facts += [f"a fix of {tool.fix.value}"] if tool.fix else []
    facts += [f"verified by {tool.verify}"] if tool.verify else []
    return ", ".join(facts)


def _one_line(text: str) -> str:
    return " ".join(text.split())
