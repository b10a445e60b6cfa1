"""What a skill calls is told by its file: what surely, and what only under a condition."""

from __future__ import annotations

from pathlib import Path

from engine import Engine
from engine.configuration.naming import table_of, table_to_write
from engine.surroundings.skills import called
from engine.workspace import Workspace

OUTER = """
name: outer
description: Calls another.
steps:
  - {name: note, tool: echo, args: {value: 1}}
  - {name: branches, condition: inputs.ask, tool: gitlab_branch_list, args: {}}
  - {name: alerts, on_error: continue, tool: prometheus_alerts}
  - name: group
    steps:
      - {name: mine, skill: inner}
  - {name: elsewhere, tool: kubectl_get_pods, args: {namespace: shop}, heal: {domain: prod}}
  - name: usual
    tool: kubectl_get_deployments
    args: {namespace: shop}
    heal: {domain: "{{ inputs.environment or config.environment }}"}
  - {name: told, skill: there, inputs: {environment: stage}}
inputs:
  - {name: environment, default: ""}
  - {name: ask, type: boolean, default: false}
"""
INNER = """
name: inner
description: Calls a tool.
steps:
  - {name: issue, tool: jira_view_issue, args: {key: SHOP-1}}
"""
THERE = """
name: there
description: Asks the cluster that it is told.
inputs:
  - {name: environment, required: true}
steps:
  - {name: there, tool: kubectl_get_events, args: {namespace: shop}, heal: {domain: "{{ inputs.environment }}"}}
"""


def calls(folder: Path) -> dict[str, tuple[str | None, bool]]:
    """What `outer` calls: the domain, and whether surely."""
    (folder / "skills").mkdir()
    (folder / "skills" / "outer.yaml").write_text(OUTER)
    (folder / "skills" / "inner.yaml").write_text(INNER)
    (folder / "skills" / "there.yaml").write_text(THERE)
    settings = {"clusters": {"prod": {"kubeconfig": "config"}}, "config": {"environment": "live"}}
    engine = Engine(Workspace(folder=folder, home=folder / "home", settings=settings))
    found = called("outer", engine.library, engine.registry, engine.sandbox.render, engine.config)
    return {each.tool.name: (each.domain, each.surely) for each in reversed(found)}


def test_conditions_and_tolerated_failures_make_a_call_uncertain(tmp_path: Path) -> None:
    """Groups and skills that are run are looked into; a step's own domain counts more than its tool's.

    One that a template names is the one of a run without inputs; where only a run knows it, it is None.
    """
    assert calls(tmp_path) == {
        "echo": (None, True),
        "gitlab_branch_list": ("gitlab", False),
        "prometheus_alerts": ("prometheus", False),
        "jira_view_issue": ("jira", True),
        "kubectl_get_pods": ("prod", True),
        "kubectl_get_deployments": ("live", True),
        "kubectl_get_events": (None, True),
    }


def test_a_skill_that_cannot_be_read_calls_nothing(tmp_path: Path) -> None:
    """Its mistakes are told by `skill check`."""
    (tmp_path / "skills").mkdir()
    (tmp_path / "skills" / "bad.yaml").write_text("name: bad\nsteps: 3\n")
    engine = Engine(Workspace(folder=tmp_path, home=tmp_path / "home"))
    assert called("bad", engine.library, engine.registry, engine.sandbox.render, engine.config) == ()


def test_what_is_missing_is_told_with_the_table_it_belongs_into() -> None:
    """The short form where there is one."""
    assert table_to_write("gitlab").startswith("[services.gitlab] ")
    assert table_to_write("konflux").startswith("[clusters.konflux] ")
    assert table_to_write("shop").startswith("[domains.shop] ")
    assert (table_of("gitlab", "service"), table_of("x", "cluster")) == ("[services.gitlab]", "[clusters.x]")
    assert table_of("shop") == "[domains.shop.settings]"
