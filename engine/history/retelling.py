"""A run's events, heard in their order and told as what a resume goes by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from engine.history.encoding import INPUTS
from engine.history.heard import Heard, StepTelling, Values, is_masked
from engine.model.event import EventKind
from engine.model.outcome import RunStatus
from engine.model.past import PastEnding, PastRun

_OF_STEPS: Mapping[str, Callable[[StepTelling, Heard], None]] = {
    EventKind.STEP_STARTED: StepTelling.started,
    EventKind.ATTEMPT_STARTED: StepTelling.attempt_started,
    EventKind.ATTEMPT_FINISHED: StepTelling.attempt_finished,
    EventKind.FIX_STARTED: StepTelling.fix_started,
    EventKind.FIX_FINISHED: StepTelling.fix_finished,
    EventKind.STEP_FINISHED: StepTelling.finished,
}


class Retelling:
    """Takes the events of one run one by one; how much it keeps grows with the run, and nothing is looked for twice."""

    def __init__(self, run_id: str, values: Values) -> None:
        self._run_id = run_id
        self._values = values
        self._steps: dict[str, StepTelling] = {}
        self._start: Heard | None = None
        self._versions: list[str] = []
        self._asked: dict[str, Heard] = {}
        self._answers: dict[str, Any] = {}
        self._endings: dict[str, PastEnding] = {}
        self._finished = False
        self._traceparent = ""
        self._timeout: float | None = None
        self._of_runs: Mapping[str, Callable[[Heard], None]] = {
            EventKind.RUN_STARTED: self._run_started,
            EventKind.RUN_RESUMED: self._run_resumed,
            EventKind.QUESTION_ASKED: self._question_asked,
            EventKind.QUESTION_ANSWERED: self._question_answered,
            EventKind.RUN_ENDING: self._run_ending,
            EventKind.RUN_FINISHED: self._run_finished,
        }

    def hear(self, row: tuple[int, str, float, str, str]) -> None:
        """Takes the next event: its number, kind, time, step and body."""
        kind, step = row[1], row[3]
        if (of_step := _OF_STEPS.get(kind)) is not None:
            telling = self._steps.get(step)
            if telling is None:
                telling = self._steps[step] = StepTelling(step)
            of_step(telling, Heard(row, self._values))
        elif (of_run := self._of_runs.get(kind)) is not None:
            of_run(Heard(row, self._values))

    @property
    def digests(self) -> frozenset[str]:
        """The skill files that were run."""
        return frozenset(self._versions) | {told.digest for told in self._steps.values()} - {""}

    def told(self, texts: Mapping[str, str]) -> PastRun:
        """The run as far as it came; `texts` are skill files by digest."""
        steps = {path: telling.told(texts) for path, telling in self._steps.items()}
        start = self._start or Heard((0, EventKind.RUN_STARTED, 0.0, "", "{}"), {})
        digest = next((each for each in reversed(self._versions) if each in texts), start.text("digest"))
        asked = {name: {**heard.fields, "step": heard.step} for name, heard in self._asked.items()}
        over = {path for path, step in steps.items() if step.status is not None}
        return PastRun(
            run_id=self._run_id,
            skill=start.text("skill"),
            file=start.text("file"),
            text=texts.get(digest, ""),
            digest=digest,
            started_at=start.at,
            inputs=_inputs(start),
            masked_inputs=_masked_inputs(start),
            steps=steps,
            asked={name: each for name, each in asked.items() if name in self._answers or each["step"] not in over},
            answers=self._answers,
            endings=self._endings,
            finished=self._finished,
            folder=start.text("folder"),
            traceparent=self._traceparent,
            timeout=self._timeout,
        )

    def _run_started(self, heard: Heard) -> None:
        self._start = self._start or heard
        self._versions.append(heard.text("digest"))
        self._traceparent = heard.text("traceparent") or self._traceparent
        self._timeout = heard.figure("timeout") or self._timeout

    def _run_resumed(self, heard: Heard) -> None:
        self._versions.append(heard.text("digest"))
        self._traceparent = heard.text("traceparent") or self._traceparent
        self._timeout = heard.figure("timeout") or self._timeout

    def _question_asked(self, heard: Heard) -> None:
        """What is asked again wants a new answer: the old one was to another question."""
        name = heard.text("name")
        self._asked[name] = heard
        self._answers.pop(name, None)

    def _question_answered(self, heard: Heard) -> None:
        answer, lost = heard.value("answer")
        if not lost:
            self._answers[heard.text("name")] = answer

    def _run_ending(self, heard: Heard) -> None:
        with suppress(ValueError):
            self._endings[heard.step] = PastEnding(
                status=RunStatus(heard.text("status")),
                message=heard.text("message"),
                timed_out=bool(heard.fields.get("timed_out")),
            )

    def _run_finished(self, _heard: Heard) -> None:
        self._finished = True


def _inputs(start: Heard) -> dict[str, Any]:
    inputs, _ = start.whole(INPUTS)
    return dict(inputs) if isinstance(inputs, dict) else {}


def _masked_inputs(start: Heard) -> frozenset[str]:
    """The inputs that cannot be had back: a mask stands in them, or they were never plain JSON."""
    _, cut = start.whole(INPUTS)
    lost, inputs = start.names("lost"), _inputs(start)
    if cut or INPUTS in lost:
        return frozenset(inputs)
    return frozenset(name for name, value in inputs.items() if f"{INPUTS}.{name}" in lost or is_masked(value))
