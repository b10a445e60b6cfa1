"""The command `skill`: people's and scripts' door to the engine."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import click

from engine.frontends.cli.commands import LazyGroup
from engine.frontends.cli.session import Session
from engine.frontends.cli.starting import INTERRUPTED

PATIENT_COLLECTION = (50_000, 20, 50)
"""Looking for garbage while modules are imported finds none and costs a tenth of a short command's time."""
UNREAD = 1
"""Exit status when the reader of our output has gone."""

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
    sys.exit(_status(Session()))


def _status(session: Session) -> int:
    try:
        status = app.main(prog_name="skill", standalone_mode=False, obj=session)
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone; a second write while exiting would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except Exception as error:  # noqa: BLE001 - the outermost loop: whatever it is ends in a sentence
        from engine.frontends.cli.complaint import complain  # noqa: PLC0415 - late: only an error needs it

        return complain(error, session)
    return status if isinstance(status, int) else 0
