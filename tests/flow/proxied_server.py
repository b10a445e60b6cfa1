"""A small MCP server of both eras, in the standard library: says exactly what it is told to say, and notes each call.

    python proxied_server.py LOG [STATE]

LOG gets a line for each call: its tool and this process' number. STATE is the state folder of a workspace, whose local
platform `whoami` asks with the token that is kept there.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOG = Path(sys.argv[1])
STATE = Path(sys.argv[2]) if len(sys.argv) > 2 else None
VERSION = "io.modelcontextprotocol/protocolVersion"
READS = {"readOnlyHint": True, "openWorldHint": False, "x-own": [1, None]}
ODD = {"type": "object", "properties": {"text": {"type": "string", "default": "x"}}, "x-unknown": {"deep": None}}
TOOLS: list[dict[str, Any]] = [
    {"name": "echo", "title": "Écho", "description": "Says it.\n  Twice.", "inputSchema": ODD, "annotations": READS},
    {"name": "odd", "inputSchema": {"type": "object"}, "icons": [{"src": "data:,x"}], "_meta": {"a/b": 1.0}},
    {"name": "picture", "inputSchema": {"type": "object"}, "annotations": READS},
    {"name": "wait", "inputSchema": {"type": "object"}, "annotations": READS},
    {"name": "whoami", "inputSchema": {"type": "object"}, "annotations": READS},
    {"name": "write", "inputSchema": {"type": "object"}, "annotations": {"destructiveHint": False}},
    {"name": "die_reading", "inputSchema": {"type": "object"}, "annotations": READS},
    {"name": "die_writing", "inputSchema": {"type": "object"}, "annotations": {"destructiveHint": False}},
    {"name": "fail", "inputSchema": {"type": "object"}, "annotations": READS},
    {"name": "refuse", "inputSchema": {"type": "object"}, "annotations": READS},
    {"name": "ask", "inputSchema": {"type": "object"}, "annotations": READS},
    {"name": "progress", "inputSchema": {"type": "object"}, "annotations": READS},
]
ODDITIES = {
    "content": [
        {"type": "text", "text": "a", "annotations": {"audience": ["user"], "priority": 0.5}, "_meta": {"k": None}},
        {"type": "image", "data": "AAAA", "mimeType": "image/png"},
        {"type": "audio", "data": "BBBB", "mimeType": "audio/wav"},
        {"type": "resource_link", "uri": "file:///a", "name": "a", "size": 3},
        {"type": "resource", "resource": {"uri": "file:///b", "blob": "CCCC"}},
    ],
    "structuredContent": {"n": None, "big": 12345678901234567890, "float": 1.0, "text": "{{ inputs }}", "é": "\u2028"},
    "isError": False,
    "_meta": {"own/key": {"x": [None, True]}},
    "unknown": {"kept": [None]},
}
TURN = threading.Lock()
ANSWERS: dict[Any, dict[str, Any]] = {}
ANSWERED = threading.Condition()


def say(message: dict[str, Any]) -> None:
    """Writes one message."""
    line = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False)
    with TURN:
        sys.stdout.buffer.write(line.encode() + b"\n")
        sys.stdout.buffer.flush()


def text(said: str, *, failed: bool = False) -> dict[str, Any]:
    """A result of one text."""
    return {"content": [{"type": "text", "text": said}], "isError": failed}


def ask_client(params: dict[str, Any]) -> dict[str, Any]:
    """Asks the client for a form to be filled in, and waits for it."""
    number = f"ask-{time.monotonic_ns()}"
    say({"id": number, "method": "elicitation/create", "params": params})
    with ANSWERED:
        ANSWERED.wait_for(lambda: number in ANSWERS, timeout=20)
    return ANSWERS[number]


def whoami() -> dict[str, Any]:
    """Who the local platform takes the kept token for; its refusal as it says it."""
    assert STATE is not None
    try:
        address = json.loads((STATE / "platform" / "endpoint.json").read_text())["url"]
        token = json.loads((STATE / "kubeconfig").read_text())["users"][0]["user"]["token"]
        headers = {"Authorization": f"Bearer {token}"}
        with urllib.request.urlopen(urllib.request.Request(f"{address}/oauth/userinfo", headers=headers)) as answer:  # noqa: S310 - loopback
            return text(answer.read().decode())
    except urllib.error.HTTPError as error:
        return text(f"HTTP 401 Unauthorized: {error.read().decode()}", failed=True)


def call(params: dict[str, Any]) -> dict[str, Any]:
    """What a call gives."""
    name, arguments = params["name"], params.get("arguments") or {}
    with LOG.open("a") as log:
        log.write(f"{name} {os.getpid()}\n")
    if name.startswith("die_") and LOG.read_text().count(f"{name} ") <= arguments.get("times", 1):
        os.kill(os.getpid(), signal.SIGKILL)
    own = OWN.get(name)
    return own(params, arguments) if own else text(f"{name}: {json.dumps(arguments, ensure_ascii=False)}")


def picture(_: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """A picture of so many characters."""
    data = "iVBOR" * (int(arguments["size"]) // 5)
    return {"content": [{"type": "image", "data": data, "mimeType": "image/png"}, *text("done")["content"]]}


def wait(_: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """Takes its time."""
    time.sleep(arguments.get("seconds", 30))
    return text(f"wait: {json.dumps(arguments)}")


def ask(params: dict[str, Any], _: Any) -> dict[str, Any]:
    """Asks the client, as the era does."""
    if "inputResponses" in params:
        return text(json.dumps(params["inputResponses"]))
    if VERSION in params.get("_meta", {}):
        request = {"method": "elicitation/create", "params": {"mode": "form", "message": "?", "requestedSchema": {}}}
        return {"resultType": "input_required", "inputRequests": {"one": request}, "requestState": "sealed"}
    return text(json.dumps(ask_client({"message": "?", "requestedSchema": {"type": "object"}})))


def progress(params: dict[str, Any], _: Any) -> dict[str, Any]:
    """Two steps."""
    for done in (1, 2):
        told = {"progress": done, "total": 2, "message": f"{done}", "_meta": {"z": None}}
        token = params["_meta"]["progressToken"]
        say({"method": "notifications/progress", "params": {"progressToken": token, **told}})
    return text("done")


OWN: dict[str, Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]] = {
    "odd": lambda _, __: ODDITIES,
    "picture": picture,
    "wait": wait,
    "whoami": lambda _, __: whoami(),
    "fail": lambda _, given: {**text(given.get("says", "no such shelf"), failed=True), "_meta": {"x": 1}},
    "ask": ask,
    "progress": progress,
}


def answer(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """The result of a request."""
    about = {"capabilities": {"tools": {"listChanged": True}, "logging": {}, "x": {}}, "instructions": "Be kind."}
    found: dict[str, Any] = {"method": method, "params": params, "null": None}
    if method == "initialize":
        found = {"protocolVersion": params["protocolVersion"], "serverInfo": {"name": "small", "version": "1"}, **about}
    elif method == "server/discover":
        found = {"supportedVersions": ["2026-07-28"], **about}
    elif method == "tools/list":
        found = (
            {"tools": TOOLS[6:]}
            if "cursor" in params
            else {"tools": TOOLS[:6], "nextCursor": "p:2", "_meta": {"page": 1}}
        )
    elif method == "tools/call":
        found = call(params)
    return {"resultType": "complete", **found} if VERSION in params.get("_meta", {}) else found


def serve(message: dict[str, Any]) -> None:
    """Answers one request."""
    method, params = message["method"], message.get("params") or {}
    if method == "subscriptions/listen":
        named = {"io.modelcontextprotocol/subscriptionId": message["id"]}
        say({"method": "notifications/subscriptions/acknowledged", "params": {"notifications": {}, "_meta": named}})
        say({"id": message["id"], "result": {"_meta": named, "resultType": "complete"}})
    elif method == "tools/call" and params.get("name") == "refuse":
        say({"id": message["id"], "error": {"code": -32042, "message": "not like that", "data": {"why": None}}})
    elif method == "tools/call" and params.get("name") not in {tool["name"] for tool in TOOLS}:
        say({"id": message["id"], "error": {"code": -32602, "message": f"Unknown tool: {params.get('name')}"}})
    else:
        say({"id": message["id"], "result": answer(method, params)})


def main() -> None:
    """Reads requests, and answers each in a thread of its own."""
    for line in sys.stdin:
        message = json.loads(line)
        if "method" not in message:
            with ANSWERED:
                ANSWERS[message["id"]] = message
                ANSWERED.notify_all()
        elif "id" in message:
            threading.Thread(target=serve, args=(message,), daemon=True).start()
        elif message["method"] == "notifications/cancelled":
            with LOG.open("a") as log:
                log.write(f"cancelled {os.getpid()}\n")
        elif message["method"] == "notifications/initialized":
            say({"method": "notifications/tools/list_changed", "params": {"_meta": {"hello": None}}})


main()
