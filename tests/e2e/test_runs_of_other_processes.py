"""Runs seen, answered, cancelled and continued from another process than their own."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.flow.workshop import Workshop, alive, until

WAITS = 'touch "begun-$1"\nwhile ! test -e "go-$1"; do sleep 0.05; done\n'
TWO_STEPS = """
steps:
  - name: first
    tool: enter
    args: {name: ann}
    undo: {name: first_out, tool: leave, args: {name: ann}}
  - {name: slow, tool: wait_for, args: {name: slow}}
  - {name: last, tool: enter, args: {name: zoe}}
always:
  - {name: tidy, tool: enter, args: {name: tidy}}
outputs:
  - {name: said, value: done}
"""
STAGE = "profile: stage\ndescription: The stage.\nconfig: {shelf: seven}\ndomains: {}\n"
BEGINNINGS = ("run_started", "run_resumed")
ASKS = """
steps:
  - name: first
    tool: enter
    args: {name: ann}
    undo: {name: first_out, tool: leave, args: {name: ann}}
  - {name: target, ask: {question: Where to?, choices: [staging, production]}}
  - {name: count, ask: {question: How many?, type: integer, default: 3}}
  - {name: go, tool: enter, args: {name: "{{ target }}-{{ count }}"}}
outputs:
  - {name: said, value: "{{ target }} {{ count }}"}
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Tools, one of which waits for a file, and nothing has happened yet."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    made.furnish()
    made.tool("wait_for", WAITS, effect="read")
    return made


@contextmanager
def slow_run(workshop: Workshop, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A run that is in its second step; it goes on when `go` is called."""
    with workshop.running("run", workshop.skill(TWO_STEPS), *more) as process:
        try:
            until((workshop.folder / "begun-slow").exists)
            yield process
        finally:
            go(workshop)


def go(workshop: Workshop) -> None:
    """Lets the slow step end."""
    (workshop.folder / "go-slow").touch()


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a process has still to say on both its outputs, once it has ended."""
    assert process.stdout is not None
    assert process.stderr is not None
    # `communicate` would not see what a `readline` before it has read ahead.
    output, error = process.stdout.read(), process.stderr.read()
    process.wait(timeout=30)
    return output, error


def killed_run(workshop: Workshop) -> None:
    """A run whose process is killed in its second step."""
    with slow_run(workshop) as process:
        process.kill()
        process.wait()


def parked(workshop: Workshop) -> dict[str, Any]:
    """A run that waits for an answer."""
    found: dict[str, Any] = workshop.json("run", workshop.skill(ASKS), status=4)
    return found


def test_watch_shows_a_run_from_its_beginning_to_its_end(workshop: Workshop) -> None:
    """What happened before is shown too, the result is the run's, and so is the exit status."""
    with slow_run(workshop) as run, workshop.running("watch") as watch:
        assert watch.stderr is not None
        told = [watch.stderr.readline() for _ in range(3)]
        assert told[2].startswith("  ✓ first")
        go(workshop)
        output, rest = ended(watch)
        ended(run)
    assert (watch.returncode, run.returncode) == (0, 0)
    assert "✓ slow" in rest
    assert "said  done" in output


def test_watch_streams_the_very_events_of_the_run(workshop: Workshop) -> None:
    """`-o jsonl`: line by line the same as the run's own, and the same result."""
    with slow_run(workshop, "-o", "jsonl") as run, workshop.running("watch", "last", "-o", "jsonl") as watch:
        assert watch.stdout is not None
        first = json.loads(watch.stdout.readline())
        assert first["event"] == "run_started"
        go(workshop)
        seen = [first, *map(json.loads, ended(watch)[0].splitlines())]
        own = [json.loads(line) for line in ended(run)[0].splitlines()]
    assert [line["event"] for line in seen] == [line["event"] for line in own]
    assert {name: seen[-1][name] for name in ("status", "outputs", "run")} == {
        name: own[-1][name] for name in ("status", "outputs", "run")
    }
    assert [step["name"] for step in seen[-1]["steps"]] == [step["name"] for step in own[-1]["steps"]]


def test_ctrl_c_leaves_the_watched_run_alone(workshop: Workshop) -> None:
    """It detaches with 130 and says that the run goes on, which it does."""
    with slow_run(workshop) as run:
        with workshop.running("watch") as watch:
            assert watch.stderr is not None
            while "first" not in watch.stderr.readline():
                pass
            watch.send_signal(signal.SIGINT)
            said = ended(watch)[1]
        assert watch.returncode == 130
        assert "the run goes on" in said
        assert alive(run.pid)
        go(workshop)
        assert run.wait(timeout=30) == 0


def test_watching_a_run_that_waits_shows_the_command_that_answers(workshop: Workshop) -> None:
    """With the exit status of the run itself."""
    run = parked(workshop)["run"]
    done = workshop.run("watch")
    assert done.returncode == 4
    assert f"skill answer {run} target=staging" in done.stdout


def test_watching_a_run_whose_process_dies_says_so(workshop: Workshop) -> None:
    """And how to go on with it; also when it died long ago."""
    with slow_run(workshop) as run, workshop.running("watch") as watch:
        assert watch.stderr is not None
        while "first" not in watch.stderr.readline():
            pass
        run.kill()
        run.wait()
        output, _ = ended(watch)
    assert watch.returncode == 1
    assert "interrupted" in output
    assert "skill resume" in output
    later = workshop.run("watch", "last", "--json")
    assert later.returncode == 1
    assert json.loads(later.stdout)["status"] == "interrupted"


def test_logs_follow_a_run_until_it_ends(workshop: Workshop) -> None:
    """Line by line as it happens; as JSON too."""
    with slow_run(workshop) as run, workshop.running("logs", "-f", "-o", "jsonl") as logs:
        assert logs.stdout is not None
        while (line := json.loads(logs.stdout.readline()))["step"] != "slow":
            assert line["run"]
        go(workshop)
        rest = [json.loads(line) for line in ended(logs)[0].splitlines()]
        ended(run)
    assert rest[-1]["event"] == "run_finished"
    assert logs.returncode == 0
    lines = workshop.run("logs", "-f").stdout.splitlines()
    assert len(lines) == len(workshop.run("logs").stdout.splitlines())


def test_cancel_ends_a_run_of_another_process(workshop: Workshop) -> None:
    """Its step is stopped, what it did is undone; both commands say so, and cancelling was a success."""
    with slow_run(workshop) as run:
        done = workshop.run("cancel")
        assert run.wait(timeout=30) == 130
    assert done.returncode == 0, done.stderr
    assert "first_out" in done.stderr
    assert "cancelled" in done.stdout
    assert workshop.log == ["enter ann", "leave ann", "enter tidy"]


def test_cancel_need_not_wait(workshop: Workshop) -> None:
    """`--no-wait` only asks."""
    with slow_run(workshop) as run:
        done = workshop.run("cancel", "last", "--no-wait")
        assert (done.returncode, done.stdout) == (0, "")
        assert run.wait(timeout=30) == 130


def test_cancel_ends_a_run_nobody_works_on(workshop: Workshop) -> None:
    """One that was killed, and one that waits: undone here, and `always` is run."""
    killed_run(workshop)
    assert workshop.run("cancel").returncode == 0
    assert workshop.log == ["enter ann", "leave ann", "enter tidy"]
    run = parked(workshop)["run"]
    done = workshop.run("cancel", run)
    assert done.returncode == 0, done.stderr
    assert workshop.log[-2:] == ["enter ann", "leave ann"]
    assert workshop.json("status", run)["status"] == "cancelled"
    again = workshop.run("cancel", run)
    assert again.returncode == 2
    assert "has ended already" in again.stderr


def test_which_run_must_be_said_when_several_are_meant(workshop: Workshop) -> None:
    """Of two that wait, neither is answered or cancelled by chance."""
    runs = [parked(workshop)["run"] for _ in range(2)]
    for words in (["answer", "target=staging"], ["cancel"]):
        done = workshop.run(*words)
        assert done.returncode == 2
        assert all(run in done.stderr for run in runs)


def test_a_run_that_waits_is_answered_and_goes_on_here(workshop: Workshop) -> None:
    """The command it names works as it stands; the next question parks it again; nothing is done twice."""
    result = parked(workshop)
    assert [question["name"] for question in result["questions"]] == ["target"]
    assert result["questions"][0]["answer_with"] == f"skill answer {result['run']} target=VALUE"
    once = workshop.json("answer", result["run"], "target=production", status=4)
    assert once["run"] == result["run"]
    assert [question["name"] for question in once["questions"]] == ["count"]
    done = workshop.json("answer", "count:=7")
    assert done["outputs"] == {"said": "production 7"}
    assert workshop.log == ["enter ann", "enter production-7"]


def test_an_answer_that_does_not_fit_changes_nothing(workshop: Workshop) -> None:
    """Exit status 2, what is wanted, and the run still waits."""
    run = parked(workshop)["run"]
    for words, said in (
        (["target=nowhere"], "staging, production"),
        (["tarot=staging"], "target"),
        ([], "skill answer"),
    ):
        done = workshop.run("answer", run, *words)
        assert done.returncode == 2
        assert said in done.stderr
    assert workshop.json("status", run)["status"] == "waiting"
    assert workshop.run("answer", "nobody", "x=1").returncode == 3


def test_answers_can_be_given_beforehand(workshop: Workshop) -> None:
    """`--answer`, and `-y` takes the default of what has one."""
    name = workshop.skill(ASKS)
    done = workshop.json("run", name, "--answer", "target=staging", "-y")
    assert done["outputs"] == {"said": "staging 3"}
    assert workshop.json("run", name, "-y", status=4)["questions"][0]["name"] == "target"


def test_a_killed_run_is_resumed(workshop: Workshop) -> None:
    """After its last finished step, with what had happened told in a line."""
    killed_run(workshop)
    assert workshop.json("status")["status"] == "interrupted"
    done = workshop.run("resume")
    assert done.returncode == 0, done.stderr
    assert "goes on after 1 step" in done.stderr
    assert "✓ first" not in done.stderr
    assert workshop.log == ["enter ann", "enter zoe", "enter tidy"]
    assert workshop.run("resume").returncode == 3
    assert workshop.run("resume", "last").returncode == 2


def test_a_write_that_was_cut_off_is_settled_by_a_person(workshop: Workshop) -> None:
    """Nobody else knows whether it happened; `-y` does not answer that."""
    workshop.tool("pay", "echo paid >> log\ntouch begun-pay\nsleep 60\n", effect="write")
    name = workshop.skill("\nsteps:\n  - {name: pay, tool: pay}\n  - {name: after, tool: enter, args: {name: ann}}\n")
    with workshop.running("run", name) as process:
        until((workshop.folder / "begun-pay").exists)
        process.kill()
        process.wait()
    waits = workshop.json("resume", "-y", status=4)
    (question,) = waits["questions"]
    assert (question["about"], question["choices"]) == ("settle", ["repeat", "done", "fail"])
    assert workshop.run("answer", "pay.settle=done").returncode == 0
    assert workshop.log == ["paid", "enter ann"]


def test_a_run_of_a_living_process_is_not_resumed(workshop: Workshop) -> None:
    """Who has it is said, with a status of its own."""
    with slow_run(workshop) as run:
        done = workshop.run("resume", "last")
        assert done.returncode == 5
        assert str(run.pid) in done.stderr
        go(workshop)
        assert run.wait(timeout=30) == 0


def test_a_failed_run_is_tried_again_with_what_it_had_done(workshop: Workshop) -> None:
    """A new run; what had worked is named, not done again."""
    workshop.tool("fragile", "test -e whole || exit 3\n", effect="read")
    name = workshop.skill(
        "\nsteps:\n  - {name: first, tool: enter, args: {name: ann}}\n  - {name: weak, tool: fragile}\n"
    )
    failed = workshop.json("run", name, status=1)
    (workshop.folder / "whole").touch()
    done = workshop.run("retry")
    assert done.returncode == 0, done.stderr
    assert "· reused: first" in done.stderr
    assert workshop.log == ["enter ann"]
    assert workshop.json("status")["reused_from"] == failed["run"]
    assert workshop.run("retry", "last", "--from-step", "first").returncode == 0
    assert workshop.log == ["enter ann", "enter ann"]
    assert workshop.run("retry").returncode == 0  # the run that failed is the newest that did not end well


def test_a_step_that_is_done_again_asks_again(workshop: Workshop) -> None:
    """An answer given to the old run is not the new run's, unless the step that asked is reused."""
    name = workshop.skill(ASKS)
    assert workshop.json("run", name, "--answer", "target=staging", "-y")["outputs"] == {"said": "staging 3"}
    again = workshop.json("retry", "last", "--from-step", "target", "--answer", "target=production", "-y")
    assert again["outputs"] == {"said": "production 3"}
    assert workshop.json("retry", "last", "--from-step", "count", status=4)["questions"][0]["name"] == "count"


def test_history_tells_what_waits_and_what_was_interrupted(workshop: Workshop) -> None:
    """Each can be asked for, and the list says what to do."""
    waits = parked(workshop)["run"]
    killed_run(workshop)
    listed = workshop.run("history")
    assert f"skill status {waits}" in listed.stderr
    assert "skill resume" in listed.stderr
    assert [run["run"] for run in workshop.json("history", "--status", "waiting")] == [waits]
    (interrupted,) = workshop.json("history", "--status", "interrupted")
    assert interrupted["status"] == "interrupted"
    assert workshop.json("history", "--status", "running") == []
    assert f"skill answer {waits} target=staging" in workshop.run("status", waits).stdout
    assert workshop.json("status", waits)["questions"][0]["question"] == "Where to?"


def test_completion_knows_which_runs_suit(workshop: Workshop) -> None:
    """What waits after `answer` and then its questions; what has no end after `cancel`; what ended after `retry`."""
    waits = parked(workshop)["run"]
    assert workshop.run("run", workshop.skill("\nsteps:\n  - {name: a, tool: enter}\n", "fine")).returncode == 0
    ended = workshop.json("status")["run"]
    assert complete(workshop, "skill answer ") == [waits]
    assert complete(workshop, f"skill answer {waits} ") == ["target="]
    assert complete(workshop, "skill cancel ") == [waits]
    assert complete(workshop, "skill resume ") == [waits]
    assert complete(workshop, "skill retry ") == [ended]
    assert complete(workshop, "skill watch ") == ["last", ended, waits]


def complete(workshop: Workshop, line: str) -> list[str]:
    """What bash is told when TAB is pressed at the end of `line`."""
    told = {"_SKILL_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    answers = workshop.run(environment=told).stdout.splitlines()
    return [answer.partition(",")[2] for answer in answers if answer]


def test_how_a_run_was_to_go_is_remembered_by_who_goes_on_with_it(workshop: Workshop) -> None:
    """A waiting run that had a second has one again, and heals as it was to; what is said anew counts more."""
    skill = workshop.skill(
        """
steps:
  - {name: sure, ask: {question: Sure?}}
  - {name: slow, tool: wait_for, args: {name: never}}
"""
    )
    asked = workshop.run("run", skill, "--timeout", "1s", "--heal", "suggest", "--no-input")
    assert asked.returncode == 4
    assert workshop.run("answer", "sure=yes", "--no-input").returncode == 124
    told = [json.loads(line) for line in workshop.run("logs", "-o", "jsonl").stdout.splitlines()]
    manners = [(each["event"], each["timeout"], each["heal"]) for each in told if each["event"] in BEGINNINGS]
    assert manners == [("run_started", 1.0, "suggest"), ("run_resumed", 1.0, "suggest")]
    workshop.run("run", skill, "--timeout", "1s", "--no-input")
    assert workshop.run("answer", "sure=yes", "--no-input", "--timeout", "2s").returncode == 124
    told = [json.loads(line) for line in workshop.run("logs", "-o", "jsonl").stdout.splitlines()]
    assert [each.get("timeout") for each in told if each["event"] in BEGINNINGS] == [1.0, 2.0]


def test_a_run_keeps_to_the_profile_it_was_given(workshop: Workshop) -> None:
    """Whoever answers it goes on under that one; a name that no profile has is refused before anything runs."""
    (workshop.folder / "config").mkdir()
    (workshop.folder / "config" / "stage_profile.yaml").write_text(STAGE)
    skill = workshop.skill(
        """
steps:
  - {name: sure, ask: {question: Sure?}}
outputs:
  - {name: where, value: "{{ config.profile }} {{ config.shelf }}"}
"""
    )
    assert workshop.run("run", skill, "--profile", "stage", "--no-input").returncode == 4
    assert workshop.json("answer", "sure=yes", "--no-input")["outputs"] == {"where": "stage seven"}
    assert workshop.json("history")[0]["profile"] == "stage"
    done = workshop.run("run", skill, "--profile", "nowhere")
    assert "there is no profile called nowhere" in done.stderr
    assert len(workshop.json("history")) == 1
    detached = workshop.json("run", skill, "--profile", "stage", "--answer", "sure=yes", "--detach")["run"]
    workshop.run("watch", detached)
    assert workshop.json("status", detached)["outputs"] == {"where": "stage seven"}
    nowhere = workshop.run("run", skill, "--profile", "nowhere", "--detach")
    assert nowhere.returncode == done.returncode
    assert "there is no profile called nowhere" in nowhere.stderr
