"""The skills of Konflux and Tekton by the real command, against a stand-in that a client library accepts too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.flow.workshop import Workshop
from tests.servers.jira import TOKEN, jira
from tests.servers.konflux import (
    BAD,
    BUILD,
    FAILED,
    GOOD,
    NEXT,
    OLD,
    PASSED,
    PROD,
    REQUESTED,
    RUNNING,
    TENANT,
    TEST,
    Konflux,
    konflux,
)
from tests.servers.kubernetes import PASSWORD

SETTINGS = """
[clusters.konflux]
url = "{url}"
token_file = "token"
namespace = "shop-tenant"
login = {{token_url = "{url}/oauth/token", client_id = "skills", client_secret = {{file = "password"}}}}

[clusters.prod]
url = "{url}"
token_file = "prod_token"
"""
RELEASE = ("run", "release_to_prod", "-i", "component=shop-api")
THERE = ("-i", "environment=prod", "-i", f"production={PROD}", "-i", "selector=app=shop-api")
APPROVED = ("-i", "approved=true")


@pytest.fixture
def server() -> Iterator[Konflux]:
    """A furnished Konflux in which nothing takes time; what is released is deployed."""
    with konflux() as made:
        made.takes = 0.0
        made.released = lambda _: made.deployed(GOOD)
        yield made


@pytest.fixture
def place(server: Konflux, tmp_path: Path) -> Workshop:
    """A workspace whose Konflux that is; somebody has logged in."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    made.folder.mkdir(parents=True)
    (made.folder / "skill.toml").write_text(SETTINGS.format(url=server.cluster.url))
    (made.folder / "password").write_text(PASSWORD)
    for name in ("token", "prod_token"):
        (made.folder / name).write_text(server.cluster.grant())
    return made


def statuses(run: dict[str, Any]) -> dict[str, str]:
    """How each step ended."""
    return {step["name"]: step["status"] for step in run["steps"]}


def releases(server: Konflux) -> list[str]:
    """By which plans the server itself says that something was released."""
    return [one["spec"]["releasePlan"] for one in server.cluster.objects.within("releases", TENANT)]


def test_a_tenant_is_summed_up(place: Workshop, server: Konflux) -> None:
    """What was built, tested and has failed, with what it wrote; nothing is changed."""
    server.snapshot(FAILED, BAD, 5, {"shop-e2e": "TestFail"})
    run = place.json("run", "konflux_status", "-i", "must_be_healthy=true", status=1)
    assert (run["message"], run["outputs"]["healthy"]) == (f"tests of {FAILED}: shop-e2e", False)
    for words in (f"shop: {FAILED}, tests failed (shop-e2e)", f"running: {BUILD}", "run-tests/main | E  401 != 200"):
        assert words in run["outputs"]["summary"]
    assert server.cluster.writes() == []


@pytest.mark.parametrize(
    ("skill", "after", "step"),
    [("konflux_status", "components", "state"), ("check_integration_tests", "applications", "newest")],
)
def test_a_token_that_expires_in_the_middle_is_renewed_once(
    skill: str, after: str, step: str, place: Workshop, server: Konflux
) -> None:
    """Found out by a real 401, and never by the 401 of which a log tells."""
    server.cluster.expires_after = f"GET /apis/appstudio.redhat.com/v1alpha1/namespaces/{TENANT}/{after}"
    run = place.json("run", skill)
    assert (run["status"], server.cluster.logins, statuses(run)[step]) == ("ok", 1, "healed")
    token = (place.folder / "token").read_text().strip()
    assert token not in json.dumps(run)


@pytest.mark.parametrize(
    ("words", "verb", "resource"),
    [
        (("konflux_status",), "list", "components"),
        (("check_integration_tests", "-i", f"snapshot={PASSED}"), "get", "snapshots"),
        (("release_to_prod", "-i", "component=shop-api", *APPROVED), "create", "releases"),
        (("cancel_pipeline", "-i", "component=shop-api", *APPROVED), "patch", "pipelineruns"),
    ],
)
def test_what_is_forbidden_is_not_healed(
    words: tuple[str, ...], verb: str, resource: str, place: Workshop, server: Konflux
) -> None:
    """No login makes it allowed: it is asked once."""
    server.cluster.forbidden.add((verb, resource))
    run = place.json("run", *words, status=1)
    failed = next(step for step in run["steps"] if step["status"] == "failed" and "failure" in step)
    assert (failed["failure"]["kind"], server.cluster.logins, run["healed"]) == ("permission_denied", 0, 0)
    assert f'cannot {verb} resource "{resource}" in API group' in run["message"]
    assert len(server.cluster.writes()) <= 1


def test_integration_tests_are_told_with_what_the_failed_ones_wrote(place: Workshop, server: Konflux) -> None:
    """The newest snapshot of what was pushed; by its commit also that of a request."""
    server.snapshot(FAILED, BAD, 5, {"shop-e2e": "TestFail", "shop-contract": "TestFail"})
    run = place.json("run", "check_integration_tests", "-i", "application=shop", "-i", "must_pass=true", status=1)
    assert run["message"] == f"Failed: shop-e2e of {FAILED}"
    assert "1 failed, 11 passed" in run["outputs"]["summary"]
    request = place.json("run", "check_integration_tests", "-i", f"commit={NEXT[-12:]}")
    assert request["outputs"]["snapshots"][0]["snapshot"] == REQUESTED
    assert (
        "no snapshot nope" in place.json("run", "check_integration_tests", "-i", "snapshot=nope", status=1)["message"]
    )


def test_a_release_is_made_when_somebody_agrees_and_looked_for_in_production(place: Workshop, server: Konflux) -> None:
    """The digest that was released is what runs there in the end, and its release is the only one."""
    waiting = place.json(*RELEASE, *THERE, "-i", "plan=shop-production", status=4)
    assert (waiting["status"], releases(server)) == ("waiting", [])
    done = place.json("answer", waiting["run"], "agreed=yes")
    assert (done["status"], done["outputs"]["runs"], done["outputs"]["digest"]) == ("ok", True, GOOD)
    assert releases(server) == ["shop-production"]
    assert f"and runs in {PROD}" in done["outputs"]["summary"]


def test_a_release_whose_answer_is_lost_is_made_once_and_noted(place: Workshop, server: Konflux) -> None:
    """The second call finds what the first has begun; the issue is told."""
    with jira() as tracker:
        tracker.issue("SHOP", "Release")
        more = f'\n[services.jira]\nurl = "{tracker.url}"\ncredential = {{file = "jira_token"}}\n'
        with (place.folder / "skill.toml").open("a") as written:
            written.write(more)
        (place.folder / "jira_token").write_text(TOKEN)
        server.cluster.losing = "POST /apis/appstudio.redhat.com"
        run = place.json(*RELEASE, *APPROVED, "-i", "issue=SHOP-1")
        assert (run["status"], statuses(run)["begun"], releases(server)) == ("ok", "healed", ["shop-production"])
        assert GOOD in json.dumps(tracker.issues)


@pytest.mark.parametrize(
    ("name", "status", "said"), [(FAILED, "TestFail", "failed"), (RUNNING, "InProgress", "running")]
)
def test_what_is_not_tested_is_not_released(
    name: str, status: str, said: str, place: Workshop, server: Konflux
) -> None:
    """Blocked, whoever has agreed, and healed by nothing."""
    server.snapshot(name, BAD, 5, {"shop-e2e": status})
    run = place.json(*RELEASE, *APPROVED, status=5)
    assert (run["status"], run["healed"], server.cluster.writes()) == ("blocked", 0, [])
    assert f"its tests are {said}" in run["message"]
    assert "shop-e2e" in run["message"]


def test_a_production_that_nobody_describes_ends_it_before_the_release(place: Workshop, server: Konflux) -> None:
    """A misspelt name would else be found out when everybody has the release already."""
    run = place.json(*RELEASE, *APPROVED, "-i", "environment=prodd", "-i", f"production={PROD}", status=1)
    assert "did you mean prod?" in run["message"]
    assert server.cluster.writes() == []


def test_a_dry_run_and_a_no_release_nothing(place: Workshop, server: Konflux) -> None:
    """Konflux is asked nothing that writes."""
    dry = place.json(*RELEASE, "-i", "dry_run=true")
    assert f"It would release {PASSED}" in dry["message"]
    assert place.json(*RELEASE, "--answer", "agreed=no", status=5)["status"] == "blocked"
    assert server.cluster.writes() == []


def test_a_release_that_fails_is_told_with_its_reason(place: Workshop, server: Konflux) -> None:
    """What the pipeline of the target says; it is not begun anew."""
    server.failing.add("shop-production")
    run = place.json(*RELEASE, *APPROVED, status=1)
    assert "1 violation (shop-managed/managed-" in run["message"]
    assert (run["healed"], releases(server)) == (0, ["shop-production"])


def test_a_pipeline_run_is_cancelled_when_somebody_agrees(place: Workshop, server: Konflux) -> None:
    """That of the merge request, and no other; then nothing runs any more."""
    words = ("run", "cancel_pipeline", "-i", "system=tekton", "-i", "merge_request=7")
    run = place.json(*words, "--answer", "agreed=yes")
    assert (run["status"], run["outputs"]["cancelled"]) == ("ok", [BUILD])
    assert [one["status"] for one in run["outputs"]["pipelines"]] == ["cancelled"]
    assert {OLD, TEST} & set(json.dumps(server.cluster.writes()).split("/")) == set()
    assert "Nothing to cancel" in place.json(*words)["message"]


def test_a_lost_answer_of_a_cancelling_is_asked_for_again(place: Workshop, server: Konflux) -> None:
    """Its run is being cancelled, so that the second call writes nothing."""
    server.cluster.losing = "PATCH"
    run = place.json("run", "cancel_pipeline", "-i", f"pipeline_run={BUILD}", *APPROVED)
    assert (run["status"], statuses(run)["cancelled_runs[0]"], len(server.cluster.writes())) == ("ok", "healed", 1)
