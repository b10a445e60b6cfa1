"""Machines of a person called Ann, made of a home, chosen programs and servers that answer: what `skill doctor` finds.

Each is a folder that is the HOME, with `bin` as its whole PATH and `shop` as the workspace. The servers are our
stand-ins for Kubernetes and GitLab, and Debian's docker-registry with a login.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.gitlab import GitLab, gitlab
from tests.servers.kubernetes import Kubernetes, kubeconfig, kubernetes
from tests.servers.registry import Registry, registry
from tests.shell import Shell

UNSET = ("KUBECONFIG", "REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "GLAB_CONFIG_DIR", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")
TOKENS = ("GITLAB_TOKEN", "GITLAB_ACCESS_TOKEN", "GITLAB_PRIVATE_TOKEN")
PLACES = ("GITLAB_URL", "GITLAB_URI", "GITLAB_HOST", "CI_SERVER_URL")
MONTH = 30 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """What answers on the loopback interface."""

    cluster: Kubernetes
    forge: GitLab
    images: Registry


@dataclass(slots=True, kw_only=True)
class Ann:
    """A person's machine: her home, and what her environment says besides."""

    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        """Where she works."""
        return self.home / "shop"

    @property
    def shell(self) -> Shell:
        """Runs `skill` there."""
        return Shell(folder=self.work, home=self.home / ".skill")

    @property
    def environment(self) -> Mapping[str, str]:
        """What replaces this machine's own."""
        none = dict.fromkeys((*UNSET, *TOKENS, *PLACES), "")
        return {**none, "HOME": str(self.home), "PATH": str(self.home / "bin"), **self.variables}

    def write(self, path: str, text: str) -> Path:
        """Writes a file into her home."""
        written = self.home / path
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(text)
        return written

    def program(self, name: str, script: str = "") -> None:
        """Puts a program onto her PATH: this machine's own, or a script."""
        place = self.home / "bin" / name
        place.parent.mkdir(exist_ok=True)
        if script:
            place.write_text(f"#!/bin/sh\n{script}\n")
            place.chmod(0o755)
        else:
            place.symlink_to(shutil.which(name) or f"/nonexistent/{name}")


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """All three, for as long as the block lasts."""
    with kubernetes() as cluster, gitlab(folder) as forge, registry(folder / "images", login=True) as images:
        yield Servers(cluster=cluster, forge=forge, images=images)


def empty(home: Path) -> Ann:
    """A machine with git, on which nobody has logged in anywhere."""
    ann = Ann(home=home)
    ann.work.mkdir(parents=True)
    ann.program("git")
    return ann


def half(home: Path, there: Servers) -> Ann:
    """Logins that are over, a token that nobody says whose it is, and two services in skill.toml that do not work."""
    ann = empty(home)
    there.cluster.expire()
    (ann.home / ".kube").mkdir()
    kubeconfig(ann.home / ".kube" / "config", there.cluster, {"token": "over-since-yesterday"})
    ann.write(".config/containers/auth.json", json.dumps({"auths": {there.images.host: {"auth": there.images.login}}}))
    ann.variables["GITLAB_TOKEN"] = "glpat-of-some-server"
    ann.write(
        "shop/skill.toml",
        f'[services.jira]\nurl = "{there.forge.url}"\ncredential = {{env = "JIRA_OF_THE_SHOP"}}\n\n'
        f'[services.prometheus]\nurl = "http://127.0.0.1:9"\n',
    )
    return ann


def complete(home: Path, there: Servers) -> Ann:
    """Logins that hold, for everything, and a podman; the workspace is a clone of a project."""
    ann = empty(home)
    ann.program("podman", 'echo "podman version 5.2.0"')
    (ann.home / ".kube").mkdir()
    kubeconfig(ann.home / ".kube" / "config", there.cluster, {"token": there.cluster.grant()})
    ann.write(".config/containers/auth.json", json.dumps({"auths": {there.images.host: {"auth": there.images.login}}}))
    ann.variables["GITLAB_TOKEN"] = there.forge.token("api", expires=time.time() + MONTH + 3_600)
    ann.variables["GITLAB_HOST"] = there.forge.url
    ann.write("shop/.git/config", f'[remote "origin"]\n\turl = {there.forge.url}/shop/web.git\n')
    return ann


def settled(text: str, ann: Ann, there: Servers | None = None) -> str:
    """A screen without what varies: ports, versions, numbers of tools and skills, kinds of isolation."""
    named = {} if there is None else {there.cluster.url: 6443, there.forge.url: 8443, there.images.url: 5000}
    for number, url in enumerate(named):
        text = text.replace(url.rpartition(":")[2], f"4000{number}")
    text = text.replace(str(ann.home), "~").replace(os.uname().nodename, "laptop")
    text = re.sub(r"(python +)3\.\d+\.\d+\S*", r"\g<1>3.11.7", text)
    text = re.sub(r"(pydantic-monty )\S+", r"\g<1>1.4.0", text)
    text = re.sub(r"(✓ tools +)\d+", r"\g<1>130", text)
    text = re.sub(r"(✓ skills +)\d+", r"\g<1>15", text)
    return re.sub(r"  . isolation .*\n(      .*\n)*", "  ✓ isolation              user and network namespaces\n", text)
