"""Drives the stand-in for Elasticsearch with the official client library; prints what came of it as JSON.

python elasticsearch_client.py URL KEY ENDED
"""

# ruff: noqa: T201 - a program of its own, for an environment of its own
from __future__ import annotations

import json
import sys
from collections.abc import Callable

from elasticsearch import ApiError, Elasticsearch  # type: ignore[import-not-found]  # only where this program runs


def refused(call: Callable[[], object]) -> list[object]:
    """The status and type of a refusal, and the reason at its root."""
    try:
        call()
    except ApiError as error:
        return [error.status_code, error.error, error.body["error"]["root_cause"][0]["reason"]]
    return []


def main() -> None:
    """Asks for everything once."""
    url, key, ended = sys.argv[1:]
    with Elasticsearch(url, api_key=key, max_retries=0) as client, Elasticsearch(url, api_key=ended) as other:
        told: dict[str, object] = {"cluster": client.info()["cluster_name"]}
        told["user"] = client.security.authenticate()["username"]
        told["health"] = client.cluster.health()["status"]
        entry = {"@timestamp": "2026-01-31T09:00:00Z", "message": "order failed", "level": "error"}
        told["made"] = client.index(index="logs-shop", id="1", document=entry, refresh=True)["result"]
        between = {"range": {"@timestamp": {"gte": "2026-01-01T00:00:00Z", "lte": "now"}}}
        wanted = {"bool": {"filter": [between, {"query_string": {"query": "message:failed AND NOT level:info"}}]}}
        newest = [{"@timestamp": {"order": "desc"}}]
        found = client.search(index="logs-*", query=wanted, sort=newest, size=5, source=["message"], timeout="5s")
        told["found"] = [found["hits"]["total"]["value"], [one["_id"] for one in found["hits"]["hits"]]]
        told["indices"] = [one["index"] for one in client.cat.indices(format="json", bytes="b")]
        told["bad query"] = refused(lambda: client.search(index="logs-*", query={"query_string": {"query": "a AND"}}))
        told["no index"] = refused(lambda: client.search(index="metrics"))
        told["ended"] = refused(lambda: other.search(index="logs-*"))
    print(json.dumps(told))


if __name__ == "__main__":
    main()
