"""Every domain is asked side by side, and what is said of it is what its server said."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from engine import Engine
from engine.model.call import ToolCall
from engine.model.failure import FailureKind
from engine.surroundings.standing import Place, Standing, standings
from engine.workspace import Workspace
from tests.servers.gitlab import gitlab
from tests.servers.hostile import Behaviour, hostile
from tests.servers.kubernetes import kubeconfig, kubernetes

BRIEFLY = 0.4
"""Seconds a look has here."""
EVER = 30.0
"""Seconds after which a test is lost: much more than all looks together may take."""


async def standing(
    folder: Path, settings: Mapping[str, Any], *, offline: bool = False, within: float = 5.0
) -> dict[str, Standing]:
    """How the domains of these settings are doing, by name; the local profile's are left out."""
    place = Workspace(folder=folder, home=folder / "home", settings=settings)
    async with Engine(place) as engine:
        own = {name: domain for name, domain in engine.domains.items() if domain.settings.get("profile") != "local"}
        with anyio.fail_after(EVER):
            found = await standings(
                own, engine.healer.calls, place=Place(run_id="test"), offline=offline, within=within
            )
    return {each.domain.name: each for each in found}


async def test_who_we_are_and_how_long_that_holds(tmp_path: Path) -> None:
    """GitLab tells both; a cluster tells who, and a token that tells no end is nothing missing."""
    with kubernetes() as cluster, gitlab(tmp_path) as forge:
        file = kubeconfig(tmp_path / "config", cluster, {"token": cluster.grant()})
        (tmp_path / "token").write_text(forge.token("api", expires=time.time() + 86_400 * 3))
        found = await standing(
            tmp_path,
            {
                "clusters": {"stage": {"kubeconfig": str(file), "context": "stage"}},
                "services": {"gitlab": {"url": forge.url, "credential": {"file": "token"}}},
            },
        )
    assert (found["stage"].ok, found["stage"].user, found["stage"].expires_at) == (True, "ann", None)
    assert (found["gitlab"].ok, found["gitlab"].user) == (True, "ada")
    assert found["gitlab"].expires_at is not None


async def test_a_login_that_is_over_names_the_fix_that_would_renew_it(tmp_path: Path) -> None:
    """Nothing is repaired: that is for a run, and for `skill health check`."""
    with kubernetes() as cluster:
        file = kubeconfig(tmp_path / "config", cluster, {"token": "over"})
        told = {"kubeconfig": str(file), "context": "stage"}
        login = {"login": {"command": ["sh", "-c", "touch logged-in"]}}
        found = await standing(tmp_path, {"clusters": {"stage": {**told, **login}, "other": told}})
    assert [(each.ok, each.kind, each.fix, each.without) for each in found.values()] == [
        (False, FailureKind.AUTH_EXPIRED, ToolCall(tool="kube_login", args={}), ""),
        (False, FailureKind.AUTH_EXPIRED, None, ""),
    ]
    assert not (tmp_path / "logged-in").exists()


@pytest.mark.parametrize("behaviour", [Behaviour.SILENT, Behaviour.DRIP, Behaviour.DRIP_BODY, Behaviour.HALF_TLS])
async def test_servers_that_never_answer_are_not_waited_for(behaviour: Behaviour, tmp_path: Path) -> None:
    """All at once, each for its own time, however many there are; it is not known how they are doing."""
    with hostile(behaviour) as server:
        (tmp_path / "config").write_text(_kubeconfig(server.url))
        services = {kind: {"url": server.url} for kind in ("gitlab", "prometheus", "alertmanager", "registry")}
        clusters = {"stage": {"kubeconfig": str(tmp_path / "config")}}
        found = await standing(tmp_path, {"services": services, "clusters": clusters}, within=BRIEFLY)
    assert {name for name, each in found.items() if each.ok is not True} == {*services, "stage"}


@pytest.mark.parametrize("behaviour", [Behaviour.RATE_LIMITED, Behaviour.WRONG_TYPE, Behaviour.CUT_BODY])
async def test_what_a_server_says_wrong_is_never_taken_for_well(behaviour: Behaviour, tmp_path: Path) -> None:
    """A page for people with status 200, half a body, a limit of an hour."""
    with hostile(behaviour) as server:
        services = {kind: {"url": server.url} for kind in ("gitlab", "prometheus", "alertmanager", "registry")}
        found = await standing(tmp_path, {"services": services}, within=2.0)
    assert [name for name, each in found.items() if each.ok] == []
    assert all(each.message for each in found.values())


async def test_a_credential_that_is_not_there_is_told_without_asking(tmp_path: Path) -> None:
    """A variable that is not set, a file, also in the home of nobody, a program; offline too."""
    url = "http://127.0.0.1:9"
    found = await standing(
        tmp_path,
        {
            "services": {
                "gitlab": {"url": url, "credential": {"env": "NO_SUCH_TOKEN_IN_THE_TEST"}},
                "prometheus": {"url": url, "credential": {"file": "gone"}},
                "alertmanager": {"url": url, "credential": {"command": ["no-such-program", "show"]}},
                "kibana": {"url": url, "credential": {"file": "~nobody-has-this-name/token"}},
            }
        },
        offline=True,
    )
    assert "NO_SUCH_TOKEN_IN_THE_TEST" not in os.environ
    assert {name: each.message for name, each in found.items()} == {
        "gitlab": "the environment variable NO_SUCH_TOKEN_IN_THE_TEST is not set",
        "prometheus": "there is no file gone",
        "alertmanager": "the program no-such-program is not on the PATH",
        "kibana": "there is no file ~nobody-has-this-name/token",
    }


async def test_a_service_that_cannot_say_who_we_are_is_looked_for_at_its_address(tmp_path: Path) -> None:
    """It can be reached, or not; no more is said of it. Offline nothing is."""
    with gitlab(tmp_path) as forge:
        settings = {
            "domains": {"shop": {"settings": {"url": forge.url}}, "gone": {"settings": {"url": "http://127.0.0.1:9"}}}
        }
        found = await standing(tmp_path, settings)
        silent = await standing(tmp_path, settings, offline=True)
    assert (found["shop"].ok, found["shop"].reached) == (True, True)
    assert (found["gone"].ok, found["gone"].kind) == (False, FailureKind.CONNECTION_REFUSED)
    assert [(each.asked, each.ok) for each in silent.values()] == [(False, None), (False, None)]


async def test_a_fix_that_cannot_run_here_is_not_promised(tmp_path: Path) -> None:
    """Its program is not on the PATH, or no tool is called so."""
    with kubernetes() as cluster:
        file = kubeconfig(tmp_path / "config", cluster, {"token": "over"})
        login = {"command": ["no-such-program", "login"]}
        told = {
            "clusters": {"stage": {"kubeconfig": str(file), "login": login}},
            "services": {"prometheus": {"url": cluster.url, "login": {"tool": "no_such_tool"}}},
        }
        found = await standing(tmp_path, told)
    assert [(each.ok, bool(each.fix), each.without) for each in found.values()] == [
        (False, True, "no-such-program"),
        (False, False, ""),
    ]


async def test_settings_that_make_a_look_impossible_are_wrong(tmp_path: Path) -> None:
    """It is not a server that did not answer: nothing works there before somebody mends the settings."""
    file = tmp_path / "config"
    file.write_text(_kubeconfig("http://127.0.0.1:9").replace("{server:", "{proxy-url: 'http://127.0.0.1:1', server:"))
    found = await standing(tmp_path, {"clusters": {"stage": {"kubeconfig": str(file)}}})
    assert (found["stage"].ok, found["stage"].kind) == (False, FailureKind.CONFIGURATION_ERROR)
    assert "says proxy-url" in found["stage"].message


async def test_a_context_or_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the contexts that there are: nobody would find a slip of the pen in `it holds no credentials`."""
    (tmp_path / "config").write_text(_kubeconfig("http://127.0.0.1:9"))
    misspelt = {"kubeconfig": str(tmp_path / "config"), "context": "stag"}
    found = await standing(tmp_path, {"clusters": {"a": misspelt, "b": {"kubeconfig": str(tmp_path / "gone")}}})
    assert found["a"].ok is False
    assert found["a"].message.endswith("config has no context stag; it has stage")
    assert (found["b"].ok, found["b"].message) == (False, f"there is no file {tmp_path / 'gone'}")


async def test_without_a_connection_nobody_looks_at_the_login(tmp_path: Path) -> None:
    """The network's check comes first, and the first look that finds something is the last."""
    network = {"office": {"connect": {"command": ["sh", "-c", "touch connected"]}, "probe": "127.0.0.1:9"}}
    with gitlab(tmp_path) as forge:
        told = {"gitlab": {"url": forge.url, "network": "office"}}
        found = await standing(tmp_path, {"services": told, "networks": network})
        assert forge.asked == []
    assert (found["gitlab"].ok, found["gitlab"].fix) == (False, ToolCall(tool="vpn_connect", args={}))
    assert not (tmp_path / "connected").exists()


def _kubeconfig(url: str) -> str:
    return (
        f"current-context: stage\nclusters: [{{name: c, cluster: {{server: '{url}'}}}}]\n"
        "contexts: [{name: stage, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {token: t}}]\n"
    )
