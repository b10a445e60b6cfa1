from engine.decorators.healing import auto_heal as auto_heal
from engine.decorators.looking import pre_flight_check as pre_flight_check
from engine.decorators.named import auto_heal_ephemeral as auto_heal_ephemeral
from engine.decorators.named import auto_heal_git as auto_heal_git
from engine.decorators.named import auto_heal_jira as auto_heal_jira
from engine.decorators.named import auto_heal_k8s as auto_heal_k8s
from engine.decorators.named import auto_heal_konflux as auto_heal_konflux
from engine.decorators.named import auto_heal_stage as auto_heal_stage
from engine.errors import EngineError as EngineError
from engine.errors import InputError as InputError
from engine.errors import PreflightError as PreflightError
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
from engine.toolbox import check_known_issues as check_known_issues
from engine.toolbox import debug_tool as debug_tool
from engine.toolbox import learn_tool_fix as learn_tool_fix
from engine.toolbox import memory_append as memory_append
from engine.toolbox import memory_read as memory_read
from engine.toolbox import memory_remove as memory_remove
from engine.toolbox import memory_session_log as memory_session_log
from engine.toolbox import memory_update as memory_update
from engine.toolbox import tool_exec as tool_exec
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
    "PreflightError",
    "RunResult",
    "RunStatus",
    "SkillExecutor",
    "SkillInvalidError",
    "SkillNotFoundError",
    "StepResult",
    "StepStatus",
    "Workspace",
    "auto_heal",
    "auto_heal_ephemeral",
    "auto_heal_git",
    "auto_heal_jira",
    "auto_heal_k8s",
    "auto_heal_konflux",
    "auto_heal_stage",
    "check_known_issues",
    "debug_tool",
    "find_workspace",
    "learn_tool_fix",
    "memory_append",
    "memory_read",
    "memory_remove",
    "memory_session_log",
    "memory_update",
    "pre_flight_check",
    "tool_exec",
]
