"""How a run's end is shown, and the exit status it gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.frontends.cli.layout import beside, fold, json_text, took
from engine.frontends.cli.questions import question_record, waiting_lines
from engine.frontends.cli.screen import Screen
from engine.frontends.cli.tree import above
from engine.model.outcome import RunResult, RunStatus, StepResult, StepStatus
from engine.model.prevention import CheckAction, CheckResult

EXIT_STATUSES = {
    RunStatus.OK: 0,
    RunStatus.FAILED: 1,
    RunStatus.WAITING: 4,
    RunStatus.BLOCKED: 5,
    RunStatus.CANCELLED: 130,
}
TIMED_OUT = 124
INTERRUPTED = "interrupted"
"""What a run is called that has no end although its process has died."""
COLOURS = {RunStatus.OK: "green", RunStatus.BLOCKED: "yellow", RunStatus.WAITING: "yellow"}


def exit_status(result: RunResult) -> int:
    """The command's exit status for a run's end."""
    return TIMED_OUT if result.timed_out else EXIT_STATUSES[result.status]


def show_result(result: RunResult, screen: Screen) -> None:
    """Writes the run's end: a summary for people, or the whole result as data."""
    if not screen.is_text:
        record = result_record(result)
        screen.result({"event": "result", **record} if screen.format == "jsonl" else record)
        return
    _show_outputs(result, screen)
    if screen.quiet and result.status is RunStatus.OK:
        return
    screen.text()
    for line in fold(_last_line(result), screen.width):
        screen.text(line, fg=COLOURS.get(result.status, "red"), bold=True)
    for line in _why(result, screen.width):
        screen.text(line)
    for note in result.notes:
        for line in beside("  note: ", note, screen.width, lines=20):
            screen.text(line)
    screen.note(f"  skill logs {result.run_id}", dim=True)


def show_interrupted(result: RunResult, screen: Screen) -> None:
    """Writes how far a run came whose process has died, and how to go on."""
    commands = [f"skill resume {result.run_id}", f"skill cancel {result.run_id}"]
    if not screen.is_text:
        record = {**result_record(result), "status": INTERRUPTED, "resume_with": commands[0]}
        screen.result({"event": "result", **record} if screen.format == "jsonl" else record)
        return
    screen.text()
    count = _counted(len(_acting(result.steps)))
    screen.text(f"{result.skill}: interrupted after {took(result.duration)}  ({count})", fg="red", bold=True)
    screen.text("  its process has died before the run had ended; go on with it, or take back what it did:")
    for command in commands:
        screen.text(f"      {command}")


def _show_outputs(result: RunResult, screen: Screen) -> None:
    """The output called `summary` when there is one, for it was written for people; else every output with a value."""
    if summary := result.outputs.get("summary"):
        if not screen.quiet:
            screen.text()
        screen.text(str(summary).rstrip())
        return
    known = {name: value for name, value in result.outputs.items() if value is not None}
    width = max(map(len, known), default=0)
    for name, value in known.items():
        screen.text(f"  {name:<{width}}  {_plain(value)}".rstrip())


def _plain(value: Any) -> str:
    """A value as people read it: text as it is, everything else as JSON."""
    if isinstance(value, str):
        return value
    return json_text(value)


def result_record(result: RunResult) -> dict[str, Any]:
    """A run's result as JSON-like data; `docs/commands.md` describes it."""
    names = [question.name for question in result.questions]
    return {
        "run": result.run_id,
        "skill": result.skill,
        "status": result.status.value,
        "message": result.message,
        "healed": result.healed,
        "duration": round(result.duration, 3),
        "timed_out": result.timed_out,
        "outputs": dict(result.outputs),
        "notes": list(result.notes),
        "questions": [question_record(result.run_id, question, names) for question in result.questions],
        "preflight": [_check_record(check) for check in result.preflight],
        "steps": [_step_record(step) for step in result.steps],
    }


def _check_record(check: CheckResult) -> dict[str, Any]:
    told: dict[str, Any] = {
        "check": check.check,
        "domain": check.domain,
        "ok": check.ok,
        "action": check.action.value,
        "message": check.message,
    }
    if check.action is not CheckAction.PASSED:
        told["kind"] = check.kind.value
    if check.expires_at is not None:
        told["expires_at"] = round(check.expires_at, 3)
    if check.fix:
        told["fix"] = check.fix
    if check.cause is not None:
        told["root_cause"] = check.cause.record
    return told


def _step_record(step: StepResult) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": step.path or step.name,
        "status": step.status.value,
        "attempts": step.attempts,
        "duration": round(step.duration, 3),
    }
    if step.failure:
        told["failure"] = {"kind": step.failure.kind.value, "message": step.failure.message}
    if step.first_failure:
        told["first_failure"] = {"kind": step.first_failure.kind.value, "message": step.first_failure.message}
    if step.fixes:
        told["fixes"] = list(step.fixes)
    if step.reason:
        told["reason"] = step.reason
    if step.remediation:
        told["remediation"] = list(step.remediation)
    if step.root_cause:
        told["root_cause"] = step.root_cause.record
    return told


def _why(result: RunResult, width: int | None) -> list[str]:
    """What the run waits for, or why it ended as it did."""
    if result.questions:
        return list(waiting_lines(result.run_id, result.questions, width))
    return [part for line in result.message.splitlines() for part in beside("  ", line, width, lines=20)]


def _last_line(result: RunResult) -> str:
    steps = _acting(result.steps)
    skipped = sum(step.status is StepStatus.SKIPPED for step in steps)
    healed = sum(step.status is StepStatus.HEALED for step in steps)
    done = [f"{_counted(len(steps) - skipped)}"]
    done += [f"{skipped} skipped"] if skipped else []
    done += [f"{healed} healed {'step' if healed == 1 else 'steps'}"] if healed else []
    ahead = len({check.fix for check in result.preflight if check.action is CheckAction.FIXED})
    done += [f"{ahead} repaired beforehand"] if ahead else []
    done += ["nothing to heal"] if not healed and not ahead and result.status is RunStatus.OK else []
    return f"{result.skill}: {_ended(result)} {took(result.duration)}  ({', '.join(done)})"


def _ended(result: RunResult) -> str:
    if result.timed_out:
        return "timed out after"
    return "waits for an answer after" if result.status is RunStatus.WAITING else f"{result.status.value} in"


def _acting(steps: Iterable[StepResult]) -> list[StepResult]:
    """The steps that did something themselves: those that only hold others are not counted beside these."""
    known = list(steps)
    holding = {outer for step in known for outer in above(step.path)}
    return [step for step in known if step.path not in holding]


def _counted(steps: int) -> str:
    return f"{steps} {'step' if steps == 1 else 'steps'}"
