"""Any tool of the registry, called so that whatever it asks it asks one server: found out from what it declares.

The arguments are those of its first example, with what names a server put in the server's place. A family whose
settings or parameters mean a server by names of their own adds them here (`setting`, `argument`).
"""

from __future__ import annotations

import base64
import fcntl
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tool_registry.tool import Tool, ToolContext

TOKEN = "t0ken-that-nobody-may-see"
USER = "ann"
VARIABLE = re.compile(r"""["']([A-Z][A-Z0-9_]*(?:TOKEN|PASSWORD|SECRET|API_KEY))["']""")
"""The environment variables in which a family's source looks for a credential."""
SETTING = re.compile(r"""settings(?:\.get\(|\[)\s*["']([a-z_]+)["']""")
"""The settings that a family's source reads."""
ELSEWHERE = re.compile(r"^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]+)?(?=/[a-z])")
"""A server's name before a path, as images have it."""
SERVERS = ("url", "registry", "server", "host", "endpoint", "address")
"""What settings and parameters that mean a server are called, or end with."""
ASKING = frozenset({"curl", "wget", "skopeo", "podman", "docker", "kubectl", "oc", "glab", "tkn", "bonfire", "helm"})
"""Programs that ask a server."""
CLUSTER = {"kubeconfig", "token_file"}
"""The settings of tools that a Kubernetes cluster answers, and never the embedded platform."""
EITHER = ("url|platform|kubeconfig",)
"""The settings of tools that the embedded platform answers, or a cluster."""
KEPT = {"local_token_expiry"}
"""Tools of a domain that look at what is kept of it, and ask nobody."""
MANIFEST = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "main"},
    "spec": {"template": {"spec": {"containers": [{"name": "main", "image": "demo/shop"}]}}},
}
MARK = "MARK_OF_THE_TEST"
"""A variable in the environment of whatever a tool starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A machine of somebody who is logged in at `url` in every way we know: files, variables, settings.

    With `cluster`, tools that know the embedded platform and clusters are to ask a cluster.
    """

    folder: Path
    url: str
    timeout: float
    cluster: bool = False
    secrets: list[Any] = field(default_factory=list)

    @property
    def host(self) -> str:
        """The server's host and port."""
        return urlsplit(self.url).netloc

    def context(self, tool: Tool) -> ToolContext:
        """What the tool is handed."""
        return ToolContext(
            settings={name: self.setting(name) for name in self._settings(tool)},
            folder=self.folder / "work",
            state=self.folder / "state",
            environment=self._environment(tool),
            timeout=self.timeout,
            run_id="run-1",
            secret=self.secrets.append,
            secret_result=self.cluster and tool.secret,
        )

    def _settings(self, tool: Tool) -> set[str]:
        declared = {choice for named in tool.needs.settings for choice in named.split("|")}
        login = {"user", "username", "credential", "api_credential", "auth_file", "kubeconfig"}
        usual = {"url", "forge", "image", *login} | ({"platform"} if declared != CLUSTER else set())
        usual |= {"namespace"} if declared == CLUSTER else set()
        if self.cluster:
            return {"kubeconfig", "deploy"}
        read = {name for name in SETTING.findall(_source(tool)) if self.setting(name) != name}
        return {name.partition(".")[0] for name in declared} | usual | read

    def setting(self, name: str) -> Any:
        """What a setting of that name would be, if the domain meant this server."""
        files = {"kubeconfig": "kubeconfig", "forge": "work/clone", "auth_file": "auth.json", "platform": "platform"}
        if name in files:
            return str(self.folder / files[name])
        network = {"name": "corporate", "command": ["true"], "probe": self.host}
        if mapping := {"network": network, "deploy": {"manifests": "deploy"}}.get(name):
            return mapping
        if name == "token_file":
            return str(self.folder / "token")
        if (login := name.partition(".")[0]) in {"credential", "api_credential", "login"}:
            secret = {"env": "SERVICE_TOKEN"}
            at = {"token_url": f"{self.url}/oauth/token", "client_id": USER, "client_secret": secret}
            return at if login == "login" else secret
        if name.endswith(("token", "password", "secret")):
            return TOKEN
        return self.argument(
            name, {"user": USER, "username": USER, "image": "demo/shop", "project": "group/shop"}.get(name, name)
        )

    def argument(self, name: str, example: Any) -> Any:
        """What an argument of that name would be, if it meant this server; else what the example says."""
        host, _, port = self.host.partition(":")
        if name == "repo":
            return str(self.folder / "work" / "clone")
        if name == "port":
            return int(port)
        if name == "host":
            return host
        if name == "registry":
            return self.host if self.url.startswith("https") else self.url
        if name.endswith(SERVERS) and isinstance(example, str):
            return self.url
        return ELSEWHERE.sub(self.host, example) if isinstance(example, str) else example

    def calls(self, tool: Tool) -> list[dict[str, Any]]:
        """The first example with every parameter that means a server; and again in a clone of a repository there."""
        example = dict(tool.examples[0]) if tool.examples else {}
        known = tool.parameters.get("properties", {})
        servers = {name: "" for name in known if name.endswith(SERVERS)}
        call = {name: self.argument(name, value) for name, value in {**servers, **example}.items() if name != "repo"}
        return [call, {**call, "repo": self.argument("repo", "")}] if "repo" in known else [call]

    def _environment(self, tool: Tool) -> dict[str, str]:
        named = {*VARIABLE.findall(_source(tool)), *tool.needs.environment, "SERVICE_TOKEN", "GITLAB_TOKEN"}
        return {
            **dict.fromkeys(sorted(named), TOKEN),
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "REGISTRY_AUTH_FILE": str(self.folder / "auth.json"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C",
            MARK: str(self.folder),
        }

    def furnish(self, tool: Tool) -> None:
        """Puts the files in place."""
        for name in ("work", "state", "platform/login"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "token").write_text(f"{TOKEN}\n")
        basic = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
        (self.folder / "auth.json").write_text(json.dumps({"auths": {self.host: {"auth": basic}}}))
        (self.folder / "kubeconfig").write_text(json.dumps(_kubeconfig(self.url)))
        (self.folder / "platform/login" / f"{USER}.secret").write_text(TOKEN)
        (self.folder / "platform/endpoint.json").write_text(json.dumps({"url": self.url, "pid": 1}))
        if "git" in {name.partition(">=")[0] for name in tool.needs.programs}:
            _repository(self.folder / "work" / "clone", f"{self.url}/shop.git", self.folder.parent / "template")

    def untold(self, words: str) -> bool:
        """Whether a credential stands in the words that was not registered as secret before."""
        kept = [str(each) for each in self.secrets if each]
        for known in kept:
            words = words.replace(known, "")
        return given_away(words.encode())


def given_away(heard: bytes) -> bool:
    """Whether a credential is in what somebody heard, plain or as basic authentication has it."""
    return any(known in heard for known in _spellings())


def _spellings() -> Iterator[bytes]:
    yield TOKEN.encode()
    for user in (USER, "", "oauth2", "git", "token"):
        yield base64.b64encode(f"{user}:{TOKEN}".encode()).rstrip(b"=")


@contextmanager
def place(folder: Path, tool: Tool, url: str, timeout: float, *, cluster: bool = False) -> Iterator[Place]:
    """A place furnished for the tool; meanwhile the platform's lock is held, as by a platform that runs."""
    made = Place(folder=folder, url=url, timeout=timeout, cluster=cluster)
    made.furnish(tool)
    if cluster:
        (folder / "work" / "deploy").mkdir()
        (folder / "work" / "deploy" / "main.json").write_text(json.dumps(MANIFEST))
    with (folder / "platform" / "platform.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield made


def must_ask(tool: Tool) -> bool:
    """Whether what a tool declares says that it asks a server: its domain, settings, parameters or programs."""
    settings = {choice for named in tool.needs.settings for choice in named.split("|")}
    named = {*settings, *tool.parameters.get("properties", {})}
    programs = {name.partition(">=")[0] for name in tool.needs.programs}
    of_a_domain = tool.domain is not None and tool.name not in KEPT
    return of_a_domain or any(name.endswith("url") for name in named) or bool(programs & ASKING)


def _source(tool: Tool) -> str:
    return inspect.getsource(sys.modules[_module(tool)]) if _module(tool) in sys.modules else ""


def _module(tool: Tool) -> str:
    inner: Any = tool.call
    while hasattr(inner, "func"):
        inner = inner.func
    found = getattr(inner, "__module__", "")
    place = tool.location.rpartition(":")[0]
    by_file = next((name for name, module in sys.modules.items() if getattr(module, "__file__", None) == place), "")
    return by_file or found


def _kubeconfig(server: str) -> Mapping[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": server}}],
        "users": [{"name": USER, "user": {"token": TOKEN}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": USER, "namespace": "demo"}}],
    }


def _repository(folder: Path, remote: str, template: Path) -> None:
    """A clone of the remote, copied from the template, which is made when there is none yet."""
    if not template.exists():
        template.mkdir()
        (template / "Procfile").write_text("web: serve\n")
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
        for words in (("init", "-q", "-b", "main", "--template="), ("add", "."), (*who, "commit", "-q", "-m", "First")):
            subprocess.run(["git", "-C", str(template), *words], check=True, capture_output=True)
    shutil.copytree(template, folder)
    with (folder / ".git" / "config").open("a") as config:
        config.write(f'[remote "origin"]\n\turl = {remote}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n')
