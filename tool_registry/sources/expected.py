"""Answers that are taken apart: what a server's API promises and this answer does not have is a failure of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tool_registry.tool import ToolError


@contextmanager
def expected(of: str) -> Iterator[None]:
    """Whoever takes an answer apart in this block, or in a function it decorates, and finds it shaped otherwise fails.

    `of` is whose answer it is. The answer itself is no evidence: what came in another form than promised may hold
    secrets in places where nobody masks them.

    Raises:
        ToolError: `api_contract_mismatch`, with what was missing.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise ToolError(
            f"the answer of {of} does not have the form that its API promises: {type(error).__name__}: {error}",
            kind="api_contract_mismatch",
            sent=True,
        ) from error
