"""A collector of OpenTelemetry's own protocol over HTTP: it decodes what it is sent, and keeps it."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A span as it arrived; `service` is who sent it, `pid` not known to the protocol and so not told."""

    name: str
    trace: str
    id: str
    parent: str
    kind: int
    service: str
    scope: str
    error: bool
    said: str
    attributes: dict[str, Any]
    links: tuple[str, ...]


@dataclass(slots=True)
class Collector:
    """What arrived: spans, metrics by name, and every request as it was."""

    url: str = ""
    spans: list[Seen] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)
    raw: bytes = b""
    status: int = 200
    elsewhere: str = ""
    headers: list[dict[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def named(self, start: str) -> list[Seen]:
        """The spans whose name begins so, in the order they ended."""
        return [span for span in self.spans if span.name.startswith(start)]

    def one(self, start: str) -> Seen:
        """The only span whose name begins so."""
        found = self.named(start)
        assert len(found) == 1, [span.name for span in self.spans]
        return found[0]

    def take(self, path: str, body: bytes) -> None:
        """Keeps what a request brought."""
        with self.lock:
            self.raw += body
            if path == "/v1/traces":
                self._take_spans(ExportTraceServiceRequest.FromString(body))
            elif path == "/v1/metrics":
                self._take_metrics(ExportMetricsServiceRequest.FromString(body))

    def _take_spans(self, request: Any) -> None:
        for resource in request.resource_spans:
            service = _attributes(resource.resource.attributes).get("service.name", "")
            for scope in resource.scope_spans:
                self.spans += [_seen(span, service, scope.scope.name) for span in scope.spans]

    def _take_metrics(self, request: Any) -> None:
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                self.metrics.update({metric.name: metric for metric in scope.metrics})


def _seen(span: Any, service: str, scope: str) -> Seen:
    return Seen(
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        kind=span.kind,
        service=service,
        scope=scope,
        error=span.status.code == span.status.STATUS_CODE_ERROR,
        said=span.status.message,
        attributes=_attributes(span.attributes),
        links=tuple(link.trace_id.hex() for link in span.links),
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value") for pair in pairs}


@contextmanager
def collecting(status: int = 200) -> Iterator[Collector]:
    """A collector on a free port, which answers with that status; at the end it is gone."""
    kept = Collector(status=status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.headers.append(dict(self.headers.items()))
            kept.take(self.path, gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            if kept.elsewhere:
                self.send_header("Location", kept.elsewhere)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        kept.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield kept
        finally:
            server.shutdown()
            thread.join()
