"""What a silence is made of: matchers, a length, who wants it and why; and which of Alertmanager's is the one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypedDict

from tool_registry.functions.moments import moment, seconds_of
from tool_registry.sources.expected import expected
from tool_registry.sources.http import Reply
from tool_registry.tool import ToolContext, ToolError

MATCHER = re.compile(r'\s*([A-Za-z_:][A-Za-z0-9_:]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"]*?))\s*', re.DOTALL)
ESCAPED = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}
SAME_LENGTH = 30.0
"""Seconds by which the same silence may be longer or shorter: the server moves a beginning that has passed."""
LONGEST_SILENCE = 31_536_000.0


class Silence(TypedDict):
    """A silence: pending, active or expired; what it silences, as matchers; times in epoch seconds."""

    id: str
    state: str
    matchers: list[str]
    created_by: str
    comment: str
    starts_at: float | None
    ends_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSilence:
    """A silence that is to be; `lasts` in seconds."""

    matchers: list[dict[str, Any]]
    lasts: float
    who: str
    why: str


def silences_in(reply: Reply) -> list[Silence]:
    """All that a reply lists; ToolError (`api_contract_mismatch`) for one that is no list of silences."""
    with expected("Alertmanager"):
        return [silence_of(one) for one in reply.json()]


def silence_of(said: dict[str, Any]) -> Silence:
    """One silence, as tools give it."""
    return {
        "id": str(said["id"]),
        "state": str(said["status"]["state"]),
        "matchers": [_written(one) for one in said["matchers"]],
        "created_by": str(said.get("createdBy") or ""),
        "comment": str(said.get("comment") or ""),
        "starts_at": moment(said.get("startsAt")),
        "ends_at": moment(said.get("endsAt")),
    }


def _exact(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value, "isRegex": False, "isEqual": True}


def _read(text: str) -> dict[str, Any]:
    """A matcher as Alertmanager takes it; ToolError (`usage_error`) for a text that is none."""
    found = MATCHER.fullmatch(text)
    if found is None:
        message = f'{text!r} is not a matcher: write it as severity=~"critical|warning"'
        raise ToolError(message, kind="usage_error", sent=False)
    name, sign, quoted, bare = found.groups()
    value = bare if quoted is None else re.sub(r'\\[n"\\]', lambda escape: ESCAPED[escape[0]], quoted)
    return {"name": name, "value": value, "isRegex": sign.endswith("~"), "isEqual": sign.startswith("=")}


def _written(said: dict[str, Any]) -> str:
    sign = {(True, False): "=", (True, True): "=~", (False, False): "!=", (False, True): "!~"}
    value = str(said["value"]).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{said["name"]}{sign[bool(said.get("isEqual", True)), bool(said["isRegex"])]}"{value}"'


def _length(duration: str, wanted: list[dict[str, Any]]) -> float:
    lasts = seconds_of(duration)
    if not wanted:
        raise ToolError("name labels or matchers: a silence of everything is refused", kind="usage_error", sent=False)
    if not 0 < lasts <= LONGEST_SILENCE:
        raise ToolError(f"a silence lasts up to a year, and not {duration}", kind="usage_error", sent=False)
    return lasts


def wanted_silence(
    labels: dict[str, str] | None,
    matchers: list[str] | None,
    duration: str,
    context: ToolContext,
    *,
    created_by: str,
    comment: str,
) -> WantedSilence:
    """The silence that is wanted; ToolError (`usage_error`) for one that is refused."""
    fits = [_exact(name, value) for name, value in (labels or {}).items()] + [_read(one) for one in matchers or ()]
    return WantedSilence(
        matchers=fits,
        lasts=_length(duration, fits),
        who=created_by or context.environment.get("USER") or "skill",
        why=f"{comment} (skill run {context.run_id})" if context.run_id else comment,
    )


def made_silence(reply: Reply, wanted: WantedSilence) -> Silence | None:
    """The silence that is wanted, where an earlier try of the same call made it."""
    return next((one for one in silences_in(reply) if _is_same(one, wanted)), None)


def _is_same(one: Silence, wanted: WantedSilence) -> bool:
    length = (one["ends_at"] or 0.0) - (one["starts_at"] or 0.0)
    return (
        one["state"] != "expired"
        and (one["created_by"], one["comment"]) == (wanted.who, wanted.why)
        and sorted(one["matchers"]) == sorted(_written(each) for each in wanted.matchers)
        and abs(length - wanted.lasts) <= SAME_LENGTH
    )
