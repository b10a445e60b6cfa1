"""`skill run NAME`: inputs from the command line, the run as it happens, and its end as a result and an exit status."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import anyio
import click

from engine.frontends.cli.ending import exit_status, show_result
from engine.frontends.cli.given import Given, missing_inputs, read_given
from engine.frontends.cli.progress import Progress
from engine.frontends.cli.screen import Screen, screen_options
from engine.model.heal import HealMode
from engine.model.outcome import RunResult
from engine.model.skill import Skill
from engine.run.executor import Ask, SkillExecutor
from engine.wiring import Engine
from engine.workspace import find_workspace

TICK = 0.2
"""Seconds between redraws of the step under way."""


class SkillHelp(click.Command):
    """`skill run NAME --help` tells what that skill takes."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own help, then the named skill's inputs."""
        super().format_help(ctx, formatter)
        names = [word for word in ctx.args or sys.argv[1:] if not word.startswith("-") and word != "run"]
        if names:
            from engine.frontends.cli.library import describe_inputs  # noqa: PLC0415 - late: only help needs it

            describe_inputs(names[0], formatter, ctx.find_root().obj)


@click.command("run", cls=SkillHelp)
@click.argument("name")
@click.option(
    "-i", "--input", "pairs", multiple=True, metavar="NAME=VALUE", help="An input; NAME:=JSON, NAME=@FILE too."
)
@click.option("-f", "--inputs-file", type=click.Path(exists=True, dir_okay=False), help="Inputs from a YAML file.")
@click.option("--timeout", metavar="DURATION", help="End the run after this long (90, 90s, 5m).")
@click.option("--heal", type=click.Choice(list(HealMode)), help="What healing may do on its own.")
@click.option("--no-input", is_flag=True, help="Never ask; a missing input or a question is an error.")
@click.option("-y", "--yes", is_flag=True, help="Agree to fixes that are not low risk.")
@click.pass_obj
@screen_options
def run_command(  # noqa: PLR0913, PLR0917 - one parameter per option of the command line
    workspace: str | None,
    name: str,
    pairs: tuple[str, ...],
    inputs_file: str | None,
    timeout: str | None,
    heal: str | None,
    no_input: bool,
    yes: bool,
    screen: Screen,
) -> int:
    """Run the skill NAME (or the skill file at a path).

    Exit status: 0 done, 1 a step failed, 2 wrong usage or input, 3 no such skill, 5 blocked, 6 the skill file is
    invalid, 124 timed out, 130 cancelled.
    """
    given = read_given(pairs, inputs_file)
    seconds = _seconds(timeout)
    folder = Path(workspace) if workspace else None
    mode = HealMode(heal) if heal else None
    return anyio.run(_run, folder, name, given, seconds, mode, _may_ask(no_input), yes, screen)


async def _run(  # noqa: PLR0913, PLR0917 - anyio.run passes arguments by position
    folder: Path | None,
    name: str,
    given: Given,
    timeout: float | None,
    mode: HealMode | None,
    may_ask: bool,
    yes: bool,
    screen: Screen,
) -> int:
    async with Engine(find_workspace(folder), heal_mode=mode, secrets=screen.secrets) as engine:
        skill = engine.library.load(name)
        given = missing_inputs(skill, given) if may_ask else given
        result = await run_shown(engine, skill, given, timeout=timeout, screen=screen, ask=_asker(may_ask, yes))
        show_result(result, screen)
        return exit_status(result)


async def run_shown(
    engine: Engine, skill: Skill, given: Given, *, timeout: float | None, screen: Screen, ask: Ask | None = None
) -> RunResult:
    """Runs a skill with its progress on the screen; SIGINT and SIGTERM cancel it, and it cleans up."""
    progress = Progress(screen=screen)
    executor = SkillExecutor(engine, listeners=(progress,), ask=ask)
    screen.note(f"{skill.name}  profile {engine.profile}: {engine.loaded_profile.description}", bold=True)
    async with anyio.create_task_group() as group:
        group.start_soon(_cancel_on_signals, executor, screen)
        group.start_soon(_redraw, progress)
        result = await executor.run(skill, given.values, from_text=given.from_text, timeout=timeout)
        group.cancel_scope.cancel()
    return result


async def _cancel_on_signals(executor: SkillExecutor, screen: Screen) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            screen.note("  cancelling: the step is stopped, then what was done is undone", fg="yellow")
            executor.cancel()


async def _redraw(progress: Progress) -> None:
    while progress.live:
        await anyio.sleep(TICK)
        progress.tick()


def _may_ask(no_input: bool) -> bool:
    return not no_input and "CI" not in os.environ and sys.stdin.isatty() and sys.stderr.isatty()


def _asker(may_ask: bool, yes: bool) -> Ask | None:
    async def agree(_: str) -> bool:
        return True

    async def prompt(question: str) -> bool:
        return await anyio.to_thread.run_sync(
            lambda: click.confirm(f"\n  {question}", err=True), abandon_on_cancel=True
        )

    if yes:
        return agree
    return prompt if may_ask else None


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    from engine.library.durations import seconds  # noqa: PLC0415 - late: few runs have a deadline

    try:
        found = float(text) if text.replace(".", "", 1).isdigit() else seconds(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--timeout") from error
    if found <= 0:
        raise click.BadParameter("it must be more than nothing", param_hint="--timeout")
    return found
