"""The first process of a namespace: starts services and commands, forwards the port, and takes all down when it ends.

It is told what to do over an inherited socket, one JSON object a line: `{"id", "op", ...}` is answered `{"id", ...}`.
When the other end closes, the platform has let go of the namespace or has died: every process here is killed.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tool_registry.local_platform import confinement
from tool_registry.local_platform.command import run_command
from tool_registry.local_platform.forwarding import forward
from tool_registry.local_platform.service import Service
from tool_registry.local_platform.sweeping import MARKER, sweep

LINE_LIMIT = 4 * 1024 * 1024
DESCRIPTORS_AT_ONCE = 4


class Supervisor:
    """Serves the control socket; every request has a thread of its own, for some take minutes."""

    def __init__(self, control: socket.socket) -> None:
        """Obey `control`."""
        self._control = control
        self._sending = threading.Lock()
        self._changing = threading.Lock()
        self._services: dict[str, Service] = {}
        self._sockets: deque[socket.socket] = deque()

    def serve(self) -> None:
        """Obey until the other end closes."""
        pending = b""
        while True:
            received, descriptors, _, _ = socket.recv_fds(self._control, 65536, DESCRIPTORS_AT_ONCE)
            self._sockets.extend(socket.socket(fileno=descriptor) for descriptor in descriptors)
            pending += received
            if not received or len(pending) > LINE_LIMIT:
                return
            *lines, pending = pending.split(b"\n")
            for line in lines:
                threading.Thread(target=self._obey, args=(json.loads(line),), daemon=True).start()

    def say(self, message: Mapping[str, Any]) -> None:
        """Send one object to the platform."""
        with self._sending:
            self._control.sendall(json.dumps(message).encode() + b"\n")

    def kill_everything(self) -> None:
        """Kill every service and command with its children, where the end of this process does not do it by itself."""
        for service in list(self._services.values()):
            service.kill()
        sweep(os.environ[MARKER])

    def _obey(self, order: Mapping[str, Any]) -> None:
        try:
            answer = self._answer(order)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the platform waits for an answer
            answer = {"problem": f"{type(error).__name__}: {error}"}
        try:
            self.say({"id": order["id"], **answer})
        except OSError:
            return

    def _answer(self, order: Mapping[str, Any]) -> dict[str, Any]:
        match order["op"]:
            case "forward":
                forward(self._sockets.popleft(), int(order["port"]))
                return {}
            case "start":
                return self._start(order)
            case "status":
                service = self._services.get(order["app"])
                return {"status": service.status() if service else None}
            case "logs":
                service = self._services.get(order["app"])
                return {"lines": service.last_lines(int(order["tail"])) if service else []}
            case "exec":
                return run_command(order)
            case operation:
                return {"problem": f"no operation is called {operation}"}

    def _start(self, order: Mapping[str, Any]) -> dict[str, Any]:
        with self._changing:
            earlier = self._services.pop(order["app"], None)
            if earlier is not None:
                earlier.stop()
            service = Service(argv=order["argv"], folder=order["folder"], environment=order["environment"])
            self._services[order["app"]] = service
            service.start()
        return {"status": service.status()}


def _confine(order: Mapping[str, Any]) -> str:
    """Set the surroundings up; the answer is empty, or says what this machine would not allow."""
    confinement.raise_loopback()
    problem = ""
    try:
        paths = {name: [Path(path) for path in order[name]] for name in ("hidden", "needed")}
        confinement.narrow_files(Path(order["own"]), paths["hidden"], paths["needed"])
    except OSError as error:
        problem = f"files are not narrowed: {error}"
    confinement.give_up_privileges()
    return problem


def _bury_orphans() -> None:
    """Take away what has ended and belongs to nobody: the first process of a namespace inherits every orphan."""
    suspects: set[int] = set()
    while True:
        time.sleep(1)
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            continue
        if ended is None:
            continue
        if ended.si_pid in suspects:  # still there a second later: nobody here waits for it
            os.waitid(os.P_PID, ended.si_pid, os.WEXITED | os.WNOHANG)
        suspects = {ended.si_pid}


def main() -> None:
    """Confine this process, say hello, obey; then kill everything and end."""
    order = json.loads(sys.argv[1])
    control = socket.socket(fileno=int(order["control"]))
    supervisor = Supervisor(control)
    problem = _confine(order) if order["isolated"] else ""
    if order["isolated"]:
        threading.Thread(target=_bury_orphans, daemon=True).start()
    supervisor.say({"id": 0, "hello": True, "problem": problem})
    try:
        supervisor.serve()
    finally:
        if not order["isolated"]:
            supervisor.kill_everything()
        os._exit(0)  # the end of the first process is the end of all others; nothing is left to tidy


if __name__ == "__main__":
    main()
