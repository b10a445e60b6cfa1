"""`Request`: what a run in a process of its own is to do, and the one line that process answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Literal

from engine import errors
from engine.errors import DocumentError, EngineError
from engine.model.failure import FailureKind
from engine.model.heal import HealMode
from engine.model.lazy_dataclass import dataclass
from engine.model.place import Finding, Place, Severity

Act = Literal["run", "answer", "end"]
"""To begin a run, to answer one (with no answers: to go on with it), to end one that nobody has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be done; `skill` names the skill of a new run, `run_id` the run to go on with or to end.

    `inputs` are the run's (of a run gone on with: its secret ones again), those named in `from_text` typed as text.
    `answers` are to a run's questions; to a new run's, beforehand; who `agrees` to fixes takes the defaults of other
    questions too. Without `profile` or `heal`, a new run has the workspace's, and one gone on with keeps its own.
    `trace` is the context of the caller's trace, as environment variables (`TRACEPARENT`).
    """

    act: Act
    skill: str = ""
    run_id: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    from_text: tuple[str, ...] = ()
    answers: Mapping[str, Any] = field(default_factory=dict)
    timeout: float | None = None
    profile: str = ""
    heal: HealMode | None = None
    agrees: bool = False
    trace: Mapping[str, str] = field(default_factory=dict)


def packed(request: Request, *, folder: Path, home: Path) -> bytes:
    """The request for the workspace at `folder`, as the worker reads it. Raises InputError for what is no JSON."""
    told = {
        "folder": str(folder),
        "home": str(home),
        "act": request.act,
        "skill": request.skill,
        "run_id": request.run_id,
        "inputs": dict(request.inputs),
        "from_text": list(request.from_text),
        "answers": dict(request.answers),
        "timeout": request.timeout,
        "profile": request.profile,
        "heal": request.heal.value if request.heal else None,
        "agrees": request.agrees,
        "trace": dict(request.trace),
    }
    try:
        return json.dumps(told).encode()
    except (TypeError, ValueError) as error:
        raise errors.InputError(
            f"a run in a process of its own is given JSON values only: {error}", hint="write dates as text, in quotes"
        ) from error


def unpacked(text: bytes) -> tuple[Request, Path, Path]:
    """The request, and the folder and home of its workspace."""
    told = json.loads(text)
    folder, home = Path(told.pop("folder")), Path(told.pop("home"))
    heal = HealMode(told.pop("heal")) if told["heal"] else told.pop("heal")
    return Request(**{**told, "from_text": tuple(told["from_text"]), "heal": heal}), folder, home


def began(run_id: str) -> bytes:
    """The line of a run that has begun, or goes on."""
    return json.dumps({"run_id": run_id}).encode() + b"\n"


def refused(error: EngineError) -> bytes:
    """The line of a run that has not begun, and why."""
    told: dict[str, Any] = {"type": type(error).__name__, "message": error.message, "hint": error.hint}
    if error.place:
        told["place"] = _place(error.place)
    if isinstance(error, DocumentError):
        told["findings"] = [
            {
                "place": _place(each.place),
                "code": each.code,
                "message": each.message,
                "hint": each.hint,
                "severity": each.severity.value,
            }
            for each in error.findings
        ]
    if isinstance(error, errors.PreflightError):
        told["kind"] = error.kind.value
    if isinstance(error, errors.MissingExtraError):
        told["extra"] = error.extra
    return json.dumps({"error": told}).encode() + b"\n"


def run_id_of(line: bytes) -> str:
    """The id of the run that began; raises the error the worker met before one could."""
    told = json.loads(line)
    if "error" in told:
        raise _error(told["error"])
    return str(told["run_id"])


def _error(told: Mapping[str, Any]) -> EngineError:
    """The error as it was raised in the other process."""
    known = getattr(errors, told["type"], EngineError)
    # Some take other arguments than these, and all keep the same attributes.
    error: EngineError = known.__new__(known)
    place = Place(**told["place"]) if told.get("place") else None
    EngineError.__init__(error, told["message"], hint=told["hint"], place=place)
    if isinstance(error, DocumentError):
        error.findings = tuple(map(_finding, told["findings"]))
    if isinstance(error, errors.PreflightError):
        error.kind = FailureKind(told["kind"])
    if isinstance(error, errors.MissingExtraError):
        error.extra = str(told["extra"])
    return error


def _finding(told: Mapping[str, Any]) -> Finding:
    return Finding(**{**told, "place": Place(**told["place"]), "severity": Severity(told["severity"])})


def _place(place: Place) -> dict[str, Any]:
    return {"file": place.file, "line": place.line, "column": place.column}
