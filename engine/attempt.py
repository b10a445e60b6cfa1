"""One try at one step: the only place where exceptions become data.

Cancellation is never caught here. `except Exception` stands at this border, and only here, because a tool may raise
anything.
"""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import anyio

from engine.errors import EngineError, PreflightError, RaisedError, SandboxLimitError
from engine.model.failure import JOINED, Evidence, Failure, FailureKind
from engine.model.outcome import Attempt, ToolCall
from tool_registry.tool import ToolError

TEXT_LIMIT = 8_192
"""Characters of a failure's text that are kept."""

MESSAGE_LIMIT = 2_000
"""Characters of a failure's message, which is shown and written in many places."""

Mask = Callable[[Any], Any]


def as_it_is(value: Any) -> Any:
    """The value: nothing in it is secret."""
    return value


async def attempt(
    call: ToolCall,
    action: Callable[[], Awaitable[Any]],
    *,
    clock: Callable[[], float],
    number: int = 1,
    timeout: float | None = None,
    mask: Mask = as_it_is,
) -> Attempt:
    """Runs `action` once, for at most `timeout` seconds, and says how it went; never raises but for cancellation.

    `mask` takes the secrets out of what a failure says, before any of it is cut, levelled or quoted.
    """
    started = clock()
    value, failure = None, None
    try:
        with anyio.move_on_after(timeout) as scope:
            value = await action()
        if scope.cancelled_caught:
            failure = _out_of_time(call.tool, timeout)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the tool border: whatever a tool raises is a failure, as data
        failure = failure_of(error, tool=call.tool, mask=mask)
    return Attempt(number=number, call=call, started_at=started, finished_at=clock(), value=value, failure=failure)


def failure_of(error: BaseException, *, tool: str = "", mask: Mask = as_it_is) -> Failure:
    """What an exception says, as data; evidence first, words last."""
    failure = _failure(error, tool, mask)
    if len(failure.message) <= MESSAGE_LIMIT:
        return failure
    more = len(failure.message) - MESSAGE_LIMIT
    return replace(failure, message=f"{failure.message[:MESSAGE_LIMIT]}... ({more} characters more)")


def _failure(error: BaseException, tool: str, mask: Mask) -> Failure:
    alike = _alike(error, tool, mask) if isinstance(error, BaseExceptionGroup) else None
    return alike or _of_one(error, tool, mask)


def _of_one(error: BaseException, tool: str, mask: Mask) -> Failure:
    match error:
        case ToolError():
            return Failure(message=mask(error.message), tool=tool, evidence=_evidence_of_tool(error, mask))
        case RaisedError():
            return Failure(message=mask(error.message), tool=tool, kind=FailureKind.RAISED)
        case PreflightError():
            return Failure(message=mask(error.message), tool=tool, kind=error.kind, evidence=Evidence(sent=False))
        case SandboxLimitError():
            return Failure(message=mask(str(error)), tool=tool, kind=FailureKind.RESOURCE_EXHAUSTED)
        case EngineError():
            return Failure(message=mask(str(error)), tool=tool, kind=FailureKind.CODE_ERROR)
        case _:
            said = mask(_sentence(error))
            return Failure(message=said, tool=tool, evidence=_evidence_of_exception(error, said))


def _evidence_of_tool(error: ToolError, mask: Mask) -> Evidence:
    return Evidence(
        declared=error.kind,
        http_status=error.http_status,
        exit_status=error.exit_status,
        errno=error.errno,
        program=error.program,
        text=mask(error.output or error.message)[-TEXT_LIMIT:],
        sent=error.sent,
        retry_after=error.retry_after,
        details=mask(error.details),
    )


def _evidence_of_exception(error: BaseException, said: str) -> Evidence:
    number = error.errno if isinstance(error, OSError) else None
    return Evidence(
        errno=errno.errorcode.get(number) if number else None,
        exception=f"{type(error).__module__}.{type(error).__qualname__}",
        text=said[:TEXT_LIMIT],
    )


def _alike(group: BaseExceptionGroup[BaseException], tool: str, mask: Mask) -> Failure | None:
    """What all exceptions in a group say, which a task group wraps even where there is one; None if they differ."""
    failures = [_failure(error, tool, mask) for error in group.exceptions]
    first = failures[0]
    if any((each.kind, each.evidence) != (first.kind, first.evidence) for each in failures):
        return None
    # The other tasks of the group were cut off, and nobody knows where: it is never proven that nothing happened.
    return replace(first, evidence=replace(first.evidence, sent=None, details={**first.evidence.details, JOINED: True}))


def _sentence(error: BaseException) -> str:
    name = type(error).__name__
    try:
        said = str(error)
    except Exception:  # noqa: BLE001 - an exception that cannot be put into words is still told by its name
        return name
    return f"{name}: {said}" if said else name


def _out_of_time(tool: str, timeout: float | None) -> Failure:
    return Failure(
        message=f"no answer from {tool} within {timeout:g} s" if timeout else f"{tool} had no time left",
        tool=tool,
        kind=FailureKind.TIMEOUT,
    )
