"""Two network namespaces and a cable between them: what the kernel says when it is cut, and a fix that mends it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.flow.workshop import Workshop

SETTINGS = """
[heal]
preflight = {preflight}
[domains.far]
description = "A server in another network."
checks.answers = {{tool = "far_answers", role = "connect", kind = "network_unreachable"}}
fixes.connect = {{call = {{tool = "mend_link"}}, verify = {{tool = "far_answers"}}, ready_within = 15, cooldown = 0}}
"""
PAGE = """
name: {name}
description: Asks the server in the other network.
effect: read
domain: far
timeout: 5
http:
  url: "http://10.77.0.2:8080/page"
  select: said
"""
CHECK = """
name: far_answers
description: Whether the server in the other network can be reached.
effect: read
domain: far
timeout: 2
command:
  argv: [sh, "{script}"]
  output: text
"""
MEND = """
name: mend_link
description: Mends the link.
effect: write
idempotent: true
fix: connectivity
domain: far
timeout: 10
command:
  argv: [sh, "{script}"]
  output: text
"""
ASKED = 'echo look >> "{log}"; exec curl -sS -m 1 -o /dev/null http://10.77.0.2:8080/page\n'
SETUP = """
set -e
mount -t tmpfs none /run
ip netns add far
ip link add v0 type veth peer name v1 netns far
ip addr add 10.77.0.1/24 dev v0
ip link set lo up
ip link set v0 up
ip -n far addr add 10.77.0.2/24 dev v1
ip -n far link set v1 up
ip netns exec far "$1" -m http.server 8080 --bind 10.77.0.2 --directory "$2" >/dev/null 2>&1 &
server=$!
trap 'kill $server' EXIT
for i in $(seq 50); do curl -s -m 1 -o /dev/null http://10.77.0.2:8080/page && break; sleep 0.1; done
sh "$3"
shift 3
"$@"
"""
CUT = {
    "Network is unreachable": ("ip link set v0 down", "ip link set v0 up"),
    "No route to host": (
        "ip -n far link set v1 down; ip neigh flush dev v0",
        # What answers in the other network does so only a while after the link is up.
        "(sleep 0.7; ip -n far link set v1 up; ip -n far addr replace 10.77.0.2/24 dev v1) >/dev/null 2>&1 &",
    ),
    "did not finish": ("ip -n far route add blackhole 10.77.0.1/32", "ip -n far route del blackhole 10.77.0.1/32"),
}
"""What is said, twice by the kernel, and once by the tool whose packets vanish: how the link is cut, and mended."""


@pytest.fixture(scope="module")
def networks() -> None:
    """Skips where this machine makes no networks; on our own CI it must."""
    made = subprocess.run(["unshare", "-rnm", "ip", "link", "add", "v0", "type", "veth"], check=False)
    if made.returncode or shutil.which("curl") is None:
        assert not os.environ.get("CI") or os.environ.get("CI_WITHOUT_NETWORKS"), "iproute2, curl or namespaces missing"
        pytest.skip("this machine makes no network namespaces")


def furnish(workshop: Workshop, cause: str, *, preflight: bool) -> tuple[str, ...]:
    """The workspace, with its link cut before the command runs; gives the words that go before the command."""
    folder = workshop.folder
    cut, mend = CUT[cause]
    for name in ("tools", "skills", "page"):
        (folder / name).mkdir(parents=True)
    (folder / "skill.toml").write_text(SETTINGS.format(preflight=str(preflight).lower()))
    (folder / "page" / "page").write_text('{"said": "hello from afar"}')
    scripts = {
        "cut.sh": f"{cut}\n",
        "mend.sh": f'echo mend >> "{folder}/log"\n{mend}\n',
        "look.sh": ASKED.format(log=folder / "log"),
        "setup.sh": SETUP,
    }
    for name, text in scripts.items():
        (folder / name).write_text(text)
    (folder / "tools" / "far_page.yaml").write_text(PAGE.format(name="far_page"))
    (folder / "tools" / "far_answers.yaml").write_text(CHECK.format(script=folder / "look.sh"))
    (folder / "tools" / "mend_link.yaml").write_text(MEND.format(script=folder / "mend.sh"))
    (folder / "skills" / "read_afar.yaml").write_text(
        "name: read_afar\ndescription: Reads a page of another network.\nsteps:\n"
        "  - {name: page, tool: far_page}\noutputs:\n  - {name: said, value: '{{ page }}'}\n"
    )
    python = shutil.which("python3") or "python3"
    setup = ("sh", str(folder / "setup.sh"), python, str(folder / "page"), str(folder / "cut.sh"))
    return ("unshare", "-rnm", *setup)


def done_in(workshop: Workshop) -> list[str]:
    """What the tools did, in order."""
    path: Path = workshop.folder / "log"
    return path.read_text().split() if path.exists() else []


@pytest.fixture
def workshop(tmp_path: Path, networks: None) -> Workshop:  # noqa: ARG001 - it only has to be possible
    """An empty workspace of its own."""
    return Workshop(tmp_path / "work", tmp_path / "home")


def result_of(workshop: Workshop, prefix: tuple[str, ...]) -> Any:
    """What the skill gave, run in the first of the two networks."""
    done = workshop.run("run", "read_afar", "--json", prefix=prefix)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        ("Network is unreachable", "network_unreachable"),
        ("No route to host", "network_unreachable"),
        ("did not finish", "timeout"),
    ],
)
def test_a_cut_link_is_understood_and_mended(workshop: Workshop, cause: str, kind: str) -> None:
    """The kernel's own words, the right kind, the fix polled until the other side answers, and then the page."""
    result = result_of(workshop, furnish(workshop, cause, preflight=False))
    assert (result["status"], result["outputs"]["said"], result["healed"]) == ("ok", "hello from afar", 1)
    (step,) = result["steps"]
    assert step["first_failure"]["kind"] == kind
    assert cause.lower() in step["first_failure"]["message"].lower()
    assert step["fixes"] == ["mend_link()"]
    looks = done_in(workshop)
    assert looks[0] == "mend"
    assert looks.count("mend") == 1
    assert looks.count("look") >= 1  # on a quiet machine the first looks after the fix still fail


@pytest.mark.slow
def test_a_cut_link_is_mended_before_the_first_step(workshop: Workshop) -> None:
    """With a check declared, the same link is mended beforehand: no step fails."""
    result = result_of(workshop, furnish(workshop, "Network is unreachable", preflight=True))
    assert (result["status"], result["healed"]) == ("ok", 0)
    assert [step["attempts"] for step in result["steps"]] == [1]
    assert done_in(workshop).count("mend") == 1
