"""The current span is carried to other processes, and on from them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from opentelemetry import context, trace

from engine.telemetry.carrying import carried, current_headers, from_environment

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_what_the_environment_carried_here_is_carried_on() -> None:
    """As a build system sets it; what the program around us noted for its own goes to no server of others."""
    found = from_environment({"TRACEPARENT": PARENT, "TRACESTATE": "a=b", "BAGGAGE": "who=ann", "HOME": "/"})
    assert trace.get_current_span(found).get_span_context().trace_id == int(PARENT[3:35], 16)
    assert carried(found) == {"traceparent": PARENT, "tracestate": "a=b"}
    assert current_headers() == {}
    token = context.attach(found)
    try:
        assert current_headers() == {"traceparent": PARENT, "tracestate": "a=b", "baggage": "who=ann"}
    finally:
        context.detach(token)


@pytest.mark.parametrize("given", [None, "", "00-0-0-0", PARENT * 9])
def test_an_environment_that_names_no_span_carries_none(given: str | None) -> None:
    """What somebody else sets is data."""
    found = from_environment({} if given is None else {"TRACEPARENT": given})
    assert not trace.get_current_span(found).get_span_context().is_valid


def test_without_the_extra_nothing_is_carried_and_nothing_breaks() -> None:
    """In a process that has no such package."""
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from engine.telemetry.carrying import current_headers\n"
        "assert current_headers() == {}\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
