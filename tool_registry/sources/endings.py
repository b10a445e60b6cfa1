"""How a definition tells a good ending from "not found" and from a failure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tool_registry.sources.outputs import pattern, selected
from tool_registry.sources.placeholders import DefinitionError
from tool_registry.tool import ToolError


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What an exit status means: `ok`, `not_found` or `failed`; a failure may name its kind and say a sentence."""

    means: str
    kind: str | None = None
    message: str = ""


OK = Ending(means="ok")
NOT_FOUND = Ending(means="not_found")
FAILED = Ending(means="failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came out, by stream; a server's answer is `stdout`."""

    stdout: str
    stderr: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A tool's own sign in what it says; every condition given has to hold."""

    stdout: re.Pattern[str] | None = None
    stderr: re.Pattern[str] | None = None
    members: Mapping[str, Any] | None = None
    kind: str | None = None
    message: str = ""

    def holds(self, said: Said) -> bool:
        """Whether the sign is there."""
        if self.stdout is not None and not self.stdout.search(said.stdout):
            return False
        if self.stderr is not None and not self.stderr.search(said.stderr):
            return False
        return self.members is None or _has(said.stdout, self.members)


def _has(text: str, members: Mapping[str, Any]) -> bool:
    try:
        value = json.loads(text)
        found = [selected(value, tuple(path.split(".")), "") == wanted for path, wanted in members.items()]
    except (ValueError, RecursionError, ToolError):
        return False
    return all(found)


def read_endings(spec: Any, place: str) -> dict[int, Ending]:
    """The `exit` of a command: what each exit status means."""
    return {_status(status, place): _ending(means, place) for status, means in (spec or {}).items()}


def _status(status: Any, place: str) -> int:
    try:
        return int(status)
    except (TypeError, ValueError) as error:
        raise DefinitionError(place, f"an exit status is a whole number, not {status!r}") from error


def _ending(spec: Any, place: str) -> Ending:
    match spec:
        case "ok" | "not_found" | "failed":
            return Ending(means=spec)
        case Mapping():
            return Ending(means="failed", kind=spec.get("kind"), message=str(spec.get("message", "")))
    raise DefinitionError(place, f"an exit status means ok, not_found, failed or {{kind, message}}, not {spec!r}")


def read_markers(spec: Any, place: str) -> tuple[Marker, ...]:
    """The `failed_when` of a definition: one mapping, or a list of which any may hold."""
    return tuple(read_marker(one, place) for one in (spec if isinstance(spec, list) else [spec] if spec else []))


def read_marker(spec: Any, place: str) -> Marker:
    """One sign: `stdout`, `stderr` and `body` are expressions, `json` maps paths to what must stand there."""
    if not isinstance(spec, Mapping) or not {"stdout", "stderr", "body", "json"} & set(spec):
        raise DefinitionError(place, f"a sign needs stdout, stderr, body or json, not {spec!r}")
    out = spec.get("stdout", spec.get("body"))
    return Marker(
        stdout=pattern(out, place) if out is not None else None,
        stderr=pattern(spec["stderr"], place) if "stderr" in spec else None,
        members=spec.get("json"),
        kind=spec.get("kind"),
        message=str(spec.get("message", "")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound:
    """When a program's ending means "not found": an exit status, and optionally a sign in what it said.

    Without statuses, every unsuccessful one counts.
    """

    statuses: Collection[int] = ()
    marker: Marker | None = None

    def holds(self, status: int, said: Said, *, ok: bool) -> bool:
        """Whether this ending means "not found"."""
        fits = status in self.statuses if self.statuses else not ok
        return fits and (self.marker is None or self.marker.holds(said))


def read_not_found(spec: Any, place: str) -> NotFound | None:
    """The `not_found` of a command."""
    if not spec:
        return None
    if not isinstance(spec, Mapping):
        raise DefinitionError(place, f"not_found needs exit, stderr or stdout, not {spec!r}")
    signs = {key: value for key, value in spec.items() if key != "exit"}
    statuses = spec.get("exit", [])
    return NotFound(
        statuses=tuple(_status(status, place) for status in (statuses if isinstance(statuses, list) else [statuses])),
        marker=read_marker(signs, place) if signs else None,
    )
