"""One thing that `skill doctor` looked at: how it is, in words, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine.errors import DocumentError, EngineError
from engine.model.lazy_dataclass import dataclass


class Section(StrEnum):
    """The sections of what is shown, in the order of what stands on what."""

    MACHINE = "machine"
    WORKSPACE = "workspace"
    LADDER = "ladder"
    DOMAINS = "domains"
    TOOLS = "tools"
    SKILLS = "skills"


class State(StrEnum):
    """How it is. `wrong` alone makes the command fail: it is needed, and nothing here repairs it."""

    WELL = "well"
    WRONG = "wrong"
    LACKING = "lacking"
    UNKNOWN = "unknown"
    IDLE = "idle"


SIGNS: Mapping[State, tuple[str, str | None]] = {
    State.WELL: ("✓", "green"),
    State.WRONG: ("✗", "red"),
    State.LACKING: ("!", "yellow"),
    State.UNKNOWN: ("?", "yellow"),
    State.IDLE: ("·", None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was looked at and how it is; `way_out` has a line for each thing to do, `more` what only data tells."""

    section: Section
    name: str
    found: str
    state: State = State.WELL
    way_out: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool | None:
        """Whether it is well; None where that is not known, or nothing is there that could be."""
        return {State.WELL: True, State.WRONG: False, State.LACKING: False}.get(self.state)


def looked(section: Section, name: str, found: str, way_out: str = "", *, needed: bool = True) -> Look:
    """A look that is well where nothing is to be done, else wrong, or lacking where it is not `needed`."""
    state = State.WELL if not way_out else State.WRONG if needed else State.LACKING
    return Look(section=section, name=name, found=found, way_out=way_out, state=state)


def tried(section: Section, name: str, look: Callable[[], str]) -> Look:
    """What `look` finds, or why it cannot be found."""
    try:
        return looked(section, name, look())
    except DocumentError as error:
        way_out = "\n".join(map(str, error.findings)) or error.hint or "see the message"
        return looked(section, name, error.message, way_out)
    except EngineError as error:
        return looked(section, name, error.message, error.hint or "see the message")
    except ImportError as error:
        return looked(section, name, str(error), "install skill-engine anew: a part of it cannot be imported")


def at_home(path: Path | str) -> str:
    """A path as people write it, with `~` for their home."""
    home = Path.home()
    if Path(path) == home:
        return "~"
    return f"~/{Path(path).relative_to(home)}" if Path(path).is_relative_to(home) else str(path)


def record(look: Look) -> dict[str, Any]:
    """A look as data."""
    return {
        "section": look.section.value,
        "name": look.name,
        "state": look.state.value,
        "found": look.found,
        "way_out": look.way_out,
        "ok": look.ok,
        **look.more,
    }


def status(looks: Iterable[Look]) -> int:
    """The command's exit status."""
    return int(any(look.state is State.WRONG for look in looks))
