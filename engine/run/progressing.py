"""Progress counted from the events of a run."""

from __future__ import annotations

from engine.model.event import Event, EventKind
from engine.model.past import PastRun
from engine.model.progress import Progress, ProgressListener
from engine.model.skill import Skill


class Counting:
    """A listener that tells another how far the run is, each time something worth a line has happened."""

    def __init__(self, tell: ProgressListener, skill: Skill, past: PastRun | None = None) -> None:
        self._tell = tell
        self._said = {step.name: step.description or step.name for step in (*skill.steps, *skill.always)}
        self._open = set(self._said) - _ended(past)

    def __call__(self, event: Event) -> None:
        """Hears one event."""
        if event.kind is EventKind.STEP_FINISHED:
            self._open.discard(event.step)
        message = self._message(event)
        if message:
            known = len(self._said)
            done = known - len(self._open)
            self._tell(Progress(run_id=event.run_id, done=done, known=known, step=event.step, message=message))

    def _message(self, event: Event) -> str:
        """What the event is worth saying; empty for nothing."""
        data, said = event.data, ""
        match event.kind:
            case EventKind.STEP_STARTED:
                said = self._said.get(event.step, event.step)
            case EventKind.STEP_FINISHED if event.step in self._said:
                said = f"{event.step}: {data['status']}"
            case EventKind.PROGRESS:
                said = data["text"]
            case EventKind.FIX_STARTED:
                said = f"repairing with {data['fix']}"
            case EventKind.QUESTION_ASKED:
                said = data["question"]
            case EventKind.RUN_WAITING:
                said = "waiting for an answer"
            case EventKind.RUN_FINISHED:
                said = data["status"]
        return " ".join(str(said).split())


def _ended(past: PastRun | None) -> set[str]:
    """The steps that had ended when the run was gone on with."""
    return {name for name, step in past.steps.items() if step.status is not None} if past else set()
