"""A workspace for the real command: tools that are small programs, a lock to be opened, and a log of what they did."""

from __future__ import annotations

import signal
import subprocess
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.shell import Shell

SETTINGS = """
[domains.door]
description = "A door with a lock."
fixes.login = {call = {tool = "log_in"}, cooldown = 0}
"""
DEFINITION = """
name: {name}
description: A small program.
effect: {effect}
idempotent: {idempotent}
domain: door
timeout: {timeout}
{more}
parameters: {{properties: {{name: {{type: string, default: somebody}}}}}}
command:
  argv: [sh, "{script}", "{{name}}"]
  output: {output}
  exit: {{"41": {{kind: auth_expired, message: the door is locked}}}}
"""
LOOK = 'test -e token || exit 41\necho "inside"\n'
LOG_IN = 'echo "log_in" >> log\ntouch token\n'
NOTE = 'echo "{word} $1" >> log\n'
TWO_ENTRIES = """
steps:
  - name: first
    tool: enter
    args: {name: ann}
    undo: {name: first_out, tool: leave, args: {name: ann}}
  - name: second
    tool: enter
    args: {name: bob}
    undo: {name: second_out, tool: leave, args: {name: bob}}
"""


@dataclass(frozen=True, slots=True)
class Workshop(Shell):
    """A shell whose folder has tools in it; they work there, and write `log` there."""

    def furnish(self, *, log_in: str = LOG_IN) -> None:
        """Puts the door's tools there; without a file `token`, `look` fails for want of credentials."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "skill.toml").write_text(SETTINGS)
        self.tool("look", LOOK)
        self.tool("log_in", log_in, effect="write", idempotent=True, more="fix: credentials")
        self.tool("enter", NOTE.format(word="enter"), effect="write")
        self.tool("leave", NOTE.format(word="leave"), effect="write", idempotent=True)

    def tool(self, name: str, script: str, **said: Any) -> None:
        """A tool that runs `script` in a shell, in the workspace, with its argument as `$1`."""
        for part in ("tools", "scripts"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        path = self.folder / "scripts" / f"{name}.sh"
        path.write_text(f'cd "{self.folder}" || exit 1\n{script}')
        spoken = {"effect": "read", "idempotent": False, "timeout": 30, "more": "", "output": "text"} | said
        spoken["idempotent"] = str(spoken["idempotent"]).lower()
        (self.folder / "tools" / f"{name}.yaml").write_text(DEFINITION.format(name=name, script=path, **spoken))

    def skill(self, text: str, name: str = "promise") -> str:
        """Writes a skill; `text` is everything after the description."""
        (self.folder / "skills").mkdir(exist_ok=True)
        head = f"name: {name}\ndescription: A test.\n"
        (self.folder / "skills" / f"{name}.yaml").write_text(head + textwrap.dedent(text))
        return name

    @property
    def log(self) -> list[str]:
        """What the tools did."""
        path = self.folder / "log"
        return path.read_text().splitlines() if path.exists() else []

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """The command as a process; at the end it is gone in any case."""
        with self.start(*words) as process:
            try:
                yield process
            finally:
                process.kill()

    def assert_memory_is_whole(self) -> None:
        """No memory file has a mistake in it."""
        from engine import Engine  # noqa: PLC0415 - most tests only run the command

        assert Engine.open(self.folder, home=self.home).memory.findings() == ()


def until(true: Callable[[], Any], *, within: float = 40.0) -> None:
    """Waits until something is true; fails when it never is."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def descendants(pid: int) -> set[int]:
    """The living processes that a process started, and those started by them."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and alive(int(entry.name)):
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found: set[int] = set()
    waiting = {pid}
    while waiting:
        waiting = {child for child, parent in parents.items() if parent in waiting}
        found |= waiting
    return found


def interrupt(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Sends Ctrl-C and waits; gives the exit status and what was said."""
    process.send_signal(signal.SIGINT)
    try:
        output, error = process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        # Python drops an interrupt that meets one of its own import callbacks; a person presses the keys again.
        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=20)
    return process.returncode, output + error
