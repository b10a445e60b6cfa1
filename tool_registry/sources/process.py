"""Runs one program to its end: in a session of its own, with a deadline, bounded output, and nothing left behind."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from tool_registry.sources.child import Child
from tool_registry.sources.warden import warden_in
from tool_registry.tool import ToolError

EVIDENCE_LIMIT = 8_000
"""Characters of output kept as evidence of a failure: the end, where programs say what went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A program that ended by itself.

    `exit_status` is negative when a signal ended it (-9: SIGKILL). `stdout` and `stderr` are text, undecodable bytes
    replaced; `truncated` is true when the middle of one of them was left out.
    """

    program: str
    exit_status: int
    stdout: str
    stderr: str
    truncated: bool = False

    @property
    def evidence(self) -> str:
        """What it said, for a failure: standard error last, the last 8,000 characters."""
        said = [part.strip() for part in (self.stdout, self.stderr) if part.strip()]
        return "\n".join(said)[-EVIDENCE_LIMIT:]

    def failure(self, message: str = "", *, kind: str | None = None) -> ToolError:
        """The error that says this program failed, with its exit status and what it said as evidence."""
        how, details = _ending(self.exit_status)
        last = (self.stderr.strip() or self.stdout.strip()).rpartition("\n")[2].strip()
        said = f": {last[:300]}" if last else " and said nothing"
        return ToolError(
            message or f"{self.program} {how}{said}",
            kind=kind,
            exit_status=self.exit_status,
            program=self.program,
            output=self.evidence,
            details=details,
        )


def _ending(exit_status: int) -> tuple[str, dict[str, str]]:
    if exit_status >= 0:
        return f"ended with exit status {exit_status}", {}
    try:
        name = signal.Signals(-exit_status).name
    except ValueError:
        name = f"signal {-exit_status}"
    return f"was ended by {name}", {"signal": name}


async def run_program(  # noqa: PLR0913 - a program's run is a flat record, every part by keyword
    argv: Sequence[str],
    *,
    cwd: Path | str | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float,
    output_limit: int = 1_000_000,
    shared: MutableMapping[Any, Any] | None = None,
    prints_secret: bool = False,
) -> Completed:
    """Runs a program to its end and gives its exit status and output, whatever the status is.

    The program gets no terminal and, without `stdin`, an empty standard input. `environment` None inherits this
    process' own. Of more than `output_limit` bytes in one stream the first and last half are kept and the rest is read
    and dropped, so a chatty program still ends by itself; one that prints 100 MB, or a hundred times the limit, is
    ended (`resource_exhausted`). At `timeout` seconds, and when the caller is cancelled, everything in the program's
    session gets SIGTERM and two seconds later SIGKILL; what made itself a session of its own (a daemon) is not
    followed. After a normal end, what the program left running in the background is left alone, and not waited for.
    With `shared`, the `connections` of a ToolContext, a program is also ended when this process is killed. Of one that
    `prints_secret` and was ended, what it had printed by then is no evidence, for nobody knows yet what to mask.

    Raises:
        ToolError: it could not be started (`sent=False`), ran past its time (`timeout`), or never stopped printing.
    """
    warden = warden_in(shared)
    process = _started(argv, cwd, environment, stdin)
    with warden.over(process.pid) if warden else nullcontext():
        child = _watched(process, argv[0], stdin, output_limit)
        try:
            with anyio.move_on_after(timeout):
                await child.converse()
        finally:
            with anyio.CancelScope(shield=True):
                await child.end()
    completed = Completed(
        program=Path(argv[0]).name,
        exit_status=child.exit_status,
        stdout=child.stdout.text(),
        stderr=child.stderr.text(),
        truncated=child.stdout.truncated or child.stderr.truncated,
    )
    if child.runaway:
        said = f"{completed.program} printed more than {child.runaway_limit:,} bytes and was ended"
        raise _cut_short(completed, said, "resource_exhausted", prints_secret=prints_secret)
    if child.forced:
        said = f"{completed.program} did not finish within {timeout:.3g} seconds and was ended"
        raise _cut_short(completed, said, "timeout", prints_secret=prints_secret)
    return completed


def _cut_short(completed: Completed, message: str, kind: str, *, prints_secret: bool) -> ToolError:
    """The failure of a program that we ended: its exit status is our doing and no evidence."""
    output = "" if prints_secret else completed.evidence
    return ToolError(message, kind=kind, program=completed.program, output=output)


def _watched(process: subprocess.Popen[bytes], name: str, stdin: bytes | None, output_limit: int) -> Child:
    """The program as something that can be talked to; one that cannot be watched is not left running."""
    try:
        return Child(process, stdin, output_limit)
    except OSError as error:
        process.kill()
        process.communicate()
        raise ToolError(f"{name} could not be watched: {error}", kind="resource_exhausted", program=name) from error


def _started(
    argv: Sequence[str], cwd: Path | str | None, environment: Mapping[str, str] | None, stdin: bytes | None
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise not_started(error, argv[0], cwd, environment) from error


def not_started(
    error: OSError | ValueError, name: str, cwd: Path | str | None, environment: Mapping[str, str] | None
) -> ToolError:
    """Why a program did not start, told apart by what can be seen: its folder, its name, its interpreter, its size."""
    number = error.errno if isinstance(error, OSError) else None
    program = Path(name).name
    if cwd is not None and not Path(cwd).is_dir():
        reason: tuple[str | None, str] = "usage_error", f"{name} was not started: there is no folder {cwd}"
    elif number in (errno.ENOENT, errno.ENOTDIR) and _found(name, environment):
        reason = "dependency_missing", f"{name} was found, but not the interpreter its first line names"
    else:
        reason = _reason(number, name, str(error))
    return ToolError(
        reason[1],
        kind=reason[0],
        errno=errno.errorcode.get(number) if number else None,
        program=program,
        sent=False,
        details={"program": name},
    )


def _reason(number: int | None, name: str, said: str) -> tuple[str | None, str]:
    match number:
        case errno.ENOENT | errno.ENOTDIR:
            return "dependency_missing", f"there is no program {name} on this machine"
        case errno.EACCES | errno.EPERM:
            return "permission_denied", f"{name} may not be executed"
        case errno.E2BIG:
            return "usage_error", f"the arguments of {name} are longer than the system allows"
        case errno.EAGAIN | errno.ENOMEM | errno.EMFILE | errno.ENFILE:
            return "resource_exhausted", f"{name} could not be started: {said}"
        case None:
            return "usage_error", f"an argument of {name} cannot be passed on: {said}"
        case _:
            return None, f"{name} could not be started: {said}"


def _found(name: str, environment: Mapping[str, str] | None) -> bool:
    import shutil  # noqa: PLC0415 - late: only a program that is missing needs it

    path = None if environment is None else environment.get("PATH", os.defpath)
    return shutil.which(name, path=path) is not None
