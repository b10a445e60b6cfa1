"""`skill doctor`: whether this machine and this workspace can do what is asked of them, and what to do where not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import aclosing
from difflib import get_close_matches
from itertools import groupby

import anyio
import click

from engine.errors import EngineError
from engine.frontends.cli import doctor_asking, doctor_machine, doctor_tools
from engine.frontends.cli.doctor_looks import SIGNS, Look, Section, State, at_home, record, status
from engine.frontends.cli.layout import beside
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.model.heal import Domain
from engine.model.lazy_dataclass import dataclass
from engine.surroundings.found import Rung
from engine.wiring import Engine

WIDEST = 22
"""Columns of a name; a longer one moves what is told of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was looked at, and the lines that would use what was found; `settings` is the skill.toml there is."""

    looks: tuple[Look, ...]
    lines: str = ""
    settings: str = ""


@click.command("doctor")
@click.option("--only", multiple=True, metavar="NAME", help="Only this section, rung, domain or line; may be repeated.")
@click.option("--offline", is_flag=True, help="Ask nobody: look at this machine only.")
@screen_options
def doctor_command(session: Session, only: tuple[str, ...], offline: bool, screen: Screen) -> int:
    """Check this machine and this workspace, ask every configured service who we are, and say what to do.

    What the machine has and nobody configured is told with the lines that would use it; nothing is used, and nothing
    repaired. It takes at most about ten seconds, whatever the services do.

    Exit status: 0 all that is needed is there, 1 something is not, 2 there is nothing of a name given with --only.
    """
    found = anyio.run(examined, session, frozenset(only), offline)
    if not screen.is_text:
        screen.result([record(look) for look in found.looks])
    else:
        _show(found, screen)
    return status(found.looks)


async def examined(session: Session, only: frozenset[str], offline: bool) -> Examination:
    """What is looked at; with `only`, what has one of these names. Raises BadParameter for a name of nothing."""
    # closed, and not entered: what telemetry lacks is told, and keeps nobody from looking at the rest
    async with aclosing(Engine(session.workspace(), secrets=session.secrets)) as engine:
        described = _domains(engine)
        whole = not only or Section.LADDER.value in only
        chosen = {name: domain for name, domain in described.items() if not only or {name, "domains"} & only}
        told = await doctor_asking.answers(
            engine, domains=chosen, ladder=bool(whole or only & set(Rung)), offline=offline
        )
        looks = _chosen(_looks(engine, told, offline=offline), only, others={*described, *Rung})
        lines = doctor_asking.unused(told.ladder) if whole else ""
        file = engine.workspace.settings_file
        return Examination(looks=looks, lines=lines, settings=at_home(file) if file else "")


def _looks(engine: Engine, told: doctor_asking.Answers, *, offline: bool) -> Iterator[Look]:
    """Everything, in the order of what stands on what."""
    yield from doctor_machine.machine()
    yield from doctor_machine.workspace(engine)
    yield from doctor_asking.ladder(told.ladder)
    yield from doctor_asking.domains(told.domains, now=engine.clock(), offline=offline)
    yield from doctor_tools.tools(engine)
    yield from doctor_tools.skills(engine)


def _domains(engine: Engine) -> dict[str, Domain]:
    try:
        return dict(engine.domains)
    except EngineError:
        return {}  # the look at the profile tells


def _show(found: Examination, screen: Screen) -> None:
    for section, looks in groupby(found.looks, key=lambda look: look.section):
        screen.text(section.value, bold=True)
        for look in looks:
            _line(look, screen)
        if section is Section.LADDER and found.lines:
            _lines(found, screen)


def _line(look: Look, screen: Screen) -> None:
    sign, colour = SIGNS[look.state]
    for line in beside(f"  {sign} {look.name:<{WIDEST}} ", look.found, screen.width, lines=10):
        screen.text(line, fg=colour)
    for way_out in look.way_out.splitlines():
        for line in beside("      ", way_out, screen.width, lines=10):
            screen.text(line)


def _lines(found: Examination, screen: Screen) -> None:
    """The lines as they are to be written, never folded."""
    for line in beside("    ", "nothing of it is used until skill.toml says so:", screen.width):
        screen.text(line)
    for each in found.lines.splitlines():
        screen.text(f"      {each}".rstrip())
    way = f"add them to {found.settings}" if found.settings else "`skill init --from-machine` writes them"
    for line in beside("    ", way, screen.width):
        screen.text(line)


def _chosen(looks: Iterable[Look], only: frozenset[str], *, others: set[str]) -> tuple[Look, ...]:
    """The looks that have one of these names; all without any. Raises BadParameter for a name of nothing.

    `others` are names of what is looked at only when it is asked for. A profile that cannot be read is told whatever
    was asked for: nobody knows the domains then, and so not their names either.
    """
    every = tuple(looks)
    chosen = tuple(look for look in every if not only or {look.section.value, look.name} & only or _unreadable(look))
    if any(map(_unreadable, every)):
        return chosen
    known = sorted({*(look.name for look in every), *Section, *others})
    for name in sorted(only - set(known)):
        near = get_close_matches(name, known, n=1)
        guess = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
        raise click.BadParameter(f"nothing here is called {name}{guess}", param_hint="--only")
    return chosen


def _unreadable(look: Look) -> bool:
    return look.name == "profile" and look.state is State.WRONG
