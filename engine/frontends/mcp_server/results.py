"""How a run is, as agents are told it: one shape, whatever began, showed, answered or ended the run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from mcp_types import CallToolResult, TextContent

from engine.frontends.mcp_server.serving import Serving
from engine.history import History
from engine.history.records import RunRecord, StepRecord
from engine.model.failure import FailureKind
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunStatus, StepStatus
from engine.model.question import Question

MOST_STEPS = 200
"""Steps that are told; of a longer run the last ones."""
LONGEST = 500
"""Characters of what is told of one step."""
LONGEST_OUTPUTS = 4_000
"""Characters of the outputs that are repeated as text; structured content has them whole."""
BAD = frozenset({RunStatus.FAILED, RunStatus.BLOCKED, RunStatus.CANCELLED})
UNENDED = frozenset({RunStatus.RUNNING, RunStatus.WAITING})
DIED = "the run's process has died; nothing that was done is lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A run at one moment, as history has it."""

    record: RunRecord
    steps: tuple[StepRecord, ...]

    @property
    def status(self) -> RunStatus:
        """The run's status; one whose process has died waits for somebody to go on with it."""
        return RunStatus.WAITING if self.record.interrupted else self.record.status


def seen(history: History, run_id: str) -> Seen:
    """The run as it is now. Raises RunNotFoundError."""
    record = history.run(run_id)
    return Seen(record=record, steps=history.steps(record.id))


def reply(serving: Serving, run: Seen, *, wanted_its_end: bool = False) -> CallToolResult:
    """The run as a call answers it; `wanted_its_end` says that a cancelled run is what was asked for."""
    told = run_record(serving, run)
    bad = run.status in BAD and not (wanted_its_end and run.status is RunStatus.CANCELLED)
    return CallToolResult(
        content=[TextContent(type="text", text="\n".join(_lines(told)))], structured_content=told, is_error=bad
    )


def run_record(serving: Serving, run: Seen) -> dict[str, Any]:
    """The run as JSON-like data, with every secret this server knows masked."""
    record, mask = run.record, serving.engine.secrets.mask
    ended = record.status not in UNENDED
    duration = record.duration if ended else max(0.0, serving.engine.clock() - record.started_at)
    return {
        "run_id": record.id,
        "skill": record.skill,
        "status": run.status.value,
        "outputs": mask(dict(record.outputs)) if ended else None,
        "message": mask(DIED if record.interrupted else _message(run)),
        "duration": None if duration is None else round(duration, 3),
        "steps": mask([_step(step, run) for step in run.steps[-MOST_STEPS:]]),
        "questions": mask([question_record(question) for question in record.questions]),
        "failed": mask(_failed(run)) if run.status in BAD else None,
        "next": _next(serving, run),
    }


def question_record(question: Question) -> dict[str, Any]:
    """A question as JSON-like data."""
    return {
        "name": question.name,
        "text": question.text,
        "type": question.type.value,
        "choices": list(question.choices),
        "default": None if question.secret else question.default,
        "about": question.about,
        "step": question.step,
    }


def answerable(serving: Serving, question: Question) -> bool:
    """Whether this server's clients may answer it: no secret, and a fix only in the tier that approves them."""
    return not question.secret and (question.about != "fix" or serving.approves_fixes)


def _step(step: StepRecord, run: Seen) -> dict[str, Any]:
    told = {"name": step.name, "status": step.status.value if step.status else _unfinished(run)}
    message = step.reason or str((step.failure or {}).get("message") or "")
    return {**told, "message": _cut(message)} if message else told


def _unfinished(run: Seen) -> str:
    """What a step without an end is called: as its run, while that goes on or waits; in any other it was stopped."""
    return run.record.status.value if run.record.status in UNENDED and not run.record.interrupted else "stopped"


def _message(run: Seen) -> str:
    left = len(run.steps) - MOST_STEPS
    return " ".join(filter(None, (run.record.message, f"({left} earlier steps are not listed)" if left > 0 else "")))


def _failed(run: Seen) -> dict[str, Any]:
    """The step that ended the run, or the run's own message where no step did."""
    step = _culprit(run.steps)
    if step is None:
        return {"step": "", "kind": FailureKind.UNKNOWN.value, "message": run.record.message, "remediation": []}
    failure = step.failure or {}
    return {
        "step": step.name,
        "kind": str(failure.get("kind") or FailureKind.UNKNOWN.value),
        "message": str(failure.get("message") or step.reason),
        "root_cause": step.root_cause.record if step.root_cause else None,
        "remediation": list(step.remediation),
    }


def _culprit(steps: Iterable[StepRecord]) -> StepRecord | None:
    """The first step that failed: those around it failed because of it."""
    failed = [step for step in steps if step.status is StepStatus.FAILED]
    return min(failed, key=lambda step: (step.section != "steps", step.finished_at or 0.0), default=None)


def _next(serving: Serving, run: Seen) -> str:
    run_id = run.record.id
    ends = f'run_cancel(run_id="{run_id}") ends it and undoes what it did'
    match run.status:
        case RunStatus.OK:
            return ""
        case RunStatus.RUNNING:
            return f'run_status(run_id="{run_id}", wait_seconds=50) waits for its end; {ends}'
        case RunStatus.WAITING if run.record.interrupted:
            goes_on = f'run_answer(run_id="{run_id}", answers={{}}) goes on after its last finished step'
            return f"{goes_on} (its secret inputs are given again as `inputs`); {ends}"
        case RunStatus.WAITING:
            return f"{_answering(serving, run)}; {ends}"
        case _:
            return f'run_logs(run_id="{run_id}") tells everything that happened'


def _answering(serving: Serving, run: Seen) -> str:
    """Who answers which question, and how."""
    run_id, questions = run.record.id, run.record.questions
    open_to_agents = [question for question in questions if answerable(serving, question)]
    told = []
    if open_to_agents:
        answers = json.dumps({question.name: f"<{question.type}>" for question in open_to_agents}, ensure_ascii=False)
        told.append(f'run_answer(run_id="{run_id}", answers={answers}) answers it')
    if len(open_to_agents) < len(questions):
        told.append(f"a person answers what you may not: `skill answer {run_id}` in a terminal, in {_folder(serving)}")
        told.append(f'run_status(run_id="{run_id}") shows whether that has happened')
    return "; ".join(told)


def _folder(serving: Serving) -> str:
    return str(serving.engine.workspace.folder)


def _lines(told: dict[str, Any]) -> Iterable[str]:
    took = "" if told["duration"] is None else f" after {told['duration']:g} s"
    yield f"{told['skill']}: {told['status']}{took} (run {told['run_id']})"
    if told["message"]:
        yield told["message"]
    if told["outputs"]:
        yield f"outputs: {_cut(json.dumps(told['outputs'], ensure_ascii=False, default=str), LONGEST_OUTPUTS)}"
    if told["status"] == RunStatus.RUNNING:
        yield from (f"{step['name']}: {step['status']}" for step in told["steps"][-5:])
    for question in told["questions"]:
        choices = f" ({', '.join(map(str, question['choices']))})" if question["choices"] else f" ({question['type']})"
        yield f"{question['name']} asks: {question['text']}{choices}"
    if failed := told["failed"]:
        yield f"failed: {failed['step']}: {failed['kind']}: {failed['message']}" if failed["step"] else "failed"
        yield from failed["remediation"]
    if told["next"]:
        yield f"next: {told['next']}"


def _cut(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."
