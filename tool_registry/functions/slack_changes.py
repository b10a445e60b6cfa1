"""Saying something in Slack, and reacting to what was said.

A message carries, where only programs see it (its `metadata`), by which run and step it was said. So one whose answer
was lost can be looked for, and is not said again. Nobody looks beforehand: a token that may only write is enough.
"""

from __future__ import annotations

import json
import time
from hashlib import sha256
from html import escape
from typing import Annotated, Any, TypedDict

from tool_registry.functions.services import SERVICE
from tool_registry.functions.slack_access import Channel, Stamp, ask_slack, channel_id, channel_name, listed
from tool_registry.sources.expected import expected
from tool_registry.sources.python import tool
from tool_registry.tool import Effect, ToolContext, ToolError

EVENT = "skill_run"
"""The `event_type` of our metadata."""
LOOKED_AT, OF_A_THREAD = 200, 5_000
"""Messages among which one is looked for that may have been said a moment ago; a thread is told from its beginning."""
RECENT = 604_800.0
"""Seconds back to which a thread is looked through: a run may have rested before it looks."""
Text = Annotated[str, {"minLength": 1, "maxLength": 12_000}]
Thread = Annotated[str, {"pattern": r"^$|^[0-9]{1,12}\.[0-9]{1,6}$"}]


class Posted(TypedDict):
    """Where a message stands: its channel's identifier, its `ts`, and that of the thread it is in, or empty."""

    channel: str
    ts: str
    thread: str


class Looked(TypedDict):
    """Whether this call's message stands there, and where."""

    happened: bool
    value: Posted | None


class Reacted(TypedDict):
    """Whether this call reacted; `changed` false where that had been done."""

    channel: str
    ts: str
    changed: bool


@tool(
    effect=Effect.WRITE,
    domain="slack",
    timeout=30,
    verify="slack_message_posted",
    examples=({"channel": "#releases", "text": "checkout 1.4 is in production"},),
    exact=True,
    needs=SERVICE,
)
async def slack_post_message(
    text: Text, context: ToolContext, channel: Channel = "", thread: Thread = "", links: bool = False
) -> Posted:
    """Says something in a channel, or in a thread; what looks like a mention calls nobody unless `links`.

    Args:
        text: What is said.
        channel: The channel's name or identifier; empty for the domain's.
        thread: The `ts` of the message that is replied to; empty for none.
        links: Whether `<@U123>`, `<!channel>` and `<https://...|words>` in it mean what Slack means by them.

    Returns:
        channel, ts and thread.
    """
    where = channel_name(channel, context)
    marked = json.dumps({"event_type": EVENT, "event_payload": _mark(text, context)})
    words = text if links else escape(text, quote=False)
    said = await ask_slack(
        "chat.postMessage", context, channel=where, text=words, thread_ts=thread, metadata=marked, unfurl_links="false"
    )
    with expected("Slack"):
        return {"channel": str(said["channel"]), "ts": str(said["ts"]), "thread": thread}


@tool(
    effect=Effect.READ,
    idempotent=True,
    domain="slack",
    timeout=30,
    examples=({"channel": "#releases", "text": "checkout 1.4 is in production"},),
    exact=True,
    needs=SERVICE,
)
async def slack_message_posted(
    text: Text, context: ToolContext, channel: Channel = "", thread: Thread = "", links: bool = False
) -> Looked:
    """Says whether this step of this run has said this already, among the newest messages.

    Args:
        text: What would have been said.
        channel: The channel's name or identifier; empty for the domain's.
        thread: The `ts` of the message that was replied to; empty for none.
        links: As it was said with; it makes no difference here.

    Returns:
        happened, and value with channel, ts and thread.
    """
    del links
    where = await channel_id(channel, context)
    rows, more = await _newest(where, thread, context)
    wanted = _mark(text, context)
    found = next((one for one in rows if _marked(one) == wanted), None)
    if found is None and thread and more:
        message = f"whether it was said cannot be told: the thread {thread} has more than {len(rows):,} messages"
        raise ToolError(message, kind="resource_exhausted", sent=True)
    if found is None:
        return {"happened": False, "value": None}
    with expected("Slack"):
        return {"happened": True, "value": {"channel": where, "ts": str(found["ts"]), "thread": thread}}


@tool(
    effect=Effect.WRITE,
    idempotent=True,
    domain="slack",
    timeout=30,
    examples=({"channel": "#releases", "ts": "1769850000.000100", "emoji": "white_check_mark"},),
    exact=True,
    needs=SERVICE,
)
async def slack_react(
    ts: Stamp,
    emoji: Annotated[str, {"pattern": "^:?[a-z0-9_+'-]+(::skin-tone-[2-6])?:?$"}],
    context: ToolContext,
    channel: Channel = "",
) -> Reacted:
    """Reacts to a message with an emoji; one that stands there stays.

    Args:
        ts: The message's `ts`.
        emoji: The emoji's name, as in `eyes`.
        channel: The channel's name or identifier; empty for the domain's.

    Returns:
        channel, ts and changed.
    """
    where = await channel_id(channel, context)
    try:
        await ask_slack("reactions.add", context, channel=where, timestamp=ts, name=emoji.strip(":"))
    except ToolError as error:
        if error.details.get("error") != "already_reacted":
            raise
        return {"channel": where, "ts": ts, "changed": False}
    return {"channel": where, "ts": ts, "changed": True}


async def _newest(where: str, thread: str, context: ToolContext) -> tuple[list[dict[str, Any]], bool]:
    """The newest messages of a channel, or those of a thread; and whether there are more."""
    asked = {"channel": where, "include_all_metadata": "true"}
    if not thread:
        return await listed("conversations.history", "messages", context, limit=LOOKED_AT, **asked)
    asked |= {"ts": thread, "oldest": f"{time.time() - RECENT:.6f}"}
    return await listed("conversations.replies", "messages", context, limit=OF_A_THREAD, **asked)


def _mark(text: str, context: ToolContext) -> dict[str, Any]:
    """By which run and step it is said; the words by their digest, for Slack writes them otherwise than they were."""
    return {"run": context.run_id, "step": context.step, "text": sha256(text.encode()).hexdigest()[:16]}


def _marked(said: dict[str, Any]) -> Any:
    metadata = said.get("metadata")
    known = isinstance(metadata, dict) and metadata.get("event_type") == EVENT
    return metadata.get("event_payload") if known and isinstance(metadata, dict) else None
