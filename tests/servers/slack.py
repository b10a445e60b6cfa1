"""A stand-in of ours for Slack's Web API, for what `emulate` (tests/servers/emulated.py) does not do.

Tokens that end, rate limits, answers that get lost, searching messages, messages `oldest`; and posting, reading,
listing channels and reacting as there. The client library `slack_sdk` accepts both.

What it does not do: everything else of that API, scopes, private channels, users, archives, blocks.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from tests.servers.answering import answering

TOKEN, PERSON, ENDED = "xoxb-token-of-ada", "xoxp-token-of-ada", "xoxb-token-that-ended"
CHANNELS = {"C000000001": "general", "C000000002": "releases"}


class RefusalError(Exception):
    """Slack refuses: its word for it, and what it adds."""

    def __init__(self, why: str, **more: str) -> None:
        super().__init__(why)
        self.body = {"ok": False, "error": why, **more}


class Slack(ThreadingHTTPServer):
    """The server, its messages by channel, its tokens, and what it was asked.

    `losing` is a method whose next answer is lost; `limited` says how many requests are told to wait.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.messages: dict[str, list[dict[str, Any]]] = {name: [] for name in CHANNELS}
        self.tokens = {TOKEN, PERSON}
        self.asked: list[str] = []
        self.losing = ""
        self.limited = 0
        self.lock = threading.RLock()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}/api"

    def said(self, channel: str, text: str, **more: Any) -> dict[str, Any]:
        """A new message."""
        where = self.found(channel)
        ts = f"{time.time():.0f}.{sum(map(len, self.messages.values())) + 1:06d}"
        made = {"type": "message", "user": "U1", "text": text, "ts": ts, "reactions": [], **more}
        self.messages[where].append(made)
        return made

    def found(self, channel: str) -> str:
        """The identifier of a channel that is named."""
        known = CHANNELS | {name: name for name in CHANNELS.values()}
        if channel.removeprefix("#") not in known:
            raise RefusalError("channel_not_found")
        return next(key for key, name in CHANNELS.items() if channel.removeprefix("#") in (key, name))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Slack

    def do_POST(self) -> None:
        """Answers, or refuses."""
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        method = path.removeprefix("/api/")
        is_json = "json" in self.headers.get("Content-Type", "") and content
        values = json.loads(content) if is_json else dict(parse_qsl(f"{content.decode()}&{query}"))
        with self.server.lock:
            self.server.asked.append(method)
            if self.server.limited:
                self.server.limited -= 1
                return self._say({"ok": False, "error": "ratelimited"}, 429)
            try:
                said = {"ok": True, **self._said(method, values)}
            except RefusalError as refusal:
                said = refusal.body
            if said["ok"] and self.server.losing == method:
                self.server.losing = ""
                self.close_connection = True
                return None
        return self._say(said)

    do_GET = do_POST  # noqa: N815 - its name there

    def _said(self, method: str, values: Mapping[str, Any]) -> dict[str, Any]:
        token = self._token()
        match method:
            case "auth.test":
                who = {
                    "user": "ada",
                    "user_id": "U1",
                    "team": "Shop",
                    "team_id": "T1",
                    "url": "https://shop.slack.com/",
                }
                return who | ({"bot_id": "B1"} if token == TOKEN else {})
            case "conversations.list":
                rows = [{"id": key, "name": name, "is_member": True} for key, name in CHANNELS.items()]
                return {"channels": rows if "public" in values.get("types", "public") else []}
            case "conversations.history" | "conversations.replies":
                return self._read(values)
            case "chat.postMessage":
                return self._post(values)
            case "reactions.add":
                return self._react(values)
            case "search.messages":
                return self._search(values, token)
        raise RefusalError("unknown_method", req_method=method)

    def _token(self) -> str:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.server.tokens:
            raise RefusalError("token_expired" if token == ENDED else "invalid_auth" if token else "not_authed")
        return token

    def _read(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Page by page: the newest of a channel, or a thread from its beginning."""
        if values.get("channel") not in self.server.messages:
            raise RefusalError("channel_not_found")
        rows = self.server.messages[values["channel"]]
        if thread := values.get("ts"):
            rows = [one for one in rows if thread in (one["ts"], one.get("thread_ts"))]
            if not rows:
                raise RefusalError("thread_not_found")
        else:
            since = float(values.get("oldest") or 0)
            rows = [one for one in rows[::-1] if "thread_ts" not in one and float(one["ts"]) >= since]
        start, size = int(values.get("cursor") or 0), int(values.get("limit") or 100)
        page = rows[start : start + size]
        if not values.get("include_all_metadata"):
            page = [{name: value for name, value in one.items() if name != "metadata"} for one in page]
        following = str(start + size) if start + size < len(rows) else ""
        return {"messages": page, "has_more": bool(following), "response_metadata": {"next_cursor": following}}

    def _post(self, values: Mapping[str, Any]) -> dict[str, Any]:
        if not values.get("text"):
            raise RefusalError("no_text")
        where = self.server.found(values.get("channel", ""))
        told = values.get("metadata")
        more = {"metadata": json.loads(told) if isinstance(told, str) else told} if told else {}
        more |= {"thread_ts": values["thread_ts"]} if values.get("thread_ts") else {}
        made = self.server.said(where, values["text"], **more)
        return {"channel": where, "ts": made["ts"], "message": made}

    def _react(self, values: Mapping[str, Any]) -> dict[str, Any]:
        rows = self.server.messages.get(values.get("channel", ""), [])
        found = next((one for one in rows if one["ts"] == values.get("timestamp")), None)
        if found is None:
            raise RefusalError("message_not_found")
        if values["name"] in [one["name"] for one in found["reactions"]]:
            raise RefusalError("already_reacted")
        found["reactions"].append({"name": values["name"], "count": 1, "users": ["U1"]})
        return {}

    def _search(self, values: Mapping[str, Any], token: str) -> dict[str, Any]:
        if token != PERSON:
            raise RefusalError("not_allowed_token_type")
        rows = [
            one | {"channel": {"id": key, "name": CHANNELS[key]}, "permalink": f"https://shop.slack.com/{one['ts']}"}
            for key, messages in self.server.messages.items()
            for one in messages
            if values["query"].lower() in one["text"].lower()
        ]
        rows.sort(key=lambda one: str(one["ts"]), reverse=True)
        return {"query": values["query"], "messages": {"total": len(rows), "matches": rows[: int(values["count"])]}}

    def _say(self, body: Any, status: int = 200) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        if status != 200:
            self.send_header("Retry-After", "30")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def slack() -> Iterator[Slack]:
    """The server, for as long as the block lasts."""
    with answering(Slack()) as made:
        yield made
