"""A run whose process died goes on in another: nothing that was done is done again."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from engine import Engine, Event, EventKind, RunResult, RunStatus, SkillExecutor, StepStatus
from engine.errors import InputError, RunBusyError, RunStateError
from engine.run.replay import BEGUN_LIMIT
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, FixScope, Tool, ToolError

SETTINGS = """
[domains.door]
description = "A door with a lock."
fixes.login = {call = {tool = "log_in"}, cooldown = 0}
"""


@dataclass(slots=True)
class Place:
    """A workspace whose tools write a log, and kill their own process when a file says so."""

    folder: Path
    events: list[Event]

    @property
    def log(self) -> list[str]:
        """What the tools did, in whatever process."""
        path = self.folder / "log"
        return path.read_text().splitlines() if path.exists() else []

    def write(self, text: str, name: str = "promise") -> None:
        """Writes a skill."""
        (self.folder / "skills").mkdir(exist_ok=True)
        (self.folder / "skills" / f"{name}.yaml").write_text(f"name: {name}\ndescription: A test.\n{text}")

    def die_in(self, word: str, times: int = 1) -> None:
        """Lets the process die in the next calls with that word, after their effect."""
        (self.folder / f"die-{word}").write_text(str(times))

    def dies(self, act: Callable[[SkillExecutor], Any]) -> str:
        """Does something in a process that dies in it; gives the id of the newest run."""
        pid = os.fork()
        if pid == 0:
            anyio.run(self._act, act)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), "the process was to die, and did not"
        return self.newest()

    def newest(self) -> str:
        """The id of the run that began last."""
        return str(anyio.run(self._newest))

    def does(self, act: Callable[[SkillExecutor], Any], *, ask: Any = None) -> RunResult:
        """Does something in this process."""
        result: RunResult = anyio.run(self._act, act, ask)
        return result

    async def _act(self, act: Callable[[SkillExecutor], Any], ask: Any = None) -> Any:
        async with self.engine() as engine:
            return await act(SkillExecutor(engine, listeners=(self.events.append,), ask=ask))

    async def _newest(self) -> str:
        async with self.engine() as engine:
            return engine.journal.runs(limit=1)[0].id

    def engine(self) -> Engine:
        """An engine of its own, as every process has."""
        return Engine.open(self.folder, home=self.folder / "home", tools=self.tools())

    def tools(self) -> list[Tool]:
        """A read, writes that can and cannot be verified, an undo, a lock and its fix."""

        @tool(effect=Effect.READ)
        async def say(word: str) -> str:
            """Gives a word back."""
            self.note(f"say {word}", word)
            return word.upper()

        @tool(effect=Effect.WRITE)
        async def make(word: str) -> dict[str, str]:
            """Makes something; nobody can tell afterwards whether it did."""
            self.note(f"make {word}", word)
            return {"made": word}

        @tool(effect=Effect.WRITE, verify="created")
        async def create(word: str) -> dict[str, str]:
            """Makes something that can be looked for."""
            self.note(f"create {word}", word)
            return {"made": word}

        @tool(effect=Effect.READ)
        async def created(word: str) -> dict[str, Any]:
            """Whether it is there."""
            return {"happened": f"create {word}" in self.log, "value": {"made": word}}

        @tool(effect=Effect.WRITE, idempotent=True)
        async def unmake(word: str) -> str:
            """Takes something back."""
            self.note(f"unmake {word}", f"un{word}")
            return word

        @tool(effect=Effect.READ, domain="door")
        async def look(word: str = "look") -> str:
            """Needs a token."""
            self.note("look", word)
            if not (self.folder / "token").exists():
                raise ToolError("the server said 401", http_status=401, output="Unauthorized", sent=True)
            return "seen"

        @tool(effect=Effect.WRITE, idempotent=True, domain="door", fix=FixScope.CREDENTIALS)
        async def log_in() -> str:
            """Gets a token."""
            (self.folder / "token").touch()
            self.note("log_in", "log_in")
            return "in"

        return [tool_of(each) for each in (say, make, create, created, unmake, look, log_in)]

    def note(self, line: str, word: str) -> None:
        """Writes what was done, then dies if that was asked for."""
        with (self.folder / "log").open("a") as log:
            log.write(f"{line}\n")
        death = self.folder / f"die-{word[:40]}"
        if death.exists():
            left = int(death.read_text()) - 1
            death.write_text(str(left)) if left else death.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Nothing has happened yet."""
    (tmp_path / "skill.toml").write_text(SETTINGS)
    return Place(tmp_path, [])


def run(executor: SkillExecutor) -> Any:
    """Runs the skill."""
    return executor.run("promise")


def test_finished_steps_are_not_run_again(place: Place) -> None:
    """A read that was cut off is called again; outputs are as if nothing had happened."""
    place.write("""
steps:
  - {name: one, tool: make, args: {word: a}}
  - {name: two, tool: say, args: {word: "{{ one.made }}b"}}
  - {name: three, tool: make, args: {word: c}}
outputs:
  - {name: all, value: "{{ [one.made, two, three.made] }}"}
""")
    place.die_in("ab")
    run_id = place.dies(run)
    result = place.does(lambda executor: executor.resume(run_id))
    assert (result.status, result.outputs) == (RunStatus.OK, {"all": ["a", "AB", "c"]})
    assert place.log == ["make a", "say ab", "say ab", "make c"]
    assert [step.path for step in result.steps] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("answer", "status", "log"),
    [
        ("done", RunStatus.OK, ["make a", "make b", "make c"]),
        ("repeat", RunStatus.OK, ["make a", "make b", "make b", "make c"]),
        ("fail", RunStatus.FAILED, ["make a", "make b", "unmake a"]),
    ],
)
def test_a_write_that_was_cut_off_asks(place: Place, answer: str, status: RunStatus, log: list[str]) -> None:
    """Nobody but a person knows whether it happened: done, repeat, or fail."""
    place.write("""
steps:
  - {name: one, tool: make, args: {word: a}, undo: {tool: unmake, args: {word: a}}}
  - {name: two, tool: make, args: {word: b}}
  - {name: three, tool: make, args: {word: c}}
""")
    place.die_in("b")
    run_id = place.dies(run)
    parked = place.does(lambda executor: executor.resume(run_id))
    assert parked.status is RunStatus.WAITING
    (question,) = parked.questions
    assert (question.name, question.about, question.choices) == ("two.settle", "settle", ("repeat", "done", "fail"))
    result = place.does(lambda executor: executor.answer(run_id, {"two.settle": answer}))
    assert result.status is status
    assert place.log == log


def test_a_write_that_can_be_looked_for_is_settled_without_asking(place: Place) -> None:
    """Its `verify` says that it happened, and gives its value."""
    place.write("""
steps:
  - {name: one, tool: create, args: {word: a}}
outputs:
  - {name: made, value: "{{ one.made }}"}
""")
    place.die_in("a")
    run_id = place.dies(run)
    result = place.does(lambda executor: executor.resume(run_id))
    assert (result.status, result.outputs) == (RunStatus.OK, {"made": "a"})
    assert place.log == ["create a"]


def test_a_heal_that_was_cut_off_after_its_fix_goes_on_with_the_retry(place: Place) -> None:
    """The failed call is not made again before it, and the fix not a second time."""
    place.write("steps:\n  - {name: look, tool: look, args: {word: second}}\n")
    fork_dies_after_fix(place)
    assert place.log == ["look", "log_in"]
    run_id = place.newest()
    result = place.does(lambda executor: executor.resume(run_id))
    assert result.status is RunStatus.OK
    assert place.log == ["look", "log_in", "look"]
    assert result.step("look").status is StepStatus.HEALED


def test_the_cleaning_up_goes_on_where_it_was_cut_off(place: Place) -> None:
    """What was undone is not undone twice, and the run ends as it was ending."""
    place.write("""
steps:
  - {name: one, tool: make, args: {word: a}, undo: {tool: unmake, args: {word: a}}}
  - {name: two, tool: make, args: {word: b}, undo: {tool: unmake, args: {word: b}}}
  - {name: end, stop: {status: blocked, message: no more}}
always:
  - {name: bye, tool: say, args: {word: bye}}
""")
    place.die_in("una")
    run_id = place.dies(run)
    result = place.does(lambda executor: executor.resume(run_id))
    assert (result.status, result.message) == (RunStatus.BLOCKED, "no more")
    assert place.log == ["make a", "make b", "unmake b", "unmake a", "unmake a", "say bye"]


def test_elements_and_sub_skills_go_on_where_they_were(place: Place) -> None:
    """The list is the one the run began with, and each element is known by its place."""
    place.write(
        "inputs: [{name: word, type: string}]\n"
        "steps:\n  - {name: inner, tool: create, args: {word: '{{ inputs.word }}'}}\n"
        "outputs: [{name: made, value: '{{ inner.made }}'}]\n",
        "called",
    )
    place.write("""
steps:
  - {name: each, foreach: "['a', 'b', 'c', 'd']", parallel: 2, skill: called, inputs: {word: "{{ item }}"}}
outputs:
  - {name: made, value: "{{ [x.made for x in each] }}"}
""")
    place.die_in("c")
    run_id = place.dies(run)
    result = place.does(lambda executor: executor.resume(run_id))
    assert result.outputs == {"made": ["a", "b", "c", "d"]}
    assert sorted(place.log) == ["create a", "create b", "create c", "create d"]


def test_a_run_that_keeps_killing_its_process_is_ended(place: Place) -> None:
    """After so many deaths in one step it counts as failed, and what was done is undone."""
    place.write("""
steps:
  - {name: one, tool: make, args: {word: a}, undo: {tool: unmake, args: {word: a}}}
  - {name: killer, tool: say, args: {word: k}}
""")
    place.die_in("k", times=99)
    run_id = place.dies(run)
    for _ in range(BEGUN_LIMIT - 1):
        place.dies(lambda executor: executor.resume(run_id))
    result = place.does(lambda executor: executor.resume(run_id))
    assert result.status is RunStatus.FAILED
    assert f"begun {BEGUN_LIMIT} times" in result.message
    assert place.log == ["make a", *["say k"] * BEGUN_LIMIT, "unmake a"]


def test_a_run_that_lives_is_left_alone(place: Place) -> None:
    """Whoever comes second is told who has it."""
    place.write("steps:\n  - {name: sure, ask: {question: Sure?}}\n")
    parked = place.does(run)
    with place.engine().journal as holder:
        holder.claim(parked.run_id)
        with pytest.raises(RunBusyError, match=str(os.getpid())):
            place.does(lambda executor: executor.resume(parked.run_id))


def test_the_skill_is_the_one_the_run_began_with(place: Place) -> None:
    """A file that changed since is told, and not used."""
    place.write("steps:\n  - {name: one, tool: say, args: {word: old}}\n  - {name: two, tool: say, args: {word: x}}\n")
    place.die_in("x")
    run_id = place.dies(run)
    place.write("steps:\n  - {name: one, tool: say, args: {word: old}}\n  - {name: two, tool: say, args: {word: y}}\n")
    result = place.does(lambda executor: executor.resume(run_id))
    assert place.log == ["say old", "say x", "say x"]
    assert result.status is RunStatus.OK
    notices = [event.data["text"] for event in place.events if event.kind is EventKind.NOTICE]
    assert any("has changed since" in text for text in notices)


def test_a_new_version_is_used_when_asked_for_and_when_it_fits(place: Place) -> None:
    """What was done must be in it as it was; places and comments do not count."""
    old = "steps:\n  - {name: one, tool: say, args: {word: old}}\n  - {name: two, tool: say, args: {word: x}}\n"
    place.write(old)
    place.die_in("x")
    run_id = place.dies(run)
    place.write(old.replace("old", "other"))
    with pytest.raises(RunStateError, match="one was done"):
        place.does(lambda executor: executor.resume(run_id, with_new_version=True))
    place.write("# a comment\n" + old.replace("word: x", "word: y"))
    result = place.does(lambda executor: executor.resume(run_id, with_new_version=True))
    assert result.status is RunStatus.OK
    assert place.log == ["say old", "say x", "say y"]


def test_inputs_cannot_change_and_secret_ones_are_given_again(place: Place) -> None:
    """A secret is not kept, so the run says which one it needs."""
    place.write("""
inputs:
  - {name: word, type: string, required: true}
  - {name: password, type: string, secret: true}
steps:
  - {name: one, tool: say, args: {word: "{{ inputs.word }}"}}
  - {name: two, tool: say, args: {word: "{{ inputs.password }}"}}
""")
    place.die_in("w")
    run_id = place.dies(lambda executor: executor.run("promise", {"word": "w", "password": "s3cr3t-pass"}))
    with pytest.raises(RunStateError, match="password"):
        place.does(lambda executor: executor.resume(run_id))
    with pytest.raises(InputError, match="cannot change"):
        place.does(lambda executor: executor.resume(run_id, {"word": "v", "password": "s3cr3t-pass"}))
    result = place.does(lambda executor: executor.resume(run_id, {"password": "s3cr3t-pass"}))
    assert result.status is RunStatus.OK
    assert place.log == ["say w", "say w", "say s3cr3t-pass"]


def test_a_secret_value_is_read_again_and_one_that_was_made_is_gone(place: Place) -> None:
    """History does not keep secrets: what only reads is called again, for a write the reader is told why."""
    place.write("""
steps:
  - {name: token, tool: say, args: {word: tok3n-value}, secret: true}
  - {name: made, tool: make, args: {word: s3cr3t-made}, secret: true}
  - {name: cut, tool: say, args: {word: x}}
  - {name: uses, tool: say, args: {word: "{{ token }}!"}}
  - {name: wants, tool: say, args: {word: "{{ made.made }}"}}
""")
    place.die_in("x")
    run_id = place.dies(run)
    result = place.does(lambda executor: executor.resume(run_id))
    assert "say TOK3N-VALUE!" in place.log
    assert place.log.count("make s3cr3t-made") == 1
    failure = result.step("wants").failure
    assert failure is not None
    assert "could not be kept" in failure.message


def test_a_long_value_is_whole_after_a_resume(place: Place) -> None:
    """Events show a part of it, a resumed run has all of it."""
    word = "long" * 20_000
    place.write(f"""
steps:
  - {{name: one, tool: say, args: {{word: "{word}"}}}}
  - {{name: two, tool: say, args: {{word: x}}}}
outputs:
  - {{name: size, value: "{{{{ len(one) }}}}"}}
""")
    place.die_in("x")
    run_id = place.dies(run)
    assert place.does(lambda executor: executor.resume(run_id)).outputs == {"size": 80_000}


def test_a_retry_begins_with_what_was_not_undone(place: Place) -> None:
    """A new run; the outputs of good steps are reused, and told as reused."""
    place.write("""
steps:
  - {name: one, tool: say, args: {word: a}}
  - {name: two, tool: make, args: {word: "{{ one }}"}, undo: {tool: unmake, args: {word: "{{ two.made }}"}}}
  - {name: three, tool: look, heal: false}
outputs:
  - {name: all, value: "{{ [one, two.made, three] }}"}
""")
    failed = place.does(run)
    assert place.log == ["say a", "make A", "look", "unmake A"]
    (place.folder / "token").touch()
    result = place.does(lambda executor: executor.retry(failed.run_id))
    assert (result.status, result.outputs) == (RunStatus.OK, {"all": ["A", "A", "seen"]})
    assert result.run_id != failed.run_id
    assert place.log[4:] == ["make A", "look"]
    reused = [event.step for event in place.events if event.data.get("reused")]
    assert reused == ["one"]


def test_a_retry_from_a_step_reuses_all_before_it(place: Place) -> None:
    """A run that ended well can be begun again in its middle; a step that was undone cannot be reused."""
    place.write("""
steps:
  - {name: one, tool: make, args: {word: a}}
  - {name: two, tool: say, args: {word: "{{ one.made }}"}}
  - {name: three, tool: say, args: {word: c}}
""")
    done = place.does(run)
    with pytest.raises(RunStateError, match="nothing to be done again"):
        place.does(lambda executor: executor.retry(done.run_id))
    with pytest.raises(RunStateError, match="no step four"):
        place.does(lambda executor: executor.retry(done.run_id, from_step="four"))
    place.does(lambda executor: executor.retry(done.run_id, from_step="two"))
    assert place.log == ["make a", "say a", "say c", "say a", "say c"]


def test_a_dead_run_can_be_cancelled(place: Place) -> None:
    """What it had done is undone, by whoever cancels it."""
    place.write("""
steps:
  - {name: one, tool: make, args: {word: a}, undo: {tool: unmake, args: {word: a}}}
  - {name: two, tool: say, args: {word: x}}
always:
  - {name: bye, tool: say, args: {word: bye}}
""")
    place.die_in("x")
    run_id = place.dies(run)
    result = place.does(lambda executor: executor.end(run_id))
    assert result.status is RunStatus.CANCELLED
    assert place.log == ["make a", "say x", "unmake a", "say bye"]


def test_a_write_cut_off_by_a_cancel_is_looked_for_and_undone(place: Place) -> None:
    """It had happened although its answer never came: its `verify` knows, and its undo runs."""
    place.write("""
steps:
  - {name: one, tool: create, args: {word: a}, undo: {tool: unmake, args: {word: a}}}
""")
    place.die_in("a")
    run_id = place.dies(run)
    result = place.does(lambda executor: executor.end(run_id))
    assert result.status is RunStatus.CANCELLED
    assert place.log == ["create a", "unmake a"]


def fork_dies_after_fix(place: Place) -> None:
    """A process that dies as soon as history has the end of the fix."""
    pid = os.fork()
    if pid == 0:

        def die(event: Event) -> None:
            if event.kind is EventKind.FIX_FINISHED:
                os.kill(os.getpid(), signal.SIGKILL)

        async def act() -> None:
            async with place.engine() as engine:
                await SkillExecutor(engine, listeners=(die,)).run("promise")

        anyio.run(act)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status)
