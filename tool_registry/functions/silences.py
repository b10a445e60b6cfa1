"""Alertmanager's silences: which there are, making one, and ending one.

A silence that is made says by which run it was made. So a call that is repeated after its answer was lost finds the
silence it already made, and an undo takes back nothing that somebody else wanted.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Literal, TypedDict

from tool_registry.functions.alertmanager import ask_alertmanager
from tool_registry.functions.moments import DURATION
from tool_registry.functions.services import SERVICE
from tool_registry.functions.silencing import Silence, made_silence, silence_of, silences_in, wanted_silence
from tool_registry.sources.expected import expected
from tool_registry.sources.http import Reply
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

Limit = Annotated[int, {"minimum": 1, "maximum": 10_000}]
Identifier = Annotated[str, {"pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"}]


class Silences(TypedDict):
    """Silences, those that end last first; `count` before the limit."""

    silences: list[Silence]
    count: int
    truncated: bool


class Made(TypedDict):
    """The silence, and whether this call made it or found that it had been made."""

    silence: Silence
    created: bool


class Looked(TypedDict):
    """Whether this call's silence is there, and which it is."""

    happened: bool
    value: Made | None


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
        for one in silences_in(reply)
        if state in ("", one["state"]) and (ids is None or one["id"] in {each.lower() for each in ids})
    ]
    ordered = sorted(found, key=lambda one: (-(one["ends_at"] or 0.0), one["id"]))
    return {"silences": ordered[:limit], "count": len(found), "truncated": len(found) > limit}


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="alertmanager",
    timeout=30,
    verify="alertmanager_silence_made",
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
        labels: Labels that an alert must have; all the labels of an alert silence that one alone.
        matchers: What an alert must fit beside them, as in `severity=~"critical|warning"`.
        duration: For how long, as in 45m, 2h or 1d.
        created_by: Who wants it; empty for the person's login name.

    Returns:
        silence (id, state, matchers, created_by, comment, starts_at, ends_at) and created.
    """
    wanted = wanted_silence(labels, matchers, duration, context, created_by=created_by, comment=comment)
    standing = await ask_alertmanager("GET", "/silences", context)
    if (known := made_silence(standing, wanted)) is not None:
        return {"silence": known, "created": False}
    begins = _server_time(standing)
    body = {
        "matchers": wanted.matchers,
        "startsAt": _rfc3339(begins),
        "endsAt": _rfc3339(begins + wanted.lasts),
        "createdBy": wanted.who,
        "comment": wanted.why,
    }
    reply = await ask_alertmanager("POST", "/silences", context, body=body)
    with expected("Alertmanager"):
        made = str(reply.json()["silenceID"])
    return {"silence": await _silence(made, context), "created": True}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="alertmanager",
    timeout=30,
    examples=({"labels": {"alertname": "TargetDown"}, "duration": "2h", "comment": "maintenance"},),
    exact=True,
    needs=SERVICE,
)
async def alertmanager_silence_made(
    comment: Annotated[str, {"minLength": 1}],
    context: ToolContext,
    labels: dict[str, str] | None = None,
    matchers: list[str] | None = None,
    duration: Annotated[str, {"pattern": DURATION}] = "2h",
    created_by: str = "",
) -> Looked:
    """Says whether this run has made this silence already, by the arguments with which it is made.

    Args:
        comment: Why, for those who wonder.
        labels: Labels that an alert must have.
        matchers: What an alert must fit beside them, as in `severity=~"critical|warning"`.
        duration: For how long, as in 45m, 2h or 1d.
        created_by: Who wants it; empty for the person's login name.

    Returns:
        happened, and value with silence and created.
    """
    wanted = wanted_silence(labels, matchers, duration, context, created_by=created_by, comment=comment)
    found = made_silence(await ask_alertmanager("GET", "/silences", context), wanted)
    return {"happened": found is not None, "value": None if found is None else {"silence": found, "created": True}}


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
    with expected("Alertmanager"):
        return silence_of(reply.json())


def _server_time(reply: Reply) -> float:
    """The server's own time: a silence begins by its clock, however wrong ours is."""
    try:
        return parsedate_to_datetime(reply.headers["date"]).timestamp()
    except (LookupError, ValueError):
        return datetime.now(UTC).timestamp()


def _rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
