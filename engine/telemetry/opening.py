"""Whether and how an engine is traced: by the program around it, by its settings, or by the environment."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from enum import Enum, auto
from functools import partial
from importlib.util import find_spec
from typing import Any, Protocol

from engine.errors import MissingExtraError
from engine.heal.detect import diagnose
from engine.memory import Memory
from engine.model.failure import Failure, FailureKind
from engine.model.secret import Secrets
from engine.model.tracing import NO_TRACING, Providers, Tracing
from engine.workspace import Workspace

ASKS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER")
"""Variables that ask for telemetry."""


class Traced(Protocol):
    """What tracing needs of the engine it is for."""

    @property
    def workspace(self) -> Workspace:
        """Where its settings are."""

    @property
    def secrets(self) -> Secrets:
        """What is masked."""

    @property
    def memory(self) -> Memory:
        """Which failures are known."""

    @property
    def telemetry(self) -> bool | Providers | None:
        """What the embedding program says: its providers, yes or no, or nothing."""


class Asked(Enum):
    """Who asks for telemetry."""

    BY_PROGRAM = auto()
    BY_SETTINGS = auto()
    BY_ENVIRONMENT = auto()


def opened(engine: Traced) -> Tracing:
    """What the engine's runs are traced with; the null tracing when nobody asks for more.

    Raises MissingExtraError when the program or its settings ask for it and the extra is not installed. The
    environment may have been set for other programs: then one line of warning is all.
    """
    settings: Mapping[str, Any] = engine.workspace.settings.get("telemetry", {})
    asked = who_asks(engine.telemetry, settings, os.environ)
    if asked is None:
        return NO_TRACING
    if not is_installed():
        return _without(asked, os.environ)
    from engine.telemetry.providers import tracing  # noqa: PLC0415 - an optional extra

    given = engine.telemetry if isinstance(engine.telemetry, Providers) else None
    return tracing(
        given,
        content=given.content if given else bool(settings.get("content", False)),
        environ=os.environ,
        secrets=engine.secrets,
        kind_of=partial(_kind_of, engine),
    )


def is_installed() -> bool:
    """Whether the extra `otel` is there."""
    return find_spec("opentelemetry") is not None and find_spec("opentelemetry.sdk") is not None


def who_asks(given: bool | Providers | None, settings: Mapping[str, Any], environ: Mapping[str, str]) -> Asked | None:
    """Who asks for telemetry; None when nobody does, or somebody with more say refuses."""
    if given is False or environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    if given is not None:
        return Asked.BY_PROGRAM
    if "enabled" in settings:
        return Asked.BY_SETTINGS if settings["enabled"] else None
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    asks = any(environ.get(name, "").strip() for name in ASKS) and exporter != "none"
    return Asked.BY_ENVIRONMENT if asks else None


def _without(asked: Asked, environ: Mapping[str, str]) -> Tracing:
    if asked is not Asked.BY_ENVIRONMENT:
        raise MissingExtraError("otel", "telemetry")
    named = next(name for name in ASKS if environ.get(name, "").strip())
    said = "telemetry is off: %s is set, and the extra `otel` is not installed (pip install 'skill-engine[otel]')"
    logging.getLogger("engine.telemetry").warning(said, named)
    return NO_TRACING


def _kind_of(engine: Traced, failure: Failure) -> str:
    """What a failure is, diagnosed as healing will do it if that has not happened yet."""
    if failure.kind is not FailureKind.UNKNOWN:
        return failure.kind.value
    return diagnose(failure, engine.memory.patterns.all()).kind.value
