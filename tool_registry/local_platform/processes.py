"""The processes of a namespace as the platform sees them: how far apart they are set, the line to their supervisor."""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from tool_registry.local_platform.answers import Refusal
from tool_registry.local_platform.sweeping import MARKER, sweep

NAMESPACES, PROCESS_GROUP = "namespaces", "process group"
UNSHARE = (
    *("unshare", "--user", "--map-root-user", "--net", "--ipc", "--pid", "--fork", "--kill-child"),
    *("--mount", "--mount-proc", "--"),
)
START_PATIENCE = 20.0
ORDER_PATIENCE = 15.0
END_PATIENCE = 3.0
PACKAGE_ROOT = Path(__file__).resolve().parents[2]
log = logging.getLogger(__name__)


def isolation_of(machine: str = "auto") -> str:
    """Give what this machine allows, found by trying; or what is asked for, which then must be possible."""
    if machine == "process-group":
        return PROCESS_GROUP
    possible = _namespaces_work()
    if machine == NAMESPACES and not possible:
        raise OSError("this machine allows no user, network and process namespaces")
    return NAMESPACES if possible else PROCESS_GROUP


def _namespaces_work() -> bool:
    if shutil.which("unshare") is None:
        return False
    try:
        tried = subprocess.run([*UNSHARE, "true"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    if tried.returncode != 0:
        log.info("no namespaces here: %s", tried.stderr.decode(errors="replace").strip()[-300:])
    return tried.returncode == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Where the processes of a namespace live: their folder, what is hidden from them, the mark they carry."""

    folder: Path
    hidden: tuple[Path, ...]
    mark: str
    isolation: str


class Processes:
    """One namespace's supervisor and the line to it. Closing it kills every process in the namespace."""

    def __init__(self, room: Room) -> None:
        """Start the supervisor and wait for its hello; OSError when it does not come."""
        self._room = room
        self._waiting: dict[int, SimpleQueue[dict[str, Any]]] = {0: SimpleQueue()}
        self._next = 1
        self._gone = threading.Event()
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = _started(room, theirs)
        threading.Thread(target=self._listen, daemon=True).start()
        hello = self._waited(0, START_PATIENCE)
        if "hello" not in hello:
            self.close()
            raise OSError("the first process of the namespace did not come up")
        if hello["problem"]:
            log.warning("namespace %s: %s", room.folder.name, hello["problem"])

    def ask(
        self,
        op: str,
        order: Mapping[str, Any],
        *,
        patience: float = ORDER_PATIENCE,
        hand: socket.socket | None = None,
    ) -> dict[str, Any]:
        """Send an order and give the answer; a supervisor that is gone or silent is refused with 503 or 504."""
        with self._lock:
            number = self._next
            self._next += 1
            self._waiting[number] = SimpleQueue()
            line = json.dumps({"id": number, "op": op, **order}).encode() + b"\n"
            self._send(line, hand)
        answer = self._waited(number, patience)
        if "problem" in answer:
            raise Refusal(503, "namespace_gone", f"the namespace cannot do this: {answer['problem']}")
        return answer

    @property
    def gone(self) -> bool:
        """Whether the supervisor has ended, and with it everything in the namespace."""
        return self._gone.is_set()

    def close(self) -> None:
        """Kill everything in the namespace and be sure of it."""
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        self._control.close()
        try:
            self._process.wait(END_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._room.isolation != NAMESPACES:
            sweep(self._room.mark)

    def _send(self, line: bytes, hand: socket.socket | None) -> None:
        try:
            if hand is None:
                self._control.sendall(line)
            else:
                sent = socket.send_fds(self._control, [line], [hand.fileno()])
                self._control.sendall(line[sent:])
        except OSError:
            raise Refusal(503, "namespace_gone", "the first process of the namespace has ended") from None

    def _waited(self, number: int, patience: float) -> dict[str, Any]:
        try:
            return self._waiting[number].get(timeout=patience)
        except Empty:
            if number == 0:
                return {}
            raise Refusal(504, "namespace_silent", f"the namespace gave no answer in {patience:g} s") from None
        finally:
            del self._waiting[number]

    def _listen(self) -> None:
        try:
            with self._control.makefile("rb") as lines:
                for line in lines:
                    answer = json.loads(line)
                    queue = self._waiting.get(answer["id"])
                    if queue is not None:
                        queue.put(answer)
        except (OSError, ValueError):
            log.debug("the line to a namespace broke", exc_info=True)
        self._gone.set()
        for queue in list(self._waiting.values()):
            queue.put({"problem": "its first process has ended"})


def _started(room: Room, control: socket.socket) -> subprocess.Popen[bytes]:
    isolated = room.isolation == NAMESPACES
    order = {
        "control": control.fileno(),
        "isolated": isolated,
        "own": str(room.folder),
        "hidden": [str(path) for path in room.hidden],
        "needed": [str(path) for path in _interpreter_folders()],
    }
    program = [sys.executable, "-P", "-m", "tool_registry.local_platform.supervisor", json.dumps(order)]
    return subprocess.Popen(
        [*UNSHARE, *program] if isolated else program,
        stdin=subprocess.DEVNULL,
        pass_fds=[control.fileno()],
        start_new_session=True,
        cwd=room.folder,
        env={"PATH": search_path(), "PYTHONPATH": _module_path(), "LC_ALL": "C.UTF-8", MARKER: room.mark},
    )


def search_path() -> str:
    """Give the PATH of services: this interpreter's programs (pytest is one) and the machine's."""
    return os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])


def _module_path() -> str:
    """Give where the supervisor finds this package, and what it imports, as this process does."""
    return os.pathsep.join(filter(None, [str(PACKAGE_ROOT), os.environ.get("PYTHONPATH")]))


def _interpreter_folders() -> list[Path]:
    """Give where the interpreter lives; a link in a virtual environment leads out of it."""
    program = Path(sys.executable).resolve().parent.parent
    return list(dict.fromkeys(Path(folder).resolve() for folder in (sys.prefix, sys.base_prefix, program)))
