"""A network that several domains lie in, connected by `vpn_connect`: two real networks, and a link that is down."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.flow.workshop import Workshop

pytestmark = pytest.mark.slow

SETTINGS = """
[heal]
preflight = {preflight}

[networks.lab]
connect = {{command = ["sh", "{script}"]}}
probe = "10.78.0.2:8080"
ready_within = {ready_within}

[services.gitlab]
url = "http://10.78.0.2:8080"
network = "lab"

[services.prometheus]
url = "http://10.78.0.2:8080"
network = "lab"
"""
SKILL = """
name: read_lab
description: Asks two servers of the lab at once.
steps:
  - name: both
    parallel:
      - {name: builds, steps: [{name: branches, tool: gitlab_branch_list, args: {project: group/shop}}]}
      - {name: figures, steps: [{name: up, tool: prometheus_query, args: {query: up}}]}
"""
SERVER = """
import http.server, json, sys

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        found = {"status": "success", "data": {"resultType": "vector", "result": []}} if "query" in self.path else []
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(("10.78.0.2", 8080), Answer).serve_forever()
"""
SETUP = """
set -e
mount -t tmpfs none /run
ip netns add lab
ip link add v0 type veth peer name v1 netns lab
ip addr add 10.78.0.1/24 dev v0
ip link set lo up
ip link set v0 up
ip -n lab addr add 10.78.0.2/24 dev v1
ip -n lab link set v1 up
ip netns exec lab "$1" -S "$2" >/dev/null 2>&1 &
server=$!
trap 'kill $server' EXIT
for i in $(seq 100); do curl -s -m 1 -o /dev/null http://10.78.0.2:8080/ && break; sleep 0.05; done
ip -n lab link set v1 down
ip neigh flush dev v0
echo 50 > /proc/sys/net/ipv4/neigh/v0/retrans_time_ms # that there is no route is known after 0.15 s, not after 3
shift 2
"$@"
"""
UP = "ip -n lab link set v1 up; ip -n lab addr replace 10.78.0.2/24 dev v1"
CONNECTS = f'echo connect >> "{{log}}"\n(sleep 0.3; {UP}) >/dev/null 2>&1 &\n'
"""Ends before anybody at the other side answers, as a VPN client does that goes on in the background."""


@pytest.fixture(scope="module")
def networks() -> None:
    """Skips where this machine makes no networks; on our own CI it must."""
    made = subprocess.run(["unshare", "-rnm", "ip", "link", "add", "v0", "type", "veth"], check=False)
    if made.returncode or shutil.which("curl") is None:
        assert not os.environ.get("CI") or os.environ.get("CI_WITHOUT_NETWORKS"), "iproute2, curl or namespaces missing"
        pytest.skip("this machine makes no network namespaces")


def furnished(folder: Path, script: str, *, preflight: bool = False, ready_within: float = 15) -> Workshop:
    """A workspace in which two services lie in one network, connected by `script`."""
    workshop = Workshop(folder / "work", folder / "home")
    (workshop.folder / "skills").mkdir(parents=True)
    files = {
        "skill.toml": SETTINGS.format(
            preflight=str(preflight).lower(), script=workshop.folder / "connect.sh", ready_within=ready_within
        ),
        "skills/read_lab.yaml": SKILL,
        "connect.sh": script.format(log=workshop.folder / "log"),
        "setup.sh": SETUP,
        "server.py": SERVER,
    }
    for name, text in files.items():
        (workshop.folder / name).write_text(text)
    return workshop


def ran(workshop: Workshop, status: int, environment: dict[str, str] | None = None) -> Any:
    """What the skill gave, run in the first of two networks whose link is down."""
    setup = ("sh", str(workshop.folder / "setup.sh"), sys.executable, str(workshop.folder / "server.py"))
    done = workshop.run(
        "run",
        "read_lab",
        "--json",
        prefix=("unshare", "-rnm", *setup),
        environment={"GITLAB_TOKEN": "glpat-of-nobody", **(environment or {})},
    )
    assert done.returncode == status, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)


def connected(workshop: Workshop) -> Sequence[str]:
    """What the network's command did."""
    path = workshop.folder / "log"
    return path.read_text().split() if path.exists() else []


def test_a_network_of_two_services_is_connected_once(networks: None, tmp_path: Path) -> None:  # noqa: ARG001
    """Both find no route, at once; the link is brought up by one of them, and both ask again."""
    workshop = furnished(tmp_path, CONNECTS)
    result = ran(workshop, 0)
    assert (result["status"], result["healed"]) == ("ok", 2)
    steps = [step for step in result["steps"] if step.get("first_failure")]
    assert {step["first_failure"]["kind"] for step in steps} == {"network_unreachable"}
    assert "No route to host" in steps[0]["first_failure"]["message"]
    assert connected(workshop) == ["connect"]


def test_a_network_is_connected_before_the_first_step(networks: None, tmp_path: Path) -> None:  # noqa: ARG001
    """Its probe is looked at beforehand, so that nothing fails; once for both."""
    workshop = furnished(tmp_path, CONNECTS, preflight=True)
    result = ran(workshop, 0)
    assert (result["status"], result["healed"], connected(workshop)) == ("ok", 0, ["connect"])


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo connect >> {log}\n", "lab was connected, but within 0.5 s its probe did not answer"),
        ("echo connect >> {log}\necho 'lab: login refused' >&2; exit 4\n", "lab was not connected: sh ended with"),
    ],
    ids=["comes up nowhere", "refuses"],
)
def test_a_network_that_cannot_come_up_is_not_healed(
    networks: None,  # noqa: ARG001
    tmp_path: Path,
    script: str,
    said: str,
) -> None:
    """The step fails as it did at first, and the run says what was tried and why it did not help."""
    workshop = furnished(tmp_path, script, ready_within=0.5)
    result = ran(workshop, 1)
    assert (result["status"], result["healed"]) == ("failed", 0)
    assert said in json.dumps(result)
    assert "No route to host" in json.dumps(result)
