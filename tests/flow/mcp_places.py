"""A workspace whose `.mcp.json` names the odd server of the tests."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio

from engine.mcp_servers.tools import ServerTools
from engine.model.outcome import RunResult
from engine.run.executor import SkillExecutor
from engine.wiring import Engine

ODD = Path(__file__).parents[1] / "servers" / "odd_server.py"


class Place:
    """A workspace, and what its server wrote down."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "skill.toml").touch()
        (folder / "notes").mkdir()

    def entry(self, way: str = "well", **more: Any) -> dict[str, Any]:
        """The odd server in `.mcp.json`."""
        return {"command": sys.executable, "args": [str(ODD), way, str(self.folder / "notes")], **more}

    def serve(self, way: str = "well", **more: Any) -> None:
        """Writes `.mcp.json` with the one server `odd`."""
        self.servers(odd=self.entry(way, **more))

    def servers(self, **entries: Any) -> None:
        """Writes `.mcp.json`."""
        (self.folder / ".mcp.json").write_text(json.dumps({"mcpServers": entries}, indent=2), encoding="utf-8")

    @contextmanager
    def over_http(self, way: str = "http", port: int | None = None) -> Iterator[int]:
        """The odd server at a port of the loopback interface, and that port."""
        at = port or free_port()
        command = [sys.executable, str(ODD), way, str(self.folder / "notes"), str(at)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                wait_until(lambda: answers(at))
                yield at
            finally:
                process.kill()

    def settings(self, text: str) -> None:
        """Writes `skill.toml`."""
        (self.folder / "skill.toml").write_text(text, encoding="utf-8")

    def skill(self, steps: str, name: str = "one") -> None:
        """Writes a skill."""
        (self.folder / "skills").mkdir(exist_ok=True)
        told = f"name: {name}\ndescription: Calls tools of a server.\nsteps:\n{steps}"
        (self.folder / "skills" / f"{name}.yaml").write_text(told, encoding="utf-8")

    async def run(self, name: str = "one", **more: Any) -> RunResult:
        """Runs the skill with an engine of its own."""
        async with Engine.open(self.folder) as engine:
            return await SkillExecutor(engine, parks=False, **more).run(name)

    def noted(self, name: str) -> list[str]:
        """The lines the server wrote."""
        path = self.folder / "notes" / name
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def alive(self) -> list[int]:
        """The servers, and what they started, that still run."""
        return [pid for pid in map(int, self.noted("pids")) if is_alive(pid)]


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def free_port() -> int:
    """A port nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until(holds: Callable[[], object], seconds: float = 20.0) -> None:
    """Waits until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.02)


async def becomes(holds: Callable[[], object], seconds: float = 20.0) -> None:
    """Waits until something holds, and lets others work."""
    with anyio.fail_after(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in other processes
            await anyio.sleep(0.02)


def assert_ends(place: Place) -> None:
    """Servers were started, and nothing of them is left, at once or in a while."""
    assert place.noted("pids")
    wait_until(lambda: not place.alive())


def servers_of(engine: Engine) -> ServerTools:
    """The servers of an engine's workspace, which has some."""
    assert isinstance(engine.mcp, ServerTools)
    return engine.mcp
