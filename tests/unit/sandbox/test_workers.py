"""Compute blocks run in processes of their own, which are cancelled, killed, replaced and stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest

from engine.errors import SandboxError
from engine.model.place import Place, Text
from engine.sandbox import Sandbox

FOREVER = "while True:\n    pass\nresult = 1"


def written(text: str) -> Text:
    """`text` somewhere."""
    return Text(text=text, place=Place(file="skill.yaml", line=1, column=1), indent=0)


def workers() -> dict[int, float]:
    """The interpreter processes this process has started, and the CPU seconds each has used."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
            command = status.with_name("cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and b"monty" in command and fields[0] != "Z":
            found[int(status.parent.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


async def test_a_cancelled_block_leaves_no_busy_worker() -> None:
    """Cancelling the scope returns at once, the worker that was busy is gone, and the next block runs."""
    sandbox = Sandbox()
    before = set(workers())
    await sandbox.compute(written("result = 1"), {})
    (busy,) = set(workers()) - before
    with anyio.move_on_after(0.2) as scope:
        await sandbox.compute(written(FOREVER), {})
    assert scope.cancelled_caught
    assert await sandbox.compute(written("result = 2"), {}) == 2
    assert busy not in workers()
    await sandbox.aclose()


async def test_a_closed_sandbox_leaves_no_worker() -> None:
    """Closing stops every worker, also right after a cancelled block; a later block starts a new one."""
    before = set(workers())
    sandbox = Sandbox()
    with anyio.move_on_after(0.1):
        await sandbox.compute(written(FOREVER), {})
    await sandbox.aclose()
    deadline = time.monotonic() + 3
    while set(workers()) - before and time.monotonic() < deadline:  # noqa: ASYNC110 - a process ends without a word
        await anyio.sleep(0.02)
    assert set(workers()) == before
    assert await sandbox.compute(written("result = 3"), {}) == 3
    await sandbox.aclose()


async def test_one_worker_serves_block_after_block() -> None:
    """A worker is kept, and what one block set is not there for the next."""
    sandbox = Sandbox()
    before = set(workers())
    for number in range(5):
        assert await sandbox.compute(written(f"left = {number}\nresult = left"), {}) == number
    with pytest.raises(SandboxError, match="there is no left here"):
        await sandbox.compute(written("result = left"), {})
    assert len(set(workers()) - before) == 1
    await sandbox.aclose()


async def test_blocks_run_at_the_same_time_and_the_loop_goes_on() -> None:
    """Twelve blocks at once all finish with their own result while the event loop stays awake."""
    sandbox = Sandbox()
    results: dict[int, object] = {}
    ticks = 0

    async def run(number: int) -> None:
        results[number] = await sandbox.compute(written("result = sum(range(200000)) + n"), {"n": number})

    async def tick() -> None:
        nonlocal ticks
        while len(results) < 12:
            ticks += 1
            await anyio.sleep(0.001)

    async with anyio.create_task_group() as group:
        group.start_soon(tick)
        for number in range(12):
            group.start_soon(run, number)
    assert results == {number: 19999900000 + number for number in range(12)}
    assert ticks > 1
    await sandbox.aclose()


async def test_a_killed_worker_is_replaced() -> None:
    """A worker that dies in the middle of a block is an error of that block only."""
    sandbox = Sandbox()
    before = set(workers())
    await sandbox.compute(written("result = 1"), {})
    (busy,) = set(workers()) - before

    async def kill() -> None:
        await anyio.sleep(0.1)
        os.kill(busy, 9)

    async with anyio.create_task_group() as group:
        group.start_soon(kill)
        with pytest.raises(SandboxError, match="the interpreter was stopped"):
            await sandbox.compute(written(FOREVER), {})
    assert await sandbox.compute(written("result = 2"), {}) == 2
    await sandbox.aclose()


async def test_what_a_block_prints_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    """A block's print does not reach the program's own output."""
    sandbox = Sandbox()
    await sandbox.compute(written("print('seen')\nresult = 1"), {})
    await sandbox.aclose()
    assert capfd.readouterr() == ("", "")


def in_a_new_process(program: str, **environment: str) -> str:
    """What `program` prints, run by a Python of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
        timeout=30,
    )
    return done.stdout.strip()


TRY = """
import sys, anyio
{before}
from engine.errors import SandboxError
from engine.model.place import Place, Text
from engine.sandbox import Sandbox
async def main():
    try:
        await Sandbox().compute(Text(text="result = 1", place=Place(file="f", line=1, column=1)), {{}})
    except SandboxError as error:
        print(error)
anyio.run(main)
"""


def test_without_the_interpreter_blocks_are_refused() -> None:
    """When the interpreter cannot be imported, a block is refused with the way to install it."""
    said = in_a_new_process(TRY.format(before="sys.modules['pydantic_monty'] = None"))
    assert "the compute interpreter is missing" in said
    assert "pip install pydantic-monty" in said


def test_without_the_interpreters_program_blocks_are_refused() -> None:
    """When the interpreter's own program is not there, a block is refused with the way to install it."""
    said = in_a_new_process(TRY.format(before=""), MONTY_BIN="/nowhere/monty")
    assert "the compute interpreter is missing" in said
    assert "pip install pydantic-monty" in said


def test_importing_the_sandbox_imports_no_language() -> None:
    """The room costs next to nothing until a text is evaluated, and then only that text's language."""
    heavy = "[m for m in ('jinja2', 'simpleeval', 'pydantic_monty', 'anyio') if m in sys.modules]"
    text = "Text(text='1 + 1', place=Place(file='f', line=1, column=1))"
    program = (
        "import sys, dataclasses\nfrom engine.model.place import Place, Text\nfrom engine.sandbox import Sandbox\n"
        f"sandbox = Sandbox()\nprint({heavy})\nsandbox.render([{text}, 'plain'], {{}})\nprint({heavy})\n"
        f"sandbox.evaluate({text}, {{}})\nprint({heavy})"
    )
    assert in_a_new_process(program).splitlines() == ["[]", "[]", "['simpleeval']"]
