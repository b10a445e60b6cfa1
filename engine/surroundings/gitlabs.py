"""The GitLabs that a machine has tokens for: those of the environment, and those glab has logged in at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine.model.outcome import ToolCall
from engine.surroundings.found import Asking, Find, Rung
from engine.surroundings.machine import Machine, address, mapping, text_of, yaml_of
from tool_registry.sources.connections import is_loopback

TOKENS = ("GITLAB_TOKEN", "GITLAB_ACCESS_TOKEN", "GITLAB_PRIVATE_TOKEN")
PLACES = ("GITLAB_URL", "GITLAB_URI", "GITLAB_HOST", "CI_SERVER_URL")
"""What glab, python-gitlab and GitLab's own runners call them."""

_REMOTE = re.compile(r'\[remote "([^"]+)"\][^\[]*?^\s*url\s*=\s*(\S+)', re.MULTILINE | re.DOTALL)
_SSH = re.compile(r"(?:[\w.-]+@)(?P<host>[\w.-]+):(?!//)(?P<path>\S+)")


def gitlabs(machine: Machine) -> Iterator[Find]:
    """Each token that is there, and which GitLab it is for; nothing is asked.

    A token of the environment is for the GitLab that the environment names. Where it names none, the token is shown to
    nobody: which server is meant cannot be found out without showing it.
    """
    remotes = {host: project for host, project, _ in projects(machine.folder)}
    variable, token = machine.variable(*TOKENS)
    _, place = machine.variable(*PLACES)
    if token and (url := address(place)):
        yield _find(url, {"env": variable}, f"a token in {variable}", remotes)
    elif token:
        yield _unplaced(variable, machine.folder)
    for host, said in mapping(_glab(machine).get("hosts")).items():
        if mapping(said).get("token") or mapping(said).get("use_keyring"):
            yield _of_glab(str(host), mapping(said), machine, remotes)


def projects(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Host, project and place of the git remotes of the repository the folder is in; `origin` is last, and so wins.

    The place is what GITLAB_HOST would say: the host, and a port that people's browsers would use too.
    """
    repository = next((each for each in (folder, *folder.parents) if (each / ".git" / "config").is_file()), None)
    found = _REMOTE.findall(text_of(repository / ".git" / "config")) if repository else []
    for _, url in sorted(found, key=lambda remote: remote[0] == "origin"):
        short = _SSH.fullmatch(url)
        told = address(re.sub(r"^(?:ssh|git)://", "https://", url)) if "://" in url else ""
        host, path = (short["host"], short["path"]) if short else (urlsplit(told).hostname or "", urlsplit(told).path)
        project = path.strip("/").removesuffix(".git")
        if host and "/" in project:
            yield host, project, _place(told) if url.startswith("http") else host


def _place(told: str) -> str:
    parts = urlsplit(told)
    return parts.netloc if parts.scheme == "https" else f"{parts.scheme}://{parts.netloc}"


def _unplaced(variable: str, folder: Path) -> Find:
    host = next((place for _, _, place in reversed([*projects(folder)])), "gitlab.com")
    return Find(
        rung=Rung.GITLAB,
        told=f"a token in {variable}, and nothing says for which GitLab",
        hint=f"if it is for {host}: GITLAB_HOST={host} skill doctor",
        variable=variable,
    )


def _of_glab(host: str, said: Mapping[str, Any], machine: Machine, remotes: Mapping[str, str]) -> Find:
    told = "a login of glab"
    if machine.program("glab") is None:
        hint = "install glab, which gives the token to who asks it, or put a token into GITLAB_TOKEN"
        return Find(rung=Rung.GITLAB, told=f"{host}, {told}, and there is no glab", hint=hint)
    url = address(f"{said.get('api_protocol') or 'https'}://{said.get('api_host') or host}")
    if not url or address(host) != f"https://{host.lower()}":
        return Find(rung=Rung.GITLAB, told=f"{host}, {told}, and that is no address", hint="see `glab auth status`")
    return _find(url, {"command": ["glab", "config", "get", "token", "--host", host]}, told, remotes)


def _find(url: str, credential: Mapping[str, Any], told: str, remotes: Mapping[str, str]) -> Find:
    host = urlsplit(url).hostname or ""
    project = remotes.get(host, "")
    settings = {"url": url, **({"project": project} if project else {}), "credential": credential}
    safe = url.startswith("https://") or is_loopback(host)
    return Find(
        rung=Rung.GITLAB,
        told=f"{url}, {told}",
        lines={"services": {"gitlab": settings}} if safe else {},
        asking=Asking(call=ToolCall(tool="gitlab_login_state", args={}), domain="gitlab", settings=settings)
        if safe
        else None,
        hint="" if safe else f"{url} is not asked by HTTPS, and a token is not sent there in the clear",
    )


def _glab(machine: Machine) -> Mapping[str, Any]:
    """The settings of glab, where it keeps them."""
    folder = machine.environment.get("GLAB_CONFIG_DIR")
    return yaml_of(Path(folder) / "config.yml" if folder else machine.settings / "glab-cli" / "config.yml")
