"""Reading what a caller sent: right shapes come through, wrong ones are named."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tool_registry.local_platform.answers import Refusal
from tool_registry.local_platform.requests import Fields, Request


def request(body: bytes = b"", query: str = "") -> Request:
    """Make a request with a body."""
    return Request(method="POST", path="/", query=query, headers={}, body=body)


@pytest.mark.parametrize("body", [b"{", b"[]", b"1", b"\xff", b"[" * 200_000])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    """Broken, strange and deeply nested JSON is 400."""
    with pytest.raises(Refusal) as refused:
        request(body).fields()
    assert refused.value.status == 400


def test_right_shapes_come_through() -> None:
    """Every question gives the value it asks for."""
    value = {"w": "shop-1", "s": 1.5, "c": ["ls", "-l", ""], "v": {"A_1": "x"}, "p": "out/report.xml"}
    fields = request(json.dumps(value).encode()).fields()
    assert (fields.word("w"), fields.seconds("s"), fields.words("c")) == ("shop-1", 1.5, ["ls", "-l", ""])
    assert (fields.variables("v"), fields.inner_path("p"), fields.inner_path("none")) == (
        {"A_1": "x"},
        "out/report.xml",
        None,
    )
    assert request(query="tail=5&tail=6").asked("tail") == "6"


@pytest.mark.parametrize(
    ("ask", "value"),
    [
        *[(Fields.word, value) for value in ("", "Shop", "../x", "x" * 41, 5, None, "x\n")],
        *[(Fields.seconds, value) for value in (0, -1, True, "5", None, float("inf"), float("nan"))],
        *[(Fields.words, value) for value in ([], "ls -l", [1], [""], ["a\0"], None)],
        *[(Fields.variables, value) for value in ([1], {"1A": "x"}, {"A": 5}, {"A": "\0"}, {"A=B": "x"})],
        *[(Fields.inner_path, value) for value in ("/etc/passwd", "../x", "a/../../x", "a/", 5)],
    ],
)
def test_a_wrong_shape_is_named(ask: Callable[[Fields, str], object], value: object) -> None:
    """The refusal says which field."""
    with pytest.raises(Refusal, match=r"^field") as refused:
        ask(Fields({"field": value}), "field")
    assert refused.value.code == "bad_request"


@pytest.mark.parametrize("number", ["1e999", "NaN", "1" * 4000, "-1", "0", "true", '"5"'])
def test_a_number_nobody_can_reckon_with_is_refused(number: str) -> None:
    """An integer of 4,000 digits is JSON, and no float can hold it."""
    with pytest.raises(Refusal, match="duration must be a number of seconds"):
        request(f'{{"duration": {number}}}'.encode()).fields().seconds("duration")
