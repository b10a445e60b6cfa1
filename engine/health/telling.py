"""Telling people: the inbox, a program, a web address; what cannot be delivered now waits for the next look."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Protocol

from engine.errors import DocumentError
from engine.memory.health import utc
from engine.memory.inbox import Inbox
from engine.model.health import HealthNotice
from engine.model.lazy_dataclass import dataclass
from engine.model.secret import Secrets
from tool_registry.sources.http import request
from tool_registry.sources.process import run_program
from tool_registry.tool import ToolContext, ToolError

SOURCE = "health"
"""Who the inbox says a note is from."""

TIME = 10.0
"""Seconds a program or a server has to take a notice."""

WAITING = 100
"""Notices that wait at most; beyond, the oldest are dropped (the inbox has them all)."""

TRIES = 5
"""How often a notice is offered to somebody who takes it and refuses; one who is not reached is asked on and on."""


class Deliver(Protocol):
    """Hands one notice on; raises ToolError."""

    async def __call__(self, told: Mapping[str, Any]) -> None:
        """Hands it on."""


@dataclass(slots=True, kw_only=True)
class Channel:
    """One way to tell people, and the notices that wait to go it."""

    name: str
    deliver: Deliver
    waiting: deque[HealthNotice] = field(default_factory=lambda: deque(maxlen=WAITING))

    async def flush(self, words: Callable[[HealthNotice], Mapping[str, Any]]) -> str:
        """Delivers what waits, oldest first, until one is not taken; gives what is wrong, if something is."""
        while self.waiting:
            notice = self.waiting[0]
            try:
                await self.deliver(words(notice))
            except ToolError as error:
                return self._refused(notice, error)
            self.waiting.popleft()
        return ""

    def _refused(self, notice: HealthNotice, error: ToolError) -> str:
        tried = replace(notice, tries=notice.tries + 1)
        if _reached(error) and tried.tries >= TRIES:
            self.waiting.popleft()
            return f"{self.name} did not take a notice in {TRIES} tries, and it is dropped: {error.message}"
        self.waiting[0] = tried
        return f"{self.name} did not take a notice, and it is offered again: {error.message}"


def _reached(error: ToolError) -> bool:
    """Whether somebody was there to refuse; a server that is not reached is no reason to drop anything."""
    return error.sent is not False and error.kind != "timeout"


@dataclass(slots=True, kw_only=True)
class Teller:
    """Tells people of changes; `workspace` is the folder that the notices name."""

    inbox: Inbox
    secrets: Secrets
    workspace: str
    host: str
    channels: tuple[Channel, ...] = ()

    def write(self, notices: Iterable[HealthNotice]) -> tuple[str, ...]:
        """Writes the notices into the inbox and queues them for the rest; gives a sentence for each thing wrong.

        Never raises: what cannot be written is told all the same by those who can.
        """
        complaints = []
        for notice in notices:
            for channel in self.channels:
                channel.waiting.append(notice)
            try:
                self.inbox.add(SOURCE, notice.text, notice.level)
            except DocumentError as error:
                complaints.append(str(error))
        return tuple(complaints)

    async def deliver(self) -> tuple[str, ...]:
        """Delivers what waits to every channel; gives a sentence for each that does not take it."""
        said = [await channel.flush(self.words) for channel in self.channels]
        return tuple(each for each in said if each)

    def words(self, notice: HealthNotice) -> Mapping[str, Any]:
        """A notice as JSON-like data, without secrets."""
        told = {
            "notice": SOURCE,
            "at": utc(notice.at),
            "level": notice.level,
            "state": notice.state.value,
            "was": notice.was.value if notice.was else None,
            "checks": list(notice.subjects),
            "text": notice.text,
            "message": notice.message,
            "workspace": self.workspace.encode("utf-8", "replace").decode("utf-8"),
            "host": self.host,
        }
        masked: Mapping[str, Any] = self.secrets.mask(told)
        return masked


def by_command(argv: Sequence[str], *, folder: str, environment: Mapping[str, str], time: float = TIME) -> Channel:
    """A program that gets each notice as JSON on its standard input, and ends with status 0 when it has it."""

    async def deliver(told: Mapping[str, Any]) -> None:
        text = json.dumps(told, ensure_ascii=False) + "\n"
        done = await run_program(argv, cwd=folder, environment=environment, stdin=text.encode(), timeout=time)
        if done.exit_status != 0:
            raise done.failure()

    return Channel(name=argv[0], deliver=deliver)


def by_request(url: str, *, context: ToolContext, name: str = "the web address of notices") -> Channel:
    """A server that each notice is sent to by POST, as JSON; any status from 200 to 299 says that it has it."""

    async def deliver(told: Mapping[str, Any]) -> None:
        await request("POST", url, context=context, json=told)

    return Channel(name=name, deliver=deliver)
