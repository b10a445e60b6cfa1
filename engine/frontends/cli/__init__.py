"""The command `skill`: people's and scripts' door to the engine."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import click

from engine.frontends.cli.commands import LazyGroup, UnreadError
from engine.frontends.cli.session import Session
from engine.frontends.cli.starting import INTERRUPTED

PATIENT_COLLECTION = (50_000, 20, 50)
"""Looking for garbage while modules are imported finds none and costs a tenth of a short command's time."""
UNREAD = 141
"""Exit status when the reader of our output has gone: what a shell says of a program that SIGPIPE ended."""

HELP = """Run operational chores as YAML skills that heal themselves.

\b
Start here:
  skill demo                watch the main job repair what is missing, heal, and pass
  skill list                what can be run
  skill run NAME --help     what one skill takes
  skill check FILE          find every mistake in a skill of your own
"""


@click.group(
    cls=LazyGroup, help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="skill-engine", prog_name="skill")
@click.option("-C", "--workspace", type=click.Path(file_okay=False), help="Work in this folder.")
@click.pass_obj
def app(session: Session, workspace: str | None) -> None:
    """Runs before every command."""
    session.folder = Path(workspace) if workspace else None


def main() -> None:
    """Runs the command line and exits with the status `docs/commands.md` gives."""
    gc.set_threshold(*PATIENT_COLLECTION)
    try:
        status = _status(Session())
    except BrokenPipeError:
        status = _unread()
    sys.exit(status)


def _unread() -> int:
    """Lets nothing more be written to where nobody reads: a second write while exiting would complain again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            try:
                stream.flush()
            except BrokenPipeError:
                os.dup2(nowhere, stream.fileno())
    return UNREAD


def _status(session: Session) -> int:
    try:
        status = app.main(prog_name="skill", standalone_mode=False, obj=session)
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except (UnreadError, BrokenPipeError):
        return _unread()
    except Exception as error:  # noqa: BLE001 - the outermost loop: whatever it is ends in a sentence
        from engine.frontends.cli.complaint import complain  # noqa: PLC0415 - late: only an error needs it

        return complain(error, session)
    return status if isinstance(status, int) else 0
