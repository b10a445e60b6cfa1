"""How an error is told: what is wrong, where, the way out, and the exit status; never a raw traceback."""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path

import click

from engine.errors import DocumentError, EngineError
from engine.frontends.cli.layout import beside, fold, terminal_width
from engine.frontends.cli.screen import Screen
from engine.frontends.cli.session import Session
from engine.frontends.cli.source import show_finding
from engine.workspace import make_private

USAGE = 2
INVALID = 6
BROKEN = 70
"""Exit status of a mistake in the engine itself (`EX_SOFTWARE`)."""
MOST_FINDINGS = 10
"""Findings shown of a file that was only to be run; `skill check` shows all."""
LONGEST_REPORT = 200_000
"""Characters of a traceback that are kept."""


def complain(error: Exception, session: Session) -> int:
    """Tells a person of the error on standard error, and gives the exit status; `SKILL_DEBUG=1` says where it arose."""
    if os.environ.get("SKILL_DEBUG") == "1" and not isinstance(error, click.ClickException):
        click.echo(_report(error, session), err=True, nl=False)
    cause = _single(error)
    screen = Screen(color=session.color, secrets=session.secrets)
    match cause:
        case click.ClickException():
            return _misused(cause, screen)
        case DocumentError() if cause.findings:
            return _invalid(cause, screen)
        case EngineError():
            where = f"{cause.place}: " if cause.place else ""
            return _told(f"{where}{cause.message}", cause.hint, cause.exit_status, screen)
        case OSError() if cause.filename:
            told = f"{cause.filename}: {cause.strerror}"
            return _told(told, "`skill doctor` says which folders are used, and how to choose others", 1, screen)
    return _of_a_tool(cause, screen) or _unexpected(error, session, screen)


def _single(error: Exception) -> Exception:
    """What was raised inside a task group, when it was one thing."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _told(message: str, hint: str, status: int, screen: Screen) -> int:
    width = terminal_width(sys.stderr)
    first, *more = message.splitlines() or [""]
    for line in (*beside("error: ", first, width, lines=20), *(part for each in more for part in fold(each, width))):
        screen.note(line, fg="red")
    for line in beside("  ", hint, width, lines=20) if hint else ():
        screen.note(line)
    return status


def _misused(error: click.ClickException, screen: Screen) -> int:
    context = getattr(error, "ctx", None)
    hint = f"`{context.command_path} --help` shows how it is used" if context else ""
    return _told(error.format_message(), hint, error.exit_code, screen)


def _invalid(error: DocumentError, screen: Screen) -> int:
    for finding in error.findings[:MOST_FINDINGS]:
        show_finding(finding, screen.note, width=terminal_width(sys.stderr))
    if (left := len(error.findings) - MOST_FINDINGS) > 0:
        screen.note(f"and {left} more")
    return _told(error.message, error.hint, error.exit_status, screen) if len(error.findings) > 1 else error.exit_status


def _of_a_tool(error: Exception, screen: Screen) -> int:
    """An error of the registry, outside a run; 0 when it is none."""
    # late: an error before any tool was read should not read them
    from tool_registry.sources.placeholders import DefinitionError  # noqa: PLC0415 - see above
    from tool_registry.tool import ToolError, UnknownToolError  # noqa: PLC0415 - see above

    match error:
        case UnknownToolError():
            return _told(error.message, "`skill tools` lists them", USAGE, screen)
        case DefinitionError():
            return _told(str(error), "docs/tools-authoring.md shows every form", INVALID, screen)
        case ToolError():
            return _told(error.message, "", INVALID, screen)
    return 0


def _unexpected(error: Exception, session: Session, screen: Screen) -> int:
    """A mistake of ours: one sentence, and the details in a file of which only this user can read."""
    report = _report(error, session)
    kept = next((path for folder in _folders(session) if (path := _kept(folder, report))), None)
    said = " ".join(session.secrets.mask(str(_single(error))).split())[:200]
    message = f"the engine itself made a mistake ({type(_single(error)).__name__}: {said})"
    hint = f"the details are in {kept}; SKILL_DEBUG=1 shows them here" if kept else "SKILL_DEBUG=1 shows the details"
    return _told(message, hint, BROKEN, screen)


def _report(error: Exception, session: Session) -> str:
    """The traceback, without secrets."""
    masked: str = session.secrets.mask("".join(traceback.format_exception(error)))
    return masked[-LONGEST_REPORT:]


def _folders(session: Session) -> list[Path]:
    places = [Path(tempfile.gettempdir())]
    with suppress(EngineError, OSError):
        places.insert(0, session.workspace().home / "crashes")
    return places


def _kept(folder: Path, report: str) -> Path | None:
    path = folder / f"skill-crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    with suppress(OSError):
        make_private(folder)
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(report, encoding="utf-8")
        return path
    return None
