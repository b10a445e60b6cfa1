"""`skill run NAME --detach`: the run goes on in a process of its own, which outlives this terminal."""

from __future__ import annotations

import anyio

from engine.frontends.background.request import Request
from engine.frontends.background.starting import begin
from engine.frontends.cli.given import Given
from engine.frontends.cli.running import Manner
from engine.frontends.cli.screen import Screen
from engine.frontends.cli.session import Session
from engine.model.outcome import RunStatus
from engine.model.skill import Skill


def detached(session: Session, skill: Skill, given: Given, *, manner: Manner, screen: Screen) -> int:
    """Begins the run, and writes its id as soon as history has it; what keeps it from beginning is raised as usual."""
    request = Request(
        act="run",
        skill=skill.file,
        inputs=given.values,
        from_text=tuple(given.from_text),
        answers=manner.answers,
        timeout=manner.timeout,
        profile=session.profile,
        heal=manner.heal,
        agrees=manner.yes,
    )
    run_id = anyio.run(begin, session.workspace(), request)
    if not screen.is_text:
        screen.result({"run": run_id, "skill": skill.name, "status": RunStatus.RUNNING.value})
        return 0
    screen.text(run_id)
    screen.note(f"  runs in the background; `skill watch {run_id}` shows it, `skill cancel {run_id}` ends it", dim=True)
    return 0
