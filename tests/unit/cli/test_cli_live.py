"""What is under way is drawn in place: never wider than the screen, never left behind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.frontends.cli.layout import clipped, columns
from engine.frontends.cli.live import Area, UnderWay, elapsed, under_way
from engine.frontends.cli.story import Story
from engine.model.event import EventKind
from tests.screen import EmulatedScreen
from tests.unit.cli.told import begin, each, end, event, lines_of


def drawn(story: Story, *, width: int = 100, most: int = 8, now: float = 5.0) -> list[str]:
    """What is under way, without its spinner."""
    lines = under_way(story, now=now, frame=0, width=width, most=most)
    return [str(line).replace("⠋ ", "", 1).rstrip() for line in lines]


def test_each_step_under_way_has_a_line() -> None:
    """Its place, how long, and what it does; the time stands where it will stand in the end."""
    story = Story(names=14)
    lines_of(story, [begin("checks", "parallel"), begin("checks/lint"), begin("checks/types", at=3.0)])
    lines_of(story, [event(EventKind.ATTEMPT_STARTED, "checks/lint", number=1, tool="ruff", args={})])
    assert drawn(story) == ["    lint                         5 s  ruff", "    types                        2 s"]
    finished = lines_of(story, [end("checks/lint")])[0].replace("✓ ", "", 1)
    assert finished.index("0.25 s") + len("0.25 s") == drawn(story)[0].index("2 s") + len("2 s")


def test_a_list_has_a_line_of_its_own_above_its_elements() -> None:
    """How far it is, and how many failed; its elements are indented under it, wherever else something began."""
    story = Story(names=14)
    run = [begin("all", "parallel"), each("all/pods", [f"w{n}" for n in range(100)]), begin("all/other")]
    run += [begin("all/pods[0]"), end("all/pods[0]", "tolerated"), begin("all/pods[1]"), begin("all/pods[2]")]
    lines_of(story, run)
    assert [" ".join(line.split()) for line in drawn(story)] == [
        "pods 1/100 5 s 1 failed",
        "pods[1] 5 s w1",
        "pods[2] 5 s w2",
        "other 5 s",
    ]
    assert [len(line) - len(line.lstrip()) for line in drawn(story)] == [4, 6, 6, 4]


def test_more_than_fit_are_counted() -> None:
    """The list itself stays; of its elements those that have been at it longest."""
    story = Story(names=14)
    lines_of(story, [each("pods", list(range(1000))), *(begin(f"pods[{number}]") for number in range(20))])
    lines = drawn(story)
    assert len(lines) == 8
    assert lines[0].split()[0] == "pods"
    assert lines[1].split()[0] == "pods[0]"
    assert lines[-1] == "    and 14 more"
    assert len(drawn(story, most=1)) == 1


def test_a_step_that_holds_others_is_not_under_way_itself() -> None:
    """Only what it holds is; between two of its steps it stands for them."""
    story = Story(names=14)
    lines_of(story, [begin("prepare", "steps"), begin("prepare/clone")])
    assert [line.split()[0] for line in drawn(story)] == ["clone"]
    lines_of(story, [end("prepare/clone")])
    assert [line.split()[0] for line in drawn(story)] == ["prepare"]
    lines_of(story, [end("prepare")])
    assert drawn(story) == []


@given(
    st.text(max_size=60).map(lambda text: "".join(text.split())),
    st.text("ab 字é", max_size=60),
    st.integers(1, 60),
)
def test_a_line_never_needs_more_columns_than_there_are(name: str, rest: str, width: int) -> None:
    """Signs that take two columns are counted as two."""
    line = UnderWay("  ⠋ ", name, rest).fitted(max(4, width))
    assert columns(str(line)) <= max(4, width)


def test_text_is_clipped_by_columns() -> None:
    """A Chinese sign takes two, an accent none."""
    assert columns("字a") == 3
    assert columns("e\u0301") == 1
    assert clipped("字字字", 4) == "字…"
    assert clipped("abc", 0) == ""
    assert clipped("abc", 3) == "abc"


LINES = st.lists(st.text("abcdefgh", min_size=1, max_size=200), max_size=8)
FRAMES = st.lists(
    st.tuples(st.lists(st.text("xyz", min_size=1, max_size=30), max_size=3), LINES, st.integers(20, 120)), max_size=12
)


@given(FRAMES, st.integers(20, 120))
def test_only_finished_lines_are_left_whatever_happens_to_the_window(
    frames: list[tuple[list[str], list[str], int]], first: int
) -> None:
    """Lines come and go, the window is resized between two drawings: at the end nothing else stands there."""
    screen, area, finished = EmulatedScreen(first, 40), Area(), []
    for new, below, width in frames:
        wide = screen.width - 1
        screen.write(area.over(new, [(line[:wide], len(line[:wide])) for line in below], wide))
        finished += new
        assert screen.text == [*_wrapped(finished, screen.width), *(line[:wide] for line in below)]
        screen.resize(width)
    screen.write(area.over([], [], screen.width - 1))
    assert screen.text == _wrapped(finished, screen.width)


def test_how_long_something_takes_is_told_at_a_glance() -> None:
    """Seconds, minutes, hours; never less than nothing when the clock was set back."""
    assert [elapsed(seconds) for seconds in (-5, 0.9, 59.9, 61, 3599, 3725)] == [
        "0 s",
        "0 s",
        "59 s",
        "1 m 01 s",
        "59 m 59 s",
        "1 h 02 m",
    ]


def _wrapped(lines: list[str], width: int) -> list[str]:
    return [line[start : start + width] for line in lines for start in range(0, len(line), width)]
