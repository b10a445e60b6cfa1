"""Programs end with the process that started them, however that ends, and only those that still run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.flow.workshop import alive, descendants, until
from tool_registry.sources.process import run_program
from tool_registry.sources.warden import Warden, warden_in

CALLER = """
    import sys, anyio
    from tool_registry.sources.process import run_program

    async def main() -> None:
        shared = {}
        await run_program(["sh", "-c", "sleep 60 > /dev/null 2>&1 & echo $! > before"], timeout=5, shared=shared)
        await run_program(["sh", "-c", sys.argv[1]], timeout=60, shared=shared)

    anyio.run(main)
"""
STUBBORN = "trap '' TERM; "
WAITS = "echo $$ > leader; sleep 60 & echo $! > background; mv leader begun; wait; sleep 60"


@pytest.mark.parametrize("how", ["", STUBBORN], ids=["obedient", "stubborn"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_program_ends_with_its_caller(tmp_path: Path, how: str, number: signal.Signals) -> None:
    """With what it began in the background; what an earlier program left running is left alone."""
    command = [sys.executable, "-c", textwrap.dedent(CALLER), how + WAITS]
    with subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.getcwd()}) as caller:  # noqa: PTH109
        until((tmp_path / "begun").exists)
        family = descendants(caller.pid)
        caller.send_signal(number)
    leader, background, before = (int((tmp_path / name).read_text()) for name in ("begun", "background", "before"))
    until(lambda: not any(alive(pid) for pid in {leader, background, *family} - {before}))
    assert alive(before)
    os.kill(before, signal.SIGKILL)


async def test_one_warden_is_shared_and_closed(tmp_path: Path) -> None:
    """It starts with the first program, watches over the others, and leaves nothing behind."""
    others, shared = descendants(os.getpid()), dict[str, Warden]()
    for number in range(3):
        await run_program(["touch", str(number)], cwd=tmp_path, timeout=5, shared=shared)
    (warden,) = shared.values()
    assert warden_in(shared) is warden
    assert len(descendants(os.getpid()) - others) == 1
    await warden.aclose()
    assert descendants(os.getpid()) <= others


async def test_a_program_needs_no_warden(tmp_path: Path) -> None:
    """Whoever shares nothing runs it as ever."""
    assert warden_in(None) is None
    done = await run_program(["pwd"], cwd=tmp_path, timeout=5)
    assert done.stdout.strip() == str(tmp_path)


async def test_a_warden_that_was_killed_is_no_failure(tmp_path: Path) -> None:
    """The program is no worse off than without one."""
    others, shared = descendants(os.getpid()), dict[str, Warden]()
    await run_program(["true"], timeout=5, shared=shared)
    (shell,) = descendants(os.getpid()) - others
    os.kill(shell, signal.SIGKILL)
    until(lambda: not alive(shell))
    done = await run_program(["pwd"], cwd=tmp_path, timeout=5, shared=shared)
    assert done.exit_status == 0
    await shared["warden"].aclose()
