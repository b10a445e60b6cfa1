"""`skill test --record RUN`: a recorded run as a rehearsal, played back at once to see that it is one."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from engine.errors import RunStateError
from engine.frontends.cli.layout import short_path
from engine.frontends.cli.screen import Screen
from engine.frontends.cli.session import Session
from engine.frontends.cli.staging import builder
from engine.model.outcome import RunStatus
from engine.run.rehearsal.reading import read_rehearsals
from engine.run.rehearsal.recording import Recording, record
from engine.run.rehearsal.rehearse import Verdict, rehearse
from engine.wiring import Engine

VOLATILE = ("expect.outputs.", "expect.message")
"""What may be another one each time a skill runs; that it was different is no mistake of the recording."""
FAILED = 1


def record_run(session: Session, run_id: str, into: Path | None, screen: Screen) -> int:
    """Writes the run as a rehearsal to `into`, else to standard output; 1 when it does not pass as it was recorded.

    Raises RunNotFoundError, and RunStateError for a run that is under way or was interrupted.
    """
    if into is not None and into.exists():
        raise click.UsageError(f"{into} is there already; remove it, or give another name")
    engine = Engine(session.workspace(), secrets=session.secrets)
    recording, verdict = _settled(engine, _recorded(engine, run_id))
    if into is None:
        click.echo(screen.secrets.mask(recording.text), nl=False)
    else:
        into.parent.mkdir(parents=True, exist_ok=True)
        into.write_text(screen.secrets.mask(recording.text), encoding="utf-8")
    for note in recording.notes[1:]:
        screen.note(f"note: {note}")
    return _told(verdict, into, screen)


def _recorded(engine: Engine, run_id: str) -> Recording:
    run = engine.journal.run(run_id)
    if run.status is RunStatus.RUNNING:
        hint = f"`skill resume {run.id}` brings an interrupted run to its end"
        raise RunStateError(f"the run {run.id} has not ended, so there is nothing to expect", hint=hint)
    named = run.skill if _is_by_name(engine, run.skill, run.file) else run.file
    verifies = {
        plan.call.tool: plan.verify.tool
        for domain in engine.domains.values()
        for plan in domain.fixes.values()
        if plan.verify is not None
    }
    return record(
        engine.journal.past(run.id),
        tuple(event for _, event in engine.journal.events(run.id)),
        skill=engine.library.load(named),
        named=named,
        tools=engine.registry,
        verifies=verifies,
    )


def _is_by_name(engine: Engine, skill: str, file: str) -> bool:
    """Whether the skill is found by its name; one that was run by its path may not be."""
    return any(entry.name == skill and str(entry.path) == file for entry in engine.library.entries())


def _settled(engine: Engine, recording: Recording) -> tuple[Recording, Verdict]:
    """The recording without what is another one each time, and how it goes when it is played back."""
    verdict = _played_back(engine, recording)
    volatile = [each for each in verdict.differences if each.way.startswith(VOLATILE)]
    for way in dict.fromkeys(".".join(each.way.split(".")[1:3]) for each in volatile):
        recording = recording.without(way)
    return (recording, _played_back(engine, recording)) if volatile else (recording, verdict)


def _played_back(engine: Engine, recording: Recording) -> Verdict:
    with TemporaryDirectory(prefix="skill-test-") as folder:
        path, home = Path(folder) / "recorded.yaml", Path(folder) / "home"
        path.write_text(recording.text, encoding="utf-8")
        home.mkdir()
        [rehearsal] = read_rehearsals(path)
        return rehearse(rehearsal, home, builder(engine.workspace, rehearsal, home))


def _told(verdict: Verdict, into: Path | None, screen: Screen) -> int:
    where = f"written to {short_path(into)}; " if into else ""
    if verdict.passed:
        screen.note(f"{where}it passes when it is played back", fg="green")
        return 0
    screen.note(f"{where}played back, it differs:", fg="red")
    for difference in verdict.differences:
        screen.note(f"  {difference.way}: {difference.message}")
    if verdict.error is not None:
        screen.note(f"  {verdict.error}")
    return FAILED
