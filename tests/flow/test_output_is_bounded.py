"""Whatever a tool, a file or a person throws at a run: bounded, masked, clear."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine import EventKind, FailureKind
from engine.errors import DocumentError
from engine.frontends.cli.given import read_given
from tests.flow.workshop import Workshop, alive, until
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, FixScope, Tool, ToolContext, ToolError

BRACKETS = "[" * 200_000
LAUGHS = "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
BOMBS = {"brackets": BRACKETS, "laughs": LAUGHS}
SECRET = 'p"ss\\wörd-s3cr3t'
FORMS = ["s3cr3t", "wörd-s", "w\\u00f6rd", "w%C3%B6rd"]
EVENT_LIMIT = 3_000_000
"""Characters of the largest event; a value of a million may stand in it twice."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Whatever happens inside is over in time."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def assert_bounded(rig: Any) -> None:
    """No event is enormous, and neither is what is kept of them."""
    assert max(len(repr(event)) for event in rig.events) < EVENT_LIMIT
    kept = (rig.folder / "home").rglob("*")
    # A step's value and a run's outputs are each kept whole, up to a million characters.
    assert sum(path.stat().st_size for path in kept if path.is_file()) < 3_000_000


def program(rig: Any, script: str, **said: Any) -> str:
    """Defines the tool `program`, and gives a skill that calls it."""
    Workshop(rig.folder, rig.folder / "home").tool("program", script, **said)
    return "steps:\n  - {name: call, tool: program, heal: false}\noutputs:\n  - {name: said, value: '{{ call }}'}\n"


async def test_ten_megabytes_of_output(rig: Any) -> None:
    """The beginning and the end are kept, and the run goes on."""
    result = await rig.run(program(rig, "head -c 10000000 /dev/zero | tr '\\0' x\n"))
    step = result.step("call")
    if step.failure is not None:
        assert step.failure.kind is FailureKind.RESOURCE_EXHAUSTED
    else:
        assert len(result.outputs["said"]) < 1_100_000
    assert_bounded(rig)


async def test_ten_megabytes_from_python(make_rig: Any) -> None:
    """A value, an error message and an error's output: each is bounded, none is taken for an answer."""

    @tool(effect=Effect.READ, timeout=5)
    async def shout(how: str) -> str:
        """Says too much."""
        much = "x" * 10_000_000
        if how == "value":
            return much
        raise ToolError(much, output=much) if how == "error" else ValueError(much)

    rig = make_rig(tools=(tool_of(shout),))
    for how in ("value", "error", "exception"):
        result = await rig.run(f"steps:\n  - {{name: call, tool: shout, args: {{how: {how}}}}}\n")
        failure = result.step("call").failure
        assert len(failure.message) < 2_100
        assert len(failure.evidence.text) < 8_200
        assert len(result.message) < 2_300
    await rig.engine.aclose()
    assert_bounded(rig)


async def test_a_tool_that_prints_for_ever(rig: Any) -> None:
    """It is ended, and said to be what it is."""
    with at_most(15):
        result = await rig.run(program(rig, "yes 'all work and no play'\n"))
    failure = result.step("call").failure
    assert failure.kind is FailureKind.RESOURCE_EXHAUSTED
    assert "printed more than" in failure.message
    assert_bounded(rig)


async def test_a_tool_that_ignores_sigterm(rig: Any) -> None:
    """It and its grandchildren, which ignore it too, are gone when the step has failed."""
    script = (
        "trap '' TERM\n(trap '' TERM; sleep 300 & echo $! > one; wait) &\n"
        "sh -c \"trap '' TERM; sleep 300 & echo \\$! > two; wait\" &\nsleep 300 & wait\n"
    )
    with at_most(10):
        result = await rig.run(program(rig, script, timeout=1))
    assert result.step("call").failure.kind is FailureKind.TIMEOUT
    pids = [int((rig.folder / name).read_text()) for name in ("one", "two")]
    until(lambda: not any(alive(pid) for pid in pids), within=2)


async def test_binary_output(rig: Any) -> None:
    """Bytes that are no text are replaced, and nothing chokes on the rest."""
    result = await rig.run(program(rig, "head -c 20000 /dev/urandom\nprintf '\\000\\377\\033[2J end'\n"))
    assert result.status == "ok"
    assert result.outputs["said"].endswith("end")
    assert_bounded(rig)


@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_bomb_as_skill_file(rig: Any, bomb: str) -> None:
    """Refused at once, with its place."""
    (rig.folder / "skills").mkdir()
    path = rig.folder / "skills" / "bomb.yaml"
    path.write_text(BOMBS[bomb])
    with at_most(5), pytest.raises(DocumentError) as caught:
        await rig.executor.run("bomb")
    assert caught.value.place is not None
    assert len(str(caught.value)) < 5_000


@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_bomb_as_inputs_file(tmp_path: Path, bomb: str) -> None:
    """Refused at once, with its place."""
    path = tmp_path / "inputs.yaml"
    path.write_text(BOMBS[bomb])
    with at_most(5), pytest.raises(DocumentError) as caught:
        read_given([], str(path))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("sent", [BRACKETS, BRACKETS + "]" * 200_000, '{"a":' * 100_000, "9" * 100_000])
async def test_a_bomb_as_json_output(rig: Any, sent: str) -> None:
    """Not what was promised: a failure of that kind, and no crash."""
    (rig.folder / "sent").write_text(sent)
    with at_most(5):
        result = await rig.run(program(rig, "cat sent\n", output="json"))
    failure = result.step("call").failure
    assert failure.kind in {FailureKind.API_CONTRACT_MISMATCH, FailureKind.RESOURCE_EXHAUSTED}
    assert len(failure.message) < 2_100
    assert_bounded(rig)


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("name", ["patterns", "tool_fixes", "tool_failures"])
async def test_a_bomb_as_memory_file(rig: Any, bomb: str, name: str) -> None:
    """The run heals without it, says so with its place, and leaves it as it is."""
    path = rig.folder / "home" / "memory" / "learned" / f"{name}.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(BOMBS[bomb])
    rig.door.token = False
    with at_most(5):
        result = await rig.run("steps:\n  - {name: look, tool: look}\n")
    assert (result.status, result.healed) == ("ok", 1)
    assert any(str(path) in event.data["text"] for event in rig.stages(EventKind.NOTICE))
    assert path.read_text() == BOMBS[bomb]


def leaking() -> list[Tool]:
    """Tools that say a secret wherever a tool can say something."""

    @tool(effect=Effect.READ, domain="door", timeout=5)
    async def leak(secret: str) -> Any:
        """Says it in an error, plainly and escaped."""
        body = json.dumps({"error": f"bad password {secret}"})
        raise ToolError(f"no: {secret}", http_status=401, output=body, details={"sent": {"k": [secret]}, secret: 1})

    @tool(effect=Effect.READ, timeout=5)
    async def answer(secret: str) -> Any:
        """Says it in an answer that is JSON inside JSON."""
        return {"body": json.dumps({"inner": json.dumps([secret])}), secret: repr(secret)}

    @tool(effect=Effect.READ, timeout=5)
    async def hand_out(context: ToolContext) -> str:
        """Gets a credential, and says so to the engine."""
        context.secret(SECRET)
        return SECRET

    @tool(effect=Effect.WRITE, idempotent=True, domain="door", fix=FixScope.CREDENTIALS, timeout=5)
    async def log_in_badly() -> str:
        """A fix whose failure says it."""
        raise ToolError(f"login server refused {SECRET}", http_status=400, output=repr(SECRET))

    return [tool_of(made) for made in (leak, answer, hand_out, log_in_badly)]


def assert_masked(rig: Any, result: Any) -> None:
    """The secret is in no event and in no file."""
    told = repr([(event.step, dict(event.data)) for event in rig.events])
    rig.engine.journal.close()
    kept = b"".join(path.read_bytes() for path in (rig.folder / "home").rglob("*") if path.is_file())
    for form in FORMS:
        assert form not in told
        assert form.encode() not in kept
    assert "•••" in told
    assert "s3cr3t" not in repr(rig.engine.secrets.mask(result.outputs)) + repr(rig.engine.secrets.mask(result.message))


async def test_a_secret_in_an_error_in_a_fix_and_in_a_notice(make_rig: Any) -> None:
    """The tool's message, its output, its details, the fix's own failure, and the note about a failed undo."""
    settings = '[domains.door]\nfixes.login = {call = {tool = "log_in_badly"}, cooldown = 0}\n'
    rig = make_rig(tools=tuple(leaking()), settings=settings)
    result = await rig.run(
        """
        inputs:
          - {name: password, secret: true}
        steps:
          - name: enter
            tool: enter
            undo: {name: taken_back, tool: leak, args: {secret: "{{ inputs.password }}"}, heal: false}
          - {name: call, tool: leak, args: {secret: "{{ inputs.password }}"}}
        """,
        {"password": SECRET},
    )
    assert result.status == "failed"
    assert rig.stages(EventKind.FIX_FINISHED)
    assert rig.stages(EventKind.NOTICE)
    assert_masked(rig, result)
    await rig.engine.aclose()


async def test_a_secret_in_answers_and_outputs(make_rig: Any) -> None:
    """JSON inside JSON, a mapping's key, Python's repr, an output of the skill."""
    rig = make_rig(tools=tuple(leaking()))
    result = await rig.run(
        """
        steps:
          - {name: token, tool: hand_out, secret: true}
          - {name: call, tool: answer, args: {secret: "{{ token }}"}}
        outputs:
          - {name: told, value: "{{ call }}"}
        """
    )
    assert result.status == "ok"
    assert_masked(rig, result)
    await rig.engine.aclose()


@pytest.mark.parametrize("form", [["-o", "text"], ["--json"], ["-o", "yaml"], ["-o", "jsonl"]])
def test_a_secret_on_the_screen(tmp_path: Path, form: list[str]) -> None:
    """Results on standard output, progress on standard error, and what `skill logs` shows later."""
    workshop = Workshop(tmp_path / "work", tmp_path / "home")
    workshop.furnish()
    workshop.tool("say", "printf '%s' \"$1\"\n")
    workshop.tool("refuse", "printf '%s' \"$1\" >&2\nexit 3\n")
    name = workshop.skill(
        """
        inputs:
          - {name: password, secret: true}
        steps:
          - {name: say, tool: say, args: {name: "{{ inputs.password }}"}}
          - {name: refuse, tool: refuse, args: {name: "{{ inputs.password }}"}, on_error: continue}
        outputs:
          - {name: said, value: "{{ say }} and {{ steps.refuse.error }}"}
        """
    )
    done = workshop.run("run", name, "-i", f"password={SECRET}", "-v", *form)
    assert done.returncode == 0, done.stderr
    later = workshop.run("logs", "last", "-v").stdout + workshop.run("status", "last", "--json").stdout
    for told in FORMS:
        assert told not in done.stdout + done.stderr + later
    assert "•••" in done.stdout
