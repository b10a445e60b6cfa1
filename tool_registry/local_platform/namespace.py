"""The inside of one namespace: folder, processes, deployments, secrets, commands beside the services."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tool_registry.local_platform import deployments
from tool_registry.local_platform.answers import Refusal
from tool_registry.local_platform.deployments import Deployment, Site
from tool_registry.local_platform.processes import Processes, Room, search_path
from tool_registry.local_platform.pulling import Image
from tool_registry.local_platform.sweeping import MARKER

EXEC_MARGIN = 10.0
UNPACKING = 20.0
"""Seconds a release waits for an image that is being unpacked."""
log = logging.getLogger(__name__)


class Namespace:
    """What its owner may do inside. Closing it kills everything in it."""

    def __init__(self, room: Room, *, password: str) -> None:
        """Describe it; `open` makes the folder and starts the first process, as the first use does if need be."""
        self._room = room
        self._password = password
        self._processes: Processes | None = None
        self._deployments: dict[str, Deployment] = {}
        self._ports: dict[str, int] = {}
        self._lock = threading.Lock()
        self._deploying = threading.Lock()
        self._closed = False

    def open(self) -> Processes:
        """Give the line to the processes, started if they are not there."""
        with self._lock:
            if self._closed:
                raise self._released()
            if self._processes is not None and self._processes.gone:
                self._processes.close()  # what it left behind, where it could leave anything
                self._processes = None
            if self._processes is None:
                self._ports.clear()
                _furnish(self._room.folder)
                self._processes = Processes(self._room)
            return self._processes

    def deploy(
        self, app: str, image: Image, address: str, *, env: Mapping[str, str], ready_timeout: float
    ) -> dict[str, Any]:
        """Deploy an image as `app`, in the place of an earlier one, and give its state; it goes on in a thread."""
        processes = self.open()
        port = self._port(app, processes)
        site = Site(
            app=app,
            folder=self._room.folder / "apps" / app,
            port=port,
            environment={**env, **self._environment(app, port)},
            ready_timeout=ready_timeout,
        )
        deployment = Deployment(site, image, address)
        described = deployment.described()
        with self._lock:
            if self._closed:
                raise self._released()
            earlier = self._deployments.get(app)
            self._deployments[app] = deployment
        if earlier is not None:
            earlier.close()
        deployment.begin(processes, described, self._deploying)
        return deployment.state()

    def deployment(self, app: str) -> Deployment:
        """Give the deployment of `app`."""
        found = self._deployments.get(app)
        if found is None:
            known = ", ".join(self._deployments) or "none"
            raise Refusal(
                404,
                "no_deployment",
                f"no app called {app[:80]} is deployed in {self._room.folder.name}; deployed: {known}",
            )
        return found

    def deployments(self) -> list[Deployment]:
        """Give all deployments."""
        return list(self._deployments.values())

    def log_lines(self, pod: str, tail: int) -> list[str]:
        """Give the last lines a pod wrote."""
        for deployment in self.deployments():
            if deployment.pod_name == pod:
                return list(self.open().ask("logs", {"app": deployment.site.app, "tail": tail})["lines"])
        known = ", ".join(deployment.pod_name for deployment in self.deployments()) or "none"
        raise Refusal(404, "no_pod", f"no pod called {pod[:80]} in {self._room.folder.name}; there: {known}")

    def run(self, app: str, command: Sequence[str], *, timeout: float, collect: str | None) -> dict[str, Any]:
        """Run a command in the app's folder with the app's environment."""
        deployment = self.deployment(app)
        if not deployment.site.folder.is_dir():
            raise Refusal(409, "not_unpacked", f"the image of {app} is not unpacked yet; wait until it is ready")
        order = {
            "argv": list(command),
            "folder": str(deployment.site.folder),
            "environment": deployment.environment(),
            "timeout": timeout,
            "collect": collect,
        }
        answer = self.open().ask("exec", order, patience=timeout + EXEC_MARGIN)
        return {key: value for key, value in answer.items() if key != "id"}

    def database(self) -> dict[str, Any]:
        """Give the settings of the namespace's own database, a file."""
        return {
            "engine": "sqlite",
            "host": "localhost",
            "port": 0,
            "name": str(self._room.folder / "database" / "app.sqlite"),
            "user": self._room.folder.name,
            "password": self._password,
        }

    def close(self) -> None:
        """Kill everything inside."""
        with self._lock:
            self._closed = True
            processes, self._processes = self._processes, None
        for deployment in self.deployments():
            deployment.close()
        if processes is not None:
            processes.close()
        # An image that is being unpacked would make the folder again after it was removed: wait for that to stop.
        if self._deploying.acquire(timeout=UNPACKING):
            self._deploying.release()

    def _released(self) -> Refusal:
        return Refusal(404, "no_namespace", f"{self._room.folder.name} is being released")

    def _port(self, app: str, processes: Processes) -> int:
        """Give the app's port, the same at every deployment."""
        with self._lock:
            if app not in self._ports:
                self._ports[app] = deployments.new_port(self._room.isolation, processes)
            return self._ports[app]

    def _environment(self, app: str, port: int) -> dict[str, str]:
        """Give the environment of everything that runs for `app`: nothing of the platform's own gets in."""
        folder = self._room.folder
        database = {f"DATABASE_{key.upper()}": str(value) for key, value in self.database().items()}
        return {
            "PATH": f"{search_path()}{os.pathsep}{folder / 'bin'}",
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PORT": str(port),
            "BASE_URL": f"http://127.0.0.1:{port}",
            "NAMESPACE": folder.name,
            "APP": app,
            MARKER: self._room.mark,
            **database,
        }


def _furnish(folder: Path) -> None:
    """Make the folder's parts, and a program called `python` where this machine's interpreter has another name."""
    for part in ("apps", "bin", "database", "home", "tmp"):
        (folder / part).mkdir(parents=True, exist_ok=True, mode=0o700)
    if shutil.which("python", path=search_path()) is None:
        python = folder / "bin" / "python"
        python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        python.chmod(0o700)


def remove_folder(folder: Path) -> None:
    """Remove a namespace's folder, also where a service took its own rights away."""
    for path, names, _ in os.walk(folder):
        for inner in (Path(path, name) for name in names):
            if not inner.is_symlink():
                inner.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        log.warning("%s could not be removed whole", folder)
