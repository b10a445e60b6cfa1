"""A stand-in of ours for Jira's REST API (version 2), as a server of one's own has it, or with the cloud's search.

Who one is, issues (view, create, search by a query, page by page), comments, and a workflow of three statuses with its
transitions; tokens that can end; Jira's own JSON for refusals. The client library `jira` of PyPI accepts it.

What it does not do: everything else of Jira's API, boards, attachments, users with rights, fields of one's own, and
most of the query language: it knows `=`, `!=`, `~` and `in` joined by AND, `created >= -Nd`, and ORDER BY created
or key.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.servers.answering import answering

ADA = {"name": "ada", "key": "ada", "displayName": "Ada Moor", "emailAddress": "ada@example.org", "active": True}
TOKEN = "jira-token-of-ada"
WAYS = {
    "To Do": {"11": ("Start", "In Progress")},
    "In Progress": {"21": ("Finish", "Done"), "31": ("Put back", "To Do")},
    "Done": {"41": ("Reopen", "To Do")},
}
TYPES = ("Task", "Bug", "Story")
CLAUSE = re.compile(r"""\s*(\w+)\s*(>=|!=|=|~|\bin\b)\s*(\([^)]*\)|"[^"]*"|[\w().-]+)\s*""", re.IGNORECASE)
NO_ISSUE = "Issue Does Not Exist"
REMOVED = "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API."


class RefusalError(Exception):
    """The server refuses: status, messages, and errors by field."""

    def __init__(self, status: int, *messages: str, **fields: str) -> None:
        super().__init__(status)
        self.status, self.body = status, {"errorMessages": list(messages), "errors": fields}


class Jira(ThreadingHTTPServer):
    """The server, its issues by key, and what it was asked; the answer to what begins with `losing` is lost once.

    With `cloud` it searches as Atlassian's does.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.projects = {"SHOP": "The shop"}
        self.issues: dict[str, dict[str, Any]] = {}
        self.tokens = {TOKEN}
        self.asked: list[str] = []
        self.losing = ""
        self.cloud = False
        self.lock = threading.RLock()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}"

    def issue(self, project: str, summary: str, **fields: Any) -> dict[str, Any]:
        """A new issue."""
        number = len(self.issues) + 1
        key = f"{project}-{number}"
        self.issues[key] = {
            "id": str(10_000 + number),
            "key": key,
            "self": f"{self.url}/rest/api/2/issue/{10_000 + number}",
            "fields": {
                "summary": summary,
                "description": fields.get("description"),
                "project": {"key": project, "name": self.projects[project]},
                "issuetype": {"name": fields.get("type", "Task")},
                "status": {"name": "To Do"},
                "assignee": fields.get("assignee"),
                "reporter": ADA,
                "labels": fields.get("labels") or [],
                "created": _now(),
                "comment": {"comments": []},
            },
        }
        return self.issues[key]

    def found(self, key: str) -> dict[str, Any]:
        """The issue of that key."""
        if key not in self.issues:
            raise RefusalError(404, NO_ISSUE)
        return self.issues[key]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Jira

    def do_GET(self) -> None:
        """Answers, or refuses."""
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/rest/api/2")
        named = f"{self.command} {path}"
        self.server.asked.append(named)
        with self.server.lock:
            try:
                values = json.loads(content) if content else dict(parse_qsl(parts.query))
                status, body = self._said(path, values)
            except RefusalError as refusal:
                status, body = refusal.status, refusal.body
            if status < 400 and self.server.losing and named.startswith(self.server.losing):
                self.server.losing = ""
                self.close_connection = True
                return
        self._say(status, body)

    do_POST = do_GET  # noqa: N815 - its name there

    def _said(self, path: str, values: Mapping[str, Any]) -> tuple[int, Any]:
        if path == "/serverInfo":  # anybody may ask
            told = {"baseUrl": self.server.url, "version": "9.12.0", "versionNumbers": [9, 12, 0]}
            return 200, told | {"deploymentType": "Server"}
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in self.server.tokens:
            return 401, {"message": "Client must be authenticated to access this resource.", "status-code": 401}
        match self.command, path:
            case "GET", "/myself" | "/field":
                return 200, ADA if path == "/myself" else []
            case "GET", "/search" | "/search/jql":
                return 200, self._searched(values, chained=path == "/search/jql")
            case "POST", "/issue":
                return 201, self._create(values["fields"])
        return self._of_issue(path, values)

    def _of_issue(self, path: str, values: Mapping[str, Any]) -> tuple[int, Any]:
        if (named := re.fullmatch(r"/issue/([A-Z0-9_]+-\d+)(?:/(comment|transitions))?", path)) is None:
            raise RefusalError(404, "null for uri: " + path)
        found = self.server.found(named[1])
        match self.command, named[2]:
            case "GET", None:
                return 200, found
            case "GET", "comment":
                return 200, self._comments(found, values)
            case "POST", "comment":
                return 201, _commented(found, values)
            case "GET", "transitions":
                return 200, {"transitions": _ways(found)}
            case "POST", "transitions":
                return _moved(found, values)
        return 405, None

    def _create(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        project = (fields.get("project") or {}).get("key", "")
        if project not in self.server.projects:
            raise RefusalError(400, project="valid project is required")
        if not fields.get("summary"):
            raise RefusalError(400, summary="You must specify a summary of the issue.")
        if (fields.get("issuetype") or {}).get("name") not in TYPES:
            raise RefusalError(400, issuetype="valid issue type is required")
        more = {name: fields.get(name) for name in ("description", "labels", "assignee")}
        made = self.server.issue(project, fields["summary"], type=fields["issuetype"]["name"], **more)
        return {name: made[name] for name in ("id", "key", "self")}

    def _searched(self, values: Mapping[str, Any], *, chained: bool) -> dict[str, Any]:
        if chained is not self.server.cloud:
            raise RefusalError(410, REMOVED) if self.server.cloud else RefusalError(404, "null for uri: /search/jql")
        return self._chained(values) if chained else self._search(values)

    def _search(self, values: Mapping[str, Any]) -> dict[str, Any]:
        rows = _queried(list(self.server.issues.values()), values.get("jql", ""))
        start, size = int(values.get("startAt", 0)), min(int(values.get("maxResults", 50)), 1000)
        return {"startAt": start, "maxResults": size, "total": len(rows), "issues": rows[start : start + size]}

    def _chained(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """A page that says how the next one is called, and nothing of how many there are."""
        told = self._search({**values, "startAt": values.get("nextPageToken", 0)})
        end = told["startAt"] + len(told["issues"])
        last = end >= told["total"]
        return {"issues": told["issues"], "isLast": last, **({} if last else {"nextPageToken": str(end)})}

    def _comments(self, found: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        rows = found["fields"]["comment"]["comments"]
        rows = rows[::-1] if values.get("orderBy") == "-created" else rows
        return {"startAt": 0, "maxResults": len(rows), "total": len(rows), "comments": rows}

    def _say(self, status: int, body: Any) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json;charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _commented(found: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    if not values.get("body"):
        raise RefusalError(400, comment="Comment body can not be empty!")
    rows = found["fields"]["comment"]["comments"]
    rows.append({"id": f"{found['id']}{len(rows)}", "body": values["body"], "author": ADA, "created": _now()})
    return dict(rows[-1])


def _ways(found: dict[str, Any]) -> list[dict[str, Any]]:
    known = WAYS[found["fields"]["status"]["name"]]
    return [{"id": number, "name": name, "to": {"name": to}} for number, (name, to) in known.items()]


def _moved(found: dict[str, Any], values: Mapping[str, Any]) -> tuple[int, None]:
    way = WAYS[found["fields"]["status"]["name"]].get(str(values["transition"]["id"]))
    if way is None:
        raise RefusalError(400, "It seems that you have tried to perform an illegal workflow operation.")
    found["fields"]["status"] = {"name": way[1]}
    return 204, None


def _queried(rows: list[dict[str, Any]], jql: str) -> list[dict[str, Any]]:
    """The issues that a query finds, in its order."""
    wanted, _, order = re.sub(r"(?i)\border by\b", "ORDER BY", jql).partition("ORDER BY")
    for clause in re.split(r"(?i)\band\b", wanted) if wanted.strip() else ():
        read = CLAUSE.fullmatch(clause)
        if read is None:
            raise RefusalError(400, f"Error in the JQL Query: Expecting operator but got '{clause.strip()}'.")
        rows = [one for one in rows if _holds(one["fields"] | {"key": one["key"]}, *read.groups())]
    return rows[::-1] if "desc" in order.lower() else rows


def _holds(fields: Mapping[str, Any], name: str, how: str, value: str) -> bool:
    known = {"type": "issuetype"}.get(name.lower(), name.lower())
    if known not in fields:
        raise RefusalError(400, f"Field '{name}' does not exist or you do not have permission to view it.")
    if known == "created":
        return True  # whatever is here was made a moment ago
    held = fields[known]
    held = (held.get("key") or held.get("name")) if isinstance(held, dict) else held
    wanted = [str(ADA["name"]) if one == "currentUser()" else one for one in _words(value)]
    match how.lower():
        case "~":
            return wanted[0].lower() in str(held).lower()
        case "!=":
            return held not in wanted
    return bool({*wanted} & {*held}) if isinstance(held, list) else held in wanted


def _words(value: str) -> list[str]:
    listed = value[1:-1].split(",") if value.startswith("(") else [value]
    return [one.strip().strip('"') for one in listed]


@contextmanager
def jira() -> Iterator[Jira]:
    """The server, for as long as the block lasts."""
    with answering(Jira()) as made:
        yield made
