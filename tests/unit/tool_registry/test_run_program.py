"""Running programs: endings, deadlines, output, and nothing left behind."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from pathlib import Path

import anyio
import pytest

from tool_registry.sources.process import run_program
from tool_registry.tool import ToolError

STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    time.sleep(600)
print(os.getpid(), flush=True)
time.sleep(600)
"""


def _children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def _alive(session: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(entry.name))
    return found


async def test_output_and_status() -> None:
    """A program's streams are kept apart, and its exit status is a value, not an error."""
    completed = await run_program(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout=10)
    assert (completed.exit_status, completed.stdout, completed.stderr) == (3, "out\n", "err\n")
    assert completed.program == "sh"
    failure = completed.failure()
    assert (failure.exit_status, failure.program, failure.output) == (3, "sh", "out\nerr")
    assert failure.message == "sh ended with exit status 3: err"


async def test_input_is_fed_and_empty_otherwise() -> None:
    """Standard input is what was given, however long; else it is at its end, never the terminal."""
    text = b"x" * 3_000_000
    assert (await run_program(["wc", "-c"], stdin=text, timeout=10)).stdout.strip() == "3000000"
    assert (await run_program(["cat"], timeout=10)).stdout == ""


async def test_program_may_ignore_its_input() -> None:
    """A program that ends without reading its input is no error."""
    assert (await run_program(["true"], stdin=b"x" * 1_000_000, timeout=10)).exit_status == 0


async def test_environment_and_folder(tmp_path: Path) -> None:
    """The environment is exactly the one given, the folder the one named."""
    completed = await run_program(
        ["/usr/bin/env"], environment={"ONLY": "this", "PATH": os.defpath}, cwd=tmp_path, timeout=10
    )
    assert sorted(completed.stdout.split()) == [f"ONLY={'this'}", f"PATH={os.defpath}"]
    assert (await run_program(["pwd"], cwd=tmp_path, timeout=10)).stdout.strip() == str(tmp_path)


async def test_deadline_kills_what_ignores_it() -> None:
    """A program that ignores SIGTERM, and its child that does too, are gone two seconds after the deadline."""
    began = time.monotonic()
    with pytest.raises(ToolError) as caught:
        await run_program([sys.executable, "-c", STUBBORN], timeout=0.5)
    assert time.monotonic() - began < 30
    assert (caught.value.kind, caught.value.exit_status) == ("timeout", None)
    assert _alive(int(caught.value.output)) == []


async def test_grandchildren_get_their_grace(tmp_path: Path) -> None:
    """What a program started is asked to end before it is killed, even when the program itself is gone at once."""
    script = "sh -c 'trap \"sleep 0.3; echo > cleaned; exit\" TERM; while :; do sleep 0.05; done' & wait"
    with pytest.raises(ToolError) as caught:
        await run_program(["sh", "-c", script], cwd=tmp_path, timeout=0.3)
    assert caught.value.kind == "timeout"
    assert os.listdir(tmp_path) == ["cleaned"]  # noqa: PTH208 - names only


async def test_last_words_are_heard() -> None:
    """What a program says while it is being ended belongs to the evidence."""
    script = "trap 'echo rolled back; exit 1' TERM; echo started; while :; do sleep 0.05; done"
    with pytest.raises(ToolError) as caught:
        await run_program(["sh", "-c", script], timeout=0.4)
    assert "rolled back" in caught.value.output


async def test_cancellation_kills_and_goes_on() -> None:
    """A cancelled call ends its program and stays cancelled."""
    seen: list[str] = []
    with anyio.move_on_after(0.5) as scope:
        await run_program(["sh", "-c", "sleep 600 & sleep 600"], timeout=60)
        seen.append("never")
    assert scope.cancelled_caught
    assert seen == []


async def test_ten_megabytes_are_bounded() -> None:
    """Of a long output the beginning and the end are kept, and the program still ends by itself."""
    program = "import sys; sys.stdout.write('first' + 'x' * 10_000_000 + 'last')"
    completed = await run_program([sys.executable, "-c", program], timeout=30, output_limit=10_000)
    assert completed.exit_status == 0
    assert completed.truncated
    assert len(completed.stdout) < 10_100
    assert completed.stdout.startswith("first")
    assert completed.stdout.endswith("last")
    assert "bytes left out" in completed.stdout


async def test_endless_output_is_ended() -> None:
    """A program that prints forever is ended long before its deadline."""
    began = time.monotonic()
    with pytest.raises(ToolError) as caught:
        await run_program(["yes"], timeout=60, output_limit=10_000)
    assert caught.value.kind == "resource_exhausted"
    assert time.monotonic() - began < 10


async def test_binary_output_is_text() -> None:
    """Bytes that are no text are replaced."""
    completed = await run_program(["printf", r"a\377\000b"], timeout=10)
    assert completed.stdout == "a�\0b"


async def test_signal_is_the_status() -> None:
    """A program that a signal ended has the negative signal as its status, and its name in the message."""
    completed = await run_program(["sh", "-c", "kill -KILL $$"], timeout=10)
    assert completed.exit_status == -signal.SIGKILL
    assert "SIGKILL" in completed.failure().message


@pytest.mark.parametrize(
    ("argv", "kind"),
    [
        (["no-such-program-here"], "dependency_missing"),
        (["/etc/passwd"], "permission_denied"),
        (["true", "a\0b"], "usage_error"),
        (["true", "x" * 10_000_000], "usage_error"),
    ],
)
async def test_what_does_not_start_says_why(argv: list[str], kind: str) -> None:
    """A program that cannot be started fails with its reason, and provably did nothing."""
    with pytest.raises(ToolError) as caught:
        await run_program(argv, timeout=10)
    assert (caught.value.kind, caught.value.sent) == (kind, False)
    assert caught.value.program == Path(argv[0]).name


async def test_missing_interpreter_is_told_from_missing_program(tmp_path: Path) -> None:
    """A script whose first line names a program that is not there is not reported as missing itself."""
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    with pytest.raises(ToolError, match="interpreter") as caught:
        await run_program([str(script)], timeout=10)
    assert caught.value.kind == "dependency_missing"


async def test_missing_folder_is_not_a_missing_program(tmp_path: Path) -> None:
    """A folder that does not exist is named."""
    with pytest.raises(ToolError, match="no folder") as caught:
        await run_program(["true"], cwd=tmp_path / "gone", timeout=10)
    assert caught.value.kind == "usage_error"


async def test_background_work_is_left_alone(tmp_path: Path) -> None:
    """A program that ends while something it started holds its output open is not waited for, and that goes on."""
    mark = tmp_path / "mark"
    completed = await run_program(["sh", "-c", f"(sleep 3; echo x > {mark}) & echo started"], timeout=30)
    assert completed.stdout == "started\n"
    assert not mark.exists()
    with anyio.fail_after(30):
        while not os.path.exists(mark):  # noqa: ASYNC110, ASYNC240, PTH110 - another process writes it, and looking is short
            await anyio.sleep(0.05)


async def test_no_terminal() -> None:
    """A program has no terminal to ask at: it fails at once instead of waiting for a person."""
    completed = await run_program(["sh", "-c", "read answer < /dev/tty"], timeout=10)
    assert completed.exit_status != 0


async def test_forty_at_once_leave_nothing() -> None:
    """Forty programs run at the same time, and no descriptor or child is left."""
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names only
    children = set(_children())
    results: list[str] = []

    async def one(number: int) -> None:
        completed = await run_program(["sh", "-c", f"sleep 0.1; echo {number}"], timeout=30)
        results.append(completed.stdout.strip())

    async with anyio.create_task_group() as group:
        for number in range(40):
            group.start_soon(one, number)
    assert sorted(results, key=int) == [str(number) for number in range(40)]
    assert set(os.listdir("/proc/self/fd")) <= before | {"10", "11", "12", "13", "14"}  # noqa: PTH208 - names only
    assert set(_children()) <= children


async def test_systems_without_process_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system cannot tell of a program's end, looking now and then does as well."""
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    completed = await run_program(["sh", "-c", "cat; exec >&- 2>&-; sleep 0.2; exit 4"], stdin=b"in", timeout=10)
    assert (completed.exit_status, completed.stdout) == (4, "in")
    with pytest.raises(ToolError) as caught:
        await run_program(["sleep", "600"], timeout=0.2)
    assert caught.value.kind == "timeout"


async def test_program_that_cannot_be_watched_is_not_left_running() -> None:
    """When the descriptors run out just after a program was started, it is ended and the failure says so."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    kinds, children = set(), set(_children())
    for spare in range(16):
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + spare, hard))  # noqa: PTH208 - names only
        try:
            await run_program(["sleep", "0.01"], timeout=10)
        except ToolError as error:
            kinds.add(error.kind)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert kinds == {"resource_exhausted"}
    assert set(_children()) <= children
