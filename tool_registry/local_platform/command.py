"""One command inside a namespace: its last words, its exit status, and a file it leaves."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from tool_registry.local_platform.service import shell_status, signal_group

TAIL = 64 * 1024
COLLECT_LIMIT = 1_000_000
TIMED_OUT, NOT_FOUND, NOT_STARTED = 124, 127, 126
PATIENCE = 1.0


class Tail:
    """The last 64 kB of a stream, read until it ends so that the writer never blocks."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Read `stream` in a thread."""
        self._kept = bytearray()
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def text(self) -> str:
        """Give what was read; a child that lives on and holds the stream is not waited for."""
        self._thread.join(PATIENCE)
        return bytes(self._kept).decode(errors="replace")

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            while part := os.read(stream.fileno(), 65536):
                self._kept += part
                del self._kept[:-TAIL]


def run_command(order: Mapping[str, Any]) -> dict[str, Any]:
    """Run `argv` in `folder` for at most `timeout` seconds, then read `collect` below `folder`."""
    begun = time.monotonic()
    folder, collect = Path(order["folder"]), order.get("collect")
    if collect and _inside(folder, collect):
        (folder / collect).unlink(missing_ok=True)  # an earlier command's file must not pass for this one's
    try:
        process = _started(order, folder)
    except OSError as error:
        status = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_STARTED
        return _result(status, "", f"{order['argv'][0]} cannot be started: {error.strerror}", None, begun)
    out, err = Tail(process.stdout), Tail(process.stderr)  # type: ignore[arg-type]  # both are pipes
    timed_out = _waited(process, float(order["timeout"]))
    status = TIMED_OUT if timed_out else shell_status(process.returncode)
    collected = _collected(folder, collect) if collect else None
    return {**_result(status, out.text(), err.text(), collected, begun), "timed_out": timed_out}


def _started(order: Mapping[str, Any], folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        order["argv"],
        cwd=folder,
        env=order["environment"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    )


def _waited(process: subprocess.Popen[bytes], timeout: float) -> bool:
    """Wait for the command; kill it when its time is over. What it left running in its group dies in both cases."""
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        return True
    else:
        return False
    finally:
        signal_group(process.pid, signal.SIGKILL)
        process.wait()


def _collected(folder: Path, name: str) -> str | None:
    """Read a file the command left, never through a link that leads out of the folder."""
    if not _inside(folder, name):
        return None
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(COLLECT_LIMIT).decode(errors="replace")


def _inside(folder: Path, name: str) -> bool:
    return (folder / name).parent.resolve().is_relative_to(folder.resolve())


def _result(status: int, out: str, err: str, collected: str | None, begun: float) -> dict[str, Any]:
    return {
        "exit_status": status,
        "timed_out": False,
        "stdout": out,
        "stderr": err,
        "collected": collected,
        "duration": round(time.monotonic() - begun, 3),
    }
