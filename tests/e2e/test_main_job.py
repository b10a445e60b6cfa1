"""`skill run test_mr_ephemeral` on the local profile: it runs, heals itself, and ends clearly when it cannot."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest


def platform_url(shell: Any) -> str:
    """Where the shell's platform answers."""
    return str(json.loads((shell.platform / "endpoint.json").read_text())["url"])


def get(shell: Any, path: str) -> Any:
    """A public page of the platform, as data."""
    with urllib.request.urlopen(platform_url(shell) + path, timeout=5) as answer:  # noqa: S310 - loopback http of ours
        return json.load(answer)


def standing(shell: Any) -> list[str]:
    """The namespaces that stand, by their folders."""
    folder: Path = shell.platform / "namespaces"
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.exists() else []


def step(result: Any, name: str) -> Any:
    """One step of a run's result."""
    return next(each for each in result["steps"] if each["name"] == name)


def repaired(result: Any) -> list[tuple[str, str]]:
    """What a run found not good and repaired before its first step: the kind that would have come, and the fix."""
    return sorted((each["kind"], each["fix"]) for each in result["preflight"] if each["action"] == "fixed")


def test_first_run_is_repaired_beforehand_and_the_second_needs_nothing(shell: Any) -> None:
    """No platform and no token: both are there before the first step, and no step fails. Then nothing is missing."""
    first = shell.json("run", "test_mr_ephemeral")
    assert (first["status"], first["healed"]) == ("ok", 0)
    assert repaired(first) == [("auth_expired", "kube_login()"), ("connection_refused", "local_platform_start()")]
    assert [each for each in first["steps"] if "first_failure" in each] == []
    assert first["outputs"]["tests"]["passed"] > 0
    assert first["outputs"]["digest"].startswith("sha256:")
    second = shell.json("run", "test_mr_ephemeral")
    assert (second["status"], second["healed"], repaired(second)) == ("ok", 0, [])
    assert {each["action"] for each in second["preflight"]} == {"passed"}
    assert standing(shell) == []


def test_without_pre_flight_the_same_run_heals_twice_and_the_second_not_at_all(shell: Any) -> None:
    """Refused, then 401: two healed steps. Then none."""
    (shell.folder / "skill.toml").write_text("[heal]\npreflight = false\n")
    first = shell.json("run", "test_mr_ephemeral")
    assert (first["status"], first["healed"], first["preflight"]) == ("ok", 2, [])
    kinds = [each["first_failure"]["kind"] for each in first["steps"] if each["status"] == "healed"]
    assert sorted(kinds) == ["auth_expired", "connection_refused"]
    second = shell.json("run", "test_mr_ephemeral")
    assert (second["status"], second["healed"]) == ("ok", 0)
    totals = shell.json("memory", "show", "failures")["stats"]
    assert totals["auto_fixed"] >= 2


def test_a_token_that_expires_for_real_costs_one_login(shell: Any) -> None:
    """Tokens that live twelve seconds: the second run logs in again, once, before its first step."""
    shell.platform.mkdir(parents=True)
    (shell.platform / "settings.json").write_text('{"token_lifetime": 12}')
    assert len(repaired(shell.json("run", "test_mr_ephemeral", "-i", "run_tests=false"))) == 2
    time.sleep(13)
    again = shell.json("run", "test_mr_ephemeral", "-i", "run_tests=false")
    assert (again["status"], again["healed"]) == ("ok", 0)
    assert repaired(again) == [("auth_expired", "kube_login()")]
    assert get(shell, "/metrics.json")["logins"] == 2


def test_a_token_revoked_in_mid_run_is_healed(shell: Any) -> None:
    """What no look can foresee still heals: the token is revoked after pre-flight, and one more login repairs it."""
    (shell.folder / "skills").mkdir()
    (shell.folder / "skills" / "revoked.yaml").write_text(
        "name: revoked\ndescription: Pauses, then reserves.\nsteps:\n"
        "  - {name: pause, tool: wait, args: {seconds: 3}}\n"
        "  - {name: space, tool: bonfire_namespace_reserve, args: {duration: 1m}}\n"
        "  - {name: back, tool: bonfire_namespace_release, args: {namespace: '{{ space.name }}'}}\n"
    )
    process = shell.start("run", "revoked", "--json")
    until = time.monotonic() + 30
    while not (shell.home / "state" / "kubeconfig").exists() and time.monotonic() < until:
        time.sleep(0.05)
    (shell.platform / "settings.json").write_text(json.dumps({"revoked_before": time.time()}))
    output, error = process.communicate(timeout=60)
    result = json.loads(output)
    assert (result["status"], result["healed"]) == ("ok", 1), error
    assert step(result, "space")["first_failure"]["kind"] == "auth_expired"
    assert step(result, "space")["fixes"] == ["kube_login()"]


def test_twenty_runs_at_once_cause_one_login(shell: Any) -> None:
    """Twenty processes find the same expired token; one logs in, the others use its outcome."""
    shell.platform.mkdir(parents=True)
    (shell.platform / "settings.json").write_text('{"pool_limit": 30, "token_lifetime": 12}')
    assert shell.run("run", "test_mr_ephemeral", "-i", "run_tests=false").returncode == 0
    time.sleep(13)
    skills = shell.folder / "skills"
    skills.mkdir()
    (skills / "reserve_only.yaml").write_text(
        "name: reserve_only\ndescription: Reserves and releases.\nsteps:\n"
        "  - {name: space, tool: bonfire_namespace_reserve, args: {duration: 1m}}\n"
        "  - {name: back, tool: bonfire_namespace_release, args: {namespace: '{{ space.name }}'}}\n"
    )
    before = get(shell, "/metrics.json")["logins"]
    running = [shell.start("run", "reserve_only", "--json") for _ in range(20)]
    results = [json.loads(process.communicate(timeout=100)[0]) for process in running]
    assert [result["status"] for result in results] == ["ok"] * 20
    assert sum(len(repaired(result)) for result in results) >= 1
    assert get(shell, "/metrics.json")["logins"] - before == 1


def test_failing_tests_fail_the_run_and_name_the_test(warm_shell: Any) -> None:
    """Exit status 1, the failing test by name, the namespace released."""
    result = warm_shell.json("run", "test_mr_ephemeral", "-i", "mr_id=2", status=1)
    assert result["status"] == "failed"
    assert "test_" in result["message"]
    assert step(result, "give_back")["status"] == "ok"
    assert standing(warm_shell) == []


def test_a_merge_request_that_is_not_built_blocks_with_the_next_action(warm_shell: Any) -> None:
    """Exit status 5, and the command to run; after that command, it runs."""
    result = warm_shell.json("run", "test_mr_ephemeral", "-i", "mr_id=1", status=5)
    assert "skill run build_local_image" in result["message"]
    words = result["message"].split("skill run build_local_image")[1].split()
    built = warm_shell.json("run", "build_local_image", *words)
    assert built["status"] == "ok"
    assert warm_shell.json("run", "test_mr_ephemeral", "-i", "mr_id=1")["status"] == "ok"


def test_a_billing_change_deploys_billing_and_says_why(warm_shell: Any) -> None:
    """The changed files decide; an explicit input wins."""
    found = warm_shell.json("run", "test_mr_ephemeral", "-i", "mr_id=3", "-i", "run_tests=false")
    assert found["outputs"]["app"] == "billing"
    assert "billing/" in found["outputs"]["summary"]
    told = warm_shell.json("run", "test_mr_ephemeral", "-i", "mr_id=3", "-i", "run_tests=false", "-i", "billing=false")
    assert told["outputs"]["app"] == "main"


def test_an_unknown_merge_request_says_which_there_are(warm_shell: Any) -> None:
    """Exit status 1, and the known numbers."""
    result = warm_shell.json("run", "test_mr_ephemeral", "-i", "mr_id=99", status=1)
    assert "99" in result["message"]
    assert "4" in result["message"]


def test_a_short_sha_is_expanded(warm_shell: Any) -> None:
    """Images are tagged with 40 digits; eight are enough for a person. A dry run says all of them."""
    dry = warm_shell.json("run", "test_mr_ephemeral", "-i", "dry_run=true")
    newest = dry["outputs"]["commit_sha"]
    assert f"It would deploy main (demo/shop@{dry['outputs']['digest']}, commit {newest})" in dry["message"]
    assert dry["outputs"]["namespace"] is None
    result = warm_shell.json("run", "test_mr_ephemeral", "-i", f"commit_sha={newest[:8]}", "-i", "run_tests=false")
    assert result["outputs"]["commit_sha"] == newest


def test_an_exhausted_pool_ends_clearly(shell: Any) -> None:
    """One namespace for all, and it is taken: exit status 1, who holds it, and nothing is tried twice."""
    shell.platform.mkdir(parents=True)
    (shell.platform / "settings.json").write_text('{"pool_limit": 1}')
    kept = shell.json("run", "test_mr_ephemeral", "-i", "run_tests=false", "-i", "cleanup_on_success=false")
    result = shell.json("run", "test_mr_ephemeral", "-i", "run_tests=false", status=1)
    assert step(result, "reserve")["failure"]["kind"] == "resource_exhausted"
    assert step(result, "reserve")["attempts"] == 1
    assert standing(shell) == [kept["outputs"]["namespace"]]


def test_a_namespace_of_somebody_else_is_not_released(warm_shell: Any) -> None:
    """Owned by another: permission denied, no login, and the owner is named."""
    secret = warm_shell.platform / "login" / "someone-else.secret"
    secret.write_text("a-secret-of-another-person\n")
    secret.chmod(0o600)
    url = platform_url(warm_shell)
    form = b"grant_type=client_credentials&client_id=someone-else&client_secret=a-secret-of-another-person"
    with urllib.request.urlopen(f"{url}/oauth/token", data=form, timeout=5) as answer:  # noqa: S310 - loopback
        token = json.load(answer)["access_token"]
    request = urllib.request.Request(  # noqa: S310 - loopback http of ours
        f"{url}/api/namespaces",
        data=b'{"duration": 60}',
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - loopback
        name = json.load(answer)["name"]
    (warm_shell.folder / "skills").mkdir(exist_ok=True)
    (warm_shell.folder / "skills" / "take.yaml").write_text(
        "name: take\ndescription: Releases what is not ours.\nsteps:\n"
        f"  - {{name: take, tool: bonfire_namespace_release, args: {{namespace: {name}}}}}\n"
    )
    before = get(warm_shell, "/metrics.json")["logins"]
    result = warm_shell.json("run", "take", status=1)
    taken = step(result, "take")
    assert taken["failure"]["kind"] == "permission_denied"
    assert "someone-else" in taken["failure"]["message"]
    assert taken["remediation"]
    assert get(warm_shell, "/metrics.json")["logins"] == before
    assert name in standing(warm_shell)
    give_back = urllib.request.Request(  # noqa: S310 - loopback http of ours
        f"{url}/api/namespaces/{name}", method="DELETE", headers={"Authorization": f"Bearer {token}"}
    )
    urllib.request.urlopen(give_back, timeout=5).close()  # noqa: S310 - loopback


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_in_mid_deploy_releases_and_exits_130(warm_shell: Any, number: int) -> None:
    """The namespace that was reserved is given back, the run is cancelled, the exit status is 130."""
    process = warm_shell.start("run", "test_mr_ephemeral")
    assert process.stderr is not None
    for line in process.stderr:
        if " reserve " in line:
            break
    os.kill(process.pid, number)
    output, error = process.communicate(timeout=60)
    assert process.returncode == 130, output + error
    assert "give_back" in error
    assert standing(warm_shell) == []
    assert warm_shell.json("status", "last")["status"] == "cancelled"


def test_a_repository_of_ones_own_works_by_commit_and_by_merge_request(warm_shell: Any, tmp_path: Path) -> None:
    """The demo project cloned elsewhere stands for the user's own: build, then test."""
    own = tmp_path / "my-shop"
    forge = warm_shell.platform / "forge" / "demo-shop.git"
    subprocess.run(["git", "clone", "-q", forge, own], check=True, capture_output=True)
    fetch = ["git", "-C", str(own), "fetch", "-q", "origin", "refs/merge-requests/4/head:refs/merge-requests/4/head"]
    subprocess.run(fetch, check=True, capture_output=True)
    short = subprocess.run(
        ["git", "-C", own, "rev-parse", "--short=10", "refs/merge-requests/4/head"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    blocked = warm_shell.json("run", "test_mr_ephemeral", "-i", f"repo={own}", "-i", f"commit_sha={short}", status=5)
    words = blocked["message"].split("skill run build_local_image")[1].split()
    assert warm_shell.json("run", "build_local_image", *words)["status"] == "ok"
    by_commit = warm_shell.json("run", "test_mr_ephemeral", "-i", f"repo={own}", "-i", f"commit_sha={short}")
    by_number = warm_shell.json(
        "run", "test_mr_ephemeral", "-i", f"repo={own}", "-i", "mr_id=4", "-i", "run_tests=false"
    )
    assert by_commit["outputs"]["tests"]["passed"] > 0
    assert by_number["outputs"]["commit_sha"] == by_commit["outputs"]["commit_sha"]


def test_skopeo_agrees_with_the_digest(warm_shell: Any) -> None:
    """An independent client of the same registry sees the digest the run deployed."""
    from shutil import which  # noqa: PLC0415 - the one test that needs it

    skopeo = which("skopeo")
    if skopeo is None:
        pytest.skip("skopeo is not installed; .ci/run installs it")
    result = warm_shell.json("run", "test_mr_ephemeral", "-i", "run_tests=false")["outputs"]
    host = platform_url(warm_shell).removeprefix("http://")
    image = f"docker://{host}/demo/shop:{result['commit_sha']}"
    told = subprocess.run([skopeo, "inspect", "--tls-verify=false", image], check=True, capture_output=True, text=True)
    assert json.loads(told.stdout)["Digest"] == result["digest"]
    missing = subprocess.run(
        [skopeo, "inspect", "--tls-verify=false", f"docker://{host}/demo/shop:{'0' * 40}"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert "manifest unknown" in missing.stderr
