"""Carrying a trace to other processes, and on from the environment; without the extra `otel` nothing is carried.

Nothing of OpenTelemetry is imported unless somebody has.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

NOT_FOR_OTHERS = frozenset({"baggage"})
"""What is not sent to the servers that tools ask: it holds what the program around us noted for its own."""


def current_headers() -> dict[str, str]:
    """What carries the current span on, by the names of HTTP headers; empty when there is none."""
    if "opentelemetry.trace" not in sys.modules:
        return {}
    from opentelemetry import propagate  # noqa: PLC0415 - an optional extra

    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers


def carried(context: Any) -> dict[str, str]:
    """What carries that context on to the servers and programs that tools ask."""
    from opentelemetry import propagate  # noqa: PLC0415 - an optional extra

    headers: dict[str, str] = {}
    propagate.inject(headers, context)
    return {name: value for name, value in headers.items() if name not in NOT_FOR_OTHERS}


def from_environment(environ: Mapping[str, str]) -> Any:
    """The context that the environment carries (`TRACEPARENT`, as a build system sets it), else an empty one."""
    from opentelemetry import context, propagate  # noqa: PLC0415 - an optional extra

    wanted = propagate.get_global_textmap().fields
    named = {name: environ[in_environment(name)] for name in wanted if in_environment(name) in environ}
    return propagate.extract(named, context.get_current())


def in_environment(header: str) -> str:
    """The name of a header as a variable of the environment."""
    return header.upper().replace("-", "_")
