"""`skill test`: rehearsals played one after the other, each in a folder of its own, and what differed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from engine.frontends.cli.completing import run_ids, skill_names
from engine.frontends.cli.layout import terminal_width
from engine.frontends.cli.rehearsal_reports import Progress, Report, show_list
from engine.frontends.cli.rehearsals_found import Found, find_rehearsals
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.source import show_finding
from engine.frontends.cli.staging import builder
from engine.model.rehearsal import Rehearsal
from engine.run.rehearsal.rehearse import Verdict, rehearse
from engine.workspace import Workspace

FAILED, INVALID = 1, 6


@click.command("test")
@click.argument("names", nargs=-1, metavar="[NAME|FILE]...", shell_complete=skill_names)
@click.option("-k", "keyword", default="", metavar="TEXT", help="Only those with this text in name, skill or file.")
@click.option("-l", "--list", "lists", is_flag=True, help="List the rehearsals, play none.")
@click.option("-x", "--exitfirst", "first", is_flag=True, help="Stop at the first that fails.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write JUnit XML too.")
@click.option("--record", metavar="RUN", shell_complete=run_ids, help="Write a rehearsal from a recorded run instead.")
@click.option("--into", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Where --record writes.")
@screen_options
def test_command(  # noqa: PLR0913, PLR0917 - one parameter per option of the command line
    session: Session,
    names: tuple[str, ...],
    keyword: str,
    lists: bool,
    first: bool,
    junit: Path | None,
    record: str | None,
    into: Path | None,
    screen: Screen,
) -> int:
    """Play rehearsals: of a name, a skill or a file; without one, all of the workspace.

    Nothing real is called, and nothing is written to history or memory. Exit status: 0 all passed, 1 one failed, 2
    wrong usage or no rehearsal, 6 a rehearsal file or a skill is invalid.
    """
    workspace = session.workspace()
    if record is not None:
        from engine.frontends.cli.recording import record_run  # noqa: PLC0415 - late: few calls record

        return record_run(session, record, into, screen)
    found = find_rehearsals(workspace, names, keyword)
    for finding in found.findings:
        show_finding(finding, screen.note, width=terminal_width(sys.stderr))
    if not found.rehearsals and not found.findings:
        raise click.UsageError(_none_found(workspace, keyword))
    if lists:
        show_list(found.rehearsals, screen)
        return INVALID if found.findings else 0
    report = _play(workspace, found, screen, first=first)
    if junit is not None:
        from engine.frontends.cli.junit import junit_xml  # noqa: PLC0415 - late: few calls want it

        junit.write_text(junit_xml(report), encoding="utf-8")
    return _status(report)


def _play(workspace: Workspace, found: Found, screen: Screen, *, first: bool) -> Report:
    """Plays them and shows how they went."""
    report, progress = Report(findings=found.findings), Progress(screen=screen)
    with TemporaryDirectory(prefix="skill-test-") as folder:
        for verdict in _verdicts(workspace, found.rehearsals, Path(folder)):
            report.verdicts.append(verdict)
            progress.tell(verdict)
            if first and not verdict.passed:
                break
    progress.end()
    report.show(screen)
    return report


def _verdicts(workspace: Workspace, rehearsals: tuple[Rehearsal, ...], folder: Path) -> Iterator[Verdict]:
    (folder / "cache").mkdir()
    for number, rehearsal in enumerate(rehearsals):
        home = folder / str(number)
        home.mkdir()
        # One cache for all: checking a skill anew for each of its rehearsals would take half of their time.
        (home / "cache").symlink_to(folder / "cache", target_is_directory=True)
        yield rehearse(rehearsal, home, builder(workspace, rehearsal, home))


def _status(report: Report) -> int:
    if report.findings or any(verdict.error for verdict in report.verdicts):
        return INVALID
    return 0 if all(verdict.passed for verdict in report.verdicts) else FAILED


def _none_found(workspace: Workspace, keyword: str) -> str:
    if keyword:
        return f"no rehearsal has {keyword!r} in its name, skill or file"
    folders = [*workspace.rehearsal_folders] or [workspace.folder / "rehearsals"]
    return f"there are no rehearsals in {' or '.join(map(str, folders))}; docs/rehearsals.md shows how to write one"
