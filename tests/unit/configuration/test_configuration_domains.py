"""Clusters, services and networks, and the domains they mean."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from engine.configuration import SERVICES, described, references, written_at
from engine.model.heal import Domain, HealMode
from engine.model.outcome import ToolCall
from tool_registry.registry import default_registry
from tool_registry.tool import Effect

STATE = Path("/state")


def domains(*files: str) -> dict[str, Domain]:
    """What these files mean, the state folder being /state."""
    return described(*map(tomllib.loads, files), state=STATE)


def test_a_cluster_is_a_domain_with_its_login() -> None:
    """`kube_login` reads how; who is logged in and how long is known of every cluster."""
    stage = domains(
        """
        [clusters.stage]
        description = "Where it is tried."
        kubeconfig = "~/.kube/config"
        context = "stage"
        mode = "ask"
        login.command = ["oc", "login", "--web"]
        """
    )["stage"]
    assert (stage.kind, stage.description, stage.mode) == ("cluster", "Where it is tried.", HealMode.ASK)
    assert stage.settings == {
        "kubeconfig": "~/.kube/config",
        "context": "stage",
        "login": {"command": ["oc", "login", "--web"]},
    }
    login = stage.fixes["login"]
    assert (login.call.tool, login.verify, stage.look) == (
        "kube_login",
        ToolCall(tool="kube_whoami", args={}),
        ToolCall(tool="kube_whoami", args={}),
    )
    assert stage.expiry is not None
    assert stage.expiry.call.args == {"kubeconfig": "~/.kube/config", "context_name": "stage"}


def test_a_cluster_by_its_address_keeps_its_token_in_the_state_folder() -> None:
    """A file of its own, unless one is named; how long it holds is read from it without asking anybody."""
    found = domains(
        """
        [clusters]
        prod = {url = "https://api.prod.example:6443", login = {token_url = "https://sso.example/token"}}
        other = {url = "https://api.other.example", token_file = "{state}/mine"}
        """
    )
    assert found["prod"].settings["token_file"] == "/state/clusters/prod.token"
    assert found["other"].settings["token_file"] == "/state/mine"
    assert found["other"].fixes == {}
    expiry = found["prod"].expiry
    assert expiry is not None
    assert (expiry.call, expiry.offline) == (
        ToolCall(tool="token_expiry", args={"file": "/state/clusters/prod.token"}),
        True,
    )


def test_a_cluster_whose_login_is_a_tool_of_ones_own_calls_that() -> None:
    """And its tools are told nothing of it."""
    found = domains('clusters.prod = {kubeconfig = "k", login = {tool = "my_login", args = {to = "prod"}}}')["prod"]
    assert found.fixes["login"].call == ToolCall(tool="my_login", args={"to": "prod"})
    assert "login" not in found.settings


def test_a_service_is_the_domain_of_its_kind() -> None:
    """What is known of the kind goes along: who looks, and who logs in."""
    found = domains(
        """
        [services.gitlab]
        url = "https://gitlab.example"
        credential = {env = "T"}
        login = {tool = "renew"}

        [services.registry]
        url = "https://quay.example"
        username = "robot"
        credential = {file = "~/quay"}

        [services.git]
        url = "https://gitlab.example"
        """
    )
    gitlab, registry, git = (found[name] for name in ("gitlab", "registry", "git"))
    assert gitlab.settings == {"url": "https://gitlab.example", "credential": {"env": "T"}}
    assert (gitlab.kind, gitlab.fixes["login"].call.tool) == ("service", "renew")
    assert gitlab.look == gitlab.fixes["login"].verify == ToolCall(tool="gitlab_login_state", args={})
    assert {*registry.fixes} == {"login", "registry_login"}
    assert registry.look == ToolCall(tool="registry_login_state", args={"registry": "https://quay.example"})
    assert (git.fixes, git.look) == ({}, None)


def test_what_lies_in_a_network_is_connected_to_it() -> None:
    """The fix gets its settings, the probe is looked at beforehand and afterwards; networks of any file count."""
    found = domains(
        """
        [networks.office]
        connect.command = ["vpn", "up"]
        probe = "[fd00::1]:443"
        password = {keyring = {service = "vpn", username = "ann"}}
        """,
        """
        [services.jira]
        url = "https://jira.example"
        network = "office"

        [domains.shop]
        network = "office"
        fixes.connect = {call = {tool = "mine"}}
        """,
    )
    jira, reached = found["jira"], ToolCall(tool="network_reachable", args={"host": "fd00::1", "port": 443})
    assert jira.settings["network"] == {
        "name": "office",
        "command": ["vpn", "up"],
        "probe": "[fd00::1]:443",
        "password": {"keyring": {"service": "vpn", "username": "ann"}},
    }
    assert (jira.fixes["connect"].call, jira.fixes["connect"].verify) == (
        ToolCall(tool="vpn_connect", args={}),
        reached,
    )
    check = jira.checks["network"]
    assert (check.call, check.role, check.kind) == (reached, "connect", "network_unreachable")
    assert found["shop"].fixes["connect"].call.tool == "mine"


def test_the_long_form_is_laid_over_the_short_one() -> None:
    """Settings, fixes and checks one by one, everything else as a whole."""
    jira = domains(
        """
        [services.jira]
        url = "https://jira.example"
        project = "SHOP"
        login = {tool = "renew"}

        [domains.jira]
        mode = "suggest"
        settings.project = "OTHER"
        fixes.login = {call = {tool = "renew"}, cooldown = 0}
        """
    )["jira"]
    assert jira.settings == {"url": "https://jira.example", "project": "OTHER"}
    assert (jira.mode, jira.fixes["login"].cooldown, jira.kind) == (HealMode.SUGGEST, 0.0, "service")


def test_a_later_file_replaces_a_domain_as_a_whole() -> None:
    """A workspace's own word about a place of its profile is the only one."""
    first = 'services.jira = {url = "https://jira.example", project = "SHOP"}'
    found = domains(first, 'domains.jira.settings = {url = "https://other.example"}')
    assert found["jira"].settings == {"url": "https://other.example"}


def test_the_state_folder_is_written_into_every_text() -> None:
    """Settings and the arguments of calls alike."""
    found = domains('domains.a = {settings = {kept = ["{state}/x"]}, look = {tool = "t", args = {file = "{state}/y"}}}')
    assert found["a"].settings == {"kept": ["/state/x"]}
    assert found["a"].look == ToolCall(tool="t", args={"file": "/state/y"})


def test_the_credentials_of_a_domain_are_named_with_where_they_are_kept() -> None:
    """Also inside a login and a network; the usual variable counts where nothing else is named."""
    found = domains(
        """
        [networks.office]
        connect.command = ["vpn", "up"]
        probe = "vpn:443"
        password = {command = ["pass", "vpn"]}

        [services]
        registry = {url = "https://q", credential = {env = "A"}, api_credential = {file = "b"}, network = "office"}
        slack = {credential = {keyring = {service = "slack", username = "ann"}}}
        gitlab = {url = "https://g"}

        [clusters.prod]
        url = "https://api"
        login = {token_url = "https://sso", client_secret = {env = "S"}, refresh_token = {file = "r"}}
        """
    )
    told = {each.setting: each.words for each in references(found["registry"])}
    assert told == {
        "credential": "the environment variable A",
        "api_credential": "the file b",
        "network.password": "what the program pass prints",
    }
    assert [each.words for each in references(found["slack"])] == ["the keyring's ann at slack"]
    assert [(each.words, each.usual) for each in references(found["gitlab"])] == [
        ("the environment variable GITLAB_TOKEN", True)
    ]
    assert {each.setting for each in references(found["prod"])} == {"login.client_secret", "login.refresh_token"}


def test_where_a_domain_is_written_is_known() -> None:
    """Its short form's section, if it has one."""
    file = tomllib.loads("clusters.a = {}\nservices.jira = {}\ndomains.b = {}\ndomains.jira = {}")
    assert [written_at(file, name) for name in ("a", "jira", "b")] == [
        ("clusters", "a"),
        ("services", "jira"),
        ("domains", "b"),
    ]
    assert written_at(file, "jira", "fixes", "login", "call") == ("services", "jira", "login")


@pytest.mark.parametrize("kind", SERVICES)
def test_what_is_known_of_a_service_names_tools_there_are(kind: str) -> None:
    """The one that looks only reads; the one that logs in is a fix."""
    registry, known = default_registry(), SERVICES[kind]
    if known.look:
        assert registry[known.look["tool"]].effect is Effect.READ
    if known.login:
        assert registry[known.login["tool"]].fix is not None
