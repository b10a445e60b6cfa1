"""`cancel_pipeline` by the real command, against the stand-in for GitLab."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.flow.workshop import Workshop
from tests.servers.gitlab import REFRESH, GitLab, gitlab

REQUEST = "merge_request=1"
SETTINGS = """
[services.gitlab]
url = "{url}"
project = "group/shop"
credential = {{file = "token"}}
token_type = "oauth"
login = {{tool = "gitlab_token_renew"}}
"""
LOGIN = """
name: gitlab_token_renew
description: Gets a new token from GitLab for the refresh token, readable by this person alone.
effect: write
idempotent: true
domain: gitlab
fix: credentials
needs: {programs: [sh, curl, sed]}
command:
  argv: [sh, -c, '<script>', -, "{settings.url}", "{settings.credential.file}"]
  output: none
"""
SCRIPT = (
    "umask 077; echo renewed >> log; "
    'curl -sSf --data @refresh "$1/oauth/token" | sed "s/.*access_token\\": \\"\\([^\\"]*\\).*/\\1/" > "$2"'
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitLab]:
    """A project with a merge request for which two pipelines run, and one on main."""
    with gitlab(tmp_path / "gitlab") as made:
        project = made.project("group/shop")
        project.commit("main", "Start", {"README.md": "a shop\n"})
        project.commit("prices", "Show prices", {"prices.py": "PRICE = 1\n"}, base="main")
        project.request("prices", "main", "Fix: 401 Unauthorized, token expired", {"username": "ada"})
        project.pipeline(10, "prices", {"build": "success"}, merge_request=1)
        project.pipeline(11, "prices", {"build": "running", "test": "created"}, merge_request=1)
        project.pipeline(12, "prices", {"build": "pending"}, merge_request=1)
        project.pipeline(13, "main", {"build": "running"})
        yield made


@pytest.fixture
def place(server: GitLab, tmp_path: Path) -> Workshop:
    """A workspace of somebody who is logged in."""
    made = Workshop(tmp_path / "work", tmp_path / "home")
    (made.folder / "tools").mkdir(parents=True)
    (made.folder / "skill.toml").write_text(SETTINGS.format(url=server.url))
    (made.folder / "refresh").write_text(f"grant_type=refresh_token&refresh_token={REFRESH}")
    (made.folder / "token").write_text(server.token("api"))
    (made.folder / "tools" / "gitlab_token_renew.yaml").write_text(LOGIN.replace("<script>", SCRIPT))
    return made


def states(server: GitLab) -> dict[int, str]:
    """How every pipeline stands."""
    project = server.found("group/shop")
    return {number: project.status(number) for number in project.pipelines}


def steps(run: dict[str, Any]) -> dict[str, str]:
    """How each step ended."""
    return {step["name"]: step["status"] for step in run["steps"]}


RUNNING = {10: "success", 11: "running", 12: "pending", 13: "running"}


def test_the_pipelines_of_a_merge_request_are_cancelled_when_somebody_agrees(server: GitLab, place: Workshop) -> None:
    """Those that run, and no other; a second run finds nothing to do."""
    waiting = place.json("run", "cancel_pipeline", "-i", REQUEST, status=4)
    assert (waiting["status"], states(server)) == ("waiting", RUNNING)
    done = place.json("answer", waiting["run"], "agreed=yes")
    assert (done["status"], done["outputs"]["cancelled"]) == ("ok", [12, 11])
    assert states(server) == RUNNING | {11: "canceled", 12: "canceled"}
    assert "12          pending -> canceled" in done["outputs"]["summary"]
    again = place.json("run", "cancel_pipeline", "-i", REQUEST, "-i", "approved=true")
    assert (again["status"], "Nothing to cancel" in again["message"]) == ("ok", True)


def test_only_the_newest_of_a_branch(server: GitLab, place: Workshop) -> None:
    """By the branch's name."""
    run = place.json("run", "cancel_pipeline", "-i", "branch=main", "-i", "which=newest", "-i", "approved=true")
    assert (run["outputs"]["cancelled"], states(server)) == ([13], RUNNING | {13: "canceled"})


def test_a_dry_run_a_no_and_a_mistake_cancel_nothing(server: GitLab, place: Workshop) -> None:
    """GitLab is asked nothing that writes."""
    dry = place.json("run", "cancel_pipeline", "-i", REQUEST, "-i", "dry_run=true")
    assert [one.split()[0] for one in dry["outputs"]["planned"]] == ["12", "11"]
    assert place.json("run", "cancel_pipeline", "-i", REQUEST, "--answer", "agreed=no", status=5)["status"] == "blocked"
    gone = place.json("run", "cancel_pipeline", "-i", "merge_request=99", status=5)
    assert "There is no merge request !99" in gone["message"]
    assert [each for each in server.asked if not each.startswith("GET")] == []
    assert states(server) == RUNNING


def test_a_token_that_expires_in_the_middle_is_renewed_once(server: GitLab, place: Workshop) -> None:
    """By the domain's login; the new token is shown nowhere."""
    server.expires_after = "POST /projects/group%2Fshop/pipelines/12/cancel"
    run = place.json("run", "cancel_pipeline", "-i", REQUEST, "-i", "approved=true")
    healed = {name for name, status in steps(run).items() if status == "healed"}
    assert (run["status"], healed, server.refreshed) == ("ok", {"cancelled", "cancelled[1]"}, 1)
    assert states(server) == RUNNING | {11: "canceled", 12: "canceled"}
    token = (place.folder / "token").read_text().strip()
    assert token in server.tokens
    assert token not in json.dumps(run) + place.run("logs", run["run"]).stdout


def test_an_answer_that_is_lost_is_asked_for_again(server: GitLab, place: Workshop) -> None:
    """The pipeline was cancelled, so that the second call finds nothing to do."""
    server.losing = "POST /projects/group%2Fshop/pipelines/12/cancel"
    run = place.json("run", "cancel_pipeline", "-i", REQUEST, "-i", "approved=true")
    assert (run["status"], steps(run)["cancelled[0]"], server.refreshed) == ("ok", "healed", 0)
    assert len([each for each in server.asked if each.endswith("/12/cancel")]) == 1


def test_a_token_that_may_only_read_is_not_healed(server: GitLab, place: Workshop) -> None:
    """No login gives a token more rights: it is asked once, and the run says why."""
    (place.folder / "token").write_text(server.token("read_api"))
    run = place.json("run", "cancel_pipeline", "-i", REQUEST, "-i", "approved=true", status=1)
    (failed,) = [step for step in run["steps"] if step["status"] == "failed" and "failure" in step][:1]
    assert failed["failure"]["kind"] == "permission_denied"
    assert "insufficient_scope" in json.dumps(run)
    assert len([each for each in server.asked if each.endswith("/cancel")]) == 1
    assert (server.refreshed, run["healed"], states(server)) == (0, 0, RUNNING)


def test_a_title_that_quotes_a_failure_is_no_failure(server: GitLab, place: Workshop) -> None:
    """What people write is data: the list is an answer, nobody logs in."""
    place.skill("steps:\n  - name: requests\n    tool: gitlab_mr_list\n    args: {}\n", "look")
    run = place.json("run", "look")
    assert (run["status"], run["healed"], server.refreshed, len(server.asked)) == ("ok", 0, 0, 1)
