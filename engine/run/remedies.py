"""Remedies written as skills: found by the tags `remedy` and the failure's kind, run with reading tools only.

Such a run leaves no journal, is not healed, asks nobody and has ten seconds. What fails, takes longer or would write is
left out, and said so once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from itertools import islice
from pathlib import Path
from typing import Any

import anyio

from engine.errors import EngineError, SkillInvalidError
from engine.heal.causes.case import Case
from engine.heal.explain import Explained
from engine.library import SkillEntry, SkillLibrary
from engine.model.call import ToolCall
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunResult, RunStatus
from engine.model.remediation import RemedyStep, RootCause
from engine.model.skill import AskStep, GroupStep, Skill, SkillStep, Step, ToolStep
from engine.run.executor import SkillExecutor
from engine.run.parts import Parts
from engine.run.quiet import QuietParts
from tool_registry.tool import Effect, Tool

TAG = "remedy"
CLEANING = 1.0
"""Seconds beyond its own that a remedy has to end in."""
LONGEST = 1_000
"""Characters of one text of a remedy that are told."""
MOST = 20
"""Steps, and values that were found, that are told of one remedy."""


@dataclass(slots=True, kw_only=True)
class RemedySkills:
    """Asks the remedies in some folders; `parts` are those of the runs whose failures are explained."""

    parts: Parts
    library: SkillLibrary
    _said: set[str] = field(default_factory=set)

    async def __call__(self, case: Case, *, within: float) -> Explained:
        """What the first remedy says that fits, by name, and what was left out; all in `within` seconds."""
        left_out: list[str] = []
        until = anyio.current_time() + within
        for entry in self.library.entries():
            if entry.error or {TAG, case.diagnosis.kind.value} <= set(entry.tags):
                cause, why = await self._asked(entry, case, until - anyio.current_time())
                left_out += self._once(f"the remedy {entry.name} was left out: {why}" if why else "")
                if cause is not None:
                    return Explained(cause=cause, left_out=tuple(left_out))
        return Explained(left_out=tuple(left_out))

    async def _asked(self, entry: SkillEntry, case: Case, within: float) -> tuple[RootCause | None, str]:
        """What a remedy says, or why it cannot be asked."""
        try:
            skill = self._reading(entry)
            return _told(skill, await self._run(skill, case, within), within)
        except EngineError as error:
            return None, str(error)
        except Exception as error:  # noqa: BLE001 - a remedy that breaks must not hide the failure it is asked about
            return None, f"{type(error).__name__}: {error}"

    def _reading(self, entry: SkillEntry) -> Skill:
        """The remedy, which only reads. Raises SkillInvalidError when it is broken, or does more."""
        if entry.error:
            raise SkillInvalidError(entry.error)
        skill = self.library.load(str(entry.path))
        if why := next(_refusals(skill, self.parts.healer.calls.registry), ""):
            raise SkillInvalidError(why)
        return skill

    async def _run(self, skill: Skill, case: Case, within: float) -> RunResult | None:
        """How the remedy ended; None when its time, and a little more, was over."""
        if within <= 0:
            return None
        offered = offers(case)
        given = {wanted.name: offered[wanted.name] for wanted in skill.inputs if wanted.name in offered}
        executor = SkillExecutor(QuietParts(parts=self.parts, library=self.library), parks=False)
        with anyio.move_on_after(within + CLEANING):
            return await executor.run(skill, given, timeout=within)
        return None

    def _once(self, sentence: str) -> list[str]:
        if not sentence or sentence in self._said:
            return []
        self._said.add(sentence)
        return [sentence]


def remedy_folders(skill_folders: Iterable[Path]) -> tuple[Path, ...]:
    """Where remedies lie: beside the skills, in a folder of their own."""
    return tuple(folder / "remedies" for folder in skill_folders if (folder / "remedies").is_dir())


def offers(case: Case) -> dict[str, Any]:
    """What a remedy may take as inputs: the failed call, and everything its failure left behind."""
    evidence = case.failure.evidence
    return {
        "tool": case.call.tool,
        "args": dict(case.call.args),
        "domain": case.domain.name if case.domain else "",
        "settings": dict(case.domain.settings) if case.domain else {},
        "kind": case.diagnosis.kind.value,
        "message": case.failure.message,
        "text": case.text,
        "program": evidence.program or "",
        "exit_status": evidence.exit_status,
        "http_status": evidence.http_status,
        "errno": evidence.errno or "",
        "details": dict(evidence.details),
    }


def _refusals(skill: Skill, tools: Mapping[str, Tool]) -> Iterator[str]:
    """Why a skill may not be run as a remedy."""
    for step in _steps((*skill.steps, *skill.always)):
        if step.undo is not None:
            yield f"its step {step.name} has something to undo, so it does not only read"
        match step:
            case ToolStep() if tools[step.tool].effect is not Effect.READ:
                yield f"its step {step.name} calls {step.tool}, which does not only read"
            case AskStep():
                yield f"its step {step.name} asks somebody"
            case SkillStep():
                yield f"its step {step.name} runs another skill"


def _steps(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step, GroupStep):
            yield from _steps(step.steps)


def _told(skill: Skill, result: RunResult | None, within: float) -> tuple[RootCause | None, str]:
    """What a remedy's run says, or why that does not count."""
    if within <= 0:
        return None, "those before it used up the time"
    if result is None or result.timed_out:
        return None, f"it did not end within {within:.0f} s"
    if result.status is not RunStatus.OK:
        return None, result.message or f"it ended {result.status}"
    if result.notes:
        return None, "; ".join(result.notes)
    return _cause(skill, result), ""


def _cause(skill: Skill, result: RunResult) -> RootCause | None:
    """The cause that its outputs tell; without `because` it says that this is not it."""
    because, steps, found = (result.outputs.get(name) for name in ("because", "steps", "found"))
    if not because:
        return None
    return RootCause(
        id=skill.name,
        because=_short(because),
        steps=tuple(map(_step, steps[:MOST])) if isinstance(steps, list) else (),
        found=dict(islice(_values(found), MOST)) if isinstance(found, dict) else {},
        source=f"skill {skill.name}",
    )


def _short(told: Any) -> str:
    """A text for people, on one line."""
    line = " ".join(str(told).split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}..."


def _values(found: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """What it found, but for values too long to be shown."""
    return ((str(name), value) for name, value in found.items() if len(str(value)) <= LONGEST)


def _step(told: Any) -> RemedyStep:
    match told:
        case {"text": text, **rest}:
            tool, args = rest.get("tool"), rest.get("args")
            call = ToolCall(tool=str(tool), args=args if isinstance(args, dict) else {}) if tool else None
            command, value = _short(rest.get("command") or ""), _short(rest.get("value") or "")
            return RemedyStep(text=_short(text), command=command, call=call, value=value)
        case _:
            return RemedyStep(text=_short(told))
