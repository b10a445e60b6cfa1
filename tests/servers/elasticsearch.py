"""A stand-in of ours for Elasticsearch 9 and the Kibana before it.

Entries by index, put there by the API or by `log`; searching them (`elasticsearch_query` says by what), newest first or
page by page; `_cat/indices`, the cluster's health, who one is; keys that end and keys that may not read every index;
searches that run out of time or lose a shard; Elasticsearch's own JSON for refusals. The same server answers as
Kibana: `/api/status`, and `/api/console/proxy`, which hands a request on. The library `elasticsearch` accepts it.

What it does not do: everything else of its API, aggregations, scores, mappings (a phrase is found in keywords as in
text), aliases, data streams, and most of the query languages.
"""

from __future__ import annotations

import fnmatch
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.servers.answering import answering
from tests.servers.elasticsearch_query import NoQueryError, holds

KEY = "ZWxhc3RpYy1hcGkta2V5LW9mLWFkYQ=="
ENDED = "ZW5kZWQta2V5"
JSON_OF_ELASTIC = "application/vnd.elasticsearch+json;compatible-with=9"


class RefusalError(Exception):
    """The server refuses, in Elasticsearch's words."""

    def __init__(self, status: int, named: str, reason: str, outer: tuple[str, str] | None = None) -> None:
        super().__init__(reason)
        cause = {"type": named, "reason": reason}
        around = {"type": outer[0], "reason": outer[1]} if outer else cause
        self.status, self.body = status, {"error": {"root_cause": [cause], **around}, "status": status}


class Elasticsearch(ThreadingHTTPServer):
    """The server, its entries by index and id, its keys, and what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.indices: dict[str, dict[str, dict[str, Any]]] = {}
        self.keys = {KEY}
        self.forbidden: set[str] = set()
        self.late = False
        self.lost_shards = 0
        self.asked: list[str] = []
        self.lock = threading.RLock()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}"

    def log(self, message: str, *, index: str = "logs-shop", ago: float = 60, **fields: Any) -> str:
        """A new entry, so many seconds old; its id."""
        entries = self.indices.setdefault(index, {})
        at = (datetime.now(UTC) - timedelta(seconds=ago)).isoformat(timespec="milliseconds")
        name = f"{index}-{len(entries) + 1}"
        entries[name] = {"@timestamp": at, "message": message, **fields}
        return name

    def found(self, pattern: str) -> list[str]:
        """The indices of that name, which has to be there, or those of a pattern that whoever asks may read."""
        names: set[str] = set()
        for part in ["*" if one in ("", "_all") else one for one in pattern.split(",")]:
            fitting = fnmatch.filter(self.indices, part)
            if not fitting and "*" not in part:
                raise RefusalError(404, "index_not_found_exception", f"no such index [{part}]")
            names |= {name for name in fitting if "*" not in part or name not in self.forbidden}
        return sorted(names)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Elasticsearch

    def do_GET(self) -> None:
        """Answers, or refuses."""
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        method, path, values = self.command, unquote(parts.path), dict(parse_qsl(parts.query))
        with self.server.lock:
            try:
                if path.startswith("/api/"):
                    self.server.asked.append(f"{method} {path}")
                    if (status := self._of_kibana(path)) is not None:
                        return self._say(*status)
                    method, inner = values["method"], urlsplit("/" + values["path"].lstrip("/"))
                    path = unquote(inner.path)
                self.server.asked.append(f"{method} {path}")
                self._let_in(path)
                said = self._said(method, path, content)
            except RefusalError as refusal:
                said = refusal.status, refusal.body
        return self._say(*said)

    do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815 - their names there

    def _of_kibana(self, path: str) -> tuple[int, Any] | None:
        """What Kibana answers itself; None for what it hands on."""
        if self.command != "GET" and "kbn-xsrf" not in self.headers:
            message = "Request must contain a kbn-xsrf header."
            return 400, {"statusCode": 400, "error": "Bad Request", "message": message}
        if path == "/api/console/proxy":
            return None
        if path == "/api/status":
            return 200, {
                "name": "kibana",
                "version": {"number": "9.1.0"},
                "status": {"overall": {"level": "available"}},
            }
        return 404, {"statusCode": 404, "error": "Not Found", "message": "Not Found"}

    def _let_in(self, path: str) -> None:
        given = self.headers.get("Authorization", "")
        key = given.removeprefix("ApiKey ").removeprefix("Bearer ")
        if not given:
            why = f"missing authentication credentials for REST request [{path}]"
        elif key in self.server.keys or given.startswith("Basic "):
            return
        else:
            why = "api key is expired" if key == ENDED else "unable to find apikey with id [elastic]"
        raise RefusalError(401, "security_exception", why)

    def _said(self, method: str, path: str, content: bytes) -> tuple[int, Any]:
        if path in ABOUT:
            return 200, ABOUT[path]
        match path.strip("/").split("/"):
            case ["_cluster", "health"]:
                if "health" in self.server.forbidden:
                    raise _forbidden("cluster:monitor/health")
                return 200, {"cluster_name": "logging", "status": "yellow", "timed_out": False, "number_of_nodes": 1}
            case ["_cat", "indices", *named]:
                return 200, [_row(name, self.server.indices[name]) for name in self.server.found("".join(named))]
            case [index, "_search"]:
                return 200, self._search(index, json.loads(content or b"{}"))
            case [index, "_doc", *named] if method in ("POST", "PUT"):
                return 201, self._put(index, "".join(named), json.loads(content))
            case ["_refresh"] | [_, "_refresh"]:
                return 200, {"_shards": {"total": 1, "successful": 1, "failed": 0}}
        raise RefusalError(
            400, "illegal_argument_exception", f"no handler found for uri [{path}] and method [{method}]"
        )

    def _put(self, index: str, named: str, entry: dict[str, Any]) -> dict[str, Any]:
        entries = self.server.indices.setdefault(index, {})
        name = named or f"{index}-{len(entries) + 1}"
        entries[name] = entry
        return {"_index": index, "_id": name, "_version": 1, "result": "created", "_shards": {"total": 1, "failed": 0}}

    def _search(self, pattern: str, said: Mapping[str, Any]) -> dict[str, Any]:
        indices = self.server.found(pattern)
        if barred := [name for name in indices if name in self.server.forbidden]:
            raise _forbidden("indices:data/read/search", f" on indices [{','.join(barred)}]")
        try:
            fits = holds(said.get("query") or {"match_all": {}})
        except NoQueryError as error:
            outer = ("search_phase_execution_exception", "all shards failed")
            raise RefusalError(400, "query_shard_exception", str(error), outer) from error
        rows = [(name, key, one) for name in indices for key, one in self.server.indices[name].items() if fits(one)]
        rows.sort(key=lambda row: row[2].get("@timestamp", ""), reverse=True)
        start, size = int(said.get("from", 0)), int(said.get("size", 10))
        if start + size > 10_000:
            raise RefusalError(400, "illegal_argument_exception", "Result window is too large")
        hits = [{"_index": name, "_id": key, "_score": None, "_source": one} for name, key, one in rows]
        return {
            "took": 2,
            "timed_out": self.server.late,
            "_shards": self._shards(len(indices)),
            "hits": {
                "total": {"value": len(rows), "relation": "eq"},
                "max_score": None,
                "hits": hits[start : start + size],
            },
        }

    def _shards(self, total: int) -> dict[str, Any]:
        lost = min(self.server.lost_shards, total)
        told: dict[str, Any] = {"total": total, "successful": total - lost, "skipped": 0, "failed": lost}
        if lost:
            reason = {"type": "node_disconnected_exception", "reason": "[es-1] disconnected"}
            told["failures"] = [{"shard": number, "index": "logs", "reason": reason} for number in range(lost)]
        return told

    def _say(self, status: int, body: Any) -> None:
        content = b"" if self.command == "HEAD" else json.dumps(body).encode()
        elastic = "vnd.elasticsearch" in self.headers.get("Accept", "")
        self.send_response(status)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", JSON_OF_ELASTIC if elastic else "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


ABOUT = {
    "/": {
        "name": "es-0",
        "cluster_name": "logging",
        "version": {"number": "9.1.0", "build_flavor": "default"},
        "tagline": "You Know, for Search",
    },
    "/_security/_authenticate": {
        "username": "ada",
        "roles": ["viewer"],
        "authentication_type": "api_key",
        "enabled": True,
    },
}


def _forbidden(action: str, where: str = "") -> RefusalError:
    why = f"action [{action}] is unauthorized for user [ada] with effective roles [viewer]{where}"
    return RefusalError(403, "security_exception", why)


def _row(name: str, entries: Mapping[str, Any]) -> dict[str, str]:
    return {
        "index": name,
        "health": "yellow",
        "status": "open",
        "docs.count": str(len(entries)),
        "store.size": str(len(json.dumps(entries))),
    }


@contextmanager
def elasticsearch() -> Iterator[Elasticsearch]:
    """The server, for as long as the block lasts."""
    with answering(Elasticsearch()) as made:
        yield made
