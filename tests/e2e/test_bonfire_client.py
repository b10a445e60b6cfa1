"""The stand-in for the Kubernetes API, with an operator, is one for the program `bonfire` itself; both know each other.

`bonfire` (PyPI crc-bonfire) wants `oc`, which is kubectl here: what it asks of it is what both know.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.pypi import installed
from tests.servers.certificates import certificates
from tests.servers.daemons import program
from tests.servers.ephemeral_operator import Operator
from tests.servers.kubernetes import kubeconfig, kubernetes
from tool_registry.functions.ephemeral import bonfire_namespace_list, bonfire_namespace_reserve
from tool_registry.tool import ToolContext

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

BONFIRE = "crc-bonfire==6.18.1"


async def test_bonfire_and_its_tools_know_the_same_namespaces(tmp_path: Path) -> None:
    """What bonfire reserved is in our list, and what we reserved bonfire lists, extends and gives back."""
    found = installed(BONFIRE) / "bonfire"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "oc").symlink_to(program("kubectl"))
    papers = certificates(tmp_path)
    with kubernetes(papers.context()) as cluster:
        Operator(cluster.objects)
        authority = {"certificate-authority": str(papers.authority)}
        config = kubeconfig(tmp_path / "config", cluster, {"token": cluster.grant()}, **authority)
        own = kubeconfig(
            tmp_path / "own", cluster, {"token": cluster.grant()}, **authority
        )  # bonfire writes into its own
        here = ToolContext(settings={"kubeconfig": str(own)}, folder=tmp_path, state=tmp_path)

        def bonfire(*words: str) -> str:
            environment = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
            done = subprocess.run(
                [found, *words],
                env={**environment, "KUBECONFIG": str(config), "BONFIRE_NS_REQUESTER": "ann"},
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        theirs = bonfire("namespace", "reserve", "--duration", "1h", "--requester", "ann", "--force").split()[-1]
        ours = await bonfire_namespace_reserve(here)
        assert set((await bonfire_namespace_list(here))["names"]) == {theirs, ours["name"]}
        listed = bonfire("namespace", "list", "--mine")
        assert theirs in listed
        assert ours["name"] in listed
        bonfire("namespace", "release", ours["name"], "--force")
        assert (await bonfire_namespace_list(here))["names"] == [theirs]
