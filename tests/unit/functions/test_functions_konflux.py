"""The tools of Konflux and Tekton, against a stand-in for their custom resources."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

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
    condition,
    konflux,
    settings,
)
from tests.servers.kubernetes import kubeconfig
from tests.servers.kubernetes_checks import RefusedError
from tests.unit.functions.shop_repository import Contexts
from tool_registry.functions.konflux import (
    konflux_get_component,
    konflux_list_applications,
    konflux_list_components,
    konflux_status,
)
from tool_registry.functions.konflux_plans import konflux_list_release_plans
from tool_registry.functions.konflux_releases import (
    konflux_create_release,
    konflux_get_release,
    konflux_list_releases,
)
from tool_registry.functions.konflux_snapshots import konflux_get_snapshot, konflux_list_snapshots
from tool_registry.functions.konflux_tests import konflux_list_integration_tests
from tool_registry.functions.running_images import kubectl_get_images
from tool_registry.functions.tekton import tkn_pipelinerun_describe, tkn_pipelinerun_list, tkn_taskrun_list
from tool_registry.functions.tekton_work import tkn_pipelinerun_cancel, tkn_pipelinerun_logs
from tool_registry.tool import ToolContext, ToolError


@pytest.fixture
def server() -> Iterator[Konflux]:
    """A furnished Konflux."""
    with konflux() as made:
        yield made


@pytest.fixture
def here(server: Konflux, contexts: Contexts, tmp_path: Path) -> ToolContext:
    """A context whose domain is the tenant's, in a step of a run."""
    (tmp_path / "token").write_text(server.cluster.grant())
    made = contexts(settings(server, token_file=str(tmp_path / "token")))
    return replace(made, run_id="run-1", step="release")


async def refused(call: Any) -> ToolError:
    """The failure of a call."""
    with pytest.raises(ToolError) as caught:
        await call
    return caught.value


async def ended(release: str, context: ToolContext) -> dict[str, Any]:
    """The release, once it has ended."""
    with anyio.fail_after(10):
        while True:
            told = (await konflux_get_release(release, context))["release"]
            if told and told["done"]:
                return dict(told)
            await anyio.sleep(0.02)


async def test_a_tenant_is_summed_up(here: ToolContext) -> None:
    """What there is, what runs and what failed; another application has none of it."""
    told = await konflux_status(here)
    assert (told["namespace"], told["applications"], told["components"]) == (TENANT, ["shop"], 1)
    assert ([one["name"] for one in told["running"]], [one["name"] for one in told["failed"]]) == ([BUILD], [TEST])
    assert told["counts"] == {"running": 1, "failed": 1, "succeeded": 1}
    other = await konflux_status(here, application="other")
    assert (other["applications"], other["components"], other["looked_at"]) == ([], 0, 0)
    assert (await konflux_status(here, recent=1))["truncated"]


async def test_applications_and_components_are_listed(here: ToolContext) -> None:
    """By name, and a component with its newest image by digest."""
    assert (await konflux_list_applications(here))["applications"][0]["title"] == "The shop"
    assert (await konflux_list_components(here, "shop"))["names"] == ["shop-api"]
    assert (await konflux_list_components(here, "other"))["count"] == 0
    component = (await konflux_get_component("shop-api", here))["component"]
    assert component is not None
    assert (component["digest"], component["built_commit"], component["revision"]) == (GOOD, "a" * 40, "main")
    assert await konflux_get_component("nope", here) == {"found": False, "component": None}


async def test_snapshots_tell_what_was_pushed_and_whether_it_passed(here: ToolContext, server: Konflux) -> None:
    """The newest first; those of requests are not pushed."""
    server.snapshot(FAILED, BAD, 5, {"shop-e2e": "TestFail"})
    server.snapshot(RUNNING, BAD, 1, {"shop-e2e": "InProgress"})
    told = await konflux_list_snapshots(here, application="shop")
    assert told["names"] == [RUNNING, FAILED, REQUESTED, PASSED]
    assert [one["tests"] for one in told["snapshots"]] == ["running", "failed", "passed", "passed"]
    assert (await konflux_list_snapshots(here, pushed=False))["names"] == [REQUESTED]
    assert (await konflux_list_snapshots(here, component="shop-api", pushed=True, limit=1))["names"] == [RUNNING]
    assert (await konflux_list_snapshots(here, sha="c" * 8))["names"] == [REQUESTED]
    one = (await konflux_get_snapshot(PASSED, here))["snapshot"]
    assert one is not None
    assert (one["images"][0]["digest"], one["images"][0]["component"], one["pushed"]) == (GOOD, "shop-api", True)
    assert not (await konflux_get_snapshot("nope", here))["found"]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ([], "none"),
        ([("AppStudioTestSucceeded", "True", "Passed")], "passed"),
        ([("HACBSStudioTestSucceeded", "True", "Passed")], "passed"),
        ([("AppStudioTestSucceeded", "False", "Failed")], "failed"),
        ([("AppStudioTestSucceeded", "Unknown", "InProgress")], "running"),
        ([("AppStudioIntegrationStatus", "False", "Invalid")], "failed"),
        ([("AppStudioIntegrationStatus", "False", "Canceled")], "cancelled"),
    ],
)
async def test_what_the_conditions_of_a_snapshot_mean(
    said: list[tuple[str, str, str]], outcome: str, here: ToolContext, server: Konflux
) -> None:
    """As the integration service sets them, by their older names too."""
    status = {"conditions": [condition(*each) for each in said]}
    server.cluster.objects.add("snapshots", "odd", TENANT, spec={"application": "shop"}, status=status)
    told = (await konflux_get_snapshot("odd", here))["snapshot"]
    assert told is not None
    assert (told["tests"], told["pushed"]) == (outcome, True)


async def test_integration_tests_tell_what_they_said_of_a_snapshot(here: ToolContext, server: Konflux) -> None:
    """Optional ones do not count; one that noted nothing did not run."""
    server.snapshot(FAILED, BAD, 5, {"shop-e2e": "TestFail", "shop-contract": "TestFail"})
    told = await konflux_list_integration_tests(here, snapshot=FAILED)
    assert [(one["name"], one["optional"], one["status"]) for one in told["tests"]] == [
        ("shop-contract", True, "TestFail"),
        ("shop-e2e", False, "TestFail"),
    ]
    assert (told["failed"], told["waiting"], told["outcome"]) == (["shop-e2e"], [], "failed")
    assert told["tests"][1]["pipeline_run"] == TEST
    plain = await konflux_list_integration_tests(here, application="shop")
    assert ([one["outcome"] for one in plain["tests"]], plain["outcome"]) == (["none", "none"], "none")
    assert not (await konflux_list_integration_tests(here, snapshot="nope"))["found"]


async def test_results_that_are_no_json_are_a_broken_promise(here: ToolContext, server: Konflux) -> None:
    """Of a snapshot whose annotation somebody cut off."""
    objects = server.cluster.objects
    found = objects.find("snapshots", TENANT, PASSED)
    assert found is not None
    found["metadata"]["annotations"]["test.appstudio.openshift.io/status"] = "[{"
    assert (await refused(konflux_list_integration_tests(here, snapshot=PASSED))).kind == "api_contract_mismatch"


async def test_a_release_is_begun_once_in_a_step_and_followed(here: ToolContext, server: Konflux) -> None:
    """Its name follows from run and step; another step begins another one."""
    assert (await konflux_list_release_plans(here, "shop"))["names"] == ["shop-production", "shop-staging"]
    assert (await konflux_list_releases(here))["count"] == 0
    made = await konflux_create_release(PASSED, "shop-production", here)
    again = await konflux_create_release(PASSED, "shop-production", here)
    assert (made["changed"], again["changed"]) == (True, False)
    assert made["release"]["name"] == again["release"]["name"]
    assert made["release"]["status"] == "progressing"
    assert len(server.cluster.writes()) == 2
    told = await ended(made["release"]["name"], here)
    assert (told["status"], told["failed"], list(told["pipelines"])) == ("succeeded", [], ["managed"])
    other = await konflux_create_release(PASSED, "shop-production", replace(here, step="other"))
    assert other["release"]["name"] != made["release"]["name"]
    assert (await konflux_list_releases(here, PASSED, "shop-production"))["count"] == 2
    assert (await konflux_list_releases(here, PASSED, "shop-staging"))["count"] == 0
    assert not (await konflux_get_release("nope", here))["found"]


async def test_an_answer_that_is_lost_does_not_release_twice(here: ToolContext, server: Konflux) -> None:
    """The release was begun, and the connection cut: the second call finds it."""
    server.cluster.losing = "POST"
    lost = await refused(konflux_create_release(PASSED, "shop-production", here))
    assert lost.sent
    assert not (await konflux_create_release(PASSED, "shop-production", here))["changed"]
    assert (await konflux_list_releases(here))["count"] == 1


async def test_a_release_by_a_plan_that_is_not_there_fails_with_its_reason(here: ToolContext) -> None:
    """It is refused by nobody, and never valid."""
    made = await konflux_create_release(PASSED, "nope", here)
    told = (await konflux_get_release(made["release"]["name"], here))["release"]
    assert told is not None
    assert (told["status"], told["failed"]) == ("failed", ["Validated", "Released"])
    assert "not found" in told["message"]


async def test_a_name_of_a_release_is_short_enough_for_a_label(here: ToolContext, server: Konflux) -> None:
    """However long the snapshot's is."""
    long = "a-" * 30 + "z"
    server.snapshot(long, GOOD, 1, {})
    made = await konflux_create_release(long, "shop-production", here)
    assert len(made["release"]["name"]) <= 63
    assert "--" not in made["release"]["name"]


async def test_a_limit_shortens_a_list_and_not_its_count(here: ToolContext, server: Konflux) -> None:
    """Of lists by name as of those by time; so a tenant is summed up with all its components."""
    for number in range(3):
        server.cluster.objects.add("components", f"more-{number}", TENANT, spec={"application": "shop"})
    parts = await konflux_list_components(here, limit=2)
    assert (len(parts["components"]), parts["count"], parts["truncated"]) == (2, 4, True)
    tasks = await tkn_taskrun_list(here, limit=1)
    assert (len(tasks["task_runs"]), tasks["truncated"]) == (1, True)
    assert tasks["count"] == (await tkn_taskrun_list(here))["count"] > 1


async def test_pipeline_runs_are_found_by_what_they_were_begun_for(here: ToolContext) -> None:
    """The newest first, by state, request, branch, component or snapshot."""
    assert (await tkn_pipelinerun_list(here))["names"] == [BUILD, TEST, OLD]
    assert (await tkn_pipelinerun_list(here, state="active"))["names"] == [BUILD]
    assert (await tkn_pipelinerun_list(here, state="failed"))["names"] == [TEST]
    assert (await tkn_pipelinerun_list(here, state="finished", limit=1)) | {"pipeline_runs": []} == {
        "namespace": TENANT, "pipeline_runs": [], "names": [TEST], "count": 2, "truncated": True,
    }  # fmt: skip
    assert (await tkn_pipelinerun_list(here, pull_request=7))["names"] == [BUILD]
    assert (await tkn_pipelinerun_list(here, branch="main", component="shop-api"))["count"] == 3
    assert (await tkn_pipelinerun_list(here, branch="other"))["count"] == 0
    assert (await tkn_pipelinerun_list(here, application="other"))["count"] == 0


async def test_a_pipeline_run_is_described_with_its_tasks(here: ToolContext, server: Konflux) -> None:
    """Which failed, by which step; and its results."""
    found = server.cluster.objects.find("pipelineruns", TENANT, TEST)
    assert found is not None
    found["status"] |= {"results": [{"name": "IMAGE_DIGEST", "value": GOOD}], "skippedTasks": [{"name": "scan"}]}
    told = await tkn_pipelinerun_describe(TEST, here)
    assert (told["failed"], told["skipped"], told["results"]) == (["run-tests"], ["scan"], {"IMAGE_DIGEST": GOOD})
    failed = next(one for one in told["task_runs"] if one["task"] == "run-tests")
    assert failed["failed_steps"] == [{"step": "main", "exit_status": 1, "reason": "Error"}]
    assert not (await tkn_pipelinerun_describe("nope", here))["found"]
    tasks = await tkn_taskrun_list(here, TEST)
    assert (tasks["count"], tasks["failed"]) == (2, ["run-tests"])
    assert (await tkn_taskrun_list(here))["count"] == 3


async def test_the_logs_of_what_failed(here: ToolContext, server: Konflux) -> None:
    """The failed step's last lines; of a pod that was pruned it is told that it is gone."""
    told = await tkn_pipelinerun_logs(TEST, here, lines=1)
    assert [(one["task"], one["step"], one["exit_status"], one["lines"]) for one in told["logs"]] == [
        ("run-tests", "main", 1, ["1 failed, 11 passed"])
    ]
    named = await tkn_pipelinerun_logs(TEST, here, tasks=["tidy-up"])
    assert [one["task"] for one in named["logs"]] == ["tidy-up"]
    objects = server.cluster.objects
    objects.kept["pods"] = [one for one in objects.kept["pods"] if "run-tests" not in one["metadata"]["name"]]
    gone = await tkn_pipelinerun_logs(TEST, here)
    assert [(one["gone"], one["lines"]) for one in gone["logs"]] == [(True, [])]
    assert not (await tkn_pipelinerun_logs("nope", here))["found"]


async def test_a_pipeline_run_is_cancelled_once(here: ToolContext, server: Konflux) -> None:
    """One that has ended stays as it is, and is not written to."""
    done = await tkn_pipelinerun_cancel(BUILD, here, how="CancelledRunFinally")
    again = await tkn_pipelinerun_cancel(BUILD, here, how="CancelledRunFinally")
    assert done["pipeline_run"] is not None
    assert (done["changed"], done["pipeline_run"]["cancelling"], again["changed"]) == (True, True, False)
    assert not (await tkn_pipelinerun_cancel(OLD, here))["changed"]
    assert not (await tkn_pipelinerun_cancel("nope", here))["found"]
    assert len(server.cluster.writes()) == 1
    await anyio.sleep(server.takes)
    told = await tkn_pipelinerun_describe(BUILD, here)
    assert told["pipeline_run"] is not None
    assert (told["pipeline_run"]["status"], told["pipeline_run"]["reason"]) == ("cancelled", "Cancelled")


async def test_a_run_that_ends_just_before_it_is_cancelled_has_ended(here: ToolContext, server: Konflux) -> None:
    """Tekton's admission refuses the change; that is no failure."""

    def admission(_: Any, one: Any, __: str) -> None:
        one["status"]["conditions"] = [condition("Succeeded", "True", "Succeeded")]
        why = 'admission webhook "validation.webhook.pipeline.tekton.dev" denied the request'
        raise RefusedError(400, "BadRequest", why)

    server.cluster.objects.controllers["pipelineruns"] = [admission]
    told = await tkn_pipelinerun_cancel(BUILD, here)
    assert told["pipeline_run"] is not None
    assert (told["changed"], told["pipeline_run"]["status"]) == (False, "succeeded")


@pytest.mark.parametrize(
    ("status", "reason", "standing"),
    [
        ("Unknown", "Started", "running"),
        ("Unknown", "PipelineRunPending", "pending"),
        ("True", "Completed", "succeeded"),
        ("False", "PipelineRunTimeout", "timed_out"),
        ("False", "CouldntGetPipeline", "failed"),
        ("False", "StoppedRunFinally", "cancelled"),
    ],
)
async def test_how_a_run_stands(status: str, reason: str, standing: str, here: ToolContext, server: Konflux) -> None:
    """By its condition `Succeeded` and the reason for it."""
    server.run("odd", 1, condition("Succeeded", status, reason))
    told = (await tkn_pipelinerun_describe("odd", here))["pipeline_run"]
    assert told is not None
    assert (told["status"], told["active"]) == (standing, standing in ("running", "pending"))


async def test_what_runs_is_told_by_digest(here: ToolContext, server: Konflux) -> None:
    """Of a pod whose image has a tag, the digest that the machine took."""
    told = await kubectl_get_images(PROD, here)
    assert (told["digests"], told["waiting"], told["count"]) == ([NEXT], [], 1)
    server.deployed(GOOD)
    asked = await kubectl_get_images(PROD, here, "app=shop-api", GOOD)
    assert (asked["digests"], asked["having"], asked["lacking"]) == ([GOOD], ["shop-api-1"], [])
    assert (await kubectl_get_images(PROD, here, digest=NEXT))["lacking"] == ["shop-api-1"]
    assert (await kubectl_get_images(PROD, here, "app=other"))["count"] == 0


async def test_the_namespace_is_the_domain_s_or_the_kubeconfig_s(
    here: ToolContext, server: Konflux, contexts: Contexts, tmp_path: Path
) -> None:
    """Named, set, or where the kubeconfig's context stands; else it is asked for before anybody is."""
    assert (await konflux_list_applications(here, namespace=PROD))["count"] == 0
    config = kubeconfig(tmp_path / "config", server.cluster, {"token": server.cluster.grant()})
    said = json.loads(config.read_text())
    said["contexts"][0]["context"]["namespace"] = TENANT
    config.write_text(json.dumps(said))
    assert (await konflux_list_applications(contexts({"kubeconfig": str(config)})))["namespace"] == TENANT
    del said["contexts"][0]["context"]["namespace"]
    config.write_text(json.dumps(said))
    failed = await refused(konflux_list_applications(contexts({"kubeconfig": str(config)})))
    assert (failed.kind, failed.sent) == ("configuration_error", False)


async def test_what_is_forbidden_and_what_is_not_installed(here: ToolContext, server: Konflux) -> None:
    """The API's own words, each to its kind."""
    server.cluster.forbidden.add(("create", "releases"))
    failed = await refused(konflux_create_release(PASSED, "shop-production", here))
    assert (failed.http_status, failed.details["reason"]) == (403, "Forbidden")
    server.cluster.objects.absent.add("tekton.dev")
    for call in (tkn_pipelinerun_list(here), tkn_pipelinerun_describe(BUILD, here)):
        absent = await refused(call)
        assert (absent.http_status, absent.kind) == (404, "resource_not_found")


async def test_the_usual_context_is_not_asked_where_no_cluster_is_described(contexts: Contexts, tmp_path: Path) -> None:
    """A call under a condition comes past what is looked at before a run."""
    (tmp_path / ".kube").mkdir()
    with konflux() as server:
        kubeconfig(tmp_path / ".kube" / "config", server.cluster, {})
        nobody = contexts({}, HOME=str(tmp_path), KUBECONFIG="")
        for namespace in ("", TENANT):
            with pytest.raises(ToolError, match="nobody says which cluster is meant") as failed:
                await konflux_list_applications(nobody, namespace)
            assert failed.value.kind == "configuration_error"
        assert server.cluster.asked == []


@pytest.mark.parametrize(
    ("resource", "look"),
    [
        ("applications", konflux_list_applications),
        ("components", konflux_list_components),
        ("releases", konflux_list_releases),
        ("snapshots", konflux_list_snapshots),
        ("releaseplans", konflux_list_release_plans),
        ("pipelineruns", tkn_pipelinerun_list),
        ("taskruns", tkn_taskrun_list),
        ("pipelineruns", konflux_status),
    ],
)
async def test_objects_of_another_shape_are_told_as_such(
    resource: str, look: Any, server: Konflux, here: ToolContext
) -> None:
    """Those of a version that is not known here: never a crash, and never a wrong answer."""
    odd = {"name": "odd", "namespace": TENANT, "labels": {"appstudio.openshift.io/application": "shop"}}
    server.cluster.objects.kept[resource].append({"metadata": odd, "spec": ["odd"], "status": ["odd"]})
    error = await refused(look(here))
    assert (error.kind, error.output) == ("api_contract_mismatch", "")
