"""Drives a server of Slack's API with the official client library; prints what came of it as JSON.

python slack_client.py URL TOKEN
"""

# ruff: noqa: T201 - a program of its own, for an environment of its own
from __future__ import annotations

import json
import sys
from collections.abc import Callable

from slack_sdk import WebClient  # type: ignore[import-not-found]  # only where this program runs
from slack_sdk.errors import SlackApiError  # type: ignore[import-not-found]  # as above


def refused(call: Callable[[], object]) -> str:
    """Slack's word for a refusal."""
    try:
        call()
    except SlackApiError as error:
        return str(error.response["error"])
    return ""


def main() -> None:
    """Asks for everything once."""
    url, token = sys.argv[1:]
    client = WebClient(token=token, base_url=f"{url}/")
    told: dict[str, object] = {"user": client.auth_test()["user"]}
    channels = {one["name"]: one["id"] for one in client.conversations_list(types="public_channel")["channels"]}
    where = channels["releases"]
    payload = {"event_type": "skill_run", "event_payload": {"run": "r1"}}
    said = client.chat_postMessage(channel=where, text="out", metadata=payload)
    client.chat_postMessage(channel=where, text="seen", thread_ts=said["ts"])
    newest = client.conversations_history(channel=where, limit=5, include_all_metadata=True)["messages"]
    told["history"] = [[one["text"], one["metadata"]["event_payload"]] for one in newest]
    told["thread"] = [one["text"] for one in client.conversations_replies(channel=where, ts=said["ts"])["messages"]]
    client.reactions_add(channel=where, timestamp=said["ts"], name="eyes")
    told["again"] = refused(lambda: client.reactions_add(channel=where, timestamp=said["ts"], name="eyes"))
    told["no message"] = refused(lambda: client.reactions_add(channel=where, timestamp="1.1", name="eyes"))
    told["no channel"] = refused(lambda: client.chat_postMessage(channel="C0NONE000", text="out"))
    told["no token"] = refused(lambda: WebClient(base_url=f"{url}/").auth_test())
    print(json.dumps(told))


if __name__ == "__main__":
    main()
