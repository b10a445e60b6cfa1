"""The command `skill`: people's and scripts' door to the engine."""

from __future__ import annotations

import os
import sys

import click

from engine.errors import DocumentError, EngineError
from engine.frontends.cli.commands import LazyGroup

INTERRUPTED = 130


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="skill-engine", prog_name="skill")
@click.option(
    "-C", "--workspace", type=click.Path(file_okay=False), help="Work in this folder instead of the current one."
)
@click.pass_context
def app(context: click.Context, workspace: str | None) -> None:
    r"""Run operational chores as YAML skills that heal themselves.

    \b
    Start here:
      skill demo                      watch the main job fail twice, heal twice, and pass
      skill list                      what can be run
      skill run NAME --help           what one skill takes
      skill check FILE                find every mistake in a skill of your own
    """
    context.obj = workspace


def main() -> None:
    """Runs the command line and exits with the status STACK's table gives."""
    try:
        status = app.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except EngineError as error:
        sys.exit(_complain(error))
    except BrokenPipeError:
        # The reader of our output has gone; a second write while exiting would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)


def _complain(error: EngineError) -> int:
    """Says on standard error what is wrong, where, and the way out."""
    findings = error.findings if isinstance(error, DocumentError) else ()
    for finding in findings:
        click.echo(str(finding), err=True)
    if not findings:
        where = f"{error.place}: " if error.place else ""
        click.echo(f"{click.style('error:', fg='red')} {where}{error.message}", err=True)
    if error.hint:
        click.echo(f"  {error.hint}", err=True)
    return error.exit_status
