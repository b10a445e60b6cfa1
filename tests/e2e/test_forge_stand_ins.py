"""The stand-ins for GitLab and Jira are what the official client libraries take for GitLab and Jira."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests import pypi
from tests.servers.gitlab import EXPIRED, REFRESH, GitLab, gitlab
from tests.servers.jira import TOKEN, jira

CLIENTS = ("python-gitlab==8.6.0", "jira==3.10.5")

pytestmark = pytest.mark.slow


def driven(script: str, *words: str) -> dict[str, Any]:
    """What a client's program tells."""
    python = pypi.installed(*CLIENTS) / "python"
    done = subprocess.run(
        [python, Path(__file__).with_name(script), *words], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def shop(server: GitLab) -> None:
    """A project with two branches beside main, and three pipelines."""
    project = server.project("group/shop")
    project.approvals_required = 1
    project.commit("main", "Start", {"README.md": "a shop\n", "docs/a b.md": "about\n"})
    project.commit("prices", "Show prices", {"prices.py": "PRICE = 1\n"}, base="main")
    project.commit("returns", "Returns", {"returns.py": "\n"}, base="main")
    project.pipeline(4709, "main", {"build": "success"})
    project.pipeline(4710, "main", {"build": "failed"})
    project.pipeline(4711, "main", {"build": "running", "test:unit": "failed", "deploy": "manual"})


def test_the_official_client_takes_the_stand_in_for_gitlab(tmp_path: Path) -> None:
    """Every endpoint is driven once, refusals too."""
    with gitlab(tmp_path) as server:
        shop(server)
        told = driven("gitlab_client.py", server.url, server.token())
    assert told == {
        "user": "ada",
        "version": "17.5.0-stand-in",
        "projects": ["group/shop"],
        "by number": "group/shop",
        "twice": [409, ["Another open merge request already exists for this source branch: !1"]],
        "no title": [400, "source_branch is missing, target_branch is missing, title is missing"],
        "notes": ["looks good", "ada"],
        "approved": [1, 0],
        "diffs": ["prices.py"],
        "listed": [[1, "Show prices", ["ready", "shop"]]],
        "stale": [409, told["stale"][1]],
        "merged": "merged",
        "merge again": [405, "405 Method Not Allowed"],
        "closed": "closed",
        "no request": [404, "404 Not found"],
        "no project": [404, "404 Project Not Found"],
        "pages": [3, 2, 2, 3],
        "pipeline": ["running", ["build", "deploy", "test:unit"]],
        "trace": "$ make test:unit\nfailed\n",
        "unplayable": [400, "400 Bad request - Unplayable Job"],
        "retried": "pending",
        "not retryable": [403, "403 Forbidden - Job is not retryable"],
        "cancelled": "canceled",
        "pipeline retried": "pending",
        "of request": [],
        "file": "a shop\n",
        "raw": "about\n",
        "no file": [404, "404 File Not Found"],
        "branches": ["main", "prices", "returns", "topic"],
        "no branch": [404, "404 Branch Not Found"],
        "tags": ["v1"],
        "commit": ["Merge branch 'prices'", True],
        "no commit": [404, "404 Commit Not Found"],
        "anonymous": [404, "404 Project Not Found"],
    }


def test_tokens_end_have_scopes_and_are_refreshed(tmp_path: Path) -> None:
    """In GitLab's own words, and a rate limit in none."""
    with gitlab(tmp_path) as server:
        shop(server)
        reading, ended = server.token("read_api"), server.token("api", expires=time.time() - 1)
        assert asked(server, "GET /projects/1", reading)[0] == 200
        assert asked(server, "POST /projects/1/pipelines/4711/cancel", reading)[:2] == (
            403,
            {
                "error": "insufficient_scope",
                "error_description": "The request requires higher privileges than provided by the access token.",
                "scope": "api",
            },
        )
        assert asked(server, "GET /user", ended)[1] == {"error": "invalid_token", "error_description": EXPIRED}
        assert asked(server, "GET /user", "glpat-none")[:2] == (401, {"message": "401 Unauthorized"})
        status, token, _ = asked(server, f"POST /oauth/token?grant_type=refresh_token&refresh_token={REFRESH}", "")
        assert (status, asked(server, "GET /user", token["access_token"])[0]) == (200, 200)
        server.remaining = 1
        assert asked(server, "GET /projects", reading)[0] == 200
        status, said, headers = asked(server, "GET /projects", reading)
        assert (status, said, headers["Retry-After"], headers["RateLimit-Remaining"]) == (
            429,
            "Retry later\n",
            "60",
            "0",
        )


def test_the_client_library_takes_the_stand_in_for_jira() -> None:
    """Every endpoint is driven once, refusals too."""
    with jira() as server:
        told = driven("jira_client.py", server.url, TOKEN)
    assert told == {
        "user": "ada",
        "server": "Server",
        "made": ["SHOP-1", "Prices are missing", "To Do"],
        "comments": ["looking into it"],
        "ways": ["Start"],
        "moved": "In Progress",
        "found": ["SHOP-2", "SHOP-3", "SHOP-4"],
        "all": 6,
        "bad query": [400, "Error in the JQL Query: Expecting operator but got 'project ==== SHOP'."],
        "no issue": [404, "Issue Does Not Exist"],
        "no summary": [400, "You must specify a summary of the issue."],
    }


def asked(server: GitLab, what: str, token: str) -> tuple[int, Any, Any]:
    """Status, body and headers of an answer."""
    method, _, path = what.partition(" ")
    base = "" if path.startswith("/oauth") else "/api/v4"
    address = f"{server.url}{base}{path}"
    asking = urllib.request.Request(address, method=method, headers={"PRIVATE-TOKEN": token})  # noqa: S310 - ours
    try:
        with urllib.request.urlopen(asking, timeout=30) as reply:  # noqa: S310 - as above
            return reply.status, json.loads(reply.read()), reply.headers
    except urllib.error.HTTPError as error:
        with error:
            text = error.read().decode()
            return error.code, json.loads(text) if text.startswith("{") else text, error.headers
