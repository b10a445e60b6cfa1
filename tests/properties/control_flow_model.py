"""What a run of a random skill comes to: the reference that the engine is compared with.

`Model` is a plain walk over the drawn data; read it as the language's rules in short. It tells lines (what begins, is
called and ends), in order, with an `AtOnce` where several steps run at the same time. What their mixing decides, it
takes from what was seen, and nothing else: whether a step began before something else closed the way, which of several
endings came first, and the order of endings that undoing reverses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, NamedTuple, TypeAlias

from tests.properties.control_flow_skills import GROUPS, Condition, Drawn, Node, Story

GOOD = ("ok", "healed")
REPEATS = ("say", "put", "take")
"""Tools of which two calls are the same as one."""


class AtOnce(NamedTuple):
    """The lines of steps that ran at the same time, at most `limit` of them.

    `over` are the places in the trace where they ended; after one that is in `closing`, nothing new began.
    """

    branches: list[list[Line]]
    limit: int
    over: Collection[int] = ()
    closing: Collection[int] = ()


Line: TypeAlias = str | AtOnce


class Heard(NamedTuple):
    """A line of the trace, and its place there."""

    at: int
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Why what a step stands in ends: it `failed`, which can be tolerated, or was stopped, waits, or was halted.

    `safe`: to do it again cannot do anything twice. `kind` is that of the failure.
    """

    status: str
    failed: bool = False
    safe: bool = True
    kind: str = ""


WAITS, HALTED = End(status="waiting"), End(status="cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """How a step ended, what it gave, and how it ends what it stands in; `at` is where it was seen to end.

    `effect`: it failed, and its newest call had its effect all the same.
    """

    status: str = ""
    value: Any = None
    end: End | None = None
    at: int = -1
    effect: bool = False


Told: TypeAlias = Generator[Line, None, Got]


def failure(*, safe: bool = False, kind: str = "", effect: bool = False) -> Got:
    """A failed step; what could not be evaluated is not done again, for nothing would change."""
    return Got(status="failed", effect=effect, end=End(status="failed", failed=True, safe=safe, kind=kind))


class UnreadableError(Exception):
    """A key of a value that is not there."""


class Undo(NamedTuple):
    """What takes a step back: it ended at `order`, under `path`, and saw the names of `here`."""

    order: float
    path: str
    node: Node
    here: Here


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Where a walk is: the names and the ends of steps it sees, and what its skill has to take back.

    `free`: something else may close the way, so that not beginning is allowed.
    """

    names: dict[str, Any] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    prefix: str = ""
    free: bool = False
    cleaning: bool = False
    undos: list[Undo] = field(default_factory=list)
    waiting: list[tuple[Drawn, Here]] = field(default_factory=list)

    def branch(self, **names: Any) -> Here:
        """The same place, seen by nobody else."""
        return replace(self, names={**self.names, **names}, ends=dict(self.ends))


class Past(NamedTuple):
    """What a new run takes over from an old one: its first steps, and the place after them."""

    taken: int = 0
    here: Here = Here()


@dataclass(kw_only=True)
class Model:
    """One run. `seen` are its lines with their places in the trace; `outcomes` those of calls by word and number.

    `cut` are steps that the end of a cancelled run cut off after their call had had its effect.
    """

    story: Story
    seen: Mapping[str, int]
    outcomes: Mapping[tuple[str, int], str]
    called: Counter[str]
    answers: Mapping[str, Any]
    cancelled: bool = False
    cut: Collection[str] = ()
    places: list[Here] = field(default_factory=list)
    undone: set[str] = field(default_factory=set)
    waits: list[str] = field(default_factory=list)

    def run(self, past: Past) -> tuple[list[Line], str, dict[str, Any], Here]:
        """The lines, the status, the outputs, and the place at the end."""
        here = replace(past.here.branch(), undos=[*past.here.undos], waiting=[], free=self.cancelled)
        lines, (end, outputs) = gathered(self.skill(self.story.skills["main"], here, past.taken))
        return lines, end.status if end else "ok", outputs, here

    def skill(self, drawn: Drawn, here: Here, taken: int = 0) -> Generator[Line, None, tuple[End | None, Any]]:
        """Steps, then cleaning up, then the outputs, whatever happened."""
        end = yield from self.steps(drawn.steps[taken:], here)
        if end is WAITS:
            return WAITS, {}
        end = yield from self.clean(drawn, here, HALTED if self.cancelled and not here.prefix else end)
        try:
            value = here.names.get(drawn.gives)
            return end, {"out": key(value, "word") if drawn.reaches else value}
        except UnreadableError:
            return end if end and end.status != "ok" else failure(safe=True).end, {}

    def clean(self, drawn: Drawn, here: Here, end: End | None) -> Generator[Line, None, End | None]:
        """Takes back what was done, last first, if it did not end well; then `always`, which can only make it worse."""
        here.names["run.status"] = end.status if end else "ok"
        if end and end.status != "ok":
            resting = [gathered(self.clean(sub, there, end))[0] for sub, there in here.waiting]
            for lines in sorted(resting, key=self.first_seen):
                yield from lines
            for undo in sorted(here.undos, key=lambda each: each.order, reverse=True):
                node = Node(name=f"{undo.node.name}.undo", does="take", tags=undo.node.tags)
                node = replace(node, reads=undo.node.name if undo.node.undo == "reads" else "")
                got = yield from self.one(node, replace(undo.here, free=False, cleaning=True), undo.path)
                self.undone |= {top(undo.path)} if got.status in GOOD else set()
        for node in drawn.always:
            got = yield from self.step(node, replace(here, free=False, cleaning=True))
            if got.end and (end is None or end.status == "ok"):
                end = replace(got.end, status="failed")
        return end

    def steps(self, nodes: Sequence[Node], here: Here) -> Generator[Line, None, End | None]:
        """One after the other, until one ends it."""
        for node in nodes:
            got = yield from self.step(node, here)
            if not here.prefix:
                self.places.append(replace(here.branch(), undos=[*here.undos]))
            if got.end:
                return got.end
        return None

    def step(self, node: Node, here: Here) -> Told:
        """A step, or a `foreach`: the condition, unless it is about the element, then the list, then each element."""
        path = here.prefix + node.name
        if node.items is None:
            return (yield from self.one(node, here, path))
        if self.halts(node, here, path):
            return Got(end=HALTED)
        yield f"{verb(here)} {path}"
        element = replace(node, items=None, when=node.when if node.per_element else None)
        try:
            if not node.per_element and not holds(node.when, here):
                return (yield from self.over(node, here, path, Got(status="skipped")))
            places = [
                here.branch(**{node.bind: item}) for item in range(node.items if holds(node.items_if, here) else 0)
            ]
        except UnreadableError:
            return (yield from self.over(node, here, path, failure()))
        places = [replace(place, free=here.free or node.limit > 1) for place in places]
        starts = [self.one(element, place, f"{path}[{index}]") for index, place in enumerate(places)]
        found, end = yield from self.at_once(starts, here, min(node.limit, len(starts)))
        if end in (WAITS, HALTED):
            return Got(end=end)
        worst = next((each for each in ("tolerated", "healed") if each in {got.status for got in found}), "ok")
        values = [got.value for got in found] + [None] * (len(starts) - len(found))
        whole = Got(status=worst, value=values, end=end)
        return (yield from self.over(node, here, path, replace(failure(), end=end) if end and end.failed else whole))

    def one(self, node: Node, here: Here, path: str) -> Told:
        """A step that is no list, or an element of one: its condition, then its rounds."""
        if self.halts(node, here, path):
            return Got(end=HALTED)
        yield f"{verb(here)} {path}"
        try:
            got = (yield from self.rounds(node, here, path)) if holds(node.when, here) else Got(status="skipped")
        except UnreadableError:
            got = failure()
        return got if got.end in (WAITS, HALTED) else (yield from self.over(node, here, path, got))

    def over(self, node: Node, here: Here, path: str, got: Got) -> Told:
        """The end of a step: tolerated or not, told, bound to its name, and what takes it back noted."""
        failed = got.end is not None and got.end.failed
        status = "tolerated" if failed and node.tolerated else got.status
        line = f"end {path} {status}"
        yield line
        here.names[node.name], here.ends[node.name] = got.value, status
        happened = status in GOOD or (node.does == "create" and got.effect)
        if node.undo and node.items is None and happened:
            note_undo(node, here, path, self.seen.get(line, -1))
        end = None if failed and node.tolerated else got.end
        return replace(got, status=status, end=end, at=self.seen.get(line, -1))

    def rounds(self, node: Node, here: Here, path: str) -> Told:
        """Again after a failure, as often as `retry` says and where that is safe; again after a value, for `until`."""
        healed, failures = False, 0
        for number in count(1):
            repeated = number > 1 and node.does in {*GROUPS, "skill"}
            got = yield from self.act(node, here, f"{path}#{number}" if repeated else path)
            if got.end and not got.end.failed:
                return replace(got, status="healed" if healed else got.status)
            if got.end is None:
                failures = 0
                if not node.until or second(node, got.value):
                    return replace(got, status="healed" if healed else "ok")
                if node.until == "in vain":
                    return failure(safe=node.does in REPEATS, effect=True)
            else:
                healed, failures = True, failures + 1
                refused = node.only and got.end.kind != "server_error"
                if failures >= node.attempts or refused or not got.end.safe:
                    return got
        raise AssertionError("it never ends")

    def act(self, node: Node, here: Here, path: str) -> Told:
        """One round of the action; a group, or a skill, that lacks what was expected of it has failed."""
        match node.does:
            case "compute":
                return compute(node, here)
            case "stop":
                value = {"status": node.stop, "message": f"{node.name} stops"}
                return Got(status="ok", value=value, end=End(status=node.stop))
            case "ask":
                return self.ask(here, path)
            case "skill":
                got = yield from self.called_skill(node, here, path)
            case "steps" | "parallel":
                got = yield from self.group(node, here, path)
            case _:
                return (yield from self.call(node, here, path))
        if got.end is None and node.expect and not key(got.value, node.inner[0].name):
            return failure()
        return got

    def group(self, node: Node, here: Here, path: str) -> Told:
        """Inner steps; their names end with the group. It fails with the step that failed."""
        inside = replace(here, prefix=f"{path}/", names=dict(here.names))
        if node.does == "steps":
            end = yield from self.steps(node.inner, inside)
        else:
            branches = [replace(inside.branch(), free=True) for _ in node.inner]
            starts = [self.step(inner, place) for inner, place in zip(node.inner, branches, strict=True)]
            _, end = yield from self.at_once(starts, here, len(starts))
            for inner, place in zip(node.inner, branches, strict=True):
                inside.names[inner.name] = place.names.get(inner.name)
                here.ends.update({name: place.ends[name] for name in within(inner) & place.ends.keys()})
        if end and (end.failed or end in (WAITS, HALTED)):
            return replace(failure(), end=end)
        return Got(status="ok", value={inner.name: inside.names.get(inner.name) for inner in node.inner}, end=end)

    def at_once(
        self, starts: Sequence[Told], here: Here, limit: int
    ) -> Generator[Line, None, tuple[list[Got], End | None]]:
        """Steps at the same time; when one ends it, nothing new begins. One that waits holds its place."""
        told: list[list[Line]] = []
        found: list[Got] = []
        for start in starts:
            if limit == 1 and found and found[-1].end:
                break
            lines, got = gathered(start)
            told.append(lines)
            found.append(got)
        real = sorted((got for got in found if got.end not in (None, WAITS, HALTED)), key=lambda got: got.at)
        ends = [got.end for got in found]
        if limit == 1:
            yield from (line for lines in told for line in lines)
        else:
            yield AtOnce(told, limit, {got.at for got in found}, {got.at for got in real})
        if real and real[0].end:
            return found, replace(real[0].end, safe=all(got.end.safe for got in real if got.end))
        allowed = here.free or ends.count(WAITS) >= limit
        assert HALTED not in ends or allowed, f"something under {here.prefix or 'the run'} did not begin, for no reason"
        return found, next((end for end in (WAITS, HALTED) if end in ends), None)

    def called_skill(self, node: Node, here: Here, path: str) -> Told:
        """Another skill, with names of its own. Ended well, what it has to undo waits with the caller's."""
        drawn = self.story.skills[node.skill]
        there = Here(names={"inputs.at": word(node, here)}, prefix=f"{path}/", free=here.free, cleaning=here.cleaning)
        end, outputs = yield from self.skill(drawn, there)
        if end is WAITS:
            here.waiting.append((drawn, there))
        if end in (WAITS, HALTED):
            return Got(end=end)
        if there.names["run.status"] == "ok":
            here.undos.extend(there.undos)
        if end is None or end.status == "ok":
            return Got(status="ok", value=outputs)
        return replace(
            failure(), end=replace(end, failed=True, status="blocked" if end.status == "blocked" else "failed")
        )

    def call(self, node: Node, here: Here, path: str) -> Told:
        """A call, with the outcome that this word's call of that number has."""
        said = word(node, here)
        saw = key(here.names.get(node.reads), "word") if node.reads else "-"
        number = self.called[said]
        outcome = self.outcomes.get((said, number), "works")
        yield f"try {path} {node.does} {said} {saw}"
        if outcome == "open":
            return Got(end=WAITS)
        self.called[said] += 1
        repeats = node.does in REPEATS
        match outcome:
            case "safe":
                return failure(safe=True)
            case "before" | "after":
                return failure(safe=repeats, kind="server_error", effect=outcome == "after")
            case "lost":
                return Got(status="ok")
        if node.expect and number == 0:
            return failure(safe=repeats, effect=True)
        return Got(status="ok", value={"word": said, "n": number + 1})

    def ask(self, here: Here, path: str) -> Got:
        """An answer that somebody gave, else it waits; nobody waits while cleaning up."""
        if path in self.answers:
            return Got(status="ok", value=self.answers[path])
        if here.cleaning:
            return failure()
        self.waits.append(path)
        return Got(end=WAITS)

    def first_seen(self, lines: list[Line]) -> int:
        """The place in the trace of the first of these lines."""
        return min((self.seen.get(line, -1) for line in flat(lines)), default=-1)

    def halts(self, node: Node, here: Here, path: str) -> bool:
        """Whether the way was closed before the step began."""
        halted = here.free and f"{verb(here)} {path}" not in self.seen
        if halted and path in self.cut:
            note_undo(node, here, path, float("inf"))
        return halted


def note_undo(node: Node, here: Here, path: str, order: float) -> None:
    """Notes what takes a step back."""
    before, slash, last = path.rpartition("/")
    named = last.replace(node.name, f"{node.name}.undo", 1)
    here.undos.append(Undo(order, f"{before}{slash}{named}", node, here))


def gathered(told: Generator[Line, None, Any]) -> tuple[list[Line], Any]:
    """All lines, and what came of them."""
    lines: list[Line] = []
    while True:
        try:
            lines.append(next(told))
        except StopIteration as stop:
            return lines, stop.value


def verb(here: Here) -> str:
    """How the beginning of a step is told."""
    return "clean" if here.cleaning else "begin"


def top(path: str) -> str:
    """The step at the top level that a path leads into."""
    return path.partition("/")[0].partition("[")[0].partition("#")[0].removesuffix(".undo")


def within(node: Node) -> set[str]:
    """The names of a step and of those inside it."""
    return {node.name}.union(*(within(inner) for inner in node.inner))


def word(node: Node, here: Here) -> str:
    """The word of a step's call."""
    name = f"un{node.name.removesuffix('.undo')}" if node.does == "take" else node.name
    return "-".join([name, *(str(here.names[tag]) for tag in node.tags)])


def key(value: Any, name: str) -> Any:
    """A key of a value; UnreadableError when it is none that has keys."""
    if value is None:
        raise UnreadableError
    return value[name]


def holds(condition: Condition | None, here: Here) -> bool:
    """Whether a condition is true there."""
    if condition is None:
        return True
    value = here.names.get(condition.name)
    match condition.how:
        case "has":
            return bool(value)
        case "lacks":
            return not value
        case "isnt":
            return bool(value != 1)
        case "reach":
            return bool(key(value, "word"))
        case "ok":
            return here.ends.get(condition.name) == "ok"


def second(node: Node, value: Any) -> bool:
    """Whether `until` holds: at the second call."""
    counted = key(value, node.inner[0].name) if node.does in GROUPS else value
    return bool(key(counted, "n") > 1)


def compute(node: Node, here: Here) -> Got:
    """A block: it sees the names there are, and gives the same every time."""
    if node.raises:
        return failure(safe=True)
    said = key(here.names.get(node.reads), "word") if node.reads else node.name
    return Got(
        status="ok", value={"word": said, "sees": [name for name in node.peeks if here.names.get(name) is not None]}
    )


def compare(expected: Sequence[Line], seen: Sequence[Heard]) -> None:
    """Asserts that what was seen is one of the orders that were expected."""
    place = 0
    for item in expected:
        if isinstance(item, str):
            found = seen[place].line if place < len(seen) else "nothing"
            before = [heard.line for heard in seen[max(0, place - 3) : place]]
            assert item == found, f"expected {item!r}, seen {found!r} after {before}"
            place += 1
        else:
            size = len(flat([item]))
            _compare_branches(item, seen[place : place + size])
            place += size
    assert place == len(seen), f"not expected: {[heard.line for heard in seen[place:]]}"


def _compare_branches(expected: AtOnce, seen: Sequence[Heard]) -> None:
    """Each branch by itself; never more than `limit` under way; nothing that begins after what closes the way."""
    owners = {line: index for index, branch in enumerate(expected.branches) for line in flat(branch)}
    foreign = [heard.line for heard in seen if heard.line not in owners]
    assert not foreign, f"not expected here: {foreign}; expected {expected.branches}"
    for index, branch in enumerate(expected.branches):
        compare(branch, [heard for heard in seen if owners[heard.line] == index])
    closed_by: int | None = None
    under_way: set[int] = set()
    for heard in seen:
        owner = owners[heard.line]
        under_way.add(owner)
        assert len(under_way) <= expected.limit, f"{heard.line!r} is one too many at once"
        late = closed_by not in (None, owner) and heard.line.startswith("begin ")
        assert not late, f"{heard.line!r} came although another step had ended it"
        closed_by = owner if closed_by is None and heard.at in expected.closing else closed_by
        under_way -= {owner} if heard.at in expected.over else set()


def flat(lines: Iterable[Line]) -> list[str]:
    """All lines, in an order that may have been."""
    found: list[str] = []
    for line in lines:
        found.extend([line] if isinstance(line, str) else (each for branch in line.branches for each in flat(branch)))
    return found
