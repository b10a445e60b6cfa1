"""Alertmanager's silences: which there are, making one, and ending one.

A silence that is made says by which run it was made. So a call that is repeated after its answer was lost finds the
silence it already made, and an undo takes back nothing that somebody else wanted.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Literal, TypedDict

from tool_registry.functions.alertmanager import ask_alertmanager
from tool_registry.functions.moments import moment
from tool_registry.functions.monitoring import DURATION, promised, seconds_of
from tool_registry.functions.services import SERVICE
from tool_registry.sources.http import Reply
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

MATCHER = re.compile(r'\s*([A-Za-z_:][A-Za-z0-9_:]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"]*?))\s*', re.DOTALL)
ESCAPED = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}
SAME_LENGTH = 30.0
"""Seconds by which the same silence may be longer or shorter: the server moves a beginning that has passed."""
LONGEST_SILENCE = 31_536_000.0
Limit = Annotated[int, {"minimum": 1, "maximum": 10_000}]
Identifier = Annotated[str, {"pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"}]


class Silence(TypedDict):
    """A silence: pending, active or expired; what it silences, as matchers; times in epoch seconds."""

    id: str
    state: str
    matchers: list[str]
    created_by: str
    comment: str
    starts_at: float | None
    ends_at: float | None


class Silences(TypedDict):
    """Silences, those that end last first; `count` before the limit."""

    silences: list[Silence]
    count: int
    truncated: bool


class Made(TypedDict):
    """The silence, and whether this call made it or found that it had been made."""

    silence: Silence
    created: bool


class Ended(TypedDict):
    """How a silence stands now; `changed` is false when it had ended before, `found` when there is none."""

    id: str
    found: bool
    changed: bool
    state: str
    ended_at: float | None


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="alertmanager",
    timeout=30,
    examples=({}, {"state": "active"}, {"ids": ["3a661998-983c-44bd-b6f6-2f6004e559a3"]}),
    exact=True,
    needs=SERVICE,
)
async def alertmanager_silences(
    context: ToolContext,
    state: Literal["", "pending", "active", "expired"] = "",
    ids: list[str] | None = None,
    matchers: list[str] | None = None,
    limit: Limit = 500,
) -> Silences:
    """Lists silences; none is an empty list. Alertmanager forgets those that ended days ago.

    Args:
        state: pending, active or expired; empty for all.
        ids: Only these.
        matchers: Only silences with these matchers, as in `alertname="TargetDown"`.
        limit: How many are given at most.

    Returns:
        silences, count and truncated.
    """
    reply = await ask_alertmanager("GET", "/silences", context, params={"filter": matchers})
    found = [
        one
        for one in _listed(reply)
        if state in ("", one["state"]) and (ids is None or one["id"] in {each.lower() for each in ids})
    ]
    ordered = sorted(found, key=lambda one: (-(one["ends_at"] or 0.0), one["id"]))
    return {"silences": ordered[:limit], "count": len(found), "truncated": len(found) > limit}


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="alertmanager",
    timeout=30,
    examples=(
        {"labels": {"alertname": "TargetDown", "instance": "shop:80"}, "duration": "2h", "comment": "maintenance"},
        {"matchers": ['alertname=~"Disk.*"'], "duration": "1d", "comment": "new disks on Friday", "created_by": "ada"},
    ),
    exact=True,
    needs=SERVICE,
)
async def alertmanager_silence_create(
    comment: Annotated[str, {"minLength": 1}],
    context: ToolContext,
    labels: dict[str, str] | None = None,
    matchers: list[str] | None = None,
    duration: Annotated[str, {"pattern": DURATION}] = "2h",
    created_by: str = "",
) -> Made:
    """Silences the alerts that fit, from now on for some time; the same call in the same run makes no second silence.

    Args:
        comment: Why, for those who wonder.
        labels: Labels that an alert must have; from an alert, all of its own silence that one alone.
        matchers: What an alert must fit beside them, as in `severity=~"critical|warning"`.
        duration: For how long, as in 45m, 2h or 1d.
        created_by: Who wants it; empty for the person's login name.

    Returns:
        silence (id, state, matchers, created_by, comment, starts_at, ends_at) and created.
    """
    wanted = [_exact(name, value) for name, value in (labels or {}).items()] + [_read(one) for one in matchers or ()]
    lasts = _length(duration, wanted)
    who = created_by or context.environment.get("USER") or "skill"
    why = f"{comment} (skill run {context.run_id})" if context.run_id else comment
    standing = await ask_alertmanager("GET", "/silences", context)
    for one in _listed(standing):
        if _is_same(one, wanted, who, why, lasts):
            return {"silence": one, "created": False}
    begins = _server_time(standing)
    reply = await ask_alertmanager(
        "POST",
        "/silences",
        context,
        body={
            "matchers": wanted,
            "startsAt": _rfc3339(begins),
            "endsAt": _rfc3339(begins + lasts),
            "createdBy": who,
            "comment": why,
        },
    )
    with promised(reply):
        made = str(reply.json()["silenceID"])
    return {"silence": await _silence(made, context), "created": True}


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="alertmanager",
    timeout=30,
    examples=({"id": "3a661998-983c-44bd-b6f6-2f6004e559a3"},),
    exact=True,
    needs=SERVICE,
)
async def alertmanager_silence_expire(id: Identifier, context: ToolContext) -> Ended:  # noqa: A002 - its name there
    """Ends a silence; that it has ended already, or that there is none, is a normal answer.

    Args:
        id: The silence's id.

    Returns:
        id, found, changed, state and ended_at.
    """
    before = await _found(id, context)
    if before is None:
        return {"id": id, "found": False, "changed": False, "state": "", "ended_at": None}
    if before["state"] == "expired":
        return {"id": id, "found": True, "changed": False, "state": "expired", "ended_at": before["ends_at"]}
    await ask_alertmanager("DELETE", f"/silence/{id}", context)
    after = await _silence(id, context)
    return {"id": id, "found": True, "changed": True, "state": after["state"], "ended_at": after["ends_at"]}


async def _silence(id: str, context: ToolContext) -> Silence:  # noqa: A002 - its name there
    found = await _found(id, context)
    if found is None:
        raise ToolError(f"there is no silence {id}", kind="resource_not_found", sent=True)
    return found


async def _found(id: str, context: ToolContext) -> Silence | None:  # noqa: A002 - its name there
    reply = await ask_alertmanager("GET", f"/silence/{id}", context, not_found=(404,))
    if not reply.found:
        return None
    with promised(reply):
        return _told(reply.json())


def _listed(reply: Reply) -> list[Silence]:
    with promised(reply):
        return [_told(one) for one in reply.json()]


def _told(said: dict[str, Any]) -> Silence:
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


def _is_same(one: Silence, wanted: list[dict[str, Any]], who: str, why: str, lasts: float) -> bool:
    """Whether this is the silence that is wanted, as an earlier try of the same call made it."""
    length = (one["ends_at"] or 0.0) - (one["starts_at"] or 0.0)
    return (
        one["state"] != "expired"
        and (one["created_by"], one["comment"]) == (who, why)
        and sorted(one["matchers"]) == sorted(_written(each) for each in wanted)
        and abs(length - lasts) <= SAME_LENGTH
    )


def _server_time(reply: Reply) -> float:
    """The server's own time: a silence begins by its clock, however wrong ours is."""
    try:
        return parsedate_to_datetime(reply.headers["date"]).timestamp()
    except (LookupError, ValueError):
        return datetime.now(UTC).timestamp()


def _rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
