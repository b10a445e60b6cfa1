"""The fifteen skills for infrastructure: what holds of all of them, and which tests show that they heal and do not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.pages import shipped
from engine import Engine
from engine.model.skill import AskStep, GroupStep, Skill, Step, ToolStep
from tool_registry.tool import Effect, Tool

HERE = Path(__file__).parent
CLUSTER, JOB = "test_kubernetes_skills", "test_main_job_on_a_cluster"
KONFLUX, ALERTS = "test_konflux_skills", "test_alert_skills"
EXPIRED, FORBIDDEN = "test_a_token_that_expires_in_the_middle_is_renewed_once", "test_what_is_forbidden_is_not_healed"
SHOWN: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "cancel_pipeline": (
        ("test_cancel_pipeline", EXPIRED),
        ("test_cancel_pipeline", "test_a_token_that_may_only_read_is_not_healed"),
    ),
    "check_integration_tests": ((KONFLUX, EXPIRED), (KONFLUX, FORBIDDEN)),
    "check_secrets": (
        (CLUSTER, "test_an_expired_login_is_renewed_once_for_all_elements_of_a_list"),
        (CLUSTER, "test_no_login_is_tried_where_a_rule_forbids"),
    ),
    "debug_prod": (
        ("test_which_cluster", "test_production_is_looked_into"),
        ("test_which_cluster", "test_what_may_not_be_read_in_production_is_not_healed"),
    ),
    "deploy_to_ephemeral": (
        (JOB, "test_an_image_is_deployed_and_kept_and_its_lease_made_longer"),
        (JOB, "test_a_namespace_of_somebody_else_is_neither_extended_nor_used"),
    ),
    "environment_overview": ((CLUSTER, EXPIRED), (CLUSTER, "test_no_login_is_tried_where_a_rule_forbids")),
    "extend_ephemeral": (
        (JOB, "test_an_image_is_deployed_and_kept_and_its_lease_made_longer"),
        (JOB, "test_a_namespace_of_somebody_else_is_neither_extended_nor_used"),
    ),
    "investigate_alert": ((ALERTS, EXPIRED), (ALERTS, "test_a_prometheus_that_is_forbidden_is_not_healed")),
    "konflux_status": ((KONFLUX, EXPIRED), (KONFLUX, FORBIDDEN)),
    "release_to_prod": (
        (KONFLUX, "test_a_release_whose_answer_is_lost_is_made_once_and_noted"),
        (KONFLUX, FORBIDDEN),
    ),
    "rollout_restart": (
        (CLUSTER, "test_an_answer_that_is_lost_does_not_restart_twice"),
        (CLUSTER, "test_no_login_is_tried_where_a_rule_forbids"),
    ),
    "scale_deployment": (
        ("test_which_cluster", "test_a_token_that_expires_is_renewed_where_it_expired"),
        (CLUSTER, FORBIDDEN),
    ),
    "scan_vulnerabilities": (
        ("test_scan_vulnerabilities", "test_every_image_is_told_and_one_login_is_enough"),
        ("test_scan_vulnerabilities", "test_a_wrong_password_heals_nothing"),
    ),
    "silence_alert": (
        (ALERTS, "test_an_answer_that_is_lost_does_not_silence_twice"),
        (ALERTS, "test_a_silence_that_ended_is_not_lifted_and_nothing_is_healed"),
    ),
    "test_mr_ephemeral": (
        (JOB, "test_a_token_that_expires_in_the_middle_costs_one_login"),
        (JOB, "test_an_application_that_crashes_is_told_and_not_healed"),
    ),
}
"""Of each skill, the test with an ordinary failure that is healed, and the one with a failure that must not be."""
CALLED = {"release_to_prod": "*RELEASE", "scan_vulnerabilities": " = run(", "test_mr_ephemeral": "*MAIN"}
"""What stands for the skill's name in its tests."""
ASKED_FOR = {
    "alertmanager_silence_create",
    "alertmanager_silence_expire",
    "gitlab_ci_cancel",
    "konflux_create_release",
    "kubectl_rollout_restart",
    "kubectl_scale",
    "tkn_pipelinerun_cancel",
}
"""What others notice, and no undo makes good as it was."""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An engine with what is shipped, and nothing else."""
    with shipped() as made:
        yield made


def every(steps: tuple[Step, ...]) -> Iterator[Step]:
    """The steps in their order, those of groups where the group stands."""
    for step in steps:
        yield step
        if isinstance(step, GroupStep):
            yield from every(step.steps)


def called(skill: Skill, engine: Engine) -> list[Tool]:
    """The tools it calls, in their order."""
    return [engine.registry[step.tool] for step in every(skill.steps) if isinstance(step, ToolStep)]


@pytest.mark.parametrize("name", SHOWN)
def test_a_skill_is_short_and_says_what_it_found(name: str, engine: Engine) -> None:
    """Thirty steps at most, structured outputs beside the summary, and no step that repairs anything."""
    skill = engine.library.load(name)
    assert len(list(every(skill.steps))) <= 30
    outputs = [output.name for output in skill.outputs]
    assert (outputs[0], len(outputs) >= 3) == ("summary", True)
    assert [tool.name for tool in called(skill, engine) if tool.fix] == []


@pytest.mark.parametrize("name", SHOWN)
def test_a_skill_that_writes_can_be_told_not_to_and_asks_before_others_notice(name: str, engine: Engine) -> None:
    """Asking comes before the first such write, and `approved` says that somebody has agreed."""
    skill = engine.library.load(name)
    inputs = {each.name for each in skill.inputs}
    writes = [tool for tool in called(skill, engine) if tool.effect is not Effect.READ]
    assert "dry_run" in inputs or not writes
    steps = list(every(skill.steps))
    noticed = [at for at, step in enumerate(steps) if isinstance(step, ToolStep) and step.tool in ASKED_FOR]
    asked = [at for at, step in enumerate(steps) if isinstance(step, AskStep)]
    if noticed:
        assert asked
        assert asked[0] < noticed[0]
        assert "approved" in inputs


@pytest.mark.parametrize("name", SHOWN)
def test_each_skill_is_shown_to_heal_and_not_to_heal(name: str) -> None:
    """By the real command against servers; the test that is named is there, and runs this skill."""
    for module, test in SHOWN[name]:
        tree = ast.parse((HERE / f"{module}.py").read_text(encoding="utf-8"))
        found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == test]
        assert len(found) == 1, f"{module}.py has no {test}"
        words = ast.unparse(found[0])
        assert f"'{name}'" in words or (name in CALLED and CALLED[name] in words)
        assert "healed" in words
