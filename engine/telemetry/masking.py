"""Spans as they may leave this process: whatever made them, with a mask in place of every secret."""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from opentelemetry import context
from opentelemetry.sdk.trace import Event, ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import Link, Status

from engine.model.secret import Secrets


class Masks:
    """The secrets of every engine that tells the same provider, as long as there is the engine."""

    def __init__(self) -> None:
        self._secrets: WeakSet[Secrets] = WeakSet()

    def add(self, secrets: Secrets) -> None:
        """From now on, these are masked."""
        self._secrets.add(secrets)

    def masked(self, value: Any) -> Any:
        """The value without secrets."""
        for secrets in tuple(self._secrets):
            value = secrets.mask(value)
        return value


class MaskedSpans(SpanProcessor):
    """Hands spans on to `inner`, masked: the library of MCP quotes in its own what servers and tools have said."""

    def __init__(self, inner: SpanProcessor, masks: Masks) -> None:
        self._inner, self._masks = inner, masks

    def on_start(self, span: Span, parent_context: context.Context | None = None) -> None:
        """Hands it on."""
        self._inner.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Hands it on, masked."""
        self._inner.on_end(self._masked(span))

    def shutdown(self) -> None:
        """Ends `inner`."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flushes `inner`."""
        return self._inner.force_flush(timeout_millis)

    def _masked(self, span: ReadableSpan) -> ReadableSpan:
        mask = self._masks.masked
        return ReadableSpan(
            name=mask(span.name),
            context=span.get_span_context(),
            parent=span.parent,
            resource=span.resource,
            attributes=mask(dict(span.attributes or {})),
            events=[
                Event(mask(event.name), mask(dict(event.attributes or {})), event.timestamp) for event in span.events
            ],
            links=[Link(link.context, mask(dict(link.attributes or {}))) for link in span.links],
            kind=span.kind,
            status=Status(span.status.status_code, mask(span.status.description)),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )
