"""`skill run NAME`: inputs from the command line, the run as it happens, and its end as a result and an exit status."""

from __future__ import annotations

import anyio
import click

from engine.bundle import bundle
from engine.errors import EngineError
from engine.frontends.cli.asking import asker, may_ask
from engine.frontends.cli.cancelling import cancel_on_signals
from engine.frontends.cli.completing import WORDS, input_names, named_skill, skill_names
from engine.frontends.cli.ending import exit_status, show_result
from engine.frontends.cli.given import Given, missing_inputs, read_given
from engine.frontends.cli.layout import one_line, short_path
from engine.frontends.cli.progress import Progress
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.steps import name_width
from engine.frontends.cli.streaming import UntilGone, stream
from engine.model.heal import HealMode
from engine.model.outcome import RunResult
from engine.model.skill import Skill
from engine.run.executor import SkillExecutor
from engine.wiring import Engine

TICK = 0.1
"""Seconds between redraws of the step under way."""


class RunCommand(click.Command):
    """`skill run`, whose help tells what the named skill takes, and which tells how inputs are given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; a `name=value` without its `-i` is told apart from any other word too many."""
        ctx.meta[WORDS] = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if "extra argument" in error.message and "=" in error.message:
                raise click.UsageError(f"{error.message}; an input is given as -i NAME=VALUE", ctx) from error
            raise

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own help, then the inputs of the skill that was named, wherever it stands."""
        super().format_help(ctx, formatter)
        if name := named_skill(ctx):
            _describe(name, formatter, ctx.find_object(Session) or Session())


@click.command("run", cls=RunCommand)
@click.argument("name", required=False, shell_complete=skill_names)
@click.option(
    "-i",
    "--input",
    "pairs",
    multiple=True,
    metavar="NAME=VALUE",
    shell_complete=input_names,
    help="An input; NAME:=JSON, NAME=@FILE too.",
)
@click.option("-f", "--inputs-file", type=click.Path(exists=True, dir_okay=False), help="Inputs from a YAML file.")
@click.option("--timeout", metavar="DURATION", help="End the run after this long (90, 90s, 5m).")
@click.option("--heal", type=click.Choice([mode.value for mode in HealMode]), help="What healing may do on its own.")
@click.option("--no-input", is_flag=True, help="Never ask; a missing input or a question is an error.")
@click.option("-y", "--yes", is_flag=True, help="Agree to fixes that are not low risk.")
@screen_options
def run_command(  # noqa: PLR0913, PLR0917 - one parameter per option of the command line
    session: Session,
    name: str | None,
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
    if name is None:
        return _which(session)
    seconds, given, asks = _seconds(timeout), read_given(pairs, inputs_file), may_ask(no_input=no_input)
    engine = Engine(session.workspace(), heal_mode=HealMode(heal) if heal else None, secrets=session.secrets)
    skill = engine.library.load(name)
    # Before the event loop runs: there a first Ctrl-C would not end a prompt.
    given = missing_inputs(skill, given) if asks else given

    async def run() -> RunResult:
        async with engine:
            return await run_shown(engine, skill, given, timeout=seconds, screen=screen, asks=asks, yes=yes)

    result = anyio.run(run)
    show_result(result, screen)
    return exit_status(result)


async def run_shown(
    engine: Engine,
    skill: Skill,
    given: Given,
    *,
    screen: Screen,
    timeout: float | None = None,
    asks: bool = False,
    yes: bool = False,
) -> RunResult:
    """Runs a skill with its progress on the screen; a signal cancels it, and it cleans up."""
    profile = engine.loaded_profile
    progress = Progress(
        screen=screen,
        headline=f"profile {profile.name}: {one_line(profile.description)}",
        names=name_width(step.name for step in (*skill.steps, *skill.always)),
    )
    listener = stream if screen.format == "jsonl" else progress
    executor = SkillExecutor(engine, listeners=(UntilGone(listener),), ask=asker(progress, asks=asks, yes=yes))
    async with anyio.create_task_group() as group:
        await group.start(cancel_on_signals, executor, screen)
        if progress.live:
            group.start_soon(_redraw, progress)
        result = await executor.run(skill, given.values, from_text=given.from_text, timeout=timeout)
        group.cancel_scope.cancel()
    return result


async def _redraw(progress: Progress) -> None:
    while True:
        await anyio.sleep(TICK)
        progress.tick()


def _which(session: Session) -> int:
    """No skill was named: says which there are, on standard error, and counts as wrong usage."""
    from engine.frontends.cli.library import catalog, show_names  # noqa: PLC0415 - late: only this needs the list

    screen = Screen(color=session.color, secrets=session.secrets)
    screen.note("error: which skill? There are", fg="red")
    show_names(catalog(session), screen)
    screen.note("`skill run NAME --help` shows what one takes", dim=True)
    return click.UsageError.exit_code


def _describe(name: str, formatter: click.HelpFormatter, session: Session) -> None:
    """Adds a skill's own inputs to the help; says why when there is no such skill."""
    from engine.frontends.cli.library import input_row  # noqa: PLC0415 - late: only help needs it

    formatter.write_paragraph()
    try:
        skill = Engine(session.workspace()).library.load(name)
    except EngineError as error:
        formatter.write_text(str(error))
        return
    formatter.write_text(one_line(skill.description))
    if skill.inputs:
        with formatter.section(f"Inputs of {skill.name} (-i NAME=VALUE)"):
            formatter.write_dl([input_row(declared) for declared in skill.inputs])
    else:
        formatter.write_paragraph()
        formatter.write_text(f"{skill.name} takes no inputs.")
    formatter.write_paragraph()
    formatter.write_text(short_path(skill.file, shipped=bundle("skills")))


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
