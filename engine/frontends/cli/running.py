"""A run in this process, whatever began it: its options, its progress on the screen, its end as an exit status."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import field
from functools import wraps
from typing import Any, TypeVar

import anyio
import click

from engine.frontends.cli.asking import asker, may_ask
from engine.frontends.cli.cancelling import cancel_on_signals
from engine.frontends.cli.ending import exit_status, show_result
from engine.frontends.cli.given import read_pairs
from engine.frontends.cli.layout import one_line, terminal_width
from engine.frontends.cli.progress import Progress
from engine.frontends.cli.screen import Screen
from engine.frontends.cli.steps import name_width
from engine.frontends.cli.streaming import UntilGone, stream, whoever_reads
from engine.model.event import Event
from engine.model.heal import HealMode
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunResult
from engine.run.executor import SkillExecutor
from engine.wiring import Engine

TICK = 0.1
"""Seconds between redraws of what is under way."""

Function = TypeVar("Function", bound=Callable[..., Any])
Act = Callable[[SkillExecutor], Awaitable[RunResult]]
"""What the executor is to do: begin a run, go on with one, end one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a run is to go, as the options of its command say; `asks` says that somebody is there to be asked."""

    timeout: float | None = None
    heal: HealMode | None = None
    asks: bool = False
    yes: bool = False
    answers: Mapping[str, Any] = field(default_factory=dict)


def manner_options(function: Function) -> Function:
    """Adds the options of every command that runs steps, and hands the command a `Manner` as `manner`."""

    @click.option(
        "--answer", "answered", multiple=True, metavar="NAME=VALUE", help="The answer to a question, by step."
    )
    @click.option("--timeout", metavar="DURATION", help="End the run after this long (90, 90s, 5m).")
    @click.option("--heal", type=click.Choice([mode.value for mode in HealMode]), help="What healing may do by itself.")
    @click.option("--no-input", is_flag=True, help="Never ask; a missing input is an error, a question waits.")
    @click.option("-y", "--yes", is_flag=True, help="Agree to fixes, and take the defaults of questions.")
    @wraps(function)
    def wrapped(
        *args: Any,
        answered: tuple[str, ...],
        timeout: str | None,
        heal: str | None,
        no_input: bool,
        yes: bool,
        **rest: Any,
    ) -> Any:
        manner = Manner(
            timeout=_seconds(timeout),
            heal=HealMode(heal) if heal else None,
            asks=may_ask(no_input=no_input),
            yes=yes,
            answers=read_pairs(answered, option="--answer").values,
        )
        return function(*args, manner=manner, **rest)

    return wrapped  # type: ignore[return-value] # the wrapper takes the options click passes, and returns what it returns


def conduct(
    engine: Engine, act: Act, *, screen: Screen, manner: Manner, paths: Iterable[str], past: Iterable[Event] = ()
) -> RunResult:
    """Lets the executor act, with its progress and its end on the screen."""

    async def run() -> RunResult:
        async with engine:
            return await shown(engine, act, screen=screen, manner=manner, paths=paths, past=past)

    result = anyio.run(run)
    with whoever_reads():
        show_result(result, screen)
    return result


def conducted(
    engine: Engine, act: Act, *, screen: Screen, manner: Manner, paths: Iterable[str], past: Iterable[Event] = ()
) -> int:
    """As `conduct`, with the exit status."""
    return exit_status(conduct(engine, act, screen=screen, manner=manner, paths=paths, past=past))


async def shown(
    engine: Engine, act: Act, *, screen: Screen, manner: Manner, paths: Iterable[str], past: Iterable[Event] = ()
) -> RunResult:
    """Lets the executor act with its progress on the screen; a signal cancels the run, and it cleans up.

    `past` are the run's events so far, `paths` such as its steps have.
    """
    profile = engine.loaded_profile
    progress = Progress(
        screen=screen,
        headline=f"profile {profile.name}: {one_line(profile.description)}",
        names=name_width(paths, terminal_width(sys.stderr)),
    )
    for event in past:
        progress.recall(event)
    streamed = screen.format == "jsonl"
    executor = SkillExecutor(
        engine,
        listeners=(UntilGone(stream if streamed else progress),),
        ask=asker(progress, asks=manner.asks, yes=manner.yes),
        answers=manner.answers,
    )
    async with anyio.create_task_group() as group:
        await group.start(cancel_on_signals, executor, progress)
        if progress.live and not streamed:
            group.start_soon(_redraw, progress)
        try:
            result = await act(executor)
        finally:
            progress.close()
        group.cancel_scope.cancel()
    return result


async def _redraw(progress: Progress) -> None:
    while True:
        await anyio.sleep(TICK)
        progress.tick()


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    from engine.library.durations import seconds  # noqa: PLC0415 - late: few runs have a deadline

    try:
        found = float(text) if text.replace(".", "", 1).isdigit() else seconds(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--timeout") from error
    if found <= 0:
        raise click.BadParameter("it must be more than nothing", param_hint="--timeout")
    return found
