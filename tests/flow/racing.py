"""Commands that begin at the same moment: processes forked from one that has imported them all, and let go together."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from engine.frontends.cli import main
from tests.flow.workshop import Workshop, alive

IMPORTED = (
    "anyio._backends._asyncio", "jsonschema", "yaml", "ssl", "engine.mending", "engine.wiring", "engine.heal.resume",
    "engine.heal.settle", "engine.history.retelling", "engine.run.prepare", "engine.documents", "engine.memory",
    *(f"engine.frontends.cli.{name}" for name in ("run", "resume", "answer", "cancel", "watch", "logs", "complaint")),
)  # fmt: skip
"""What commands import late; imported before they begin, so that what races is what they do."""


@dataclass(slots=True)
class Racer:
    """One command in a process of its own; what it says is in files."""

    pid: int
    folder: Path
    status: int | None = field(default=None)

    @property
    def output(self) -> str:
        """What it said on standard output so far."""
        return (self.folder / "output").read_text()

    @property
    def error(self) -> str:
        """What it said on standard error so far."""
        return (self.folder / "error").read_text()

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self.status is None and alive(self.pid)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Sends a signal."""
        os.kill(self.pid, number)

    def wait(self) -> int:
        """The exit status, negative for a signal, once it has ended."""
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status


@contextmanager
def racing(workshop: Workshop, *commands: Sequence[str]) -> Iterator[list[Racer]]:
    """Commands of `skill` that begin together; whatever still runs at the end is ended."""
    for name in IMPORTED:
        importlib.import_module(name)
    gate, opens = os.pipe()
    racers = [_forked(workshop, words, gate, opens) for words in commands]
    os.close(gate)
    os.close(opens)  # now all of them read the end of the pipe
    try:
        yield racers
    finally:
        for racer in racers:
            if racer.runs:
                racer.kill()
            racer.wait()


def raced(workshop: Workshop, *commands: Sequence[str]) -> list[Racer]:
    """Commands that began together, all ended."""
    with racing(workshop, *commands) as racers:
        for racer in racers:
            racer.wait()
    return racers


def _forked(workshop: Workshop, words: Sequence[str], gate: int, opens: int) -> Racer:
    folder = _new_folder(workshop)
    pid = os.fork()
    if pid == 0:
        try:
            os.close(opens)
            _speak_into(folder)
            os.chdir(workshop.folder)
            os.environ.update(workshop.environment)
            sys.argv = ["skill", *words]
            os.read(gate, 1)
            _exit_of(main)
        finally:
            os._exit(99)
    return Racer(pid=pid, folder=folder)


def _new_folder(workshop: Workshop) -> Path:
    parent = workshop.folder.parent / "said"
    parent.mkdir(exist_ok=True)
    folder = parent / str(len(list(parent.iterdir())))
    folder.mkdir()
    for name in ("output", "error"):
        (folder / name).touch()
    return folder


def _speak_into(folder: Path) -> None:
    for number, name in ((1, "output"), (2, "error")):
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_APPEND)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 - until the process ends


def _exit_of(act: Callable[[], None]) -> None:
    """Ends this process as `act` does."""
    try:
        act()
    except SystemExit as error:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(error.code if isinstance(error.code, int) else 1)
