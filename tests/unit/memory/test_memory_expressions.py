"""Which expressions are refused, and that refusing is quick."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.documents import read
from engine.memory import expressions
from engine.memory.rows import rows

REFUSED = [
    (r"(a+)+b", "repeats a part"),
    (r"(?:a*)*b", "repeats a part"),
    (r"((?:ab)*x?)*c", "repeats a part"),
    (r"(\w+\s?)+:", "repeats a part"),
    (r"^(?:[a-z]+,)+$", "repeats a part"),
    (r"(?:x{2,}y?)+z", "repeats a part"),
    (r"(a|aa)+b", "takes more than"),
    (r"(a|a)*$x", "takes more than"),
    (r"(a{1,500}){1,500}b", "takes more than"),
    (r"(.*)(.*)(.*)(.*)q", "takes more than"),
    (r"[a-", "does not compile"),
    (r"(?P<a>x)(?P<a>y)", "does not compile"),
    (r"x{99999999999}", "does not compile"),
    (r"a*", "every failure"),
    (r"|error", "every failure"),
    ("x" * 2_001, "longer than"),
]


@pytest.mark.parametrize(("expression", "why"), REFUSED, ids=[expression[:20] for expression, _ in REFUSED])
def test_an_expression_that_may_take_forever_is_refused_quickly(expression: str, why: str) -> None:
    """Also the look at it must not take forever."""
    begin = time.process_time()
    assert why in expressions.fault(expression)
    assert time.process_time() - begin < 2.0


@pytest.mark.parametrize(
    "expression",
    [
        r"no route to host",
        r"^fatal: .+ has no upstream branch\.$",
        r"\(a\+\)\+b",
        r"[(a+)+]b",
        r"[]a(]+x",
        r"(?i)(?:error|fatal): .{0,200}(?:401|unauthorized)\b",
        r"(?:\w{1,60} ){0,20}failed",
        r"^(?:[a-z]{1,20}: ){0,5}permission denied$",
        r"exit (?:code|status) \d+",
    ],
)
def test_an_ordinary_expression_is_used(expression: str) -> None:
    """Marks behind a backslash or in brackets repeat nothing."""
    assert expressions.fault(expression) == ""


def test_every_shipped_pattern_is_usable() -> None:
    """None is left out, and none needs the slow look."""
    document = read(Path(__file__).parents[3] / "memory" / "learned" / "patterns.yaml")
    found = rows(document)
    assert found.findings == ()
    assert len(found.rows) > 20
