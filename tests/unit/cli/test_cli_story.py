"""Events go in, lines come out: a person understands what stands in what, live and in a log."""

from __future__ import annotations

from typing import Any

import pytest

from engine.frontends.cli.story import Story
from engine.model.event import EventKind
from tests.unit.cli.told import FAILURE, begin, done, each, end, event, fails, heals, lines_of, told


def test_a_group_is_a_line_where_it_begins_and_one_where_it_ends() -> None:
    """What stands in it is indented; the columns behind the names stay where they are."""
    run = [
        begin("prepare", "steps"),
        done("prepare/clone"),
        done("prepare/build"),
        end("prepare"),
        done("after"),
    ]
    assert told(run) == [
        "  ▸ prepare",
        "    ✓ clone                     0.25 s",
        "    ✓ build                     0.25 s",
        "  ✓ prepare                     0.25 s",
        "  ✓ after                       0.25 s",
    ]


def test_a_group_that_is_skipped_never_begins() -> None:
    """Its condition is looked at after it was said to begin."""
    assert told([begin("prepare", "steps"), end("prepare", "skipped"), done("after")]) == [
        "  · skipped: prepare",
        "  ✓ after                       0.25 s",
    ]


def test_steps_at_the_same_time_are_told_by_path() -> None:
    """Lines of two branches never pass for one another's."""
    run = [
        begin("checks", "parallel"),
        begin("checks/lint"),
        begin("checks/web", "steps"),
        begin("checks/web/build"),
        end("checks/lint"),
        end("checks/web/build"),
        done("checks/web/push"),
        end("checks/web"),
        end("checks"),
    ]
    assert [line.split()[1] for line in told(run)] == ["checks", "lint", "web/build", "web/push", "web", "checks"]
    assert [len(line) - len(line.lstrip()) for line in told(run)] == [2, 4, 4, 4, 4, 2]
    assert told(run)[0].endswith("at the same time")


def test_what_happens_in_a_step_among_others_is_told_when_it_ends() -> None:
    """The failure, its meaning and the fix stand together, whatever happened between them."""
    failure, *healing = [fails("both/a"), *heals("both/a")]
    run = [begin("both", "parallel"), begin("both/a"), begin("both/b"), failure, end("both/b"), *healing]
    lines = told([*run, end("both/a", "healed", reason="healed by log_in()"), end("both")])
    assert lines[1:] == [
        "    ✓ b                         0.25 s",
        "    ✗ a             the server said 401",
        "        means    HTTP status 401 means auth expired.",
        "        fixed    log_in  0.50 s",
        "    ✚ a             healed      0.25 s  by log_in()",
        "  ✓ both                        0.25 s",
    ]


def test_a_short_list_has_a_line_for_each_element() -> None:
    """With what the element is, in a word."""
    run = [each("pods", ["web", {"name": "db", "port": 1}, [1]]), *(done(f"pods[{n}]") for n in range(3)), end("pods")]
    assert told(run) == [
        "  ▸ pods            3 items",
        "    ✓ pods[0]                   0.25 s  web",
        "    ✓ pods[1]                   0.25 s  db",
        "    ✓ pods[2]                   0.25 s",
        "  ✓ pods                        0.25 s  3 items",
    ]


def test_elements_one_after_the_other_hold_their_steps() -> None:
    """A list of groups, one at a time, is a tree."""
    run = [each("all", ["x", "y"], "steps")]
    for path in ("all[0]", "all[1]"):
        run += [begin(path, "steps"), *done(f"{path}/one"), *done(f"{path}/two"), end(path)]
    shown = [line.split("   0.25")[0].rstrip() for line in told([*run, end("all")])]
    assert shown[1:4] == ["    ▸ all[0]        x", "      ✓ one", "      ✓ two"]
    assert [line.strip().split()[1] for line in shown].count("all[1]") == 2


def test_a_long_list_shows_only_what_is_worth_a_look() -> None:
    """Elements that failed or were healed; the rest is a number at the end."""
    run = [each("pods", [f"web-{n}" for n in range(1000)])]
    for number in range(1000):
        path = f"pods[{number}]"
        match number:
            case 7:
                run += [begin(path), fails(path), *heals(path), end(path, "healed", reason="healed by log_in()")]
            case 8:
                run += [begin(path), fails(path), end(path, "tolerated", failure=FAILURE, reason="healing is off")]
            case 9:
                run += done(path, "skipped")
            case _:
                run += done(path)
    lines = told([*run, end("pods", "tolerated")], names=18)
    assert [line.split()[1] for line in lines if line.split()[0] in "✗✚!✓▸"] == [
        "pods",
        "pods[7]",
        "pods[7]",
        "pods[8]",
        "pods[8]",
        "pods",
    ]
    assert lines[-1] == "  ! pods                tolerated   0.25 s  1000 items, 1 healed, 1 failed, 1 skipped"
    assert len(told([*run, end("pods")], verbose=True)) > 1000


def test_a_long_list_that_just_works_is_one_line() -> None:
    """However long."""
    run = [each("pods", list(range(500))), *(done(f"pods[{n}]") for n in range(500)), end("pods")]
    assert told(run) == ["  ✓ pods                        0.25 s  500 items"]


def test_a_log_hears_of_a_long_list_now_and_then() -> None:
    """Every ten seconds a line, where nothing is drawn over and over; on a terminal none."""
    run = [each("pods", list(range(100)))]
    for number in range(100):
        run += [begin(f"pods[{number}]", at=float(number)), end(f"pods[{number}]", at=float(number))]
    assert [line.split()[-1] for line in told(run)] == [f"{n}1/100" for n in range(1, 10)]
    assert told(run, live=True) == []


def test_a_step_that_fails_because_of_another_says_which() -> None:
    """The failure itself stands above, once."""
    run = [
        begin("prepare", "steps"),
        begin("prepare/clone"),
        fails("prepare/clone"),
        end("prepare/clone", "failed", failure=FAILURE, reason="healing is off", remediation=["log in"]),
        end("prepare", "failed", failure={**FAILURE, "message": "the step clone failed: the server said 401"}),
    ]
    assert told(run)[1:] == [
        "    ✗ clone         the server said 401",
        "    ✗ clone         failed      0.25 s  healing is off",
        "        1. log in",
        "  ✗ prepare         failed      0.25 s  because of clone",
    ]


def test_steps_skipped_in_a_row_share_a_line_within_what_they_stand_in() -> None:
    """Those of a group and those after it do not."""
    run = [
        begin("prepare", "steps"),
        done("prepare/a", "skipped"),
        done("prepare/b", "skipped"),
        end("prepare"),
        done("c", "skipped"),
        event(EventKind.RUN_FINISHED, "", status="ok"),
    ]
    assert [line.rstrip() for line in told(run)] == [
        "  ▸ prepare",
        "    · skipped: a, b",
        "  ✓ prepare                     0.25 s",
        "  · skipped: c",
    ]


def test_what_was_reused_is_named_and_not_told_again() -> None:
    """A group stands for what it holds, and a long list is not spelt out."""
    again = [done(path, reused=True) for path in ("a", "prepare/x", "prepare/y", "prepare")]
    many = [done(f"pods[{number}]", reused=True) for number in range(20)]
    assert told([*again, done("new")])[0] == "  · reused: a, prepare"
    assert told([*many, done("new")])[0].endswith("pods[11], 8 more")


def test_rounds_of_a_group_are_told_apart_and_many_are_summed() -> None:
    """The second says that it is one; from the fourth on only what is worth a look is told."""
    run = [begin("poll", "steps"), *done("poll/look"), *done("poll#2/look")]
    assert [line.split()[1] for line in told([*run, end("poll")])] == ["poll", "look", "poll#2", "look", "poll"]
    for number in range(3, 50):
        run += done(f"poll#{number}/look")
    lines = told([*run, end("poll")])
    assert len(lines) == 7
    assert lines[-1].endswith("in 49 rounds")


def test_a_sub_skill_says_which_skill_it_is() -> None:
    """In which version."""
    run = [begin("image", "skill", skill="build_image", version="1.2"), done("image/one"), end("image")]
    assert told(run)[0] == "  ▸ image           skill build_image 1.2"


def test_what_is_taken_back_and_what_always_happens_stand_apart() -> None:
    """An undo of a step inside another is told by its whole path."""
    run = [
        begin("each[2]/reserve.undo", section="undo"),
        end("each[2]/reserve.undo"),
        begin("tidy", section="always"),
        end("tidy"),
    ]
    shown = [line.split("  0.25")[0].rstrip() for line in told(run)]
    assert shown == ["  taking back what was done", "  ✓ each[2]/reserve.undo", "  always", "  ✓ tidy"]


def test_a_resumed_run_goes_on_where_it_was() -> None:
    """What happened before is counted and not told; what was open still is."""
    story = Story(names=14)
    past = [
        event(EventKind.RUN_STARTED, "", skill="deploy", inputs={}),
        *done("first"),
        each("pods", list(range(40))),
        *(one for number in range(30) for one in done(f"pods[{number}]")),
        begin("pods[30]"),
    ]
    for one in past:
        story.recall(one)
    run = [event(EventKind.RUN_RESUMED, "", pid=1, digest="", **{"from": 31})]
    run += [one for number in range(30, 40) for one in done(f"pods[{number}]")]
    assert lines_of(story, [*run, end("pods")]) == [
        "deploy  r1",
        "  goes on after 31 steps that had ended before",
        "  ✓ pods                        0.25 s  40 items",
    ]


def test_an_answer_stands_beside_its_step() -> None:
    """What somebody chose, and that a fix was agreed to."""
    assert told([begin("target", "ask"), end("target", value="staging")])[0].endswith("answered staging")
    agreed = event(EventKind.QUESTION_ANSWERED, "look", name="look.fix", answer=True, by="person")
    assert told([begin("look"), fails("look"), agreed])[-1] == "      answer   yes"


def test_progress_of_one_among_several_names_its_step() -> None:
    """In a log nobody else can tell whose it is."""
    run = [begin("both", "parallel"), begin("both/a"), begin("both/b")]
    words = event(EventKind.PROGRESS, "both/a", text="half way\nthere")
    assert told([*run, words])[-1].split() == ["a", "half", "way"]
    assert told([*run, words], live=True)[1:] == []


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    """Deep or long, healed or failed; only a name that is one long word may stand out."""
    deep = "a/b/c/d/e"
    run = [begin(deep[:number], "steps") for number in (1, 3, 5, 7)]
    long = {**FAILURE, "message": "the server said " + "many words " * 40}
    attempt = event(EventKind.ATTEMPT_FINISHED, deep, number=1, tool="look", failure=long)
    finish = end(deep, "failed", failure=long, remediation=["do this " * 30])
    lines = told([*run, begin(deep), attempt, *heals(deep), finish], width=width)
    assert len(lines) > 8
    assert max(map(len, lines)) <= width


def test_a_list_that_history_cut_is_still_counted() -> None:
    """Only its first elements are known there; how many there were is said beside them."""
    cut: dict[str, Any] = {"foreach": True, "items": ["web-0"], "truncated": ["items"]}
    run = [done(f"pods[{number}]") for number in range(400)]
    assert told([begin("pods", **cut, count=400), *run, end("pods")])[-1].endswith("400 items")
    assert told([begin("pods", **cut), *run[:20], end("pods")]) == ["  ✓ pods                        0.25 s  20 items"]


def test_what_a_branch_always_does_is_not_taken_for_the_groups() -> None:
    """The word that stands above such steps is left out where other branches' lines come between."""
    run = [begin("both", "parallel"), begin("both/other"), begin("both/call", "skill", skill="inner")]
    run += [begin("both/call/tidy", section="always"), end("both/call/tidy"), end("both/call"), end("both/other")]
    assert [line.split()[0] for line in told(run)] == ["▸", "✓", "✓", "✓"]
