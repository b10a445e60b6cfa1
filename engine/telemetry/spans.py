"""Runs, steps and calls as OpenTelemetry spans, each the current one while it is under way."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from contextvars import Token
from types import TracebackType
from typing import Any, Self

import anyio
from opentelemetry import context as contexts
from opentelemetry import propagate, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, Tracer, TracerProvider

from engine.model.event import Event
from engine.model.failure import Failure, FailureKind
from engine.model.tracing import TracedCall, TracedRun, TracedStep
from engine.telemetry import names
from engine.telemetry.carrying import carried, from_environment
from engine.telemetry.measures import Measures
from engine.telemetry.names import Metric
from engine.telemetry.told import happening

ARGUMENTS_LIMIT = 2_000
"""Characters of a call's arguments that go along, where they do."""


class Spanning:
    """One span under way, which is the current one until its context is left."""

    __slots__ = ("_attributes", "_measured", "_metric", "_parent", "_place", "_span", "_started", "_token", "_tracing")

    def __init__(  # noqa: PLR0913 - a span is a flat record
        self,
        tracing: OpenTelemetry,
        name: str,
        attributes: dict[str, Any],
        *,
        place: tuple[str, str] | None = None,
        metric: Metric | None = None,
        measured: dict[str, Any] | None = None,
        links: list[Link] | None = None,
        parent: contexts.Context | None = None,
    ) -> None:
        self._tracing, self._place, self._metric = tracing, place, metric
        self._measured = measured or {}
        self._attributes = attributes
        self._parent = contexts.get_current() if parent is None else parent
        self._span = tracing.tracer.start_span(
            name,
            self._parent,
            SpanKind.INTERNAL,
            attributes,
            links,
            record_exception=False,
            set_status_on_exception=False,
        )
        self._started = time.perf_counter()
        self._token: Token[contexts.Context] | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """What carries it on."""
        return carried(trace.set_span_in_context(self._span, self._parent))

    def ended(self, status: str, *, error: str = "", message: str = "", **counts: int) -> None:
        """How a run or step ended."""
        name = names.STEP_STATUS if self._place and self._place[1] else names.RUN_STATUS
        self._span.set_attribute(name, status)
        self._measured[name] = status
        for counted, count in counts.items():
            self._span.set_attribute(COUNTS[counted], count)
        if error:
            self._went_wrong(error, message)

    def failed(self, failure: Failure) -> None:
        """It failed."""
        self._went_wrong(self._tracing.kind_of(failure), failure.message)

    def _went_wrong(self, error: str, message: str = "") -> None:
        """Marks it; what failed says of itself only goes along where content does."""
        self._span.set_attribute(names.ERROR_TYPE, error)
        self._measured[names.ERROR_TYPE] = error
        self._span.set_status(Status(StatusCode.ERROR, self._tracing.shown(message) or None))

    def __enter__(self) -> Self:
        self._token = contexts.attach(trace.set_span_in_context(self._span, self._parent))
        if self._place is not None:
            self._tracing.open[self._place] = self._span
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        if error is not None:
            self._went_wrong(_kind_of(error))
        if self._place is not None:
            self._tracing.open.pop(self._place, None)
        if self._metric is not None:
            # Recorded while the span is current, so that an exemplar can name it.
            self._tracing.measures.took(self._metric, time.perf_counter() - self._started, self._measured)
        if self._token is not None:
            contexts.detach(self._token)
        self._span.end()


COUNTS = {"healed": names.RUN_HEALED, "attempts": names.STEP_ATTEMPTS, "fixes": names.STEP_FIXES}
"""The attributes of what is counted."""


class OpenTelemetry:
    """Tells OpenTelemetry of runs; `open` are the spans of the runs and steps under way, by run id and path.

    `mask` takes the secrets out of what goes along as content, `kind_of` says what a failure is, and `closing` is
    called when nothing more will come.
    """

    def __init__(
        self,
        *,
        tracer: TracerProvider,
        meter: MeterProvider,
        version: str,
        mask: Callable[[Any], Any],
        kind_of: Callable[[Failure], str],
        content: bool = False,
        closing: Callable[[], None] | None = None,
    ) -> None:
        self.tracer: Tracer = tracer.get_tracer(names.SCOPE, version)
        self.measures = Measures(meter, version)
        self.open: dict[tuple[str, str], trace.Span] = {}
        self.kind_of = kind_of
        self._mask, self._content, self._closing = mask, content, closing

    @property
    def listeners(self) -> tuple[Callable[[Event], None], ...]:
        """Hears what healing did."""
        return (self._hear,)

    def run(self, traced: TracedRun) -> Spanning:
        """A run; without a span around it, it goes on with the trace that the environment names."""
        around = contexts.get_current()
        parent = around if trace.get_current_span(around).get_span_context().is_valid else from_environment(os.environ)
        return Spanning(
            self,
            f"{names.RUN} {traced.skill}",
            {
                names.SKILL: traced.skill,
                names.VERSION: traced.version,
                names.PROFILE: traced.profile,
                names.RUN_ID: traced.run_id,
            },
            place=(traced.run_id, ""),
            metric=names.RUN_DURATION,
            measured={names.SKILL: traced.skill},
            links=_links(traced.earlier),
            parent=parent,
        )

    def step(self, traced: TracedStep) -> Spanning:
        """A step of the run around it."""
        return Spanning(
            self,
            f"{names.STEP} {traced.name}",
            {
                names.SKILL: traced.skill,
                names.RUN_ID: traced.run_id,
                names.STEP_NAME: traced.name,
                names.STEP_PATH: traced.path,
                names.STEP_ACTION: traced.action,
            },
            place=(traced.run_id, traced.path),
            metric=names.STEP_DURATION,
            measured={names.SKILL: traced.skill, names.STEP_ACTION: traced.action},
        )

    def ahead(self, of: str) -> Spanning:
        """Looking ahead of a call."""
        return Spanning(self, f"{names.AHEAD} {of}", {names.TOOL: of})

    def call(self, traced: TracedCall) -> Spanning:
        """A try at a tool."""
        attributes: dict[str, Any] = {
            names.OPERATION: names.CALL,
            names.TOOL: traced.tool,
            names.TOOL_TYPE: "function",
            names.TOOL_SOURCE: traced.source,
            names.CALL_PURPOSE: traced.purpose.value,
            names.CALL_NUMBER: traced.number,
            names.STEP_PATH: traced.step,
        }
        if traced.domain:
            attributes[names.DOMAIN] = traced.domain
        if self._content and not traced.hidden:
            said = json.dumps(self._mask(dict(traced.args)), ensure_ascii=False, default=str)
            attributes[names.ARGUMENTS] = said[:ARGUMENTS_LIMIT]
        measured = {names.TOOL: traced.tool, names.CALL_PURPOSE: traced.purpose.value}
        return Spanning(self, f"{names.CALL} {traced.tool}", attributes, metric=names.CALL_DURATION, measured=measured)

    def shown(self, message: str) -> str:
        """What may go along of a sentence that quotes what runs work with: nothing, unless content does."""
        return str(self._mask(message))[:ARGUMENTS_LIMIT] if self._content and message else ""

    async def aclose(self) -> None:
        """Sends what has not been sent, and waits for that only shortly; where others send, they see to it."""
        if self._closing is not None:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._closing)

    def _hear(self, event: Event) -> None:
        self.measures.hear(event)
        told = happening(event)
        span = self.open.get((event.run_id, event.step)) if told else None
        if span is not None and told is not None:
            span.add_event(told.name, told.attributes, timestamp=int(event.at * 1e9))


def _links(earlier: str) -> list[Link] | None:
    """What links a run to the trace it goes on from; None when there is none, or it cannot be read."""
    if not earlier:
        return None
    found = trace.get_current_span(propagate.extract({"traceparent": earlier}, contexts.Context())).get_span_context()
    return [Link(found, {names.LINK: "earlier"})] if found.is_valid else None


def _kind_of(error: BaseException) -> str:
    """What ended something that it did not foresee: cancellation, or an exception by its name."""
    if isinstance(error, anyio.get_cancelled_exc_class()):
        return FailureKind.CANCELLED.value
    return type(error).__qualname__
