from engine.decorators.healing import auto_heal as auto_heal
from engine.decorators.looking import pre_flight_check as pre_flight_check
from engine.decorators.named import auto_heal_ephemeral as auto_heal_ephemeral
from engine.decorators.named import auto_heal_git as auto_heal_git
from engine.decorators.named import auto_heal_jira as auto_heal_jira
from engine.decorators.named import auto_heal_k8s as auto_heal_k8s
from engine.decorators.named import auto_heal_konflux as auto_heal_konflux
from engine.decorators.named import auto_heal_stage as auto_heal_stage
from engine.door import run_skill as run_skill
from engine.errors import DocumentError as DocumentError
from engine.errors import EngineError as EngineError
from engine.errors import InputError as InputError
from engine.errors import JournalError as JournalError
from engine.errors import PreflightError as PreflightError
from engine.errors import RunBusyError as RunBusyError
from engine.errors import RunNotFoundError as RunNotFoundError
from engine.errors import RunStateError as RunStateError
from engine.errors import SkillInvalidError as SkillInvalidError
from engine.errors import SkillNotFoundError as SkillNotFoundError
from engine.errors import UnansweredError as UnansweredError
from engine.errors import WorkspaceError as WorkspaceError
from engine.library.input_schema import input_schema as input_schema
from engine.library.input_schema import output_schema as output_schema
from engine.model.event import Event as Event
from engine.model.event import EventKind as EventKind
from engine.model.failure import Failure as Failure
from engine.model.failure import FailureKind as FailureKind
from engine.model.heal import HealMode as HealMode
from engine.model.outcome import RunResult as RunResult
from engine.model.outcome import RunStatus as RunStatus
from engine.model.outcome import StepResult as StepResult
from engine.model.outcome import StepStatus as StepStatus
from engine.model.progress import Progress as Progress
from engine.model.question import Question as Question
from engine.model.skill import Skill as Skill
from engine.run.executor import SkillExecutor as SkillExecutor
from engine.run.stream import RunStream as RunStream
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
from tool_registry.sources.python import tool as tool
from tool_registry.tool import Effect as Effect
from tool_registry.tool import FixScope as FixScope
from tool_registry.tool import Tool as Tool
from tool_registry.tool import ToolContext as ToolContext
from tool_registry.tool import ToolError as ToolError
from tool_registry.tool import ToolOutput as ToolOutput

__all__ = [
    "DocumentError",
    "Effect",
    "Engine",
    "EngineError",
    "Event",
    "EventKind",
    "Failure",
    "FailureKind",
    "FixScope",
    "HealMode",
    "InputError",
    "JournalError",
    "PreflightError",
    "Progress",
    "Question",
    "RunBusyError",
    "RunNotFoundError",
    "RunResult",
    "RunStateError",
    "RunStatus",
    "RunStream",
    "Skill",
    "SkillExecutor",
    "SkillInvalidError",
    "SkillNotFoundError",
    "StepResult",
    "StepStatus",
    "Tool",
    "ToolContext",
    "ToolError",
    "ToolOutput",
    "UnansweredError",
    "Workspace",
    "WorkspaceError",
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
    "input_schema",
    "learn_tool_fix",
    "memory_append",
    "memory_read",
    "memory_remove",
    "memory_session_log",
    "memory_update",
    "output_schema",
    "pre_flight_check",
    "run_skill",
    "tool",
    "tool_exec",
]
