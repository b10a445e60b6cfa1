from engine.errors import EngineError as EngineError
from engine.errors import InputError as InputError
from engine.errors import SkillInvalidError as SkillInvalidError
from engine.errors import SkillNotFoundError as SkillNotFoundError
from engine.model.event import Event as Event
from engine.model.event import EventKind as EventKind
from engine.model.failure import Failure as Failure
from engine.model.failure import FailureKind as FailureKind
from engine.model.heal import HealMode as HealMode
from engine.model.outcome import RunResult as RunResult
from engine.model.outcome import RunStatus as RunStatus
from engine.model.outcome import StepResult as StepResult
from engine.model.outcome import StepStatus as StepStatus
from engine.run.executor import SkillExecutor as SkillExecutor
from engine.wiring import Engine as Engine
from engine.workspace import Workspace as Workspace
from engine.workspace import find_workspace as find_workspace

__all__ = [
    "Engine",
    "EngineError",
    "Event",
    "EventKind",
    "Failure",
    "FailureKind",
    "HealMode",
    "InputError",
    "RunResult",
    "RunStatus",
    "SkillExecutor",
    "SkillInvalidError",
    "SkillNotFoundError",
    "StepResult",
    "StepStatus",
    "Workspace",
    "find_workspace",
]
