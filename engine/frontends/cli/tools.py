"""`skill tools`: what skills can call, and what each tool promises, gives and needs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import click

from engine.bundle import bundle
from engine.frontends.cli.completing import tool_names
from engine.frontends.cli.layout import beside, one_line, short_path
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.profile import load_tools
from tool_registry.registry import ToolRegistry, default_registry, requirements
from tool_registry.tool import Tool


def open_registry(session: Session) -> ToolRegistry:
    """Every tool skills can call here: the shipped ones and the workspace's own. Raises DocumentError."""
    registry = default_registry()
    load_tools(registry, session.workspace())
    return registry


@click.command("tools")
@click.argument("name", required=False, shell_complete=tool_names)
@click.option("--effect", type=click.Choice(["read", "write", "destructive"]), help="Only tools with this effect.")
@click.option("--domain", help="Only tools of this domain.")
@screen_options
def tools_command(session: Session, name: str | None, effect: str | None, domain: str | None, screen: Screen) -> None:
    """List the tools skills can call, or show the tool NAME with an example."""
    registry = open_registry(session)
    if name is not None:
        _show_tool(registry.get_tool(name), screen)
        return
    tools = [registry[known] for known in sorted(registry)]
    tools = [tool for tool in tools if effect in (None, tool.effect.value) and domain in (None, tool.domain)]
    if not screen.is_text:
        screen.result([tool_record(tool) for tool in tools])
        return
    rows = [[tool.name, tool.effect.value, tool.domain or "", one_line(tool.description)] for tool in tools]
    screen.table(rows, ["TOOL", "EFFECT", "DOMAIN", "WHAT IT DOES"], spare=["DOMAIN"], lines=2)
    screen.note("`skill tools NAME` shows what one takes and gives", dim=True)


def tool_record(tool: Tool) -> dict[str, Any]:
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
            "settings": list(tool.needs.settings),
        },
        "missing": missing(tool),
        "examples": [dict(example) for example in tool.examples],
        "source": tool.source,
        "location": tool.location,
    }


def missing(tool: Tool) -> list[str]:
    """What the tool needs and this machine has not, as sentences."""
    nouns = {"program": "the program", "environment": "the environment variable", "module": "the Python module"}
    return [f"{nouns[each.kind]} {each.name}" for each in requirements(tool, os.environ) if each.found is None]


def _show_tool(tool: Tool, screen: Screen) -> None:
    if not screen.is_text:
        screen.result(tool_record(tool))
        return
    screen.text(tool.name, bold=True)
    for line in beside("  ", one_line(tool.description), screen.width, lines=20):
        screen.text(line)
    screen.text(f"\n  {_promises(tool)}")
    _parameters(tool, screen)
    _result(tool, screen)
    for lack in missing(tool):
        screen.text(f"\n  missing here: {lack}", fg="yellow")
    for example in tool.examples or ({},):
        _example(tool, example, screen)
    screen.note(f"\n  {_place(tool.location)}", dim=True)


def _parameters(tool: Tool, screen: Screen) -> None:
    required = tool.parameters.get("required", [])
    known = tool.parameters.get("properties", {})
    if known:
        screen.text("\n  args", bold=True)
    width = max((len(name) for name in known), default=0)
    for name, schema in known.items():
        need = "required" if name in required else "optional"
        head = f"    {name:<{width}}  {_type(schema):<8}  {need}  "
        for line in beside(head, one_line(schema.get("description", "")), screen.width, lines=6):
            screen.text(line)


def _result(tool: Tool, screen: Screen) -> None:
    """What a call gives, so that an author knows what to write after the step's name; nothing when it is not told."""
    rows = list(_fields(tool.result)) if tool.result else []
    if not rows:
        return
    screen.text("\n  gives", bold=True)
    width = max(len(path) for path, _, _ in rows)
    for path, kind, told in rows:
        head = f"    {path:<{width}}  {kind:<8}  " if width else f"    {kind}  "
        for line in beside(head, told, screen.width, lines=6):
            screen.text(line)


def _fields(schema: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Where each value stands in a result, its type, and what it is: `pods[].name`, string."""
    known, element = schema.get("properties", {}), schema.get("items")
    for name, inner in known.items():
        yield from _fields(inner, f"{path}.{name}" if path else name)
    if isinstance(element, dict):
        yield from _fields(element, f"{path}[]")
    elif not known:
        yield path, _type(schema), one_line(schema.get("description", ""))


def _type(schema: Any) -> str:
    """A schema's type in a word or two."""
    kinds = schema.get("type") or [choice.get("type", "any") for choice in schema.get("anyOf", [])] or "any"
    named = [kinds] if isinstance(kinds, str) else [str(kind) for kind in kinds]
    return "/".join(kind for kind in named if kind != "null") or "null"


def _example(tool: Tool, example: Any, screen: Screen) -> None:
    from engine.documents import dump  # noqa: PLC0415 - late: only one tool's page needs it

    step = {"name": "example", "tool": tool.name, **({"args": dict(example)} if example else {})}
    screen.text("\n  example step", bold=True)
    for line in dump([step]).splitlines():
        screen.text(f"    {line}")


def _place(location: str) -> str:
    package = bundle("skills").parent
    return short_path(location) if not location.startswith(str(package)) else location[len(str(package)) + 1 :]


def _promises(tool: Tool) -> str:
    facts = [f"effect {tool.effect.value}", f"timeout {tool.timeout:g} s"]
    facts += ["idempotent"] if tool.idempotent else []
    facts += [f"domain {tool.domain}"] if tool.domain else []
    facts += [f"a fix of {tool.fix.value}"] if tool.fix else []
    facts += [f"verified by {tool.verify}"] if tool.verify else []
    return ", ".join(facts)
