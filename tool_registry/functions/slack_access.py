"""Asking Slack (its Web API): as whom, page by page, and what its refusals mean.

Slack answers 200 also when it refuses, and says so in the answer (`ok: false`, and one word for the reason). The domain
`slack` gives the `url` (`https://slack.com/api`), `credential` refers to the token of a bot or a user (SLACK_BOT_TOKEN
unless said), and `channel` is the one that is meant unless a call names another.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Annotated, Any

from tool_registry.functions.credential import credential
from tool_registry.functions.moments import DURATION, epoch_of, seconds_of
from tool_registry.functions.services import service_url
from tool_registry.sources.expected import expected
from tool_registry.sources.http import Reply, request
from tool_registry.tool import ToolContext, ToolError

KINDS: Mapping[str, tuple[str, ...]] = {
    "auth_expired": ("invalid_auth", "not_authed", "token_expired", "token_revoked"),
    "permission_denied": (
        "access_denied",
        "account_inactive",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_in_channel",
        "org_login_required",
        "restricted_action",
        "restricted_action_read_only_channel",
        "team_access_not_granted",
    ),
    "resource_not_found": ("channel_not_found", "message_not_found", "thread_not_found", "user_not_found"),
    "rate_limited": ("ratelimited", "rate_limited", "message_limit_exceeded"),
    "conflict": ("is_archived", "is_inactive", "cannot_reply_to_message"),
    "server_error": ("internal_error", "fatal_error", "service_unavailable", "team_added_to_org"),
    "timeout": ("request_timeout",),
}
"""What its words for a refusal mean; those that begin as in `ASKED_WRONGLY` are about the request itself."""
ASKED_WRONGLY = ("invalid_", "missing_", "no_text", "msg_too_long", "too_many_", "bad_timestamp", "markdown_text")
MAY_HAVE_ACTED = (None, "server_error", "timeout")
"""After every other refusal nothing has happened: Slack's 200 is no evidence of anything, so its word has to be."""
SEARCHED = 5_000
"""Channels among which one is looked for by its name."""
PAGE = 200
"""What Slack recommends to ask for at once."""
Limit = Annotated[int, {"minimum": 1, "maximum": 1_000}]
Channel = Annotated[str, {"pattern": r"^$|^#?[^\s#,]{1,80}$"}]
Stamp = Annotated[str, {"pattern": r"^[0-9]{1,12}\.[0-9]{1,6}$"}]


async def ask_slack(method: str, context: ToolContext, **asked: Any) -> dict[str, Any]:
    """What Slack answers to one of its methods; a refusal is a failure with its word for it in `details`.

    Raises:
        ToolError: `configuration_error` without a url; the refusal's kind, where its word is known.
    """
    url = service_url(context, "Slack")
    token = await credential(context, usual="SLACK_BOT_TOKEN")
    reply = await request(
        "POST",
        f"{url}/{method}",
        context=context,
        headers={"Authorization": f"Bearer {token}"} if token else {},
        data={name: value for name, value in asked.items() if value not in (None, "")},
    )
    said = reply.json()
    with expected("Slack"):
        if said["ok"] is True:
            return dict(said)
        why = str(said["error"])
    raise _refusal(method, why, said, reply)


async def listed(
    method: str, key: str, context: ToolContext, *, limit: int, **asked: Any
) -> tuple[list[dict[str, Any]], bool]:
    """The first rows of a list, read page by page, and whether there are more of them."""
    rows: list[dict[str, Any]] = []
    cursor = ""
    for _ in range(-(-limit // PAGE) + 5):  # pages may be shorter than was asked for
        said = await ask_slack(method, context, limit=min(PAGE, limit), cursor=cursor, **asked)
        with expected("Slack"):
            rows += [dict(one) for one in said[key]]
            cursor = str((said.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor or len(rows) >= limit:
            break
    return rows[:limit], bool(cursor) or len(rows) > limit


async def channel_id(named: str, context: ToolContext) -> str:
    """The identifier of a channel that is named, or of the domain's; ToolError (`resource_not_found`) for none."""
    name = channel_name(named, context)
    if name.isupper() and name.isalnum() and name[0] in "CDG" and len(name) > 8:  # noqa: PLR2004 - as Slack makes them
        return name
    found = await _named(name, "public_channel", context) or await _named(name, "private_channel", context)
    if not found:
        message = f"there is no channel {name} among the first {SEARCHED:,} that this token may see"
        raise ToolError(message, kind="resource_not_found", sent=True)
    return found


async def _named(name: str, types: str, context: ToolContext) -> str:
    """The identifier of the channel; empty for none, or where the token may not ask for private ones."""
    try:
        rows, _ = await listed("conversations.list", "channels", context, limit=SEARCHED, types=types)
    except ToolError as error:
        if error.details.get("error") == "missing_scope" and types == "private_channel":
            return ""
        raise
    with expected("Slack"):
        return next((str(one["id"]) for one in rows if one.get("name") == name), "")


def channel_name(named: str, context: ToolContext) -> str:
    """The channel that is meant, without a `#` before it; ToolError (`configuration_error`) where none is."""
    name = (named or str(context.settings.get("channel") or "")).removeprefix("#")
    if not name:
        message = "name a channel, or set one: the domain slack has no channel"
        raise ToolError(message, kind="configuration_error", sent=False)
    return name


def oldest(since: str) -> str:
    """The moment from which messages are wanted, as Slack writes it; empty for the beginning."""
    if not since:
        return ""
    at = time.time() - seconds_of(since) if re.fullmatch(DURATION, since) else epoch_of(since)
    return f"{at:.6f}"


def _refusal(method: str, why: str, said: Mapping[str, Any], reply: Reply) -> ToolError:
    needed = f"; the token needs {said['needed']}" if said.get("needed") else ""
    details: dict[str, Any] = {"error": why, "http_status": reply.status}
    details |= {name: str(said[name]) for name in ("needed", "provided") if said.get(name)}
    waits, kind = reply.headers.get("retry-after", ""), kind_of(why)
    return ToolError(
        f"Slack refuses {method}: {why}{needed}",
        kind=kind,
        output=reply.text[:2_000],
        sent=True if kind in MAY_HAVE_ACTED else None,
        retry_after=float(waits) if waits.isdecimal() else None,
        details=details,
    )


def kind_of(why: str) -> str | None:
    """The kind that Slack's word for a refusal means; None for one that is not known."""
    known = next((kind for kind, words in KINDS.items() if why in words), None)
    return known or ("usage_error" if why.startswith(ASKED_WRONGLY) else None)
