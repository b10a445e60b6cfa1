"""`skill run NAME --dry-run`: what the run would do, as a tree for people or as data, and an exit status."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import anyio

from engine.frontends.cli.dry_lines import Line, Told, step_lines, summary
from engine.frontends.cli.dry_record import plan_record
from engine.frontends.cli.dry_summary import end_line, needs, outputs, unknown
from engine.frontends.cli.given import Given, missing_inputs
from engine.frontends.cli.layout import fold, one_line
from engine.frontends.cli.running import Manner
from engine.frontends.cli.screen import Screen
from engine.frontends.cli.session import Session
from engine.frontends.cli.source import show_finding
from engine.frontends.cli.steps import skill_names_width
from engine.model.outcome import RunStatus
from engine.model.skill import Skill
from engine.run.dry import DryRunner, Plan
from engine.wiring import Engine

EXIT_STATUSES = {RunStatus.OK: 0, RunStatus.FAILED: 1, RunStatus.BLOCKED: 5}


def dry_run(session: Session, name: str, given: Given, *, reads: bool, manner: Manner, screen: Screen) -> int:
    """Plans a run and shows the plan.

    Exit status: 0 it could run, as far as can be known; 1 a step would fail; 5 a need is missing, or it would surely be
    blocked.
    """
    workspace = replace(session.workspace(), remembers=False)
    engine = Engine(workspace, heal_mode=manner.heal, secrets=session.secrets)
    skill = engine.library.load(name)
    given = missing_inputs(skill, given) if manner.asks else given

    async def plan() -> Plan:
        async with engine:
            runner = DryRunner(parts=engine, reads=reads, answers=manner.answers, takes_defaults=manner.yes)
            return await runner.plan(skill, given.values, from_text=given.from_text)

    found = anyio.run(plan)
    if screen.is_text:
        profile = engine.loaded_profile
        show_plan(found, skill, screen, headline=f"profile {profile.name}: {one_line(profile.description)}")
    else:
        screen.result(plan_record(found))
    return EXIT_STATUSES[found.status]


def show_plan(plan: Plan, skill: Skill, screen: Screen, *, headline: str = "") -> None:
    """Writes a plan for people: the steps as a tree, what they need, what is not known, what is wrong; then the end."""
    if not screen.quiet:
        told = Told(width=screen.width, names=skill_names_width(skill), verbose=screen.verbose)
        called = "what only reads was called" if plan.reads else "nothing was called"
        screen.text(f"{plan.skill}: what a run would do; {called}", bold=True)
        for text in summary(plan, headline, told):
            screen.text(text, dim=True)
        screen.text()
        for line in _lines(plan, told):
            screen.text(line.text, fg=line.fg, dim=line.dim or None, bold=line.bold or None)
        _show_findings(plan, screen)
        screen.text()
    colour = {RunStatus.OK: "green", RunStatus.BLOCKED: "yellow"}.get(plan.status, "red")
    for text in fold(end_line(plan), screen.width):
        screen.text(text, fg=colour, bold=True)


def _lines(plan: Plan, told: Told) -> Iterator[Line]:
    yield from step_lines(plan.steps, told)
    if plan.always:
        yield Line(text="  always", dim=True)
        yield from step_lines(plan.always, told)
    yield from outputs(plan, told)
    yield from needs(plan, told)
    yield from unknown(plan, told)


def _show_findings(plan: Plan, screen: Screen) -> None:
    if not plan.findings:
        return
    screen.text("\nto look at", bold=True)
    for finding in plan.findings:
        show_finding(finding, screen.text, width=screen.width)
