"""A failure with all that is known about it: what every root cause is found in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from engine.heal.detect import normalise
from engine.model.failure import Diagnosis, Failure
from engine.model.heal import Domain
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import ToolCall
from engine.model.remediation import RemedyStep
from tool_registry.tool import Tool

HOST = re.compile(
    r"(?:https?://)?((?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,63}|localhost|\d{1,3}(?:\.\d{1,3}){3})(?::(\d{1,5}))?"
)
URL = re.compile(r"https?://[^\s\"'<>|]{1,500}")
STANDARD = {"http": 80, "https": 443}
LOOPBACK = re.compile(r"localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A host and a port, empty where not told; `known` by the call itself, and not only read in somebody's words.

    Nothing is asked of a host that only words name: whoever wrote them would choose whom this machine talks to.
    """

    host: str = ""
    port: int | None = None
    known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A failed call that stays failed; `seen` is the value of one that answered, but not as the author expected.

    `now` is in seconds since the epoch; `tool` None where its declaration is not at hand.
    """

    failure: Failure
    diagnosis: Diagnosis
    call: ToolCall
    tool: Tool | None = None
    domain: Domain | None = None
    seen: Any = None
    now: float = 0.0

    @property
    def text(self) -> str:
        """What was said."""
        return normalise(self.failure.evidence.text or self.failure.message)

    @property
    def details(self) -> Mapping[str, Any]:
        """What the tool knows about it."""
        return self.failure.evidence.details

    @property
    def told_by(self) -> str:
        """The id of the pattern that spoke; empty if none did."""
        return self.diagnosis.pattern.id if self.diagnosis.pattern else ""

    @property
    def place(self) -> str:
        """Where the call went, as a sentence names it."""
        return f"the domain {self.domain.name}" if self.domain else f"the server {self.call.tool} uses"

    def value(self, *names: str, said: re.Pattern[str] | None = None) -> str:
        """The first of these among the tool's details and the call's arguments, else what the text says; or empty."""
        for values in (self.details, self.call.args):
            for name in names:
                if values.get(name) not in (None, ""):
                    return str(values[name])
        found = said.search(self.text) if said else None
        return found[1] if found else ""

    def fix(self, role: str) -> ToolCall | None:
        """The domain's call for a role; None if it has none."""
        plan = self.domain.fixes.get(role) if self.domain else None
        return plan.call if plan else None

    def repair(self, text: str, call: ToolCall) -> RemedyStep:
        """The step that makes a fix's call, for the domain that it repairs."""
        return RemedyStep(text=text, call=call, domain=self.domain.name if self.domain else "")

    def address(self) -> Address:
        """The host and port it went to: by the tool's details, its arguments, else its words."""
        host, port = self.value("host", "server", "address"), _port(self.value("port"))
        if host and "://" not in host:
            bare, colon, written = host.rpartition(":")
            split = bool(colon) and written.isdecimal()
            return Address(host=bare if split else host, port=port or (_port(written) if split else None), known=True)
        # What our own source of HTTP says names the URL it asked; anything else may have been said by anybody.
        own = self.failure.message if self.failure.evidence.sent is not None else ""
        for text, known in ((host, True), (self.value("url"), True), (own, True), (self.text, False)):
            if found := _of_url(text) or _of_words(text):
                return Address(host=found[0], port=found[1] or port, known=known)
        return Address(port=port)

    def repositories(self) -> Iterator[str]:
        """Which repositories may be meant, as a tool's `repo`: the call's own, else the configured one and the folder.

        The folder is the workspace: what programs of its tools run in.
        """
        named = next((self.call.args[name] for name in ("repo", "repo_path") if self.call.args.get(name)), None)
        yield from [str(named)] if named else ["", "."]


def _port(text: str) -> int | None:
    return int(text) if text.isdecimal() and 0 < int(text) < 65_536 else None  # noqa: PLR2004 - what TCP allows


def _of_url(text: str) -> tuple[str, int | None] | None:
    """Host and port of the first URL in a text; None where there is none that can be read."""
    found = URL.search(text)
    if found is None:
        return None
    try:
        parts = urlsplit(found[0])
        return (parts.hostname, parts.port or STANDARD[parts.scheme]) if parts.hostname else None
    except ValueError:
        return None


def _of_words(text: str) -> tuple[str, int | None] | None:
    found = HOST.search(text)
    return (found[1], _port(found[2] or "")) if found else None
