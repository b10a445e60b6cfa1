"""Runs full of failures of every sort, drawn by seed, recorded as an executor would; and a recount from raw events.

The recount shares nothing with the program: it reads the events' JSON out of the file, and knows only what
`docs/events.md` and `docs/history.md` say.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from engine.history import History
from engine.model.event import Event, EventKind

BEGINNING = datetime(2026, 12, 20, 22, 0, tzinfo=UTC).timestamp()
"""Over the turn of a year whose last days belong to week 53 of it, and whose first do, too."""
TOOLS = {"kubectl_get_pods": "ephemeral", "bonfire_deploy": "ephemeral", "quay_get_tag": "registry", "git_fetch": None}
KINDS = ("auth_expired", "connection_refused", "timeout", "server_error", "code_error")
FIXES = {"auth_expired": "kube_login", "connection_refused": "vpn_connect"}


class Narrator:
    """Tells runs; `random` draws what happens in them."""

    def __init__(self, history: History, seed: int) -> None:
        self._history = history
        self._random = Random(seed)  # noqa: S311 - drawn the same in every test run
        self._now = BEGINNING
        self._waiting: list[Event] = []
        self._run = ""

    def run(self, number: int, steps: int) -> None:
        """One run with so many failing steps, and as many that work, are refused, or were looked at beforehand."""
        self._run = f"r{number}"
        self._now += self._random.uniform(0, 14_400)
        told = {"version": "1", "file": "f", "digest": "d", "text": "", "profile": "local", "inputs": {}, "pid": 1}
        self._tell(EventKind.RUN_STARTED, skill=f"skill{number % 7}", **told)
        for index in range(steps):
            self._now += self._random.expovariate(1 / 20)
            self._failing(f"s{index}")
            self._other(f"t{index}", self._random.choice(["worked", "refused", "checked", "foretold", "cut off"]))
        self._tell(EventKind.RUN_FINISHED, status="ok", message="", duration=1.0, healed=0, outputs={}, notes=[])
        self._history.record(*self._waiting)
        self._waiting = []

    def _tell(self, kind: EventKind, step: str = "", /, **fields: Any) -> None:
        self._now += 0.01
        self._waiting.append(Event(kind=kind, run_id=self._run, at=self._now, step=step, data=fields))

    def _attempt(self, step: str, tool: str, number: int, failure: Mapping[str, Any] | None) -> None:
        times = {"started_at": self._now, "finished_at": self._now + 0.5}
        known: dict[str, Any] = {"tool": tool, "domain": TOOLS[tool], "number": number, "args": {}}
        self._tell(EventKind.ATTEMPT_FINISHED, step, ok=failure is None, failure=failure, **known, **times)

    def _failing(self, step: str) -> None:
        tool, kind = self._random.choice(list(TOOLS)), self._random.choice(KINDS)
        domain, fix = TOOLS[tool] or "", FIXES.get(kind)
        failure = {"kind": "unknown", "message": f"{kind} {self._random.random()}", "evidence": {}}
        for begun in range(1, 1 + self._random.choice([1, 1, 1, 2])):  # the second time by a later process
            self._tell(EventKind.STEP_STARTED, step, index=0, action="tool", section="steps", call=tool)
            if self._random.random() < 0.3:
                self._predict(step, tool, domain, kind)
            self._attempt(step, tool, 1, failure)
            worked = self._random.random() < 0.6
            healed_by = [self._fix(step, fix, domain, kind, worked)] if fix and self._random.random() < 0.8 else []
            again = bool(healed_by) or self._random.random() < 0.4
            if again:
                self._attempt(step, tool, 2, None if worked else failure)
            ok = worked and again
            self._finish(step, 1 + again, failure, kind, ok=ok, healed_by=healed_by)
            if begun == 1 and self._random.random() < 0.5:
                break

    def _fix(self, step: str, fix: str, domain: str, kind: str, worked: bool) -> dict[str, Any]:
        shared, ok = self._random.random() < 0.2, worked or self._random.random() < 0.5
        about = {"fix": fix, "domain": domain, "kind": kind, "signature": "s", "pattern": None}
        times = {"started_at": self._now, "finished_at": self._now + 1}
        self._tell(EventKind.FIX_FINISHED, step, ok=ok, shared=shared, **about, **times)
        helped = True if worked else self._random.choice([False, None])
        return {"fix": fix, "domain": domain, "shared": shared, "helped": helped}

    def _finish(
        self, step: str, attempts: int, failure: Mapping[str, Any] | None, kind: str, *, ok: bool, healed_by: list[Any]
    ) -> None:
        status = ("healed" if failure else "ok") if ok else "failed"
        diagnosis = {"kind": kind, "pattern": None, "right": None} if failure else None
        told: dict[str, Any] = {"failure": None if ok else failure, "first_failure": failure}
        told |= {"reason": "", "remediation": []}
        known = {"status": status, "duration": 1.5, "attempts": attempts, "fixes": [], "value": None}
        self._tell(EventKind.STEP_FINISHED, step, **told, **known, healed_by=healed_by, diagnosis=diagnosis)

    def _other(self, step: str, what: str) -> None:
        tool, kind = self._random.choice(list(TOOLS)), self._random.choice(KINDS)
        domain = TOOLS[tool] or "none"
        match what:
            case "worked":
                self._attempt(step, tool, 1, None)
                self._finish(step, 1, None, kind, ok=True, healed_by=[])
            case "refused":
                self._finish(
                    step, 0, {"kind": "code_error", "message": "no", "evidence": {}}, kind, ok=False, healed_by=[]
                )
            case "checked":
                action = self._random.choice(["passed", "fixed", "blocked", "noted"])
                seen = {"check": "token", "domain": domain, "ok": action == "passed", "kind": kind, "fix": ""}
                self._tell(EventKind.HEAL_STAGE, step, stage="preflight", answer="", action=action, **seen)
            case "foretold":
                self._predict(step, tool, domain, kind)
                self._attempt(step, tool, 1, None)
                self._finish(step, 1, None, kind, ok=True, healed_by=[])
            case _:
                self._predict(step, tool, domain, kind)

    def _predict(self, step: str, tool: str, domain: str, kind: str) -> None:
        action = self._random.choice(["fix", "shadow", "noted", "none"])
        situation = {"tool": tool, "domain": domain, "at": self._now, "hour": 8, "weekday": "mon", "last_calls": []}
        foretold = self._random.choice([kind, *KINDS])
        what = {"sequence": "" if action == "none" else "morning", "kind": foretold, "probability": 0.7}
        self._tell(
            EventKind.HEAL_STAGE, step, stage="predict", answer="", situation=situation, action=action, fix="", **what
        )


@dataclass(slots=True)
class Recount:
    """What the raw events say."""

    total: int = 0
    fixed: int = 0
    by: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    fixed_by: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    checks: Counter[str] = field(default_factory=Counter)
    foretold: Counter[str] = field(default_factory=Counter)
    tried: int = 0
    helped: int = 0


def recount(database: Path) -> Recount:
    """Counts everything anew from the events alone, step by step in their order."""
    counted = Recount()
    for steps in _events_by_step(database):
        _count_step(counted, steps)
    return counted


def _events_by_step(database: Path) -> Iterator[list[tuple[str, float, dict[str, Any]]]]:
    connection = sqlite3.connect(database)
    rows = connection.execute("SELECT run, step, kind, at, body FROM events WHERE step <> '' ORDER BY run, number")
    steps: dict[tuple[int, str], list[tuple[str, float, dict[str, Any]]]] = defaultdict(list)
    for run, step, kind, at, body in rows:
        steps[run, step].append((kind, at, json.loads(body)))
    connection.close()
    yield from steps.values()


def _count_step(counted: Recount, events: list[tuple[str, float, dict[str, Any]]]) -> None:
    failed: tuple[float, dict[str, Any], dict[str, Any]] | None = None
    attempt: dict[str, Any] | None = None
    fixes: list[dict[str, Any]] = []
    predictions: list[dict[str, Any]] = []
    for kind, at, body in events:
        match kind:
            case "attempt_finished" if not body["ok"]:
                attempt = body
            case "fix_finished":
                fixes.append({**body, "helped": None})
            case "heal_stage" if body["stage"] == "preflight":
                counted.checks[body["action"]] += 1
            case "heal_stage":
                predictions.append({**body, "came": None})
            case "step_finished":
                if attempt is not None and body["first_failure"]:
                    failed = (at, body, attempt)
                _settle(body, fixes, predictions)
    _count_beforehand(counted, fixes, predictions)
    if failed is not None:
        _count_failure(counted, *failed)


def _count_beforehand(counted: Recount, fixes: list[dict[str, Any]], predictions: list[dict[str, Any]]) -> None:
    for fix in fixes:
        known = not fix["shared"] and (fix["helped"] is not None or not fix["ok"])
        counted.tried += known
        counted.helped += bool(known and fix["helped"])
    for each in predictions:
        if each["sequence"] and each["came"] is not None:
            first = each["action"]
            counted.foretold[first] += 1
            counted.foretold[f"{first} failed"] += each["came"] == each["kind"]


def _settle(end: Mapping[str, Any], fixes: list[dict[str, Any]], predictions: list[dict[str, Any]]) -> None:
    """What the end of a step says of what came before it."""
    for told in end["healed_by"]:
        for fix in fixes:
            if fix["helped"] is None and (fix["fix"], fix["domain"]) == (told["fix"], told["domain"]):
                fix["helped"] = told["helped"]
    if end["attempts"]:
        for prediction in predictions:
            if prediction["came"] is None:
                prediction["came"] = end["diagnosis"]["kind"] if end["diagnosis"] else ""


def _count_failure(counted: Recount, at: float, end: Mapping[str, Any], attempt: Mapping[str, Any]) -> None:
    fixed = end["status"] == "healed" and any(fix["helped"] for fix in end["healed_by"])
    day = datetime.fromtimestamp(at, UTC)
    names = {
        "tool": attempt["tool"],
        "domain": attempt["domain"] or "",
        "kind": end["diagnosis"]["kind"],
        "day": day.strftime("%Y-%m-%d"),
        "week": day.strftime("%G-W%V"),
    }
    counted.total += 1
    counted.fixed += fixed
    for dimension, name in names.items():
        if name:
            counted.by[dimension][name] += 1
            counted.fixed_by[dimension][name] += fixed
