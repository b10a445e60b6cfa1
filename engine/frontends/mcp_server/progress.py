"""A run's progress as notifications: steps finished, steps known, and what is under way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import field
from typing import Any

import anyio
from mcp.server.context import ServerRequestContext

from engine.frontends.background.watching import Batch
from engine.frontends.mcp_server.serving import Serving
from engine.model.event import Event, EventKind
from engine.model.lazy_dataclass import dataclass

AT_ONCE = 10
"""Notifications that are sent for events that came at once: the last ones tell how it is."""
NUDGE = 0.01
"""What progress grows by when no step has ended: the protocol wants it to grow every time."""
LONGEST = 300


@dataclass(slots=True, kw_only=True)
class Progress:
    """Tells one call how its run gets on; `total` is how many steps the skill has, None when that is not known.

    `after` is the number of the last event that is no news, `finished` how many steps have ended, `latest` what it last
    told.
    """

    ctx: ServerRequestContext[Any, Any]
    serving: Serving
    total: int | None = None
    after: int = 0
    finished: int = 0
    last: float = 0.0
    latest: str = ""
    told_at: float = field(default_factory=anyio.current_time)

    def recall(self, batch: Batch) -> None:
        """Takes note of what happened before the call came, without a word."""
        for number, event in batch:
            self._count(number, event)

    async def tell(self, batch: Batch) -> None:
        """Sends what is worth it of the events that came; of none, after a while, that the latest still goes on."""
        told: list[tuple[int, str]] = []
        for number, event in batch:
            self._count(number, event)
            if message := sentence(event):
                told.append((self.finished, message))
        if not told and anyio.current_time() - self.told_at >= self.serving.beat:
            told = [(self.finished, self.latest or "it goes on")]
        for finished, message in told[-AT_ONCE:]:
            self.last, self.latest = max(float(finished), self.last + NUDGE), message
            self.told_at = anyio.current_time()
            text = self.serving.engine.secrets.mask(message)[:LONGEST]
            await self.ctx.session.report_progress(self.last, self.total, text)

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Within it, the client is told now and then that its call goes on, whoever it waits for."""
        broken: Exception | None = None
        async with anyio.create_task_group() as beside:
            beside.start_soon(self._beat)
            try:
                yield
            except Exception as error:  # noqa: BLE001 - raised again as it is: the group would wrap it
                broken = error
            beside.cancel_scope.cancel()
        if broken is not None:
            raise broken

    async def _beat(self) -> None:
        while True:
            await anyio.sleep(self.serving.beat)
            await self.tell(())

    def _count(self, number: int, event: Event) -> None:
        """The steps inside of others are no more than the one around them; undoing and `always` add nothing."""
        self.after = number
        whole = event.kind is EventKind.STEP_FINISHED and "/" not in event.step and "[" not in event.step
        if whole and (self.total is None or self.finished < self.total):
            self.finished += 1


def sentence(event: Event) -> str:
    """What an event says to somebody who waits, as `step: what`; empty when nobody waits to hear that."""
    data = event.data
    match event.kind:
        case EventKind.RUN_STARTED:
            return f"run {event.run_id} of {data.get('skill')} began"
        case EventKind.RUN_RESUMED:
            return f"run {event.run_id} goes on"
    what = _what(event)
    return f"{event.step or 'the run'}: {what}" if what else ""


def _what(event: Event) -> Any:
    data = event.data
    told = {
        EventKind.STEP_STARTED: data.get("action") or "begins",
        EventKind.STEP_FINISHED: data.get("status"),
        EventKind.FIX_STARTED: f"repairing with {data.get('fix')}",
        EventKind.QUESTION_ASKED: f"asks: {data.get('question')}",
        EventKind.PROGRESS: data.get("text"),
        EventKind.NOTICE: data.get("text"),
        EventKind.RUN_ENDING: "cleaning up",
    }
    return told.get(event.kind)
