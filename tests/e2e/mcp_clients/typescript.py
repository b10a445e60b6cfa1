"""A client of the TypeScript SDK in a process of its own, told what to do from a test."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import npm
from tests.servers import third_party

SCRIPT = Path(__file__).with_name("client.mjs")
PATIENCE = 100.0
"""Seconds one answer may take on a machine that is busy with other things."""
MODERN = "2026-07-28"
LEGACY = "legacy"
EITHER = "auto"
"""The client asks which era the server knows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one wish: a result or an error; what the person was asked and which progress was told meanwhile."""

    result: Any
    error: Mapping[str, Any] | None
    asked: Sequence[Mapping[str, Any]]
    progress: Sequence[Mapping[str, Any]]


class RefusedError(Exception):
    """The client raised an error of its own, or passed on one of the server."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(f"{error['name']} {error['code']} {error['status']}: {error['message']}")


@dataclass
class TypeScriptClient:
    """One connection to one server."""

    process: subprocess.Popen[str]
    answers: queue.Queue[str] = field(default_factory=queue.Queue)
    connected: Mapping[str, Any] = field(default_factory=dict)

    def tell(self, verb: str, **words: Any) -> Answer:
        """Does it, and gives what came of it, an error too."""
        self.begin(verb, **words)
        said = json.loads(self.answers.get(timeout=PATIENCE))
        return Answer(said.get("result"), said.get("error"), said["asked"], said["progress"])

    def begin(self, verb: str, **words: Any) -> None:
        """Says what is to be done, and does not wait for what comes of it."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": verb, **words}) + "\n")
        self.process.stdin.flush()

    def list(self) -> dict[str, Any]:
        """The server's tools by name."""
        return {tool["name"]: tool for tool in self._wanted(self.tell("list"))}

    def call(self, name: str, arguments: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """A tool's whole result; an error of the protocol is raised."""
        return self._wanted(self.tell("call", name=name, arguments=arguments or {}, **options))

    def _wanted(self, answer: Answer) -> Any:
        if answer.error is not None:
            raise RefusedError(answer.error)
        return answer.result


def over_stdio(
    command: Sequence[str], *, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A server that the client starts itself, with what the tests' own environment has and no less."""
    where = {"cwd": str(folder)} if folder else {}
    return {"command": command[0], "args": list(command[1:]), "env": {**os.environ, **(environment or {})}, **where}


def over_http(url: str, token: str | None = None) -> dict[str, Any]:
    """A server that listens already."""
    return {"url": url, "headers": {} if token is None else {"Authorization": f"Bearer {token}"}}


@contextmanager
def typescript(
    server: Mapping[str, Any],
    *,
    sdk: int = 2,
    era: str = MODERN,
    answers: Sequence[Mapping[str, Any]] | None = None,
) -> Iterator[TypeScriptClient]:
    """A connected client; generation 1 of the SDK knows the legacy era alone. It and its server end with the block."""
    with _process() as client:
        told = client.tell("connect", sdk=sdk, era=era, server=server, answers=answers)
        if told.error is not None:
            raise RefusedError(told.error)
        client.connected = told.result
        yield client


@contextmanager
def _process() -> Iterator[TypeScriptClient]:
    process = subprocess.Popen(
        [npm.node(), str(SCRIPT), str(third_party.modules())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    client = TypeScriptClient(process)
    reader = threading.Thread(target=_hear, args=(process, client.answers))
    reader.start()
    try:
        yield client
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        reader.join()
        with process:
            pass


def _hear(process: subprocess.Popen[str], answers: queue.Queue[str]) -> None:
    for line in process.stdout or ():
        answers.put(line)
