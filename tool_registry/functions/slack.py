"""Slack as it is: who asks, which channels there are, what was said in them, and where something was said."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from tool_registry.functions.services import SERVICE
from tool_registry.functions.slack_access import (
    Channel,
    Limit,
    Stamp,
    ask_slack,
    channel_id,
    listed,
    oldest,
)
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext

LONGEST_TEXT = 4_000
"""Characters of a message that are given."""


class Login(TypedDict):
    """Whose the token is, and of which workspace; `bot` whether it is an app's own."""

    ok: bool
    user: str
    team: str
    url: str
    bot: bool


class Place(TypedDict):
    """A channel; `member` whether whoever asks is in it."""

    id: str
    name: str
    private: bool
    archived: bool
    member: bool
    members: int | None
    topic: str


class Places(TypedDict):
    """Channels by name; `truncated` where there are more."""

    channels: list[Place]
    count: int
    truncated: bool


class Message(TypedDict):
    """A message; `ts` names it in its channel and is when it was said, `thread` names the first of its thread."""

    ts: str
    time: float
    user: str
    text: str
    thread: str
    replies: int
    reactions: dict[str, int]


class Messages(TypedDict):
    """Messages of a channel; `truncated` where there are more."""

    channel: str
    messages: list[Message]
    count: int
    truncated: bool


class Match(TypedDict):
    """A message that was found, where it stands, and its address."""

    channel: str
    channel_name: str
    ts: str
    user: str
    text: str
    url: str


class Matches(TypedDict):
    """Messages that were found, the newest first; `total` of all that fit."""

    matches: list[Match]
    count: int
    total: int
    truncated: bool


@tool(effect=Effect.READ, idempotent=True, domain="slack", timeout=15, examples=({},), exact=True, needs=SERVICE)
async def slack_login_state(context: ToolContext) -> Login:
    """Says whose the configured token is, and of which workspace; one that is not accepted is a failure."""
    said = await ask_slack("auth.test", context)
    with expected("Slack"):
        return {
            "ok": True,
            "user": str(said["user"]),
            "team": str(said["team"]),
            "url": str(said.get("url") or ""),
            "bot": bool(said.get("bot_id")),
        }


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="slack",
    timeout=60,
    examples=({}, {"private": True, "limit": 50}),
    exact=True,
    needs=SERVICE,
)
async def slack_list_channels(
    context: ToolContext, private: bool = False, archived: bool = False, limit: Limit = 200
) -> Places:
    """Lists the channels that the token may see, by name.

    Args:
        private: Also private channels that whoever asks is in.
        archived: Also channels that are archived.
        limit: How many are given at most.

    Returns:
        channels, count and truncated.
    """
    types = "public_channel,private_channel" if private else "public_channel"
    asked = {"types": types, "exclude_archived": "false" if archived else "true"}
    rows, more = await listed("conversations.list", "channels", context, limit=limit, **asked)
    found = sorted((_place(one) for one in rows), key=lambda one: one["name"])
    return {"channels": found, "count": len(found), "truncated": more}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="slack",
    timeout=60,
    examples=({"channel": "#releases"}, {"channel": "releases", "since": "1d", "limit": 20}),
    exact=True,
    needs=SERVICE,
)
async def slack_read_channel(
    context: ToolContext, channel: Channel = "", since: str = "", limit: Limit = 100
) -> Messages:
    """Reads what was said in a channel, the newest first, without the replies in threads.

    Args:
        channel: The channel's name or identifier; empty for the domain's.
        since: From when on: how long before now, as in 30m or 2d, or a moment; empty for all.
        limit: How many messages are given at most.

    Returns:
        channel (its identifier), messages, count and truncated.
    """
    where = await channel_id(channel, context)
    rows, more = await listed(
        "conversations.history", "messages", context, limit=limit, channel=where, oldest=oldest(since)
    )
    messages = [message(one) for one in rows]
    return {"channel": where, "messages": messages, "count": len(messages), "truncated": more}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="slack",
    timeout=60,
    examples=({"channel": "#releases", "thread": "1769850000.000100"},),
    exact=True,
    needs=SERVICE,
)
async def slack_read_thread(thread: Stamp, context: ToolContext, channel: Channel = "", limit: Limit = 100) -> Messages:
    """Reads a thread: the message it began with, and the replies in their order.

    Args:
        thread: The `ts` of the message that began it.
        channel: The channel's name or identifier; empty for the domain's.
        limit: How many messages are given at most.

    Returns:
        channel (its identifier), messages, count and truncated.
    """
    where = await channel_id(channel, context)
    rows, more = await listed("conversations.replies", "messages", context, limit=limit, channel=where, ts=thread)
    messages = [message(one) for one in rows]
    return {"channel": where, "messages": messages, "count": len(messages), "truncated": more}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="slack",
    timeout=30,
    examples=({"query": "in:#releases checkout"},),
    exact=True,
    needs=SERVICE,
)
async def slack_search(
    query: Annotated[str, {"minLength": 1}],
    context: ToolContext,
    limit: Annotated[int, {"minimum": 1, "maximum": 100}] = 20,
) -> Matches:
    """Searches messages, the newest first; only the token of a person may, one of a bot is refused.

    Args:
        query: Words, and Slack's own `in:#channel`, `from:@name`, `after:2026-01-31`.
        limit: How many are given at most.

    Returns:
        matches, count, total and truncated.
    """
    said = await ask_slack("search.messages", context, query=query, count=limit, sort="timestamp", sort_dir="desc")
    with expected("Slack"):
        matches = [_match(one) for one in said["messages"]["matches"]][:limit]
        total = int(said["messages"]["total"])
    return {"matches": matches, "count": len(matches), "total": total, "truncated": total > len(matches)}


@expected("Slack")
def message(said: dict[str, Any]) -> Message:
    """A message in the parts a skill reads."""
    return {
        "ts": str(said["ts"]),
        "time": float(said["ts"]),
        "user": str(said.get("user") or said.get("username") or said.get("bot_id") or ""),
        "text": str(said.get("text") or "")[:LONGEST_TEXT],
        "thread": str(said.get("thread_ts") or ""),
        "replies": int(said.get("reply_count") or 0),
        "reactions": {str(one["name"]): int(one["count"]) for one in said.get("reactions") or ()},
    }


@expected("Slack")
def _place(said: dict[str, Any]) -> Place:
    members = said.get("num_members")
    return {
        "id": str(said["id"]),
        "name": str(said["name"]),
        "private": bool(said.get("is_private")),
        "archived": bool(said.get("is_archived")),
        "member": bool(said.get("is_member")),
        "members": None if members is None else int(members),
        "topic": str((said.get("topic") or {}).get("value") or ""),
    }


def _match(said: dict[str, Any]) -> Match:
    return {
        "channel": str(said["channel"]["id"]),
        "channel_name": str(said["channel"].get("name") or ""),
        "ts": str(said["ts"]),
        "user": str(said.get("username") or said.get("user") or ""),
        "text": str(said.get("text") or "")[:LONGEST_TEXT],
        "url": str(said.get("permalink") or ""),
    }
