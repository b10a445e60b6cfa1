"""A client of MCP that changes nothing: what it gets is what was sent, so that two servers can be compared."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.shell import SKILL, Shell

SERVER = Path(__file__).with_name("proxied_server.py")
PATIENCE = 30.0
MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
}
HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"elicitation": {"form": {}}, "sampling": {}},
    "clientInfo": {"name": "test", "version": "1"},
}


class Peer:
    """A client over a program's pipes; `heard` are its notifications, `asked` its requests, `order` what came when."""

    def __init__(self, process: subprocess.Popen[bytes], era: str) -> None:
        self.process = process
        self.era = era
        self.heard: queue.Queue[dict[str, Any]] = queue.Queue()
        self.asked: queue.Queue[dict[str, Any]] = queue.Queue()
        self.errors: list[str] = []
        self.order: list[str] = []
        self._answers: dict[Any, queue.Queue[dict[str, Any]]] = {}
        self._number = 100
        self._turn = threading.Lock()
        for read in (self._read, self._read_errors):
            threading.Thread(target=read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            message = json.loads(line)
            self.order.append(message.get("method", "answer"))
            if "method" in message:
                (self.asked if "id" in message else self.heard).put(message)
            else:
                self._answers[message["id"]].put(message)

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self.errors.extend(line.decode().rstrip() for line in self.process.stderr)

    def send(self, message: Mapping[str, Any]) -> None:
        """Writes a message."""
        assert self.process.stdin is not None
        with self._turn:
            self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
            self.process.stdin.flush()

    def begin(self, method: str, params: Mapping[str, Any] | None = None) -> int:
        """Sends a request; its number."""
        with self._turn:
            self._number += 1
            number = self._number
        self._answers[number] = queue.Queue()
        given = dict(params or {})
        if self.era == "modern":
            given["_meta"] = {**MODERN, **given.get("_meta", {})}
        self.send({"id": number, "method": method, **({"params": given} if given else {})})
        return number

    def end(self, number: int) -> dict[str, Any]:
        """The whole answer to a request, without what is the same in all."""
        message = self._answers[number].get(timeout=PATIENCE)
        return {key: value for key, value in message.items() if key not in {"id", "jsonrpc"}}

    def request(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The whole answer to a request."""
        return self.end(self.begin(method, params))

    def call(self, name: str, arguments: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """The whole answer to a call of a tool."""
        return self.request("tools/call", {"name": name, "arguments": dict(arguments or {}), **more})

    def hello(self) -> dict[str, Any]:
        """Begins as its era does."""
        if self.era == "modern":
            return self.request("server/discover")
        answer = self.request("initialize", HELLO)
        self.send({"method": "notifications/initialized"})
        return answer


@contextmanager
def talking(command: list[str], era: str = "legacy", **more: Any) -> Iterator[Peer]:
    """A client of that program, which has ended afterwards."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, **more) as process:
        peer = Peer(process, era)
        try:
            yield peer
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(PATIENCE)
            finally:
                process.kill()


def small(log: Path, state: Path | None = None) -> list[str]:
    """The command of the small server."""
    return [sys.executable, str(SERVER), str(log), *([str(state)] if state else [])]


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace nothing has happened in, and `log`, where the small server notes its calls."""

    shell: Shell
    log: Path

    @classmethod
    def made(cls, folder: Path) -> Place:
        """One in that folder."""
        (folder / "work").mkdir()
        (folder / "calls").touch()
        return cls(shell=Shell(folder=folder / "work", home=folder / "home"), log=folder / "calls")

    @property
    def state(self) -> Path:
        """The workspace's state folder."""
        return self.shell.home / "state"

    @contextmanager
    def proxied(
        self, *options: str, era: str = "legacy", command: list[str] | None = None, hello: bool = True
    ) -> Iterator[Peer]:
        """A client of the small server, behind the proxy; `hello` says that it has begun already."""
        server = command or small(self.log, self.state)
        with self.talking("--name", "small", *options, "--", *server, era=era) as peer:
            if hello:
                peer.hello()
            yield peer

    @contextmanager
    def talking(self, *words: str, era: str = "legacy") -> Iterator[Peer]:
        """A client of `skill mcp proxy` with these words."""
        command = [str(SKILL), "mcp", "proxy", *words]
        with talking(command, era, cwd=self.shell.folder, env=self.shell.environment) as peer:
            yield peer

    def runs(self) -> list[dict[str, Any]]:
        """The runs in history, newest first."""
        found: list[dict[str, Any]] = self.shell.json("history", "--limit", "100")
        return found

    def calls(self, tool: str) -> list[int]:
        """The processes that calls of a tool reached."""
        return [int(line.split()[1]) for line in self.log.read_text().splitlines() if line.startswith(f"{tool} ")]

    def stop_platform(self) -> None:
        """Ends the local platform, if one was started."""
        with suppress(OSError, ValueError, KeyError):
            os.kill(int(json.loads((self.state / "platform" / "endpoint.json").read_text())["pid"]), signal.SIGTERM)
