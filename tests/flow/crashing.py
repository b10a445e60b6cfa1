"""Kills a run with SIGKILL at random moments and resumes it, again and again, until it ends.

    python -m tests.flow.crashing FOLDER KILLS SEED

A parent imports the engine once and forks a child for each attempt at a run, so that the kill falls into the run and
not into the imports. Prints one JSON object: how often it killed, resumed and was asked, and every wrong thing it saw.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from engine import Engine, RunResult, SkillExecutor
from engine.history import History
from engine.model.secret import Secrets
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, FixScope, Tool, ToolError

SETTINGS = """
[domains.door]
description = "A door with a lock."
fixes.login = {call = {tool = "log_in"}, cooldown = 0}
"""
LONGEST_PAUSE = 0.004
"""Seconds a tool waits at most before and after its effect, so that kills fall between them."""


def crash_skill(*, ends: str) -> str:
    """About forty steps of all kinds; `ends` is how the last one goes."""
    writes = "\n".join(
        f'  - {{name: write_{n}, tool: stamp, args: {{word: "w{n}"}}, undo: {{tool: erase, args: {{word: "w{n}"}}}}}}'
        for n in range(12)
    )
    reads = "\n".join(f'  - {{name: read_{n}, tool: read, args: {{word: "r{n}"}}, output: r{n}}}' for n in range(10))
    return f"""
name: crash_{ends}
description: Every kind of step, to be killed in.
steps:
{reads}
{writes}
  - {{name: look_1, tool: look}}
  - {{name: forget_1, tool: forget}}
  - {{name: look_2, tool: look}}
  - name: loose
    foreach: "['p', 'q', 'r', 's']"
    tool: scratch
    args: {{word: "{{{{ item }}}}"}}
  - name: each
    foreach: range(6)
    parallel: 3
    tool: stamp
    args: {{word: "e{{{{ item }}}}"}}
    undo: {{tool: erase, args: {{word: "e{{{{ item }}}}"}}}}
  - name: each_group
    foreach: "['x', 'y', 'z']"
    as: letter
    parallel: 2
    steps:
      - {{name: inner_read, tool: read, args: {{word: "{{{{ letter }}}}"}}}}
      - {{name: inner_write, tool: stamp, args: {{word: "g{{{{ inner_read }}}}"}}}}
  - name: both
    parallel:
      - {{name: left, tool: stamp, args: {{word: left}}}}
      - name: right
        steps:
          - {{name: right_1, tool: read, args: {{word: right}}}}
          - {{name: right_2, tool: stamp, args: {{word: "{{{{ right_1 }}}}"}}}}
  - name: other
    skill: crash_called
    inputs: {{word: sub}}
  - name: poll
    tool: poll
    until: {{condition: result >= 2, every: 0.002, timeout: 20}}
  - name: total
    compute: |
      result = [len(r0), each_group[0].inner_write.word, other.word]
  - {{name: last, condition: "{ends == "badly"}", tool: fail}}
always:
  - {{name: bye, tool: stamp, args: {{word: bye}}}}
outputs:
  - {{name: total, value: "{{{{ total }}}}"}}
  - {{name: each, value: "{{{{ each }}}}"}}
  - {{name: groups, value: "{{{{ each_group }}}}"}}
  - {{name: both, value: "{{{{ both }}}}"}}
  - {{name: reads, value: "{{{{ [r0, r9] }}}}"}}
"""


CALLED = """
name: crash_called
description: Called by the others.
inputs: [{name: word, type: string, required: true}]
steps:
  - name: sub_1
    tool: stamp
    args: {word: "{{ inputs.word }}1"}
    undo: {tool: erase, args: {word: "{{ inputs.word }}1"}}
  - {name: sub_2, tool: look}
  - {name: sub_3, tool: stamp, args: {word: "{{ inputs.word }}2"}}
always:
  - {name: sub_bye, tool: stamp, args: {word: sub_bye}}
outputs:
  - {name: word, value: "{{ sub_3.word }}"}
"""


@dataclass(frozen=True, slots=True)
class World:
    """What the tools change: an append-only witness, and a token that can be lost."""

    folder: Path

    @property
    def witness(self) -> list[str]:
        """Every effect, in order."""
        path = self.folder / "witness"
        return path.read_text().splitlines() if path.exists() else []

    def clear(self) -> None:
        """As if nothing had happened."""
        for name in ("witness", "token", "polled"):
            (self.folder / name).unlink(missing_ok=True)

    def tools(self) -> list[Tool]:  # noqa: C901 - a list of ten small functions
        """Reads, writes with and without a `verify`, a lock and its fix."""

        @tool(effect=Effect.READ, timeout=20)
        async def read(word: str) -> str:
            """Gives a word back."""
            await _pause()
            return word * 2

        @tool(effect=Effect.WRITE, timeout=20, verify="stamped")
        async def stamp(word: str) -> dict[str, str]:
            """Writes a line into the witness; twice is not the same as once."""
            await _pause()
            self._append(f"stamp {word}")
            await _pause()
            return {"word": word}

        @tool(effect=Effect.READ, timeout=20)
        async def stamped(word: str) -> dict[str, Any]:
            """Whether the line is there."""
            return {"happened": f"stamp {word}" in self.witness, "value": {"word": word}}

        @tool(effect=Effect.WRITE, timeout=20)
        async def scratch(word: str) -> str:
            """Writes a line, and nothing can tell afterwards whether it did."""
            await _pause()
            self._append(f"scratch {word}")
            await _pause()
            return word

        @tool(effect=Effect.WRITE, idempotent=True, timeout=20)
        async def erase(word: str) -> str:
            """Takes a line back, by another one."""
            await _pause()
            self._append(f"erase {word}")
            return word

        @tool(effect=Effect.READ, timeout=20, domain="door")
        async def look() -> str:
            """Needs a token."""
            await _pause()
            if not (self.folder / "token").exists():
                raise ToolError("the server said 401", http_status=401, output="Unauthorized", sent=True)
            return "seen"

        @tool(effect=Effect.WRITE, idempotent=True, timeout=20)
        async def forget() -> str:
            """Loses the token."""
            (self.folder / "token").unlink(missing_ok=True)
            return "forgotten"

        @tool(effect=Effect.WRITE, idempotent=True, domain="door", fix=FixScope.CREDENTIALS, timeout=20)
        async def log_in() -> str:
            """Gets a token."""
            await _pause()
            (self.folder / "token").touch()
            return "in"

        @tool(effect=Effect.READ, timeout=20)
        async def poll() -> int:
            """Grows with every look."""
            path = self.folder / "polled"
            seen = int(path.read_text()) + 1 if path.exists() else 1
            path.write_text(str(seen))
            return seen

        @tool(effect=Effect.READ, timeout=20)
        async def fail() -> str:
            """Fails for good."""
            raise ToolError("no such thing", kind="usage_error", sent=False)

        return [tool_of(made) for made in (read, stamp, stamped, scratch, erase, look, forget, log_in, poll, fail)]

    def _append(self, line: str) -> None:
        descriptor = os.open(self.folder / "witness", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, f"{line}\n".encode())
        finally:
            os.close(descriptor)


async def _pause() -> None:
    await anyio.sleep(random.uniform(0, LONGEST_PAUSE))  # noqa: S311 - no secret


Act = Callable[[SkillExecutor], Any]


@dataclass(slots=True)
class Crasher:
    """Runs, kills and resumes; `wrong` grows with everything that is not as promised."""

    folder: Path
    seed: int
    dice: random.Random = field(init=False)
    kills: int = 0
    resumed: int = 0
    asked: int = 0
    runs: int = 0
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Rolls the same moments for the same seed."""
        self.dice = random.Random(self.seed)  # noqa: S311 - no secret
        (self.folder / "skills").mkdir(parents=True, exist_ok=True)
        (self.folder / "skill.toml").write_text(SETTINGS)
        (self.folder / "skills" / "crash_called.yaml").write_text(CALLED.lstrip())
        for ends in ("well", "badly"):
            (self.folder / "skills" / f"crash_{ends}.yaml").write_text(crash_skill(ends=ends).lstrip())

    @property
    def world(self) -> World:
        """What the tools change."""
        return World(self.folder)

    def loop(self, kills: int) -> None:
        """Runs skills to their ends until that many processes were killed."""
        expected = {ends: self._undisturbed(ends) for ends in ("well", "badly")}
        while self.kills < kills and not self.wrong:
            ends = self.dice.choice(("well", "badly"))
            self.world.clear()
            self._compare(ends, expected[ends], self._to_its_end(ends))
            self.runs += 1

    def _undisturbed(self, ends: str) -> dict[str, Any]:
        self.world.clear()
        result, took = self._child(partial(SkillExecutor.run, skill=f"crash_{ends}"), kill_after=None)
        assert result is not None, self.wrong
        return {**result, "witness": Counter(self.world.witness), "took": took}

    def _to_its_end(self, ends: str) -> dict[str, Any]:
        """Runs one skill, killing its processes, until it has an end."""
        before = self._newest()
        act: Act = partial(SkillExecutor.run, skill=f"crash_{ends}")
        while True:
            result, _ = self._child(act, kill_after=self._moment())
            run_id = self._newest()
            if run_id == before:
                continue  # killed before the run had begun
            result = result or self._kept(run_id)
            if result["status"] not in {"running", "waiting"}:
                return result
            if result["status"] == "waiting":
                self.asked += 1
                act = partial(SkillExecutor.answer, run_id=run_id, answers=self._answers(result["questions"]))
            else:
                self.resumed += 1
                act = partial(SkillExecutor.resume, run_id=run_id)

    def _answers(self, questions: list[str]) -> dict[str, str]:
        """What a person would say who looks at the witness."""
        words = {name: "pqrs"[int(name[len("loose[")])] for name in questions}
        seen = self.world.witness
        return {name: "done" if f"scratch {word}" in seen else "repeat" for name, word in words.items()}

    def _moment(self) -> float:
        return self.dice.uniform(0.0, 0.45)

    def _newest(self) -> str:
        """The run that began last; empty when there is none."""
        return next((run.id for run in self._asking(lambda history: history.runs(limit=1))), "")

    def _kept(self, run_id: str) -> dict[str, Any]:
        """A run as history has it, for a process that was killed before it could tell."""
        run = self._asking(lambda history: history.run(run_id))
        asks = [question.name for question in run.questions]
        return {"status": run.status.value, "outputs": dict(run.outputs), "questions": asks}

    def _asking(self, ask: Callable[[History], Any]) -> Any:
        with History.open(self.folder / "home" / "history.db", secrets=Secrets()) as history:
            return ask(history)

    def _child(self, act: Act, *, kill_after: float | None) -> tuple[dict[str, Any] | None, float]:
        """What a forked process gave; None when it was killed before it had ended."""
        reading, writing = os.pipe()
        began = time.monotonic()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._live(act, writing)
        os.close(writing)
        if kill_after is not None:
            time.sleep(kill_after)
            os.kill(pid, signal.SIGKILL)
        with os.fdopen(reading) as pipe:
            told = pipe.read()
        _, status = os.waitpid(pid, 0)
        took = time.monotonic() - began
        if os.WIFSIGNALED(status):
            self.kills += 1
        if told.endswith("\n"):
            return json.loads(told), took
        if not os.WIFSIGNALED(status):
            self.wrong.append(f"a process ended with status {status} and said {told!r}")
        return None, took

    def _live(self, act: Act, writing: int) -> None:
        """The child: one attempt at a run."""
        random.seed(os.getpid())
        try:
            result = anyio.run(self._attempt, act)
            told = json.dumps(told_of(result)) + "\n"
        except BaseException as error:  # noqa: BLE001 - the parent reads what went wrong
            told = f"{type(error).__name__}: {error}"
        os.write(writing, told.encode())
        os._exit(0)

    async def _attempt(self, act: Act) -> RunResult:
        async with Engine.open(self.folder, home=self.folder / "home", tools=self.world.tools()) as engine:
            result: RunResult = await act(SkillExecutor(engine))
            return result

    def _compare(self, ends: str, expected: dict[str, Any], result: dict[str, Any]) -> None:
        seen = Counter(self.world.witness)
        for name in ("status", "outputs"):
            if result[name] != expected[name]:
                self.wrong.append(f"{ends}: {name} is {result[name]!r}, undisturbed it is {expected[name]!r}")
        for line, times in expected["witness"].items():
            enough = seen[line] >= 1 if line.startswith("erase") else seen[line] == times
            if not enough:
                self.wrong.append(f"{ends}: {line!r} stands {seen[line]} times in the witness, not {times}")
        for line in seen.keys() - expected["witness"].keys():
            self.wrong.append(f"{ends}: {line!r} stands in the witness, and never did undisturbed")
        with sqlite3.connect(self.folder / "home" / "history.db") as database:
            health = database.execute("PRAGMA integrity_check").fetchone()[0]
        if health != "ok":
            self.wrong.append(f"the database is damaged: {health}")


def told_of(result: RunResult) -> dict[str, Any]:
    """What the parent needs to know of a run's end."""
    return {
        "run": result.run_id,
        "status": result.status.value,
        "message": result.message,
        "outputs": dict(result.outputs),
        "questions": [question.name for question in result.questions],
    }


def main(folder: str, kills: str, seed: str) -> None:
    """Crashes as often as asked, and prints what came of it."""
    crasher = Crasher(Path(folder), int(seed))
    began = time.monotonic()
    crasher.loop(int(kills))
    told = {name: getattr(crasher, name) for name in ("seed", "kills", "runs", "resumed", "asked", "wrong")}
    sys.stdout.write(json.dumps({**told, "seconds": round(time.monotonic() - began, 1)}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
