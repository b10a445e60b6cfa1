"""Drives the stand-in for Jira with the client library of PyPI, `jira`; prints what came of it as JSON.

python jira_client.py URL TOKEN
"""

# ruff: noqa: T201 - a program of its own, for an environment of its own
from __future__ import annotations

import json
import sys
from collections.abc import Callable

from jira import JIRA, JIRAError  # type: ignore[import-not-found]  # only where this program runs


def refused(call: Callable[[], object]) -> list[object]:
    """The status and words of a refusal."""
    try:
        call()
    except JIRAError as error:
        return [error.status_code, error.text]
    return []


def main() -> None:
    """Asks for everything once."""
    client = JIRA(sys.argv[1], token_auth=sys.argv[2], max_retries=0)
    told: dict[str, object] = {"user": client.myself()["name"], "server": client.server_info()["deploymentType"]}
    fields = {"project": {"key": "SHOP"}, "summary": "Prices are missing", "issuetype": {"name": "Bug"}}
    made = client.create_issue(fields=fields)
    told["made"] = [made.key, made.fields.summary, made.fields.status.name]
    client.add_comment(made.key, "looking into it")
    told["comments"] = [one.body for one in client.comments(made.key)]
    told["ways"] = [one["name"] for one in client.transitions(made.key)]
    client.transition_issue(made.key, "Start")
    told["moved"] = client.issue(made.key).fields.status.name
    for number in range(5):
        client.create_issue(fields={**fields, "summary": f"Another {number}"})
    told["found"] = [one.key for one in client.search_issues('project = SHOP AND summary ~ "Another"', maxResults=3)]
    told["all"] = len(client.search_issues("project = SHOP ORDER BY created DESC", maxResults=False))
    told["bad query"] = refused(lambda: client.search_issues("project ==== SHOP"))
    told["no issue"] = refused(lambda: client.issue("SHOP-99"))
    told["no summary"] = refused(lambda: client.create_issue(fields={**fields, "summary": ""}))
    print(json.dumps(told))


if __name__ == "__main__":
    main()
