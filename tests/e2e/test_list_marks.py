"""`skill list` says of a skill what it needs and nobody has described."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flow.workshop import Workshop

SKILL = """
name: ask
description: Asks places.
inputs:
  - {name: environment, type: string, default: ""}
steps:
  - {name: sure, tool: prometheus_query, args: {query: up}}
  - {name: perhaps, tool: alertmanager_alerts, condition: "inputs.environment"}
  - {name: tolerated, tool: gitlab_ci_list, args: {project: a/b}, on_error: continue}
  - {name: local, tool: git_log, args: {repo: .}}
  - name: pods
    tool: kubectl_get_pods
    args: {namespace: shop}
    heal: {domain: "{{ inputs.environment or config.get('environment') }}"}
  - name: both
    parallel:
      - {name: issue, tool: jira_view_issue, args: {key: A-1}}
"""
DESCRIBED = """
[services]
jira.url = "https://jira.example"
prometheus.url = "https://prometheus.example"

[config]
environment = "prod"
"""


@pytest.fixture
def place(tmp_path: Path) -> Workshop:
    """A workspace with one skill of its own, and another that runs it."""
    made = Workshop(folder=tmp_path / "work", home=tmp_path / "home")
    made.furnish()
    (made.folder / "skills").mkdir(exist_ok=True)
    (made.folder / "skills" / "ask.yaml").write_text(SKILL)
    (made.folder / "skills" / "outer.yaml").write_text(
        "name: outer\ndescription: Runs the other.\nsteps:\n  - {name: inner, skill: ask}\n"
    )
    return made


def test_a_skill_is_marked_with_what_nobody_describes(place: Workshop) -> None:
    """What it surely asks, also through another skill; it is listed all the same, and the mark goes once it is told."""
    needs = {each["name"]: each["needs"] for each in place.json("list")}
    assert needs["ask"] == needs["outer"] == ["jira", "prometheus"]
    assert needs["test_mr_ephemeral"] == []
    told = place.run("list")
    assert "needs jira, prometheus: Asks places." in told.stdout
    assert "docs/configuration.md" in told.stderr
    settings = place.folder / "skill.toml"
    settings.write_text(settings.read_text() + DESCRIBED)
    needs = {each["name"]: each["needs"] for each in place.json("list")}
    assert needs["ask"] == needs["outer"] == ["prod"]


def test_a_broken_configuration_keeps_nothing_from_being_listed(place: Workshop) -> None:
    """The commands that use it say what is wrong."""
    (place.folder / "skill.toml").write_text("[services.gitlb]\n")
    listed = place.json("list")
    assert {"ask", "outer", "test_mr_ephemeral"} <= {each["name"] for each in listed}
    assert not any(each["needs"] for each in listed)


def test_marks_are_found_once_until_a_file_changes(place: Workshop) -> None:
    """What was found is read again from the cache; a changed skill has it found anew, and the old one is gone."""
    place.json("list")
    (kept,) = (place.home / "cache").glob("needs-*.json")
    kept.write_text('{"ask": ["kept"]}')
    assert {each["name"]: each["needs"] for each in place.json("list")}["ask"] == ["kept"]
    skill = place.folder / "skills" / "ask.yaml"
    skill.write_text(SKILL.replace("prometheus_query", "kibana_status").replace(", args: {query: up}", ""))
    assert "kibana" in {each["name"]: each["needs"] for each in place.json("list")}["ask"]
    (kept_anew,) = (place.home / "cache").glob("needs-*.json")
    assert kept_anew != kept
