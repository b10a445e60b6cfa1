"""`skill run NAME`: inputs from the command line, the run as it happens, and its end as a result and an exit status."""

from __future__ import annotations

import click

from engine.bundle import bundle
from engine.errors import EngineError
from engine.frontends.cli.completing import WORDS, input_names, named_skill, skill_names
from engine.frontends.cli.given import missing_inputs, read_given
from engine.frontends.cli.layout import one_line, short_path
from engine.frontends.cli.running import Manner, conducted, manner_options
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.steps import skill_paths
from engine.model.outcome import RunResult
from engine.run.executor import SkillExecutor
from engine.wiring import Engine


class RunCommand(click.Command):
    """`skill run`, whose help tells what the named skill takes, and which tells how inputs are given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; a `name=value` without its `-i` is told apart from any other word too many.

        `--dry-run` takes a value only behind `=`: the word after it is the skill's name.
        """
        ctx.meta[WORDS] = list(args)
        args = ["--dry-run=plan" if word == "--dry-run" else word for word in args]
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
@click.option(
    "--dry-run",
    "dry",
    type=click.Choice(["plan", "reads"]),
    metavar="[=reads]",
    help="Only say what would be done; =reads calls what only reads.",
)
@click.option("--detach", is_flag=True, help="Run it in the background, and print the run's id.")
@click.option("--profile", default="", metavar="NAME", help="Run under this profile instead of the workspace's.")
@manner_options
@screen_options
def run_command(  # noqa: PLR0913, PLR0917 - one parameter per option of the command line
    session: Session,
    name: str | None,
    pairs: tuple[str, ...],
    inputs_file: str | None,
    dry: str | None,
    detach: bool,
    profile: str,
    manner: Manner,
    screen: Screen,
) -> int:
    """Run the skill NAME (or the skill file at a path).

    Exit status: 0 done, 1 a step failed, 2 wrong usage or input, 3 no such skill, 4 an answer is needed, 5 blocked,
    6 the skill file is invalid, 124 timed out, 130 cancelled.
    """
    if name is None:
        return _which(session)
    given = read_given(pairs, inputs_file)
    session.profile = profile
    if dry is not None and detach:
        raise click.UsageError("a dry run is not detached: leave out --detach or --dry-run")
    if dry is not None:
        from engine.frontends.cli.dry import dry_run  # noqa: PLC0415 - late: other runs need none of it

        return dry_run(session, name, given, reads=dry == "reads", manner=manner, screen=screen)
    engine = Engine(session.workspace(), heal_mode=manner.heal, secrets=session.secrets)
    skill = engine.library.load(name)
    # Before the event loop runs: there a first Ctrl-C would not end a prompt.
    given = missing_inputs(skill, given) if manner.asks else given
    if detach:
        from engine.frontends.cli.detaching import detached  # noqa: PLC0415 - late: other runs need none of it

        return detached(session, skill, given, manner=manner, screen=screen)

    async def run(executor: SkillExecutor) -> RunResult:
        return await executor.run(skill, given.values, from_text=given.from_text, timeout=manner.timeout)

    return conducted(engine, run, screen=screen, manner=manner, paths=skill_paths(skill))


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
