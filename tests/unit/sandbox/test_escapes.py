"""Nothing an author writes gets out of the sandbox, hangs it, or changes what the host holds."""

from __future__ import annotations

import copy
import resource
import time

import pytest

from engine.errors import SandboxError
from engine.model.place import Place, Text
from engine.sandbox import Sandbox
from tests.unit.sandbox.attempts import COMPUTE, EXPRESSIONS, NAMES, TEMPLATES

MEGABYTE = 1024
"""`ru_maxrss` counts kilobytes on Linux."""


def written(text: str) -> Text:
    """`text` as an author wrote it in a block scalar at line 10 of a skill."""
    return Text(text=text, place=Place(file="skill.yaml", line=10, column=5), indent=4)


def memory() -> int:
    """The most memory this process has had, in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize("attempt", EXPRESSIONS, ids=range(len(EXPRESSIONS)))
def test_no_expression_gets_out(sandbox: Sandbox, attempt: str) -> None:
    """An attempt in an expression ends in a SandboxError at its place, soon, and changes nothing."""
    names = copy.deepcopy(NAMES)
    before, started = memory(), time.thread_time()
    with pytest.raises(SandboxError) as caught:
        sandbox.evaluate(written(attempt), names)
    assert time.thread_time() - started < 0.6
    assert memory() - before < 64 * MEGABYTE
    assert names == NAMES
    assert caught.value.place is not None
    assert caught.value.place.line >= 10


@pytest.mark.parametrize("attempt", TEMPLATES, ids=range(len(TEMPLATES)))
def test_no_template_gets_out(sandbox: Sandbox, attempt: str) -> None:
    """An attempt in a template ends in a SandboxError at its place, soon, and changes nothing."""
    names = copy.deepcopy(NAMES)
    before, started = memory(), time.thread_time()
    with pytest.raises(SandboxError) as caught:
        sandbox.render(written(attempt), names)
    assert time.thread_time() - started < 0.8
    assert memory() - before < 64 * MEGABYTE
    assert names == NAMES
    assert caught.value.place is not None


@pytest.mark.parametrize("attempt", COMPUTE, ids=range(len(COMPUTE)))
async def test_no_compute_block_gets_out(sandbox: Sandbox, attempt: str) -> None:
    """An attempt in a compute block ends in a SandboxError at its place, soon, and changes nothing."""
    names = copy.deepcopy(NAMES)
    before, started = memory(), time.monotonic()
    with pytest.raises(SandboxError) as caught:
        await sandbox.compute(written(attempt), names)
    assert time.monotonic() - started < 3.0
    assert memory() - before < 64 * MEGABYTE
    assert names == NAMES
    assert caught.value.place is not None


def test_every_attempt_is_read_without_an_error(sandbox: Sandbox) -> None:
    """Reading, which `skill check` does, never raises and never evaluates."""
    for attempt in EXPRESSIONS:
        sandbox.read_expression(written(attempt))
    for attempt in TEMPLATES:
        sandbox.read_template(written(attempt))
    for attempt in COMPUTE:
        sandbox.read_compute(written(attempt))


def test_there_are_more_than_two_hundred_attempts() -> None:
    """The suite stays as wide as it was: at least 200 different attempts over three languages."""
    assert len({*EXPRESSIONS, *TEMPLATES, *COMPUTE}) >= 200
