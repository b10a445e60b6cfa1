"""`skill tools exec NAME`: one call of any tool, healed and journaled as a run of its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import anyio
import click
from click.shell_completion import CompletionItem

from engine.errors import InputError
from engine.frontends.cli.completing import tool_names
from engine.frontends.cli.ending import exit_status
from engine.frontends.cli.given import Given, read_given
from engine.frontends.cli.known import show_issues
from engine.frontends.cli.layout import beside, json_text
from engine.frontends.cli.questions import waiting_lines
from engine.frontends.cli.running import Manner, manner_options, shown
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.streaming import whoever_reads
from engine.heal.preflight.arguments import refusal
from engine.library.values import UnfitError, Wanted, fit, from_typed
from engine.memory_tools.executing import executed, one_step, step_of
from engine.memory_tools.results import Executed, as_json
from engine.model.outcome import RunResult
from engine.model.skill import InputType
from engine.run.executor import SkillExecutor
from engine.wiring import Engine
from tool_registry.tool import Tool

COLOURS = {"ok": "green", "healed": "green", "waiting": "yellow", "blocked": "yellow"}


def argument_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`NAME=` for each argument of the tool already named on the line."""
    from engine.frontends.cli.tools import open_registry  # noqa: PLC0415 - late: only completion needs it

    with suppress(Exception):
        tool = open_registry(context.find_object(Session) or Session())[context.params["name"]]
        return [
            CompletionItem(f"{name}=", help=schema.get("description", ""))
            for name, schema in tool.parameters.get("properties", {}).items()
            if name.startswith(incomplete)
        ]
    return []


@click.command("exec")
@click.argument("name", shell_complete=tool_names)
@click.option(
    "-i",
    "--input",
    "pairs",
    multiple=True,
    metavar="NAME=VALUE",
    shell_complete=argument_names,
    help="An argument; NAME:=JSON, NAME=@FILE too.",
)
@click.option("-f", "--inputs-file", type=click.Path(exists=True, dir_okay=False), help="Arguments from a YAML file.")
@click.option("--domain", metavar="NAME", help="The cluster, service or domain that is meant, not the tool's own.")
@manner_options
@screen_options
def exec_command(
    session: Session,
    name: str,
    *,
    pairs: tuple[str, ...],
    inputs_file: str | None,
    domain: str | None,
    manner: Manner,
    screen: Screen,
) -> int:
    """Call the tool NAME once, healed, as a run of its own that history keeps.

    Exit status: 0 it worked, 1 it failed, 2 wrong usage or no such tool, 4 an answer is needed, 5 blocked, 124 timed
    out, 130 cancelled.
    """
    given = read_given(pairs, inputs_file)
    engine = Engine(session.workspace(), heal_mode=manner.heal, secrets=session.secrets)
    skill = one_step(engine, name, given.values, domain=_described(domain, engine))
    args = arguments(engine.registry[name], given)
    _refuse(engine.registry[name], args)

    async def call(executor: SkillExecutor) -> RunResult:
        return await executor.run(skill, {"args": args}, timeout=manner.timeout)

    async def run() -> tuple[RunResult, Executed]:
        async with engine:
            result = await shown(engine, call, screen=screen, manner=manner, paths=[step_of(name)])
            return result, executed(engine, name, result)

    result, done = anyio.run(run)
    with whoever_reads():
        _show(done, result, screen)
    return exit_status(result)


def arguments(tool: Tool, given: Given) -> Mapping[str, Any]:
    """The arguments; what was typed is read as a value of the type the tool wants. Raises click.BadParameter."""
    known = tool.parameters.get("properties", {})
    return {
        name: _typed(name, value, known.get(name, {})) if name in given.from_text else value
        for name, value in given.values.items()
    }


def _described(domain: str | None, engine: Engine) -> str:
    """The domain; empty for none. Raises click.BadParameter for one that nobody describes."""
    if domain is not None and domain not in engine.domains:
        known = ", ".join(sorted(engine.domains))
        raise click.BadParameter(
            f"nobody describes {domain or 'an empty name'}; there are {known}", param_hint="--domain"
        )
    return domain or ""


def _refuse(tool: Tool, args: Mapping[str, Any]) -> None:
    """Raises InputError for arguments that the tool would not take, before there is a run."""
    if (refused := refusal(tool, args)) is not None:
        steps = refused.cause.sentences if refused.cause is not None else ()
        raise InputError(refused.message, hint="; ".join(steps) or f"`skill tools {tool.name}` shows what it takes")


def _typed(name: str, text: str, schema: Mapping[str, Any]) -> Any:
    kinds = schema.get("type")
    wanted = next((kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if kind in set(InputType)), None)
    if wanted is None:
        return text
    asked = Wanted(type=InputType(wanted))
    try:
        return fit(from_typed(text, asked), asked)
    except UnfitError as error:
        raise click.BadParameter(f"{name} got {text!r}, which {error}: it wants {asked}", param_hint="-i") from error


def _show(done: Executed, result: RunResult, screen: Screen) -> None:
    if not screen.is_text:
        record = as_json(done)
        screen.result({"event": "result", **record} if screen.format == "jsonl" else record)
        return
    if done.ok:
        value = done.value if isinstance(done.value, str) else json_text(done.value, indent=2)
        for line in value.splitlines():
            screen.text(line)
    if screen.quiet and done.ok:
        return
    screen.text(f"{done.tool}: {done.status}  (run {done.run})", fg=COLOURS.get(done.status, "red"), bold=True)
    for line in waiting_lines(result.run_id, result.questions, screen.width) if result.questions else ():
        screen.text(line)
    for said in done.message.splitlines() if not result.questions else ():
        for line in beside("  ", said, screen.width, lines=20):
            screen.text(line)
    if not done.ok:
        show_issues(done.known, screen)
    for line in beside("  ", done.reminder, screen.width, lines=5) if done.reminder else ():
        screen.note(line, dim=True)
