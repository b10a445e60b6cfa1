"""The trace of one run, put in order: what the processes that died in it left open is settled as the rules say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from tests.properties.control_flow_model import GOOD, REPEATS, Heard, Model
from tests.properties.control_flow_skills import GROUPS, Node, Story, everything

REUSABLE = (*GOOD, "skipped", "tolerated")


@dataclass(slots=True)
class Call:
    """A call that was begun: the number it has among those of its word, in which life, and what the tool did."""

    word: str
    tool: str
    number: int
    life: int
    place: int
    outcome: str = ""

    @property
    def happened(self) -> bool:
        """Whether it had its effect."""
        return self.outcome in {"works", "after"}


@dataclass(slots=True)
class Reading:
    """What the trace tells of the run that began last; `called` are the calls before it, by word.

    `begun` and `ended` are the steps as they were told; `again` are those that were taken over from the run before.
    """

    story: Story
    run: str = ""
    lines: dict[int, str] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    ended: dict[str, str] = field(default_factory=dict)
    again: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    outcomes: dict[tuple[str, int], str] = field(default_factory=dict)
    called: Counter[str] = field(default_factory=Counter)
    ending: bool = False
    cancelled: bool = False
    finished: str = ""
    dead: bool = False
    deaths: int = 0
    _life: int = 0
    _settled: Counter[str] = field(default_factory=Counter)
    _open: dict[str, Call] = field(default_factory=dict)
    _newest: dict[str, Call] = field(default_factory=dict)
    _said: dict[str, str] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, story: Story, lines: Sequence[str]) -> Self:
        """The newest run of a trace."""
        reading = cls(story)
        for place, line in enumerate(lines):
            what, _, rest = line.partition(" ")
            if what == "run":
                before, settled = reading, Counter(reading._settled)
                reading = cls(story, run=rest, called=settled, _settled=Counter(settled), _life=before._life)
            else:
                reading.hear(place, line)
        return reading

    def hear(self, place: int, line: str) -> None:
        """Takes the next line."""
        what, *rest = line.split()
        match what, rest:
            case "died", _:
                self._life, self.dead, self.deaths = self._life + 1, True, self.deaths + 1
            case "lives", _:
                self._life, self.dead = self._life + 1, False
            case (("begin" | "clean"), [path]):
                assert not (what == "begin" and (self.ending or self.cancelled)), f"{path} began after the end"
                assert path not in self.ended, f"{path} began after it had ended"
                if path not in self.begun:
                    self.lines[place] = line
                self.begun.add(path)
            case "try", [path, tool, word, _]:
                self._tried(place, line, path, tool, word)
            case "call", [path, tool, word, _, outcome]:
                self._called(path, tool, word, outcome)
            case "settled", [path]:
                self._settle(path)
            case "end", [path, status]:
                assert path not in self.ended, f"{path} ended twice"
                self.lines[place] = line
                self.ended[path] = status
            case "again", [path, status]:
                self.again[path] = status
            case "asked", [path, name]:
                self._asked.add(path)
                self._said.pop(path, None)
                assert name.startswith(path)
            case "answered", [path, _, answer]:
                self._asked.discard(path)
                self._said[path] = self.answers[path] = json.loads(answer)
            case "ending", _:
                self.ending = True
            case "cancel", _:
                self.cancelled = not self.ending
            case "finished", [status]:
                self.finished = status

    def _tried(self, place: int, line: str, path: str, tool: str, word: str) -> None:
        """A call begins; one that was begun before in this place must be one that may be made again."""
        assert path not in self.ended, f"{path} was called after it had ended"
        cut = self._open.get(path)
        if cut is not None:
            assert cut.life < self._life, f"{path} was called again before its call had ended"
            doubtful = tool == "make" or (tool == "create" and cut.happened)
            assert not doubtful or self._said.pop(path, "") == "repeat", (
                f"{path} was called twice, and nobody was asked"
            )
            del self.lines[cut.place]
        call = Call(word, tool, self._settled[word], self._life, place)
        self._open[path] = self._newest[path] = call
        self.lines[place] = line

    def _called(self, path: str, tool: str, word: str, outcome: str) -> None:
        call = self._open[path]
        assert (call.tool, call.word, call.life, call.outcome) == (tool, word, self._life, "")
        call.outcome = outcome

    def _settle(self, path: str) -> None:
        """History knows how a call ended; of one that was cut off, by its `verify` or by somebody's word."""
        call = self._open.pop(path)
        if call.life < self._life:
            said = "lost" if self._said.get(path) == "done" else "before"
            self.outcomes[call.word, call.number] = "works" if call.tool == "create" and call.happened else said
            assert call.tool not in REPEATS
        else:
            assert call.outcome, f"{path} was not called at all"
        self._settled[call.word] += 1

    @property
    def unsure(self) -> list[str]:
        """Steps of which a question is open about what became of their call."""
        return [path for path in self._open if path in self._asked]

    def model(self, past: Past) -> tuple[Model, list[Heard]]:
        """The model of this run, and the lines it has to explain."""
        for path in self.unsure:
            call = self._open[path]
            self.outcomes[call.word, call.number] = "open"
        planned = {
            (word, number): each for word, told in self.story.outcomes.items() for number, each in enumerate(told)
        }
        cut = self._cut_off() if self.cancelled else set()
        lines = [Heard(place, line) for place, line in sorted(self.lines.items()) if line.split()[1] not in cut]
        happened = {path for path in cut if path in self._newest and self._newest[path].happened}
        model = Model(
            story=self.story,
            seen={line: place for place, line in lines},
            outcomes={**planned, **self.outcomes},
            called=Counter(self.called),
            answers=self.answers,
            cancelled=self.cancelled,
            cut={path for path in happened if self._newest[path].tool == "create"},
        )
        return model, lines

    def _cut_off(self) -> set[str]:
        """Steps that hold no others, and have no end."""
        nodes = {
            node.name: node
            for drawn in self.story.skills.values()
            for node in everything([*drawn.steps, *drawn.always])
        }
        return {path for path in self.begun - self.ended.keys() if _is_single(nodes, path)}


def _is_single(nodes: dict[str, Node], path: str) -> bool:
    last = path.rpartition("/")[2]
    node = nodes[last.partition("[")[0].partition("#")[0].removesuffix(".undo")]
    return node.does not in {*GROUPS, "skill"} and (node.items is None or "[" in last)
