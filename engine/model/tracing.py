"""What a run tells to whoever traces it; the null tracing tells nobody, and costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import field
from enum import StrEnum
from typing import Any, Protocol

from engine.model.event import Event
from engine.model.failure import Failure
from engine.model.lazy_dataclass import dataclass

NO_HEADERS: Mapping[str, str] = {}


class Purpose(StrEnum):
    """What a tool is called for: by its step, to repair something, or only to look."""

    STEP = "step"
    FIX = "fix"
    LOOK = "look"


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedRun:
    """A run as it is traced; `earlier` is the `traceparent` of the trace that it goes on from."""

    run_id: str
    skill: str
    version: str = ""
    profile: str = ""
    earlier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedStep:
    """A step as it is traced; `skill` is the one it stands in, `path` where it stands in the run."""

    run_id: str
    skill: str
    name: str
    path: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedCall:
    """A call as it is traced; `args` only leave this process where the settings say so, and never `hidden` ones."""

    tool: str
    source: str
    purpose: Purpose = Purpose.STEP
    number: int = 1
    domain: str | None = None
    step: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Providers:
    """The OpenTelemetry providers of an embedding program: its tracer provider, and its meter provider if it has one.

    `content` says that arguments of calls and messages of failures go along, without secrets.
    """

    tracer: Any
    meter: Any = None
    content: bool = False


class Span(Protocol):
    """Something under way; leaving its context ends it, and what is raised through that ends it badly."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What carries it on to other processes, by the names of HTTP headers; empty when nobody traces."""

    def ended(self, status: str, *, error: str = "", message: str = "", **counts: int) -> None:
        """How it ended: `error` is what it ended badly with, empty when it did not."""

    def failed(self, failure: Failure) -> None:
        """It failed; what that means is found out, if it is not known yet and somebody traces."""


class Tracing(Protocol):
    """Told of what begins and ends: runs, their steps, the calls of tools."""

    @property
    def listeners(self) -> tuple[Callable[[Event], None], ...]:
        """What wants to hear the events of every run, too."""

    def run(self, traced: TracedRun) -> AbstractContextManager[Span]:
        """A run, until the context is left."""

    def step(self, traced: TracedStep) -> AbstractContextManager[Span]:
        """A step of the run around it."""

    def ahead(self, of: str) -> AbstractContextManager[Span]:
        """Looking ahead of a call of that tool, beside the call; what it looks at and repairs stands in it."""

    def call(self, traced: TracedCall) -> AbstractContextManager[Span]:
        """A try at a tool, within the step around it; meanwhile its span is the current one."""

    async def aclose(self) -> None:
        """Sends what has not been sent, and waits for that only shortly."""


class _NoSpan:
    headers = NO_HEADERS

    def ended(self, status: str, *, error: str = "", message: str = "", **counts: int) -> None:
        """Tells nobody."""

    def failed(self, failure: Failure) -> None:
        """Tells nobody."""


class NoTracing:
    """Traces nothing."""

    listeners: tuple[Callable[[Event], None], ...] = ()

    def run(self, traced: TracedRun) -> AbstractContextManager[Span]:  # noqa: ARG002 - the protocol's
        """Nothing."""
        return NOTHING

    def step(self, traced: TracedStep) -> AbstractContextManager[Span]:  # noqa: ARG002 - the protocol's
        """Nothing."""
        return NOTHING

    def ahead(self, of: str) -> AbstractContextManager[Span]:  # noqa: ARG002 - the protocol's
        """Nothing."""
        return NOTHING

    def call(self, traced: TracedCall) -> AbstractContextManager[Span]:  # noqa: ARG002 - the protocol's
        """Nothing."""
        return NOTHING

    async def aclose(self) -> None:
        """Nothing has to be sent."""


NOTHING: AbstractContextManager[Span] = nullcontext(_NoSpan())
NO_TRACING: Tracing = NoTracing()


def is_untraced(given: bool | Providers | None, settings: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Whether it is plain that nobody asks for tracing: then nothing of it has to be imported."""
    return given is False or (
        given is None and "telemetry" not in settings and not any(name.startswith("OTEL_") for name in environ)
    )
