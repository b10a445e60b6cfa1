"""Whatever is written, the sandbox gives a value or a SandboxError, and the host's data stays as it was."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from engine.errors import SandboxError
from engine.model.place import Place, Text
from engine.sandbox import Sandbox

NAMES: dict[str, object] = {"a": {"b": [1, "x", None], "c": 2.5}, "t": "text {{ a }}", "n": 3, "l": [3, 1, 2]}

WORDS = (
    "a t n l a.b a.c a.z none true 1 0 -1 2.5 'x' '' [] {} () ( ) [ ] { } , : . + - * / // % ** ~ | & == != < > <= in "
    "is not and or if else for lambda def return len( str( sum( range( sorted( now() isinstance( .upper() .split() "
    ".items() .get( .append( .format( .__class__ [0] [1:] |default(1) |length |join(',') |upper |map('upper') | "
    "defined x=1 := ; \\ \n # \u00e9 \u00df f'{a}' b'' 99999999999 1e308 0x \x00 {{ }} {% %}"
)
PIECES = some.sampled_from(WORDS.split(" "))
WRITTEN = some.lists(PIECES, max_size=12).map(" ".join) | some.text(max_size=30)
STATEMENTS = some.lists(
    some.sampled_from(
        [
            "result = {}",
            "x = {}",
            "for i in {}:\n    result = i",
            "if {}:\n    result = 1",
            "result = [i for i in {}]",
            "def f(x):\n    return {}\nresult = f(a)",
            "try:\n    result = {}\nexcept Exception as e:\n    result = str(e)",
            "del a[{}]",
            "raise ValueError({})",
            "import {}",
            "result = f'{{{}}}'",
        ]
    ),
    min_size=1,
    max_size=3,
)


def written(text: str) -> Text:
    """`text` somewhere."""
    return Text(text=text, place=Place(file="skill.yaml", line=1, column=1), indent=0)


@given(WRITTEN)
@settings(max_examples=500, deadline=None)
def test_an_expression_gives_a_value_or_a_sandbox_error(text: str) -> None:
    """No expression raises anything but a SandboxError, when read or when evaluated."""
    sandbox, names = Sandbox(), copy.deepcopy(NAMES)
    findings = sandbox.read_expression(written(text)).findings
    places: list[Place | None] = []
    try:
        sandbox.evaluate(written(text), names)
    except SandboxError as error:
        places.append(error.place)
    else:
        assert findings == ()
    assert None not in places
    assert names == NAMES


@given(
    WRITTEN,
    WRITTEN,
    some.sampled_from(
        ["x {{{{ {} }}}} {}", "{{% if {} %}}{}{{% endif %}}", "{{% for i in {} %}}{}{{% endfor %}}", "{}{}"]
    ),
)
@settings(max_examples=400, deadline=None)
def test_a_template_gives_a_value_or_a_sandbox_error(first: str, second: str, around: str) -> None:
    """No template raises anything but a SandboxError, when read or when rendered."""
    sandbox, names = SHARED, copy.deepcopy(NAMES)
    text = around.format(first, second)
    sandbox.read_template(written(text))
    places: list[Place | None] = []
    try:
        sandbox.render(written(text), names)
    except SandboxError as error:
        places.append(error.place)
    assert None not in places
    assert names == NAMES


SHARED = Sandbox()
"""One environment for all templates: making it is the slowest part."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for all blocks."""
    return "asyncio"


@pytest.fixture(scope="module")
async def sandbox(anyio_backend: str) -> AsyncIterator[Sandbox]:  # noqa: ARG001 - the loop it lives in
    """A sandbox whose workers are stopped in the end."""
    sandbox = Sandbox()
    yield sandbox
    await sandbox.aclose()


@given(texts=some.lists(WRITTEN, min_size=3, max_size=3), statements=STATEMENTS)
@settings(max_examples=250, deadline=None)
async def test_a_compute_block_gives_a_value_or_a_sandbox_error(
    sandbox: Sandbox, texts: list[str], statements: list[str]
) -> None:
    """No compute block raises anything but a SandboxError, when read or when run."""
    names = copy.deepcopy(NAMES)
    text = "\n".join(
        [*(statement.format(text) for statement, text in zip(statements, texts, strict=False)), "result = 1"]
    )
    sandbox.read_compute(written(text))
    places: list[Place | None] = []
    try:
        await sandbox.compute(written(text), names)
    except SandboxError as error:
        places.append(error.place)
    assert None not in places
    assert names == NAMES
