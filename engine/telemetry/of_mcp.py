"""How long requests of MCP took, either way: measured by the spans that its library makes."""

from __future__ import annotations

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import SpanKind

from engine.telemetry import names
from engine.telemetry.measures import Measures

LIBRARY = "mcp-python-sdk"
"""The scope of the library's spans; it measures nothing itself."""
TOLD = (names.MCP_METHOD, names.MCP_VERSION, names.OPERATION, names.TOOL, names.ERROR_TYPE, "rpc.response.status_code")
"""What such a span and its metric have in common."""


class McpDurations(SpanProcessor):
    """Records the duration of every span the library ends."""

    def __init__(self, measures: Measures) -> None:
        self._measures = measures

    def on_end(self, span: ReadableSpan) -> None:
        """Records it, if it is a request of MCP."""
        scope = span.instrumentation_scope
        if scope is None or scope.name != LIBRARY or span.end_time is None or span.start_time is None:
            return
        metric = names.SERVER_DURATION if span.kind is SpanKind.SERVER else names.CLIENT_DURATION
        told = {name: value for name, value in (span.attributes or {}).items() if name in TOLD}
        self._measures.took(metric, (span.end_time - span.start_time) / 1e9, told)
