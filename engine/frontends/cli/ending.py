"""How a run's end is shown, and the exit status it gives."""

from __future__ import annotations

from typing import Any

from engine.frontends.cli.screen import Screen
from engine.model.outcome import RunResult, RunStatus, StepResult, StepStatus

EXIT_STATUSES = {
    RunStatus.OK: 0,
    RunStatus.FAILED: 1,
    RunStatus.WAITING: 4,
    RunStatus.BLOCKED: 5,
    RunStatus.CANCELLED: 130,
}
TIMED_OUT = 124
COLOURS = {RunStatus.OK: "green", RunStatus.BLOCKED: "yellow"}


def exit_status(result: RunResult) -> int:
    """The command's exit status for a run's end."""
    return TIMED_OUT if result.timed_out else EXIT_STATUSES[result.status]


def show_result(result: RunResult, screen: Screen) -> None:
    """Writes the run's end: a summary for people, or the whole result as data."""
    if not screen.is_text:
        screen.result(result_data(result))
        return
    told = {name: value for name, value in result.outputs.items() if name != "summary"}
    if summary := result.outputs.get("summary"):
        screen.text()
        screen.text(str(summary).rstrip())
    else:
        for name, value in told.items():
            screen.text(f"  {name}: {value}")
    screen.text()
    screen.text(_last_line(result), fg=COLOURS.get(result.status, "red"), bold=True)
    if result.message:
        screen.text(f"  {result.message}")
    for note in result.notes:
        screen.text(f"  note: {note}")
    screen.note(f"  skill status {result.run_id}    skill logs {result.run_id}", dim=True)


def result_data(result: RunResult) -> dict[str, Any]:
    """A run's result as JSON-like data; `docs/commands.md` describes it."""
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
        "steps": [_step_data(step) for step in result.steps],
    }


def _step_data(step: StepResult) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": step.name,
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
    return told


def _last_line(result: RunResult) -> str:
    done = sum(step.status is not StepStatus.SKIPPED for step in result.steps)
    word = "step" if result.healed == 1 else "steps"
    healed = f", {result.healed} healed {word}" if result.healed else ", nothing to heal"
    return f"{result.skill}: {result.status.value} in {result.duration:.1f} s  ({done} steps{healed})"
