"""An answer that lacks what its API promises is a failure of the answer, not of our code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tool_registry.sources.expected import expected
from tool_registry.tool import ToolError


@pytest.mark.parametrize(
    "take",
    [lambda told: told["name"], lambda told: told[0]["name"], int, lambda told: told.name],
    ids=["key", "index", "number", "attribute"],
)
def test_a_missing_part_breaks_the_contract(take: Callable[[Any], Any]) -> None:
    """Whatever is missing; the answer itself, which may hold secrets anywhere, is no evidence."""
    with pytest.raises(ToolError) as caught, expected("the shop"):
        take({"token": "s3cret"})
    assert (caught.value.kind, caught.value.sent) == ("api_contract_mismatch", True)
    assert "the answer of the shop" in caught.value.message
    assert "s3cret" not in f"{caught.value.message}{caught.value.output}{caught.value.details}"


def test_a_failure_of_the_tools_own_passes_through() -> None:
    """What is a ToolError already says what it is."""
    with pytest.raises(ToolError) as caught, expected("the shop"):
        raise ToolError("closed", kind="conflict")
    assert caught.value.kind == "conflict"
