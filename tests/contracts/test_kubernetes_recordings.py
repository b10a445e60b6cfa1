"""The stand-in for the Kubernetes API answers as a real API server did, word for word where it answers at all.

The recordings (tests/data/kubernetes) are of kube-apiserver 1.20, each request in its order. What the stand-in says,
the real server says too, with the same value; what the real one says besides is listed here, and nothing here reads it.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.recordings.kubernetes_exchanges import PREPARED, THEMES, Exchange
from tests.recordings.steady import steady
from tests.servers.answering import answering
from tests.servers.kubernetes import Kubernetes

FOLDER = Path(__file__).parents[1] / "data" / "kubernetes"
PATIENCE = 30.0
GIVEN = {
    *("terminationMessagePath", "terminationMessagePolicy", "imagePullPolicy", "resources", "restartPolicy"),
    *("terminationGracePeriodSeconds", "dnsPolicy", "securityContext", "schedulerName", "enableServiceLinks"),
    *("preemptionPolicy", "priority", "tolerations", "qosClass", "revisionHistoryLimit"),
    *("progressDeadlineSeconds", "strategy", "lastUpdateTime", "lastTransitionTime"),
    *("eventTime", "reportingComponent", "reportingInstance"),
}
"""What a real server gives an object where its author says nothing."""
UNSAID = {"causes", "remainingItemCount", "deletionGracePeriodSeconds", "finalizers"}
"""Parts of answers that tools of ours do not read."""
LATER = {"kubernetes.io/metadata.name", "deployment.kubernetes.io/revision"}
"""What the stand-in says sooner: newer servers name a namespace in its labels, and its controllers are always done."""
OWN_WORDS = {
    "what is no JSON",
    "one of another kind",
    "a place in a list that is none",
    "a patch of an unknown sort",
    "a deletion of another one",
    "a selector that may not change",
}
"""Refusals in which the real server quotes Go's own words or a made-up identity: there the words are others."""


@cache
def recorded(theme: str) -> Mapping[str, Any]:
    """The answers of the real server, by name."""
    told = json.loads((FOLDER / f"{theme}.json").read_text())
    return {each["name"]: each for each in told["exchanges"]}


@pytest.fixture(scope="module", params=list(THEMES))
def answers(request: pytest.FixtureRequest) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A theme, and what the stand-in says to its requests, by name."""
    with answering(Kubernetes()) as server:
        for each in PREPARED:
            ask(server, each)
        yield request.param, {each.name: ask(server, each) for each in THEMES[request.param]}


def ask(server: Kubernetes, exchange: Exchange) -> Mapping[str, Any]:
    """What the stand-in says, once that is what is waited for."""
    server.forbidden = {exchange.forbids} - {("", "")}
    until = time.monotonic() + PATIENCE
    while True:
        said = _once(server, exchange)
        if exchange.holds(said["said"]) or time.monotonic() > until:
            return said
        time.sleep(0.02)


def _once(server: Kubernetes, exchange: Exchange) -> Mapping[str, Any]:
    headers = {"Accept": exchange.accept, **({} if exchange.body is None else {"Content-Type": exchange.sort})}
    if exchange.by != "nobody":
        token = "token-of-nobody" if exchange.by == "stranger" else server.grant()
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(  # noqa: S310 - an address of ours
        f"{server.url}{exchange.path}", data=exchange.encoded(), method=exchange.method, headers=headers
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310 - the same
            return _taken(reply.status, reply.headers.get("Content-Type", ""), reply.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return _taken(refused.code, refused.headers.get("Content-Type", ""), refused.read())


def _taken(status: int, sort: str, body: bytes) -> Mapping[str, Any]:
    said = json.loads(body) if "json" in sort else body.decode()
    return {"status": status, "type": sort, "said": steady(said)}


def comparable(said: Any) -> Any:
    """An answer without what the two may differ in: what comes later, and the columns that only `-o wide` shows."""
    if isinstance(said, list):
        return [comparable(each) for each in said]
    if not isinstance(said, dict):
        return said
    kept = {name: comparable(part) for name, part in said.items() if name not in LATER}
    kept = {name: part for name, part in kept.items() if part or name not in ("labels", "annotations")}
    return _narrow(kept) if kept.get("kind") == "Table" else kept


def _narrow(table: dict[str, Any]) -> dict[str, Any]:
    shown = [number for number, each in enumerate(table["columnDefinitions"]) if not each["priority"]]
    columns = [table["columnDefinitions"][number]["name"] for number in shown]
    rows = [{**row, "cells": [str(row["cells"][number]) for number in shown]} for row in table["rows"]]
    return {**table, "columnDefinitions": columns, "rows": rows}


def differences(real: Any, said: Any, path: str = "") -> Iterator[str]:
    """Where the stand-in's answer is not the real one: other values, inventions, and parts that are missing."""
    if isinstance(real, dict) and isinstance(said, dict):
        yield from (f"{path}.{name} is an invention: {said[name]!r}" for name in said if name not in real)
        for name in real:
            if name in said:
                yield from differences(real[name], said[name], f"{path}.{name}")
            elif name not in GIVEN | UNSAID and real[name] not in ({}, [], "", None):
                yield f"{path}.{name} is missing: {real[name]!r}"
    elif isinstance(real, list) and isinstance(said, list) and len(real) == len(said):
        for number, (one, other) in enumerate(zip(real, said, strict=True)):
            yield from differences(one, other, f"{path}[{number}]")
    elif real != said:
        yield f"{path}: {said!r}, not {real!r}"


def test_each_answer_is_that_of_a_real_server(answers: tuple[str, Mapping[str, Any]]) -> None:
    """Status, type and every field that the stand-in has."""
    theme, told = answers
    wrong = [
        f"{name}: {each}"
        for name, real in recorded(theme).items()
        for each in differences(comparable({key: real[key] for key in told[name]}), comparable(told[name]))
        if name not in OWN_WORDS or ".said.message" not in each
    ]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def test_every_request_was_recorded(answers: tuple[str, Mapping[str, Any]]) -> None:
    """A request that is added is recorded before it counts."""
    theme, told = answers
    assert list(recorded(theme)) == list(told)
