"""One try at one step: exceptions become data, cancellation does not."""

from __future__ import annotations

import time

import anyio
import pytest

from engine.attempt import attempt, failure_of
from engine.errors import RaisedError, SandboxLimitError
from engine.heal.proof import untouched
from engine.model.failure import FailureKind
from engine.model.outcome import ToolCall
from tool_registry.tool import ToolError

CALL = ToolCall(tool="some_tool", args={"x": 1})


async def test_a_value_is_an_attempt_that_worked() -> None:
    """What the action returns is the attempt's value."""

    async def act() -> int:
        return 7

    tried = await attempt(CALL, act, clock=time.time)
    assert (tried.ok, tried.value, tried.number) == (True, 7, 1)
    assert tried.started_at <= tried.finished_at


async def test_a_tool_error_keeps_all_its_evidence() -> None:
    """Nothing a tool knew about its failure is lost on the way."""

    async def act() -> None:
        raise ToolError("no", http_status=401, errno="X", output="body", sent=True, retry_after=3.0, details={"a": 1})

    failure = (await attempt(CALL, act, clock=time.time)).failure
    assert failure is not None
    evidence = failure.evidence
    assert (evidence.http_status, evidence.errno, evidence.text) == (401, "X", "body")
    assert (evidence.sent, evidence.retry_after, evidence.details) == (True, 3.0, {"a": 1})


async def test_the_end_of_a_long_text_is_kept() -> None:
    """Programs say what went wrong last."""
    failure = failure_of(ToolError("no", output="x" * 100_000 + " the reason"))
    assert failure.evidence.text.endswith("the reason")
    assert len(failure.evidence.text) < 10_000


def test_a_message_is_never_endless() -> None:
    """It is shown and written in many places."""
    failure = failure_of(ValueError("x" * 10_000_000))
    assert failure.message.endswith("characters more)")
    assert len(failure.message) < 2_100


async def test_a_tool_that_wants_to_exit_has_failed() -> None:
    """`sys.exit` in a tool ends its call, not the run that has to clean up."""

    async def act() -> None:
        raise SystemExit(3)

    tried = await attempt(CALL, act, clock=time.time)
    assert tried.failure is not None
    assert "SystemExit" in tried.failure.message


async def test_no_answer_in_time_is_a_timeout_of_ours() -> None:
    """Our own deadline names the kind itself; a tool's TimeoutError stays the tool's."""
    tried = await attempt(CALL, anyio.sleep_forever, clock=time.time, timeout=0.01)
    assert tried.failure is not None
    assert tried.failure.kind is FailureKind.TIMEOUT
    assert failure_of(TimeoutError("its own")).kind is FailureKind.UNKNOWN


async def test_cancellation_goes_through() -> None:
    """A cancelled attempt raises; it never becomes a failure."""
    ended = False
    with anyio.CancelScope() as scope:
        scope.cancel()
        await attempt(CALL, anyio.sleep_forever, clock=time.time)
        ended = True
    assert scope.cancelled_caught
    assert not ended


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RaisedError("the author said so"), FailureKind.RAISED),
        (SandboxLimitError("too much"), FailureKind.RESOURCE_EXHAUSTED),
    ],
)
def test_what_the_engine_knows_is_named_at_once(error: Exception, kind: FailureKind) -> None:
    """Failures of the engine's own rooms need no diagnosis."""
    assert failure_of(error).kind is kind


def test_a_group_of_exceptions_says_what_all_in_it_say() -> None:
    """A task group wraps even one; where they differ, the group says nothing. The other tasks were cut off anywhere."""
    refused = ToolError("no", http_status=401, sent=False)
    failure = failure_of(ExceptionGroup("tasks", [refused, ToolError("no", http_status=401, sent=False)]))
    assert (failure.message, failure.evidence.http_status, failure.evidence.sent) == ("no", 401, None)
    assert not untouched(failure.evidence, FailureKind.AUTH_EXPIRED)
    differing = failure_of(ExceptionGroup("tasks", [refused, ValueError("x")]))
    assert differing.evidence.exception == "builtins.ExceptionGroup"


def test_an_exception_without_words_is_told_by_its_name() -> None:
    """One that fails to be put into words must not raise at the border where exceptions become data."""

    class Wordless(Exception):  # noqa: N818 - named by what it is
        def __str__(self) -> str:
            raise RuntimeError("no words")

    assert failure_of(Wordless()).message == "Wordless"


def test_an_operating_system_error_gives_its_symbol() -> None:
    """Its errno is evidence, as a name."""
    assert failure_of(ConnectionRefusedError(111, "refused")).evidence.errno == "ECONNREFUSED"
