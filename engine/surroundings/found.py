"""What was found on a machine, as values: which rung it stands on, the lines that would use it, who is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import ToolCall

Lines = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Short forms as `skill.toml` has them: `{"clusters": {"stage": {"context": ...}}}`."""


class Rung(StrEnum):
    """The rungs of the ladder, the lowest first."""

    LOCAL = "local profile"
    PODMAN = "podman"
    KUBECONFIG = "kubeconfig"
    REGISTRY = "registry"
    GITLAB = "gitlab"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who is asked whether it works: a read tool, with the settings that the lines would give its domain."""

    call: ToolCall
    domain: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    offline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """Something that is there, in words; `lines` are what would use it, empty where there is nothing to write.

    `ok` is known before anybody is asked; None: `asking` tells, or nobody knows. `hint` is what a person must do first.
    `variable` is the environment variable it lies in. `used` names the domain that uses it already.
    """

    rung: Rung
    told: str
    lines: Lines = field(default_factory=dict)
    asking: Asking | None = None
    ok: bool | None = None
    hint: str = ""
    variable: str = ""
    used: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A find after it was asked; `ok` None: not known. `user` is whom it takes us for."""

    find: Find
    ok: bool | None
    user: str = ""
    message: str = ""
