"""Why a call failed and what a person can do about it, as values that terminals, histories and agents all read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from engine.model.call import ToolCall
from engine.model.lazy_dataclass import dataclass


def typed(call: ToolCall, domain: str = "") -> str:
    """A call as a person types it (`skill tools exec kube_login --domain stage`); what is no text goes as JSON."""
    import json  # noqa: PLC0415 - late: only what failed is explained
    import shlex  # noqa: PLC0415 - late, as above

    words = ["skill tools exec", call.tool]
    for name, value in call.args.items():
        told = f"{name}={value}" if isinstance(value, str) else f"{name}:={json.dumps(value, default=str)}"
        words += ["-i", shlex.quote(told)]
    if domain:
        words += ["--domain", shlex.quote(domain)]
    return " ".join(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyStep:
    """One thing to do: a sentence, and where there is one the command for a shell or the call of a tool that does it.

    `value` is what the engine found out already (the full SHA, the digest): then nobody has to run the command.
    `domain` is the one that the call is meant for; empty: its tool's own.
    """

    text: str
    command: str = ""
    call: ToolCall | None = None
    value: str = ""
    domain: str = ""

    def __str__(self) -> str:
        shown = self.command or (typed(self.call, self.domain) if self.call else "")
        told = f"{self.text}: {shown}" if shown else self.text
        return f"{told} -> {self.value}" if self.value else told


@dataclass(frozen=True, slots=True, kw_only=True)
class RootCause:
    """The root cause of a failure; `id` is its name in figures (`short_sha`), `because` the sentence with real values.

    `found` holds the values by name, `source` says who found it: a module of `engine.heal.causes`, or a remedy skill.
    `confirmed`: a look saw that the failure was what it was taken for (False: something else); None: nobody could see.
    """

    id: str
    because: str
    steps: tuple[RemedyStep, ...] = ()
    found: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    confirmed: bool | None = None

    @property
    def record(self) -> dict[str, Any]:
        """The cause as JSON-like data: what events, history and `--json` hold."""
        return {
            "id": self.id,
            "because": self.because,
            "steps": [_step_record(step) for step in self.steps],
            "found": dict(self.found),
            "source": self.source,
            "confirmed": self.confirmed,
        }

    @property
    def sentences(self) -> tuple[str, ...]:
        """The cause and its steps, each a sentence for a person."""
        return (self.because, *map(str, self.steps))


def root_cause_of(told: Any) -> RootCause | None:
    """The cause that a record holds; None for none, and for what is no record of one."""
    if not isinstance(told, Mapping) or not told.get("because"):
        return None
    steps, found, confirmed = told.get("steps"), told.get("found"), told.get("confirmed")
    return RootCause(
        id=str(told.get("id") or ""),
        because=str(told["because"]),
        steps=tuple(map(_step_of, steps)) if isinstance(steps, list) else (),
        found=found if isinstance(found, Mapping) else {},
        source=str(told.get("source") or ""),
        confirmed=confirmed if isinstance(confirmed, bool) else None,
    )


def _step_record(step: RemedyStep) -> dict[str, Any]:
    call = {"tool": step.call.tool, "args": dict(step.call.args)} if step.call else None
    told = {"text": step.text, "command": step.command, "call": call, "value": step.value, "domain": step.domain}
    return {name: value for name, value in told.items() if value or name == "text"}


def _step_of(told: Any) -> RemedyStep:
    if not isinstance(told, Mapping):
        return RemedyStep(text=str(told))
    call = told.get("call")
    return RemedyStep(
        text=str(told.get("text") or ""),
        command=str(told.get("command") or ""),
        call=ToolCall(tool=str(call.get("tool")), args=call.get("args") or {}) if isinstance(call, Mapping) else None,
        value=str(told.get("value") or ""),
        domain=str(told.get("domain") or ""),
    )
