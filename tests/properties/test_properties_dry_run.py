"""For random skills of nested control flow the dry run never raises, names every tool, and is never proven wrong."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import Engine, RunResult, SkillExecutor
from engine.frontends.cli.dry_record import plan_record
from engine.model.outcome import RunStatus, StepStatus
from engine.model.place import Severity
from engine.run.dry import DryRunner, Plan, PlannedStep, Verdict
from tool_registry.tool import Effect, Tool, ToolContext, ToolError, ToolOutput

VALUE = {
    "type": "object",
    "properties": {
        "flag": {"type": "boolean"},
        "text": {"type": "string"},
        "list": {"type": "array", "items": {"type": "integer"}},
        "inner": {"type": ["object", "null"], "properties": {"flag": {"type": "boolean"}}, "required": ["flag"]},
    },
    "required": ["flag", "text", "list", "inner"],
    "additionalProperties": False,
}
KINDS = ["tool", "tool", "compute", "compute", "ask", "skill"]
GROUPS = ["steps", "parallel"]
CALLED = {
    "name": "called",
    "description": "Called by others.",
    "inputs": [{"name": "value"}],
    "steps": [
        {"name": "first", "tool": "reads", "args": {"value": "{{ inputs.value }}"}},
        {"name": "enough", "condition": "not inputs.value", "stop": {"status": "ok", "message": "nothing to do"}},
        {"name": "second", "compute": "result = inputs['value']"},
    ],
    "outputs": [{"name": "value", "value": "{{ second }}"}],
}
RAN = frozenset({StepStatus.OK, StepStatus.HEALED, StepStatus.TOLERATED, StepStatus.FAILED})


@dataclass
class World:
    """Tools that give values of their schema by chance, the same for the same arguments; `called` counts.

    Some fail, unless they are `steady`.
    """

    called: int = 0
    seed: int = 0
    steady: bool = False

    def tools(self) -> list[Tool]:
        """A tool that reads, one that writes, and one that promises nothing."""

        async def call(args: Mapping[str, Any], _context: ToolContext) -> ToolOutput:
            self.called += 1
            chance = random.Random(f"{self.seed} {json.dumps(args, sort_keys=True)}")  # noqa: S311 - guards nothing
            if not self.steady and chance.random() < 0.1:
                raise ToolError("it did not work", kind="conflict")
            inner = {"flag": chance.random() < 0.5} if chance.random() < 0.5 else None
            values = [chance.randint(0, 2) for _ in range(chance.randint(0, 2))]
            told = {"flag": chance.random() < 0.5, "text": chance.choice(["", "x"]), "list": values}
            return ToolOutput(value={**told, "inner": inner})

        parameters = {"type": "object", "properties": {"value": {}}, "additionalProperties": False}
        return [
            Tool(name="reads", call=call, parameters=parameters, result=VALUE, effect=Effect.READ),
            Tool(name="writes", call=call, parameters=parameters, result=VALUE, effect=Effect.WRITE),
            Tool(name="vague", call=call, parameters=parameters, effect=Effect.READ),
        ]


PARTS = {
    "value": ["", ".flag", ".text", ".list", ".inner", ".inner.flag", ".list[0]"],
    "list": ["", "[0]"],
    "any": ["", ".deep", "['list']"],
}
"""What can be read of a value, by its shape; of all others only the whole."""
BESIDE = {"tool": ("foreach", "undo", "expect", "until", "retry"), "compute": ("foreach", "expect"), "ask": ("expect",)}
"""The options each action may have, beside those of every step."""
OPTIONS = {
    "expect": "true or result",
    "until": {"condition": "true or result", "every": 1, "timeout": 5},
    "retry": {"attempts": 2, "delay": 0},
}


@dataclass
class Author:
    """Draws a skill; `names` are the outputs that can be read where it writes, with their shapes."""

    draw: st.DrawFn
    count: int = 0
    stops: bool = True

    def steps(self, names: dict[str, str], depth: int, most: int = 4) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """Steps in order, each of which sees those before it; with the names that there are after them."""
        seen, made = dict(names), []
        for _ in range(self.draw(st.integers(1, most))):
            step, shape = self.step(seen, depth)
            made.append(step)
            seen[step["name"]] = shape
        return made, seen

    def step(self, names: dict[str, str], depth: int) -> tuple[dict[str, Any], str]:
        """One step of any kind, with any of the options it may have; and the shape of its value."""
        self.count += 1
        step: dict[str, Any] = {"name": f"s{self.count}"}
        kinds = [*KINDS, *(["stop"] if self.stops else []), *(GROUPS if depth else [])]
        kind = self.draw(st.sampled_from(kinds))
        beside, here = BESIDE.get(kind, ("foreach",) if kind in GROUPS else ()), dict(names)
        looped = "foreach" in beside and self.chosen(5)
        if looped:
            lists = [f"{name}.list" for name, shape in names.items() if shape == "value"]
            step["foreach"] = self.draw(st.sampled_from([*lists, "[1, 2]", "[]", "inputs.list"]))
            here["item"] = "item"
        if self.chosen(3):
            step["condition"] = self.condition(here)
        shape = self.act(step, kind, here, depth)
        for option in ("expect", "until", "retry"):
            if option in beside and self.chosen(8):
                step[option] = OPTIONS[option]
        if "undo" in beside and self.chosen(6):
            step["undo"] = {"tool": "writes", "args": {"value": self.template({**here, step["name"]: shape})}}
        if self.chosen(6) and kind != "stop":
            step["on_error"] = "continue"
        return step, "list" if looped else shape

    def act(self, step: dict[str, Any], kind: str, names: dict[str, str], depth: int) -> str:
        """Draws what the step does, and gives the shape of its value."""
        match kind:
            case "tool":
                step["tool"] = self.draw(st.sampled_from(["reads", "writes", "vague"]))
                step["args"] = {"value": self.template(names)}
                return "any" if step["tool"] == "vague" else "value"
            case "compute":
                step["compute"] = f"result = {self.block(names)}"
                return "any"
            case "stop":
                status = self.draw(st.sampled_from(["ok", "blocked", "failed"]))
                step["stop"] = {"status": status, "message": self.template(names)}
            case "ask":
                step["ask"] = {"question": self.template(names), "type": "boolean", "default": True}
            case "skill":
                step |= {"skill": "called", "inputs": {"value": self.template(names)}}
            case "steps":
                step["steps"], _ = self.steps(names, depth - 1, most=3)
            case _:
                count = self.draw(st.integers(1, 3))
                step["parallel"] = [self.step(names, depth - 1)[0] for _ in range(count)]
        return "whole"

    def chosen(self, one_in: int) -> bool:
        """True once in a while."""
        return self.draw(st.integers(1, one_in)) == 1

    def atoms(self, names: dict[str, str]) -> list[str]:
        """What an expression can begin with."""
        read = [f"{name}{part}" for name, shape in names.items() for part in PARTS.get(shape, [""])]
        status = [f"steps.{name}.status == 'ok'" for name in names if name != "item"]
        return [*read, *status, "inputs.yes", "inputs.no", "inputs.list", "run.status == 'ok'"]

    def condition(self, names: dict[str, str], depth: int = 2) -> str:
        """A condition of and, or, not, if and comparisons."""
        kind = self.draw(st.sampled_from(["atom", "atom", "not", "and", "or", "if", "=="])) if depth else "atom"
        if kind == "atom":
            return self.draw(st.sampled_from(self.atoms(names)))
        first, second = self.condition(names, depth - 1), self.condition(names, depth - 1)
        match kind:
            case "not":
                return f"not ({first})"
            case "if":
                return f"(({first}) if ({second}) else ({self.condition(names, depth - 1)}))"
            case _:
                return f"({first}) {kind} ({second})"

    def template(self, names: dict[str, str]) -> str:
        """A text with holes and tags, or one whole expression."""
        forms = [
            "{{{{ {0} }}}}",
            "a {{{{ {0} }}}} b {{{{- {1} }}}}",
            "{{% if {0} %}}x{{{{ {1} }}}}{{% endif %}}y",
            "{{% for each in [1, 2] %}}{{{{ each }}}}{{{{ {0} }}}}{{% endfor %}}{{{{ {1} }}}}",
        ]
        return self.draw(st.sampled_from(forms)).format(self.condition(names, 1), self.condition(names, 1))

    def block(self, names: dict[str, str]) -> str:
        """A block's expression."""
        own = ["1", "[1, 2]", "inputs['yes']", "{'list': [1], 'deep': False}", "1 if inputs['no'] else [][0]"]
        return self.draw(st.sampled_from([*(name for name in names if name != "item"), *own]))


@st.composite
def skills(draw: st.DrawFn) -> dict[str, Any]:
    """A skill file."""
    author = Author(draw)
    steps, names = author.steps({}, depth=2)
    author.stops = False
    return {
        "name": "drawn",
        "description": "Drawn by chance.",
        "inputs": [
            {"name": "yes", "default": True},
            {"name": "no", "default": False},
            {"name": "list", "default": [{"flag": True}]},
        ],
        "steps": steps,
        "always": author.steps(names, depth=1, most=2)[0] if draw(st.booleans()) else [],
        "outputs": [{"name": "all", "value": author.template(names)}],
    }


@contextmanager
def workplace() -> Iterator[tuple[Path, World, Engine, BlockingPortal]]:
    """A folder, tools, an engine that keeps no caches, and a loop to run it in."""
    with TemporaryDirectory() as folder, start_blocking_portal() as portal:
        world = World()
        (Path(folder) / "skills").mkdir()
        (Path(folder) / "skills" / "called.yaml").write_text(json.dumps(CALLED, indent=1))
        engine = Engine.open(Path(folder), home=Path(folder) / "home", tools=world.tools())
        engine.workspace = replace(engine.workspace, remembers=False)
        yield Path(folder), world, engine, portal
        portal.call(engine.aclose)


def written(folder: Path, engine: Engine, skill: Any) -> str | None:
    """The skill as a file; None when `check` finds an error in it."""
    path = folder / "drawn.yaml"
    path.write_text(json.dumps(skill, indent=1))
    errors = [each for each in engine.library.check(str(path)) if each.severity is Severity.ERROR]
    return None if errors else str(path)


EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def test_any_skill_is_planned_to_the_end() -> None:
    """No example raises or calls; every tool and every unknown is named, every path once, and all of it is JSON."""
    with workplace() as (folder, world, engine, portal):

        @EXAMPLES
        @given(skills())
        def one(skill: Any) -> None:
            if (path := written(folder, engine, skill)) is None:
                return
            found: Plan = portal.call(DryRunner(parts=engine).plan, path)
            assert world.called == 0
            assert not (folder / "home").exists()
            named = {step.tool for step in found.walk()} - {""}
            text = json.dumps(skill)
            assert named >= set(re.findall(r'"tool": "(\w+)"', text))
            paths = [step.path for step in found.walk()]
            assert len(paths) == len(set(paths))
            hung = {source for step in found.walk() for source in (*step.depends, *sum(step.unknown.values(), ()))}
            assert hung <= {source.name for source in found.sources}
            assert json.loads(json.dumps(plan_record(found)))["skill"] == "drawn"

        one()


def test_no_run_ever_proves_a_plan_wrong() -> None:
    """What was planned as skipped, run, stopped or failed is so in every run that comes to it; what was read, too."""
    with workplace() as (folder, world, engine, portal):

        @EXAMPLES
        @given(skills(), st.integers(0, 2**32), st.booleans())
        def one(skill: Any, seed: int, reads: bool) -> None:
            if (path := written(folder, engine, skill)) is None:
                return
            world.seed, world.steady = seed, reads
            found: Plan = portal.call(DryRunner(parts=engine, reads=reads, takes_defaults=True).plan, path)
            executor = SkillExecutor(engine, answers=answers_to(found), parks=False)
            result: RunResult = portal.call(executor.run, path)
            for step in found.walk():
                contradict(step, result, found)
            for output in found.outputs:
                if result.status is RunStatus.OK and not output.unknown:
                    assert result.outputs[output.name] == output.value, output
            sure = not {step.verdict for step in found.walk()} & {Verdict.MAY_STOP, Verdict.DEPENDS}
            if sure and found.end is not None and found.end.status is not RunStatus.OK:
                assert result.status is not RunStatus.OK, found.end

        one()


def answers_to(found: Plan) -> dict[str, Any]:
    """The default for every question."""
    return {step.name: True for step in found.walk() if step.question is not None}


def contradict(step: PlannedStep, result: RunResult, found: Plan) -> None:
    """Fails when the run did something else than was planned for a step."""
    pattern = re.compile(re.escape(step.path).replace(r"\[\*\]", r"\[\d+\]"))
    met = [each for each in result.steps if pattern.fullmatch(each.path)]
    for each in met:
        match step.verdict:
            case Verdict.SKIPPED:
                assert each.status is StepStatus.SKIPPED, (step, each)
            case Verdict.WOULD_RUN if step.section != "undo":
                assert each.status in RAN, (step, each)
            case Verdict.WOULD_STOP:
                assert each.status in {StepStatus.OK, StepStatus.FAILED}, (step, each)
            case Verdict.WOULD_FAIL:
                assert each.status in {StepStatus.FAILED, StepStatus.TOLERATED, StepStatus.SKIPPED}, (step, each)
            case Verdict.NOT_REACHED:
                raise AssertionError((step, each, found.end))
        believed = step.known and (step.look is None or step.look.believed)
        if believed and each.status in {StepStatus.OK, StepStatus.HEALED}:
            assert each.value == step.value, (step, each)
