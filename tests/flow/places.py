"""A run that stands still in a place of every kind, so that something can happen to it there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.history import History
from engine.model.event import Event, EventKind
from engine.model.secret import Secrets
from tests.flow.racing import Racer, racing
from tests.flow.workshop import LOG_IN, Workshop, alive, until

STAND = (
    'echo $$ >> kids\nsleep 60 &\necho $! >> kids\ntouch "begun-$1"\nwhile ! test -e go; do sleep 0.02; done\nkill $!\n'
)
"""Begins a program in the background, says that it stands there, and waits until it may go on."""
FIRST = """
steps:
  - {name: first, tool: enter, args: {name: ann}, undo: {name: first_out, tool: leave, args: {name: ann}}}
"""
TIDY = """
always:
  - {name: tidy, tool: enter, args: {name: tidy}}
"""
CALLED = """
steps:
  - {name: in1, tool: enter, args: {name: in1}, undo: {tool: leave, args: {name: in1}}}
  - {name: in2, tool: stand, args: {name: in2}}
always:
  - {name: inner_tidy, tool: enter, args: {name: inner_tidy}}
"""
PLACES = {
    "a long call": "  - {name: slow, tool: stand, args: {name: a}}\n",
    "a foreach in parallel": """
  - name: each
    foreach: "list('abcdef')"
    parallel: 3
    steps:
      - {name: mine, tool: enter, args: {name: "{{ item }}"}, undo: {tool: leave, args: {name: "{{ item }}"}}}
      - {name: slow, tool: stand, args: {name: "{{ item }}"}}
""",
    "a sub-skill": "  - {name: call, skill: called}\n",
    "branches": """
  - name: both
    parallel:
      - {name: left, tool: stand, args: {name: left}}
      - {name: right, tool: enter, args: {name: right}, undo: {tool: leave, args: {name: right}}}
      - {name: sub, skill: called}
""",
    "a fix": "  - {name: look, tool: look}\n",
    "a pause of until": """
  - {name: poll, tool: stand, args: {name: poll}, until: {condition: "False", every: 60, timeout: 120}}
""",
}
"""What stands between the first step and the end; each place by its name."""
UNDOS = (".undo", "_out")
BEGUN = {
    "a foreach in parallel": ("a", "b", "c"),
    "a sub-skill": ("in2",),
    "branches": ("left", "in2"),
    "a fix": ("somebody",),
    "a pause of until": ("poll",),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A workshop in which runs stand still."""

    workshop: Workshop

    def furnish(self) -> None:
        """Puts the tools there, and the skill that others call."""
        self.workshop.furnish(log_in=STAND + LOG_IN)
        self.workshop.tool("stand", STAND, effect="read")
        self.workshop.skill(CALLED, "called")

    @contextmanager
    def run(self, place: str, after: str = "") -> Iterator[Racer]:
        """A run that stands in that place, until it has ended; `after` are steps behind it."""
        if place == "a pause of until":
            self.go()
        with racing(self.workshop, ["run", self.workshop.skill(FIRST + PLACES[place] + after + TIDY)]) as (racer,):
            until(lambda: self.stands_in(place))
            yield racer

    def stands_in(self, place: str) -> bool:
        """Whether everything that can have begun there has."""
        begun = all((self.folder / f"begun-{name}").exists() for name in BEGUN.get(place, ("a",)))
        if place == "branches":
            return begun and "enter right" in self.workshop.log
        return begun and (place != "a pause of until" or any(tried.ok for tried in self.past.steps["poll"].attempts))

    def killed(self, place: str, after: str = "") -> None:
        """A run that was killed in that place; everything can go on now."""
        with self.run(place, after) as racer:
            racer.kill()
        self.go()

    def go(self) -> None:
        """Lets what stands there go on."""
        (self.folder / "go").touch()

    def clear(self) -> None:
        """As if nothing had happened, but for history."""
        for path in (self.folder / "log", self.folder / "kids", self.folder / "go", *self.folder.glob("begun-*")):
            path.unlink(missing_ok=True)

    @property
    def folder(self) -> Path:
        """Where the tools work."""
        return self.workshop.folder

    @property
    def past(self) -> Any:
        """The newest run as far as it came."""
        with self.history() as history:
            return history.past("last")

    @property
    def events(self) -> list[Event]:
        """What happened in the newest run."""
        with self.history() as history:
            return [event for _, event in history.events("last")]

    @property
    def status(self) -> str:
        """How the newest run is."""
        with self.history() as history:
            record = history.run("last")
            return "interrupted" if record.interrupted else record.status.value

    @contextmanager
    def history(self) -> Iterator[History]:
        """History, as another process has it."""
        with History.open(self.workshop.home / "history.db", secrets=Secrets()) as history:
            yield history

    @property
    def kids(self) -> list[int]:
        """The programs that were begun."""
        path = self.folder / "kids"
        return [int(word) for word in path.read_text().split()] if path.exists() else []

    def assert_nothing_runs(self) -> None:
        """Every program has ended, with what it had begun in the background."""
        with suppress(AssertionError):
            until(lambda: not any(map(alive, self.kids)), within=5)
        assert [kid for kid in self.kids if alive(kid)] == []

    def assert_undone(self) -> None:
        """What was entered was left again, the first step last; each `always` ran once, the run's own at the end."""
        moves = [line.split() for line in self.workshop.log]
        entered = [name for word, name in moves if word == "enter" and not name.endswith("tidy")]
        left = [name for word, name in moves if word == "leave"]
        assert sorted(left) == sorted(entered), self.workshop.log
        assert left[-1] == "ann", self.workshop.log
        assert self.workshop.log.count("enter inner_tidy") == ("in1" in entered)
        assert self.workshop.log.count("enter tidy") == 1
        assert self.workshop.log[-1] == "enter tidy"

    def assert_undone_in_reverse(self) -> None:
        """As history has it: what ended last was undone first, but for a sub-skill, which is undone on its own."""
        ended = [event.step for event in self.events if event.kind is EventKind.STEP_FINISHED]
        undos = {path: path.removesuffix(".undo").removesuffix("_out") for path in ended if path.endswith(UNDOS)}
        undone = [path for path in undos.values() if "/in" not in path]
        assert undone == [path for path in ended if path in undone][::-1], ended
