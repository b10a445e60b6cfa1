"""The short forms, written out as domains; decided from what was written alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.configuration.services import SERVICES

Raw = Mapping[str, Any]
"""A domain as `[domains.NAME]` writes one."""
SECTIONS = ("clusters", "services", "domains")
"""The sections of a file in which domains are described, the ones laid over the others last."""
ABOUT = ("description", "mode", "network")
"""What a short form says of its domain, and not to its tools."""
LAID_BY_NAME = ("settings", "fixes", "checks")
"""Parts of a domain whose entries are laid over each other one by one."""
MADE_OF: Mapping[tuple[str | int, ...], tuple[str]] = {
    ("fixes", "login"): ("login",),
    ("fixes", "registry_login"): ("credential",),
    ("fixes", "connect"): ("network",),
    ("checks", "network"): ("network",),
}
"""Which key of a short form a part of its domain is made of."""


def laid_over(sections: Mapping[str, Any], networks: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The domains of one file that fits its schema, all in the long form; `[domains.NAME]` is laid over a short form.

    `networks` are those that its domains may lie in. One of an unknown name is left out (`mistakes` finds it).
    """
    found: dict[str, dict[str, Any]] = {
        **{name: _cluster(name, told) for name, told in sections.get("clusters", {}).items()},
        **{kind: _service(kind, told) for kind, told in sections.get("services", {}).items()},
    }
    for name, told in sections.get("domains", {}).items():
        found[name] = _over(found.get(name, {}), told)
    return {name: _in_network(domain, networks) for name, domain in found.items()}


def networks_of(*sections: Mapping[str, Any]) -> dict[str, Any]:
    """The networks that these files describe, later ones in place of earlier ones of the same name."""
    return {name: told for each in sections for name, told in each.get("networks", {}).items()}


def written_at(sections: Mapping[str, Any], domain: str, *within: str | int) -> tuple[str | int, ...]:
    """The way to where a file describes a domain, or what is `within` it: `fixes`, `login`, and so on.

    What the long form does not say itself is said by the key of the short form that it is made of.
    """
    section = next((each for each in SECTIONS if domain in sections.get(each, {})), "domains")
    long: Any = sections.get("domains", {}).get(domain)
    for key in within[:2]:
        long = long.get(key) if isinstance(long, Mapping) else None
    if section == "domains" or (within and long is not None):
        return ("domains", domain, *within)
    return (section, domain, *MADE_OF.get(within[:2], ()))


def _cluster(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """A cluster: how `kube_login` logs in there goes to its tools, any other login is a fix of its own."""
    settings = _settings(told)
    own = "tool" in told.get("login", {})
    if own:
        del settings["login"]
    if "url" in settings or "token_url" in settings.get("login", {}):
        settings.setdefault("token_file", f"{{state}}/clusters/{name}.token")
    domain = {"kind": "cluster", **_about(told), "settings": settings, "look": {"tool": "kube_whoami"}}
    if "login" in told:
        call = _call(told["login"]) if own else {"tool": "kube_login"}
        domain["fixes"] = {"login": {"call": call, "verify": {"tool": "kube_whoami"}}}
    return {**domain, "expiry": _cluster_expiry(settings)}


def _cluster_expiry(settings: Mapping[str, Any]) -> dict[str, Any]:
    """How is read until when a cluster's token holds, without asking it."""
    if file := settings.get("token_file"):
        return {"tool": "token_expiry", "args": {"file": file}, "offline": True}
    named = {"kubeconfig": settings["kubeconfig"], "context_name": settings.get("context")}
    return {"tool": "kubeconfig_expiry", "args": {key: value for key, value in named.items() if value}}


def _service(kind: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """A service: what is known of its kind, and the login that is named or known."""
    known, settings = SERVICES[kind], _settings(told)
    settings.pop("login", None)
    if known.url and known.in_place_of_url not in settings:
        settings.setdefault("url", known.url)
    look = known.look_at(settings)
    domain = {"kind": "service", **_about(told), "settings": settings, **({"look": look} if look else {})}
    fixes = dict(_logins(kind, told, look))
    return {**domain, **({"fixes": fixes} if fixes else {})}


def _logins(kind: str, told: Mapping[str, Any], look: Raw) -> Iterator[tuple[str, dict[str, Any]]]:
    known = SERVICES[kind].login
    if "login" in told:
        yield "login", {"call": _call(told["login"]), **({"verify": dict(look)} if look else {})}
    elif known and {"username", "credential"} <= told.keys():
        yield "login", {"call": dict(known)}
        yield known["tool"], {"call": dict(known)}


def _settings(told: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key not in ABOUT}


def _about(told: Mapping[str, Any]) -> dict[str, Any]:
    return {key: told[key] for key in ABOUT if key in told}


def _call(login: Mapping[str, Any]) -> dict[str, Any]:
    return {"tool": login["tool"], "args": login.get("args", {})}


def _over(short: Raw, long: Raw) -> dict[str, Any]:
    """The long form of a domain laid over what its short form means."""
    laid = {part: {**short[part], **long[part]} for part in LAID_BY_NAME if part in short and part in long}
    return {**short, **long, **laid}


def _in_network(domain: dict[str, Any], networks: Mapping[str, Any]) -> dict[str, Any]:
    """The domain with what connects the network that it lies in; what it says itself of its connection counts more."""
    network = networks.get(domain.get("network", ""))
    if network is None:
        return domain
    host, _, port = network["probe"].rpartition(":")
    reached = {"tool": "network_reachable", "args": {"host": host.strip("[]"), "port": int(port)}}
    more = {key: value for key, value in network.items() if key not in {"connect", "description"}}
    setting = {"name": domain["network"], "command": network["connect"]["command"], **more}
    connect = {"call": {"tool": "vpn_connect"}, "verify": reached}
    check = {**reached, "role": "connect", "kind": "network_unreachable"}
    return {
        **domain,
        "settings": {**domain.get("settings", {}), "network": setting},
        "fixes": {"connect": connect, **domain.get("fixes", {})},
        "checks": {"network": check, **domain.get("checks", {})},
    }
