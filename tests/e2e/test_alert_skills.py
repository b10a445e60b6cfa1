"""`investigate_alert` and `silence_alert` by the real command, against a real Prometheus and a real Alertmanager."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.flow.workshop import Workshop, until
from tests.servers import alertmanager, prometheus
from tests.servers.guarded import PASSWORD, Guard, guarded
from tests.servers.prometheus import Shop, firing

WITHIN = 60.0
ORDERS = 'labels={"queue": "orders"}'
LOGIN = """
name: token_renew
description: Gets a new token from the guard, readable by this person alone.
effect: write
idempotent: true
domain: {domain}
fix: credentials
needs: {{programs: [sh, curl]}}
command:
  argv: [sh, -c, '{script}', -, "{url}", "{{settings.credential.file}}"]
  output: none
"""
SCRIPT = 'umask 077; echo renewed >> log; curl -sSf --data @password "$1/token" > "$2"'
SETTINGS = """
[services.prometheus]
url = "{prometheus}"
credential = {{file = "token"}}
login = {{tool = "token_renew"}}

[services.alertmanager]
url = "{alertmanager}"
credential = {{file = "token"}}
login = {{tool = "token_renew"}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """The servers; two queues of the shop are too long, and Alertmanager knows."""

    shop: Shop
    prometheus: str
    alertmanager: str


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """One of each for all tests of this module."""
    folder = tmp_path_factory.mktemp("watch")
    with (
        prometheus.shop() as shop,
        alertmanager.alertmanager(folder / "alertmanager") as alerts,
        prometheus.prometheus(folder / "prometheus", shop, alerts) as watching,
    ):
        until(lambda: "QueueTooLong orders" not in firing(watching) and measured(watching), within=WITHIN)
        shop.queues |= {"orders": 40.0, "returns": 12.0}
        until(lambda: {"QueueTooLong orders", "QueueTooLong returns", "NobodyHome"} <= firing(watching), within=WITHIN)
        until(lambda: len(alertmanager.told(alerts, "/alerts")) == 3, within=WITHIN)
        yield Watch(shop=shop, prometheus=watching, alertmanager=alerts)


def measured(url: str) -> bool:
    """Whether Prometheus has read the shop while all was quiet."""
    return bool(prometheus.told(url, "query?query=shop_queue_length")["result"])


Places = Callable[..., Workshop]


@pytest.fixture
def places(watch: Watch, tmp_path: Path) -> Places:
    """Makes a workspace whose domains are the servers, or what stands before them."""

    def make(domain: str = "prometheus", **urls: str) -> Workshop:
        place = Workshop(tmp_path / "work", tmp_path / "home")
        known = {"prometheus": watch.prometheus, "alertmanager": watch.alertmanager} | urls
        (place.folder / "tools").mkdir(parents=True)
        (place.folder / "skill.toml").write_text(SETTINGS.format(**known))
        (place.folder / "password").write_text(PASSWORD)
        (place.folder / "tools" / "token_renew.yaml").write_text(
            LOGIN.format(domain=domain, script=SCRIPT, url=known[domain])
        )
        return place

    return make


@pytest.fixture(autouse=True)
def nothing_silenced(watch: Watch) -> Iterator[None]:
    """Each test begins and ends with everything to be heard."""
    yield
    for silence in in_force(watch):
        alertmanager.told(watch.alertmanager, f"/silence/{silence['id']}", method="DELETE")


def in_force(watch: Watch) -> list[dict[str, Any]]:
    """The silences that are, as Alertmanager itself tells."""
    return [one for one in alertmanager.told(watch.alertmanager, "/silences") if one["status"]["state"] == "active"]


def silent(watch: Watch) -> set[str]:
    """The queues whose alert is silenced, as Alertmanager itself tells."""
    alerts = alertmanager.told(watch.alertmanager, "/alerts")
    return {one["labels"].get("queue", "") for one in alerts if one["status"]["silencedBy"]}


def statuses(run: dict[str, Any]) -> dict[str, str]:
    """How each step ended."""
    return {step["name"]: step["status"] for step in run["steps"]}


def renewed(place: Workshop) -> int:
    """How often a token was got."""
    log = place.folder / "log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_an_alert_is_looked_into(watch: Watch, places: Places) -> None:
    """Since when, why, by which rule, and how its value went; Prometheus' state is what it was."""
    place = places()
    before = prometheus.state(watch.prometheus), alertmanager.state(watch.alertmanager)
    run = place.json("run", "investigate_alert", "-i", "alert=QueueTooLong", "-i", ORDERS, "-i", "last=3m")
    (alert,) = run["outputs"]["alerts"]
    assert (run["status"], run["healed"], run["outputs"]["firing"]) == ("ok", 0, 1)
    assert (alert["rule"], alert["threshold"], alert["told"]) == ("shop_queue_length > 10", "> 10", ["nobody"])
    assert (alert["course"]["lowest"], alert["course"]["highest"]) == (3.0, 40.0)
    assert alert["causes"] == ["shop_queue_length rose from 3 to 40"]
    assert (alert["known"], alert["silenced_by"]) == ([], [])
    assert "QueueTooLong" in run["outputs"]["summary"]
    assert "runbook  https://runbooks.example/queue" in run["outputs"]["summary"]
    assert (prometheus.state(watch.prometheus), alertmanager.state(watch.alertmanager)) == before


def test_a_target_that_cannot_be_read_is_the_likely_cause(places: Places) -> None:
    """All that fires is looked into; the words of the alerts are nobody's failure."""
    run = places().json("run", "investigate_alert")
    causes = {each["name"]: each["causes"] for each in run["outputs"]["alerts"]}
    assert "connection refused" in causes["NobodyHome"][0]
    assert run["outputs"]["down"] == ["gone 127.0.0.1:1"]
    assert {step["status"] for step in run["steps"]} == {"ok", "skipped"}


def test_what_people_taught_memory_about_an_alert_is_told(places: Places) -> None:
    """By its name and its words."""
    place = places()
    lesson = {
        "tool_name": "QueueTooLong",
        "error_pattern": "orders",
        "root_cause": "the printer has no paper",
        "fix_description": "fill the printer",
    }
    place.folder.joinpath("skills").mkdir()
    place.skill(f"steps:\n  - name: learn\n    tool: learn_tool_fix\n    args: {json.dumps(lesson)}\n", "teach")
    assert place.run("run", "teach").returncode == 0
    run = place.json("run", "investigate_alert", "-i", "alert=QueueTooLong", "-i", ORDERS)
    assert run["outputs"]["alerts"][0]["known"] == [{"why": "the printer has no paper", "fix": "fill the printer"}]


def test_without_an_alertmanager_the_rest_is_told(places: Places, watch: Watch) -> None:
    """One that does not answer, and one that nobody configured."""
    place = places(alertmanager="http://127.0.0.1:1")
    run = place.json("run", "investigate_alert", "-i", "alert=NobodyHome")
    assert (run["status"], len(run["outputs"]["alerts"])) == ("ok", 1)
    (place.folder / "skill.toml").write_text(f'[domains.prometheus.settings]\nurl = "{watch.prometheus}"\n')
    (place.folder / "tools" / "token_renew.yaml").unlink()
    run = place.json("run", "investigate_alert", "-i", "alert=NobodyHome")
    assert (run["status"], len(run["outputs"]["alerts"])) == ("ok", 1)


def test_alerts_are_silenced_found_silenced_and_unsilenced(watch: Watch, places: Places) -> None:
    """Each by itself, after somebody agreed; then all is as it was."""
    place = places()
    waiting = place.json("run", "silence_alert", "-i", "alert=QueueTooLong", "-i", "duration=1h", status=4)
    assert (waiting["status"], in_force(watch)) == ("waiting", [])
    done = place.json("answer", waiting["run"], "agreed=yes")
    assert (done["status"], silent(watch)) == ("ok", {"orders", "returns"})
    made = {one["id"] for one in in_force(watch)}
    assert {one["id"] for one in done["outputs"]["silences"]} == made
    assert all(waiting["run"] in one["comment"] for one in in_force(watch))
    found = place.json("run", "investigate_alert", "-i", "alert=QueueTooLong")
    assert {each for alert in found["outputs"]["alerts"] for each in alert["silenced_by"]} == made
    again = place.json("run", "silence_alert", "-i", "alert=QueueTooLong", "-i", "approved=true")
    assert ("All is silent already" in again["message"], {one["id"] for one in in_force(watch)}) == (True, made)
    lifted = place.json("run", "silence_alert", "-i", f"lift={','.join(sorted(made))}", "-i", "approved=true")
    assert (set(lifted["outputs"]["lifted"]), silent(watch), in_force(watch)) == (made, set(), [])


def test_a_dry_run_and_a_no_silence_nothing(watch: Watch, places: Places) -> None:
    """Alertmanager is as it was."""
    place = places()
    before = alertmanager.state(watch.alertmanager)
    dry = place.json("run", "silence_alert", "-i", "alert=QueueTooLong", "-i", "dry_run=true")
    assert len(dry["outputs"]["planned"]) == 2
    assert (
        place.run("run", "silence_alert", "--dry-run", "-i", "alert=QueueTooLong", "-i", "approved=true").returncode
        == 0
    )
    refused = place.json("run", "silence_alert", "-i", "alert=QueueTooLong", "--answer", "agreed=no", status=5)
    assert refused["status"] == "blocked"
    assert place.json("run", "silence_alert", "-i", "alert=Typo", status=5)["status"] == "blocked"
    assert alertmanager.state(watch.alertmanager) == before


def test_a_run_that_does_not_end_well_leaves_no_silence(watch: Watch, places: Places) -> None:
    """Once they are made, Alertmanager does not say any more whether they hold: they are ended again."""
    with guarded(watch.alertmanager) as guard:
        place = admitted(places(domain="alertmanager", alertmanager=guard.url), guard)
        guard.closing = ("POST /api/v2/silences", "GET /api/v2/alerts")
        run = place.json("run", "silence_alert", "-i", "alert=QueueTooLong", "-i", "approved=true", status=1)
    assert statuses(run)["checked"] == "failed"
    made = [one for one in alertmanager.told(watch.alertmanager, "/silences") if run["run"] in one["comment"]]
    assert [one["status"]["state"] for one in made] == ["expired", "expired"]
    assert (silent(watch), renewed(place)) == (set(), 0)


def test_an_answer_that_is_lost_does_not_silence_twice(watch: Watch, places: Places) -> None:
    """The silence was made, and the connection cut: the second try finds it."""
    with guarded(watch.alertmanager) as guard:
        place = admitted(places(domain="alertmanager", alertmanager=guard.url), guard)
        guard.losing = "POST /api/v2/silences"
        run = place.json("run", "silence_alert", "-i", "alert=QueueTooLong", "-i", ORDERS, "-i", "approved=true")
    assert (run["status"], statuses(run)["silenced[0]"]) == ("ok", "healed")
    assert [one["id"] for one in run["outputs"]["silences"]] == [one["id"] for one in in_force(watch)]
    assert (len(in_force(watch)), renewed(place)) == (1, 0)


def test_a_silence_that_ended_is_not_lifted_and_nothing_is_healed(watch: Watch, places: Places) -> None:
    """Its id is good no more: no login helps, and the other one named stays in force."""
    with guarded(watch.alertmanager) as guard:
        place = admitted(places(domain="alertmanager", alertmanager=guard.url), guard)
        run = place.json("run", "silence_alert", "-i", "alert=QueueTooLong", "-i", "approved=true")
        ended, standing = (one["id"] for one in run["outputs"]["silences"])
        place.json("run", "silence_alert", "-i", f"lift={ended}", "-i", "approved=true")
        failed = place.json("run", "silence_alert", "-i", f"lift={ended},{standing}", "-i", "approved=true", status=1)
    assert f"{ended} has ended already" in failed["message"]
    assert [one["id"] for one in in_force(watch)] == [standing]
    assert (failed["healed"], renewed(place), guard.logins) == (0, 0, 0)


def test_a_token_that_expires_in_the_middle_is_renewed_once(watch: Watch, places: Places) -> None:
    """Found out by a real 401: one login, whoever asks; the run goes on as if nothing had been."""
    with guarded(watch.prometheus) as guard:
        place = admitted(places(prometheus=guard.url), guard)
        guard.expires_after = "GET /api/v1/rules"
        run = place.json("run", "investigate_alert")
        assert (run["status"], run["healed"] >= 1) == ("ok", True)
        assert (guard.logins, renewed(place)) == (1, 1)
        token = (place.folder / "token").read_text()
        assert token in guard.tokens
    assert token not in json.dumps(run) + place.run("logs", run["run"]).stdout
    healed = {step["name"] for step in run["steps"] if step["status"] == "healed"}
    assert healed & {"courses", "targets"}


def test_a_prometheus_that_is_forbidden_is_not_healed(watch: Watch, places: Places) -> None:
    """The alerts may be read and their rules may not: no login makes it allowed, so it is asked once."""
    with guarded(watch.prometheus) as guard:
        place = admitted(places(prometheus=guard.url), guard)
        guard.closing = ("GET /api/v1/alerts", "GET /api/v1/rules")
        run = place.json("run", "investigate_alert", status=1)
        assert (guard.logins, renewed(place), run["healed"]) == (0, 0, 0)
    failed = next(step for step in run["steps"] if step["status"] == "failed")
    assert (failed["name"], failed["failure"]["kind"], failed["attempts"]) == ("rules", "permission_denied", 1)


def test_a_bad_expression_is_not_healed(watch: Watch, places: Places) -> None:
    """No token makes it better: it is asked once."""
    with guarded(watch.prometheus) as guard:
        place = admitted(places(prometheus=guard.url), guard)
        place.skill("steps:\n  - name: ask\n    tool: prometheus_query\n    args: {query: 'sum('}\n", "odd")
        run = place.json("run", "odd", status=1)
        assert [each for each in guard.passed if "/query" in each] == ["GET /api/v1/query?query=sum%28"]
    (step,) = run["steps"]
    assert (step["failure"]["kind"], step["attempts"]) == ("usage_error", 1)
    assert (guard.logins, renewed(place), run["healed"]) == (0, 0, 0)


def admitted(place: Workshop, guard: Guard) -> Workshop:
    """The workspace, with a token that counts."""
    guard.tokens.add("first-token")
    (place.folder / "token").write_text("first-token")
    return place
