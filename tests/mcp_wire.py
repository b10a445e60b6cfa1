"""`skill mcp serve` as raw bytes see it: lines in, lines out, and over HTTP whole requests."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.shell import SKILL, Shell

MODERN = "2026-07-28"
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
}
"""What every request of the newer protocol carries."""
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
"""How a connection of the older protocol begins."""

GREET = """\
name: greet
description: Says hello.
tags: [demo]
inputs:
  - {name: who, type: string, required: true, description: Who is greeted.}
  - {name: times, type: integer, default: 1, minimum: 1}
steps:
  - name: say
    tool: echo
    args: {value: "hello {{ inputs.who }}"}
outputs:
  - {name: greeting, value: "{{ say }}"}
"""


def workspace(folder: Path, home: Path, **skills: str) -> Shell:
    """A workspace with the skill `greet`, and others by their names."""
    (folder / "skills").mkdir(parents=True)
    (folder / "skill.toml").write_text("")
    for name, text in {"greet": GREET, **skills}.items():
        (folder / "skills" / f"{name}.yaml").write_text(text)
    return Shell(folder=folder, home=home)


def request(number: int | str, method: str, *, modern: bool = True, **params: Any) -> bytes:
    """A request as a line."""
    told = {**params, "_meta": {**ENVELOPE, **params.get("_meta", {})}} if modern else params
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": told}).encode() + b"\n"


def call(number: int | str, tool: str, /, *, modern: bool = True, **arguments: Any) -> bytes:
    """A call of a tool as a line."""
    return request(number, "tools/call", modern=modern, name=tool, arguments=arguments)


@dataclass
class Spoken:
    """A server on standard input and output; every line it writes must be a message."""

    process: subprocess.Popen[bytes]
    log: list[str] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)

    def say(self, *lines: bytes) -> None:
        """Writes the lines as they are."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"".join(lines))
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """The next message."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the server has ended: {''.join(self.log)}"
        message: dict[str, Any] = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        self.messages.append(message)
        return message

    def answer(self, number: int | str) -> dict[str, Any]:
        """The answer to a request, which may have come already."""
        known = next((each for each in self.messages if each.get("id") == number and "method" not in each), None)
        while known is None:
            heard = self.hear()
            known = heard if heard.get("id") == number and "method" not in heard else None
        return known

    def ask(self, line: bytes) -> dict[str, Any]:
        """The answer to this request."""
        self.say(line)
        return self.answer(json.loads(line)["id"])

    def greet(self) -> None:
        """Opens a connection of the older protocol."""
        assert "result" in self.ask(request("hello", "initialize", modern=False, **HELLO))
        self.say(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')


@contextmanager
def spoken(shell: Shell, *options: str, environment: Mapping[str, str] | None = None) -> Iterator[Spoken]:
    """A server on standard input and output, ended for certain."""
    process = subprocess.Popen(
        [SKILL, "mcp", "serve", *options],
        cwd=shell.folder,
        env={**shell.environment, **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    server = Spoken(process=process)
    reader = threading.Thread(target=_read, args=(process, server.log))
    reader.start()
    try:
        yield server
    finally:
        process.kill()
        process.wait()
        reader.join()
        for stream in (process.stdin, process.stdout, process.stderr):
            assert stream is not None
            _close(stream)


def _read(process: subprocess.Popen[bytes], log: list[str]) -> None:
    assert process.stderr is not None
    log.extend(line.decode() for line in process.stderr)


def _close(stream: Any) -> None:
    try:
        stream.close()
    except BrokenPipeError:
        return


@dataclass
class Served:
    """A server over HTTP."""

    process: subprocess.Popen[str]
    port: int
    token: str
    log: list[str]

    def send(
        self, body: bytes, headers: Mapping[str, str] | None = None, *, method: str = "POST", path: str = "/mcp"
    ) -> tuple[int, bytes]:
        """Sends a request with the right token and what a client of the newer protocol says; status and body."""
        told = {
            "Host": f"127.0.0.1:{self.port}",
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": MODERN,
            **(headers or {}),
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in told.items():
                if value:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ask(self, line: bytes, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The answer to a request of the newer protocol."""
        asked = json.loads(line)
        named = {"Mcp-Name": asked["params"]["name"]} if "name" in asked["params"] else {}
        status, body = self.send(line, {"Mcp-Method": asked["method"], **named, **(headers or {})})
        texts = [part[5:] for part in body.decode().splitlines() if part.startswith("data:")] or [body.decode()]
        told: dict[str, Any] = json.loads(texts[-1])
        assert told, status
        return told


@contextmanager
def served(shell: Shell, *options: str, environment: Mapping[str, str] | None = None) -> Iterator[Served]:
    """A server over HTTP on a free port, ended for certain."""
    process = subprocess.Popen(
        [SKILL, "mcp", "serve", "--http", "--port", "0", *options],
        cwd=shell.folder,
        env={**shell.environment, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    log: list[str] = []
    assert process.stderr is not None
    assert process.stdout is not None
    place = kept = None
    while kept is None:
        line = process.stderr.readline()
        assert line, f"the server did not begin: {''.join(log)}"
        log.append(line)
        place = place or re.search(r"at http://[\w.\[\]:]+:(\d+)/mcp$", line)
        kept = re.search(r"the token is in (\S+)", line)
    assert place is not None, "".join(log)
    reader = threading.Thread(target=lambda: log.extend(process.stderr or ()))
    reader.start()
    known = {**os.environ, **(environment or {})}
    token = known[kept[1]] if kept[1] in known else Path(kept[1]).read_text().strip()
    try:
        yield Served(process=process, port=int(place[1]), token=token, log=log)
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()
        process.stderr.close()
