"""A deployment: an image fetched, unpacked, started in its namespace, and watched until it answers and after."""

from __future__ import annotations

import http.client
import logging
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tool_registry.local_platform import pulling
from tool_registry.local_platform.answers import Refusal
from tool_registry.local_platform.processes import NAMESPACES, Processes
from tool_registry.local_platform.pulling import Image, Program
from tool_registry.local_platform.service import RESTARTS

POLL_STARTING, POLL_SETTLED = 0.1, 1.0
HEALTH_PATIENCE = 2.0
OK = 200
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a deployment lives: its folder, its port, its environment, how many seconds it may take to be ready."""

    app: str
    folder: Path
    port: int
    environment: Mapping[str, str]
    ready_timeout: float

    @property
    def url(self) -> str:
        """Where the service answers, on this machine and inside the namespace alike."""
        return f"http://127.0.0.1:{self.port}"


class Deployment:
    """One app of one namespace; `state` may be asked at any time."""

    def __init__(self, site: Site, image: Image, address: str) -> None:
        """Describe the deployment of `image`, which the caller called `address`; `begin` does it."""
        self.site = site
        self._image = image
        self._address = address
        self._status = "starting"
        self._reason = "fetching the image"
        self._seen: Mapping[str, Any] = {}
        self._closed = threading.Event()
        self.program = Program(command=(), environment={}, health="/health")

    def described(self) -> Mapping[str, Any]:
        """Give the image's manifest; Refusal if there is no such image."""
        return pulling.manifest(self._image)

    def begin(self, processes: Processes, described: Mapping[str, Any], alone: threading.Lock) -> None:
        """Fetch the image, start and watch it in a thread; fetching and starting are done `alone`."""
        threading.Thread(target=self._run, args=(processes, described, alone), daemon=True).start()

    def state(self) -> dict[str, Any]:
        """Give the deployment as the API shows it."""
        return {
            "app": self.site.app,
            "image": self._address,
            "digest": self._image.digest,
            "status": self._status,
            "reason": self._reason,
            "url": self.site.url,
            "restarts": self._seen.get("restarts", 0),
        }

    def pod(self) -> dict[str, Any]:
        """Give its process as a pod."""
        return {
            "name": self.pod_name,
            "app": self.site.app,
            "phase": self._phase(),
            "ready": self._status == "ready",
            "pid": self._seen.get("pid"),
            "restarts": self._seen.get("restarts", 0),
            "started_at": self._seen.get("started_at"),
            "exit_status": self._seen.get("exit_status"),
        }

    @property
    def pod_name(self) -> str:
        """The app and the beginning of the digest."""
        return f"{self.site.app}-{self._image.digest.removeprefix('sha256:')[:8]}"

    def environment(self) -> dict[str, str]:
        """Give what the service and commands beside it have in their environment."""
        return {**self.program.environment, **self.site.environment}

    def close(self) -> None:
        """Watch no longer; the processes are the namespace's to end."""
        self._closed.set()

    def _phase(self) -> str:
        match self._seen.get("state"):
            case "running":
                return "Running"
            case "waiting" | "crashed":
                return "CrashLoopBackOff"
            case _:
                return "Failed" if self._status == "crashed" else "Pending"

    def _run(self, processes: Processes, described: Mapping[str, Any], alone: threading.Lock) -> None:
        try:
            with alone:
                if self._closed.is_set():
                    return
                self._start(processes, described)
            self._watch(processes)
        except Refusal as refusal:
            self._settle("crashed", refusal.sentence)
        except Exception as error:  # the thread's outermost border: whoever asks must be told
            log.exception("deploying %s broke", self.site.app)
            self._settle("crashed", f"deploying broke: {error}")

    def _start(self, processes: Processes, described: Mapping[str, Any]) -> None:
        self.program = pulling.program(self._image, described)
        if not self.program.command:
            raise Refusal(422, "bad_image", "the image says no command to start")
        pulling.unpack(self._image, described, self.site.folder)
        if self._closed.is_set():
            return
        self._settle("starting", "starting the service")
        self._seen = processes.ask("start", self._order())["status"]

    def _order(self) -> dict[str, Any]:
        return {
            "app": self.site.app,
            "argv": [_with_port(word, self.site.port) for word in self.program.command],
            "folder": str(self.site.folder),
            "environment": self.environment(),
        }

    def _watch(self, processes: Processes) -> None:
        deadline = time.monotonic() + self.site.ready_timeout
        pause = POLL_STARTING
        while not self._closed.wait(pause):
            self._seen = processes.ask("status", {"app": self.site.app})["status"]
            if self._seen["state"] == "crashed":
                self._settle("crashed", self._ending(processes))
                return
            self._judge(late=time.monotonic() > deadline)
            pause = POLL_STARTING if self._status == "starting" else POLL_SETTLED

    def _judge(self, *, late: bool) -> None:
        if self._seen["state"] == "waiting":
            self._settle("starting", f"ended with status {self._seen['exit_status']}, is started again")
            return
        trouble = _trouble(self.site.port, self.program.health)
        if not trouble:
            self._settle("ready", "")
        elif late or self._status in {"ready", "unhealthy"}:
            self._settle("unhealthy", trouble)
        else:
            self._settle("starting", trouble)

    def _ending(self, processes: Processes) -> str:
        lines = [line for line in processes.ask("logs", {"app": self.site.app, "tail": 20})["lines"] if line.strip()]
        said = f"; its last line: {lines[-1][:500]}" if lines else "; it wrote nothing"
        return f"the service ended with status {self._seen['exit_status']}, {RESTARTS} restarts did not help{said}"

    def _settle(self, status: str, reason: str) -> None:
        if not self._closed.is_set():
            self._status, self._reason = status, reason


def new_port(isolation: str, processes: Processes) -> int:
    """Give a free port, forwarded into the namespace where that has a network of its own."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = int(listening.getsockname()[1])
        if isolation == NAMESPACES:
            listening.listen(128)
            processes.ask("forward", {"port": port}, hand=listening)
        # Without one the service takes the port itself; if another program is faster, it crashes and says why.
        return port


def _trouble(port: int, path: str) -> str:
    """Ask the service for its health; empty when it answers 200, else what it does instead."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HEALTH_PATIENCE)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"GET {path} gets no answer: {error or type(error).__name__}"
    finally:
        connection.close()
    return "" if status == OK else f"GET {path} answers {status}"


def _with_port(word: str, port: int) -> str:
    return word.replace("${PORT}", str(port)).replace("$PORT", str(port))
