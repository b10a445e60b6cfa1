"""The providers spans and metrics go to: those of the program around us, else our own, made as the environment says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

from engine.model.failure import Failure
from engine.model.secret import Secrets
from engine.model.tracing import NO_TRACING, Providers, Tracing
from engine.telemetry import names
from engine.telemetry.masking import MaskedSpans, Masks
from engine.telemetry.measures import Measures
from engine.telemetry.of_mcp import McpDurations
from engine.telemetry.sending import Sending
from engine.telemetry.spans import OpenTelemetry

DISTRIBUTION = "skill-engine"


class OwnTracerProvider(TracerProvider):
    """The provider this engine made for its process: what is masked in it, and what sends what is left."""

    masks: Masks
    sending: Sending


def tracing(
    given: Providers | None,
    *,
    content: bool,
    environ: Mapping[str, str],
    secrets: Secrets,
    kind_of: Callable[[Failure], str],
) -> Tracing:
    """What tells the given providers, those the program around us has set, or else our own; null when all are off."""
    told = partial(OpenTelemetry, version=_version(), mask=secrets.mask, content=content, kind_of=kind_of)
    found = given or _around()
    if found is not None:
        return told(tracer=found.tracer, meter=found.meter or metrics.get_meter_provider())
    ours = trace.get_tracer_provider()
    if not isinstance(ours, OwnTracerProvider):
        made = _made(environ)
        if made is None:
            return NO_TRACING
        ours, meter = made
        trace.set_tracer_provider(ours)
        metrics.set_meter_provider(meter)
    ours.masks.add(secrets)
    ours.sending.begun()
    return told(tracer=ours, meter=metrics.get_meter_provider(), closing=ours.sending.flush)


def _around() -> Providers | None:
    """The providers that the program around us has set; a program that has set one is not given the other."""
    tracer, meter = trace.get_tracer_provider(), metrics.get_meter_provider()
    if isinstance(tracer, OwnTracerProvider):
        return None
    untouched = isinstance(tracer, trace.ProxyTracerProvider) and type(meter).__name__ == "_ProxyMeterProvider"
    return None if untouched else Providers(tracer=tracer, meter=meter)


def _made(environ: Mapping[str, str]) -> tuple[OwnTracerProvider, MeterProvider] | None:
    """Our own providers; None when the environment asks for exporters that there are not, or for none."""
    sending, masks = Sending(environ), Masks()
    spans, readers = _span_exporters(environ, sending), _readers(environ, sending)
    if not spans and not readers:
        sending.tell()
        return None
    resource = _resource(environ)
    meter = MeterProvider(metric_readers=readers, resource=resource, shutdown_on_exit=False)
    tracer = OwnTracerProvider(resource=resource, shutdown_on_exit=False)
    batches: list[SpanProcessor] = [BatchSpanProcessor(exporter) for exporter in spans]
    tracer.add_span_processor(McpDurations(Measures(meter, _version())))
    for batch in batches:
        tracer.add_span_processor(MaskedSpans(batch, masks))
    tracer.masks, tracer.sending = masks, sending
    sending.sends(*(batch.force_flush for batch in batches), *(reader.force_flush for reader in readers))
    return tracer, meter


def _span_exporters(environ: Mapping[str, str], sending: Sending) -> list[SpanExporter]:
    return [
        exporter
        for name in _named(environ, "OTEL_TRACES_EXPORTER")
        if (exporter := _span_exporter(name, environ, sending)) is not None
    ]


def _span_exporter(name: str, environ: Mapping[str, str], sending: Sending) -> SpanExporter | None:
    if name == "console":
        return ConsoleSpanExporter(out=sending.console)  # standard output is the result's, or a protocol's
    if name in {"otlp", "otlp_proto_http"} and _speaks_http(environ, "TRACES"):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - another may be asked for
            OTLPSpanExporter,
        )

        return OTLPSpanExporter(session=sending.session("TRACES"))
    made = _installed(name, "opentelemetry_traces_exporter", sending)
    return made if isinstance(made, SpanExporter) else None


def _readers(environ: Mapping[str, str], sending: Sending) -> list[MetricReader]:
    return [
        reader
        for name in _named(environ, "OTEL_METRICS_EXPORTER")
        if (reader := _reader(name, environ, sending)) is not None
    ]


def _reader(name: str, environ: Mapping[str, str], sending: Sending) -> MetricReader | None:
    if name == "console":
        from opentelemetry.sdk.metrics.export import ConsoleMetricExporter  # noqa: PLC0415 - few ask for it

        return PeriodicExportingMetricReader(ConsoleMetricExporter(out=sending.console))
    if name in {"otlp", "otlp_proto_http"} and _speaks_http(environ, "METRICS"):
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415 - another may be asked for
            OTLPMetricExporter,
        )

        return PeriodicExportingMetricReader(OTLPMetricExporter(session=sending.session("METRICS")))
    made = _installed(name, "opentelemetry_metrics_exporter", sending)
    if isinstance(made, MetricReader):
        return made
    return PeriodicExportingMetricReader(made) if isinstance(made, MetricExporter) else None


def _named(environ: Mapping[str, str], variable: str) -> Sequence[str]:
    """The exporters a variable names; OTLP where it names none, as its specification says."""
    named = [name.strip().lower() for name in (environ.get(variable) or "otlp").split(",")]
    return [name for name in named if name not in {"", "none"}]


def _speaks_http(environ: Mapping[str, str], signal: str) -> bool:
    said = environ.get(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL") or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or ""
    return said.strip() != "grpc"


def _installed(name: str, group: str, sending: Sending) -> Any:
    """The exporter of that name which another package brings; None, and a word about it, when none does."""
    wanted = "otlp_proto_grpc" if name == "otlp" else name
    found: EntryPoint | None = next(iter(entry_points(group=group, name=wanted)), None)
    if found is None:
        sending.failed(f"no package that is installed brings the exporter {wanted}")
        return None
    return found.load()()


def _resource(environ: Mapping[str, str]) -> Resource:
    """Who we are, unless the environment says so."""
    ours = _version()
    named = "service.name" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "") or environ.get("OTEL_SERVICE_NAME")
    return Resource.create(
        {"service.version": ours} if named else {"service.name": names.SCOPE, "service.version": ours}
    )


def _version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return ""
