"""A service inside a namespace: started, watched, started again when it ends, its last lines kept."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import IO, Any

RESTARTS = 3
PAUSES = (0.1, 0.3, 0.9)
LINES_KEPT = 2000
LINE_LENGTH = 4000
GRACE = 1.5


class Service:
    """One program kept running: at most three restarts, then it counts as crashed."""

    def __init__(self, *, argv: Sequence[str], folder: str, environment: Mapping[str, str]) -> None:
        """Describe the program; `start` starts it."""
        self._argv = list(argv)
        self._folder = folder
        self._environment = dict(environment)
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._process: subprocess.Popen[bytes] | None = None
        self._wanted = True
        self._changing = threading.Lock()
        self._ended = threading.Event()
        self._restarts = 0
        self._started_at = 0.0
        self._exit_status: int | None = None
        self._state = "starting"

    def start(self) -> None:
        """Start the program and the thread that watches it."""
        self._launch()
        threading.Thread(target=self._watch, daemon=True).start()

    def status(self) -> dict[str, Any]:
        """Give state (`running`, `waiting` for a restart, `crashed`, `stopped`), pid, restarts, start, exit status."""
        process = self._process
        return {
            "state": self._state,
            "pid": process.pid if process else None,
            "restarts": self._restarts,
            "started_at": self._started_at,
            "exit_status": self._exit_status,
        }

    def last_lines(self, count: int) -> list[str]:
        """Give the last lines the program wrote, oldest first."""
        return list(self._lines)[-count:] if count > 0 else []

    def stop(self) -> None:
        """Ask the program to end, then kill it and all in its group."""
        self._wanted = False
        self._signal(signal.SIGTERM)
        self._ended.wait(GRACE)
        self.kill()
        self._ended.wait(GRACE)

    def kill(self) -> None:
        """Kill the program and all in its group, now."""
        self._wanted = False
        self._signal(signal.SIGKILL)

    def _launch(self) -> None:
        with self._changing:
            if not self._wanted:
                return
            self._started_at = time.time()
            try:
                self._process = _started(self._argv, self._folder, self._environment)
            except OSError as error:
                self._process = None
                self._exit_status = 127
                self._lines.append(f"{self._argv[0]} cannot be started: {error.strerror}")
                return
            self._state = "running"
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    def _watch(self) -> None:
        while self._wanted:
            self._await_end()
            if not self._wanted or self._restarts >= RESTARTS:
                break
            self._state = "waiting"
            time.sleep(PAUSES[self._restarts])
            self._restarts += 1
            self._launch()
        self._state = "crashed" if self._wanted else "stopped"
        self._await_end()
        self._ended.set()

    def _await_end(self) -> None:
        """Wait for the program, then kill what it left running: a child of it would keep the port."""
        process = self._process
        if process is None:
            return
        self._exit_status = shell_status(process.wait())
        with self._changing:
            signal_group(process.pid, signal.SIGKILL)
            self._process = None  # its number may be another's from now on

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            while line := stream.readline(LINE_LENGTH):
                self._lines.append(line.decode(errors="replace").rstrip("\r\n"))

    def _signal(self, number: int) -> None:
        with self._changing:
            if self._process is not None:
                signal_group(self._process.pid, number)


def shell_status(returncode: int) -> int:
    """Give the exit status as a shell shows it: 128 and the signal's number for what a signal ended."""
    return returncode if returncode >= 0 else 128 - returncode


def signal_group(leader: int, number: int) -> None:
    """Send a signal to a process group; one that is gone is no matter."""
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return


def _started(argv: Sequence[str], folder: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0,
    )
