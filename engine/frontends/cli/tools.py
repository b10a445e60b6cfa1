"""`skill tools`: what skills can call, and what each tool promises, gives and needs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from engine.bundle import bundle
from engine.frontends.cli.commands import NearestGroup
from engine.frontends.cli.completing import tool_names
from engine.frontends.cli.layout import beside, one_line, short_path, terminal_width
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.heal.preflight.needs import Lack
from engine.memory_tools.contracts import contract, lacking_here
from engine.model.heal import Domain
from engine.wiring import Engine
from tool_registry.registry import ToolRegistry
from tool_registry.tool import Tool

LIST = "list"
ELSEWHERE: Mapping[str, str] = {"exec": "executing", "debug": "debugging"}
"""Commands of the group by the module they are in."""


def open_registry(session: Session) -> ToolRegistry:
    """Every tool skills can call here: the shipped ones and the workspace's own. Raises DocumentError."""
    return Engine(session.workspace(), secrets=session.secrets).registry


class ToolsGroup(NearestGroup):
    """`skill tools`: its commands, and without one of their names the list, or the tool that is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; whatever begins with no command's name is for the list."""
        asks = any(word in ctx.help_option_names for word in args)
        first = next((word for word in args if not word.startswith("-")), "")
        if first not in self.list_commands(ctx) and not asks:
            args = [LIST, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order people meet them."""
        return [LIST, *ELSEWHERE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command; None if there is none."""
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"engine.frontends.cli.{ELSEWHERE[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, and the tools that can be shown without one; options are those of the list."""
        if incomplete.startswith("-"):
            return list_command.shell_complete(ctx, incomplete)
        return [*super().shell_complete(ctx, incomplete), *tool_names(ctx, list_command.params[0], incomplete)]


@click.group("tools", cls=ToolsGroup)
def tools_command() -> None:
    """List the tools skills can call, show one (`skill tools NAME`), call one, or look why it fails."""


@tools_command.command(LIST)
@click.argument("name", required=False, shell_complete=tool_names)
@click.option("--effect", type=click.Choice(["read", "write", "destructive"]), help="Only tools with this effect.")
@click.option("--domain", help="Only tools of this domain.")
@screen_options
def list_command(session: Session, name: str | None, effect: str | None, domain: str | None, screen: Screen) -> None:
    """List the tools skills can call, or show the tool NAME with an example; `list` may be left out."""
    engine = Engine(session.workspace(), secrets=session.secrets)
    registry, domains = engine.registry, engine.domains
    if name is not None:
        _show_tool(registry.get_tool(name), domains, screen)
        return
    tools = [registry[known] for known in sorted(registry)]
    tools = [tool for tool in tools if effect in (None, tool.effect.value) and domain in (None, tool.domain)]
    if not screen.is_text:
        screen.result([tool_record(tool, domains) for tool in tools])
        return
    rows = [[tool.name, tool.effect.value, tool.domain or "", one_line(tool.description)] for tool in tools]
    screen.table(rows, ["TOOL", "EFFECT", "DOMAIN", "WHAT IT DOES"], spare=["DOMAIN"], lines=2)
    for told in missing_here(tools, domains):
        for line in beside("", told, terminal_width(sys.stderr), lines=4):
            screen.note(line, dim=True)
    screen.note("`skill tools NAME` shows what one takes and gives", dim=True)


def missing_here(tools: Sequence[Tool], domains: Mapping[str, Domain]) -> Iterator[str]:
    """What is missing, a line each; services that nobody has described share one."""
    idle = sorted({tool.domain for tool in tools if tool.domain and tool.domain not in domains})
    if idle:
        yield f"not described in skill.toml: {', '.join(idle)}; their tools cannot be called (docs/configuration.md)"
    described = [tool for tool in tools if not tool.domain or tool.domain in domains]
    for lack, names in lacks(described, domains).items():
        yield f"missing for {some(names)}: {lack.message}; {lack.way_out}"


def lacks(tools: Iterable[Tool], domains: Mapping[str, Domain]) -> dict[Lack, list[str]]:
    """What is missing here, each with the tools that need it."""
    found: dict[Lack, list[str]] = {}
    for tool in tools:
        for lack in lacking_here(tool, domains):
            found.setdefault(lack, []).append(tool.name)
    return found


def some(names: Sequence[str], most: int = 3) -> str:
    """The first few names, and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def tool_record(tool: Tool, domains: Mapping[str, Domain]) -> dict[str, Any]:
    """A tool as JSON-like data."""
    return {
        "name": tool.name,
        **contract(tool),
        "missing": [lack.message for lack in lacking_here(tool, domains)],
        "examples": [dict(example) for example in tool.examples],
        "source": tool.source,
        "location": tool.location,
    }


def _show_tool(tool: Tool, domains: Mapping[str, Domain], screen: Screen) -> None:
    if not screen.is_text:
        screen.result(tool_record(tool, domains))
        return
    screen.text(tool.name, bold=True)
    for line in beside("  ", one_line(tool.description), screen.width, lines=20):
        screen.text(line)
    screen.text("")
    for line in beside("  ", promises(tool), screen.width, lines=4):
        screen.text(line)
    for line in beside("  needs ", ", ".join(needs(tool)), screen.width, lines=6) if needs(tool) else ():
        screen.text(line)
    _parameters(tool, screen)
    _result(tool, screen)
    for lack in lacking_here(tool, domains):
        screen.text("")
        for line in beside("  missing here: ", f"{lack.message}; {lack.way_out}", screen.width, lines=4):
            screen.text(line, fg="yellow")
    for example in tool.examples or (_made_up(tool),):
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
        head = f"    {name:<{width}}  {type_word(schema):<8}  {need}  "
        for line in beside(head, one_line(schema.get("description", "")), screen.width, lines=6):
            screen.text(line)


def _result(tool: Tool, screen: Screen) -> None:
    """What a call gives, so that an author knows what to write after the step's name; nothing when it is not told."""
    rows = list(fields(tool.result)) if tool.result else []
    if not rows:
        return
    screen.text("\n  gives", bold=True)
    width = max(len(path) for path, _, _ in rows)
    for path, kind, told in rows:
        head = f"    {path:<{width}}  {kind:<8}  " if width else f"    {kind}  "
        for line in beside(head, told, screen.width, lines=6):
            screen.text(line)


def fields(schema: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Where each value stands in a result, its type, and what it is: `pods[].name`, string."""
    known, element = schema.get("properties", {}), schema.get("items")
    for name, inner in known.items():
        yield from fields(inner, f"{path}.{name}" if path else name)
    if isinstance(element, dict):
        yield from fields(element, f"{path}[]")
    elif not known:
        yield path, type_word(schema), one_line(schema.get("description", ""))


def type_word(schema: Any) -> str:
    """A schema's type in a word or two."""
    kinds = schema.get("type") or [choice.get("type", "any") for choice in schema.get("anyOf", [])] or "any"
    named = [kinds] if isinstance(kinds, str) else [str(kind) for kind in kinds]
    return "/".join(kind for kind in named if kind != "null") or "null"


def _example(tool: Tool, example: Any, screen: Screen) -> None:
    from engine.documents import dump  # noqa: PLC0415 - late: only one tool's page needs it

    screen.text("\n  example step", bold=True)
    for line in dump([example_step(tool, example)]).splitlines():
        screen.text(f"    {line}")


def example_step(tool: Tool, example: Any) -> dict[str, Any]:
    """A step that calls the tool as its example says."""
    step: dict[str, Any] = {"name": "example", "tool": tool.name}
    step |= {"args": dict(example)} if example else {}
    return step | ({"secret": True} if tool.secret else {})


def _made_up(tool: Tool) -> dict[str, Any]:
    """Arguments for a tool that shows none: those it must have, with words to be replaced."""
    known = tool.parameters.get("properties", {})
    return {name: _stand_in(known.get(name, {})) for name in tool.parameters.get("required", [])}


def _stand_in(schema: Any) -> Any:
    if isinstance(choices := schema.get("enum"), list) and choices:
        return choices[0]
    kinds = {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
    return kinds.get(type_word(schema).partition("/")[0], "VALUE")


def _place(location: str) -> str:
    package = bundle("skills").parent
    return short_path(location) if not location.startswith(str(package)) else location[len(str(package)) + 1 :]


def needs(tool: Tool) -> list[str]:
    """What a tool needs, each with what it is."""
    settings = [f"{setting.replace('|', ' or ')} (a setting of {tool.domain})" for setting in tool.needs.settings]
    return [
        *(f"{name} (a program)" for name in tool.needs.programs),
        *(f"{name} (an environment variable)" for name in tool.needs.environment),
        *(f"{name} (a Python module)" for name in tool.needs.modules),
        *settings,
    ]


def promises(tool: Tool) -> str:
    """What a tool declares of its calls, in a line."""
    facts = [f"effect {tool.effect.value}", f"timeout {tool.timeout:g} s"]
    facts += ["idempotent"] if tool.idempotent else []
    facts += [f"domain {tool.domain}"] if tool.domain else []
    facts += [f"a fix of {tool.fix.value}"] if tool.fix else []
    facts += [f"verified by {tool.verify}"] if tool.verify else []
    return ", ".join(facts)
