"""The metrics: durations as histograms with the advised boundaries, and counters of healing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.metrics import MeterProvider

from engine.model.event import Event, EventKind
from engine.model.heal import Stage
from engine.model.prevention import CheckAction, FixCause
from engine.telemetry import names
from engine.telemetry.names import Metric

PREVENTS = frozenset({CheckAction.FIXED, CheckAction.BLOCKED})
"""What comes of a check that keeps a failure from happening; of a prediction nobody knows (docs/prediction.md)."""


class Measures:
    """The instruments of one engine."""

    def __init__(self, provider: MeterProvider, version: str) -> None:
        meter = provider.get_meter(names.SCOPE, version)
        self._durations = {
            metric: meter.create_histogram(
                metric.name,
                unit=metric.unit,
                description=metric.description,
                explicit_bucket_boundaries_advisory=names.BUCKETS,
            )
            for metric in names.DURATIONS
        }
        self._counters = {
            metric: meter.create_counter(metric.name, unit=metric.unit, description=metric.description)
            for metric in names.COUNTERS
        }

    def took(self, metric: Metric, seconds: float, attributes: Mapping[str, Any]) -> None:
        """Records how long something took."""
        self._durations[metric].record(seconds, attributes)

    def hear(self, event: Event) -> None:
        """Counts the event, if it is one that is counted."""
        if event.kind is EventKind.FIX_FINISHED:
            self._counters[names.FIXES].add(1, _of_fix(event.data))
        elif _prevents(event):
            self._counters[names.PREVENTED].add(1, _of_check(event.data))


def _prevents(event: Event) -> bool:
    data = event.data
    return (
        event.kind is EventKind.HEAL_STAGE and data.get("stage") == Stage.PREFLIGHT and data.get("action") in PREVENTS
    )


def _of_fix(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        names.FIX: str(data["fix"]),
        names.DOMAIN: str(data["domain"]),
        names.FIX_CAUSE: str(data.get("cause", FixCause.FAILURE)),
        names.FIX_OUTCOME: "worked" if data["ok"] else "failed",
        names.FIX_SHARED: bool(data["shared"]),
        names.KIND: str(data["kind"]),
    }


def _of_check(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        names.CHECK: str(data["check"]),
        names.CHECK_ACTION: str(data["action"]),
        names.DOMAIN: str(data["domain"]),
        names.KIND: str(data["kind"]),
    }
