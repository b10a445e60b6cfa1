"""Who may switch telemetry on and off."""

from __future__ import annotations

from typing import Any

import pytest

from engine.model.tracing import NO_TRACING, NOTHING, Providers, TracedRun, is_untraced
from engine.telemetry.opening import Asked, who_asks

SOME = Providers(tracer=object())
OTLP = {"OTEL_TRACES_EXPORTER": "otlp"}


@pytest.mark.parametrize(
    ("given", "settings", "environ", "asked"),
    [
        (None, {}, {}, None),
        (None, {}, OTLP, Asked.BY_ENVIRONMENT),
        (None, {}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, Asked.BY_ENVIRONMENT),
        (None, {}, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, Asked.BY_ENVIRONMENT),
        (None, {}, {"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, None),
        (None, {}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"}, None),
        (None, {}, {"OTEL_SERVICE_NAME": "x"}, None),
        (None, {"content": True}, {}, None),
        (None, {"content": True}, OTLP, Asked.BY_ENVIRONMENT),
        (None, {"enabled": True}, {}, Asked.BY_SETTINGS),
        (None, {"enabled": False}, OTLP, None),
        (None, {"enabled": True}, {"OTEL_SDK_DISABLED": "TRUE"}, None),
        (False, {"enabled": True}, OTLP, None),
        (True, {"enabled": False}, {}, Asked.BY_PROGRAM),
        (SOME, {}, {}, Asked.BY_PROGRAM),
        (SOME, {}, {"OTEL_SDK_DISABLED": "true"}, None),
    ],
)
def test_program_before_settings_before_environment(
    given: bool | Providers | None, settings: dict[str, Any], environ: dict[str, str], asked: Asked | None
) -> None:
    """The nearest one that says anything decides; the standard's own switch is the last word."""
    assert who_asks(given, settings, environ) is asked
    if asked is not None:
        assert not is_untraced(given, {"telemetry": settings} if settings else {}, environ)


def test_where_nobody_asks_everything_is_nothing() -> None:
    """One object for all, which carries nothing on."""
    with NO_TRACING.run(TracedRun(run_id="r", skill="s")) as span:
        assert span.headers == {}
    assert NO_TRACING.run(TracedRun(run_id="r", skill="s")) is NOTHING
    assert NO_TRACING.listeners == ()
