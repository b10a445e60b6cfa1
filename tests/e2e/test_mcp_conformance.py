"""The conformance suite of the protocol's authors plays the server; `skill` is the client it watches."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.flow.workshop import Workshop
from tests.servers import third_party
from tests.shell import SKILL

CLIENT = """#!/bin/sh
# The suite calls this with the address of its server.
cd "{folder}" || exit 1
SUITE="$1" exec "{skill}" {words}
"""
STEP = "steps:\n  - {{name: it, tool: suite.{tool}, args: {args}}}\n"
SCENARIOS = {
    "initialize": ("mcp check", ""),
    "tools_call": ("run promise", STEP.format(tool="add_numbers", args="{a: 5, b: 3}")),
    "sse-retry": ("run promise", STEP.format(tool="test_reconnection", args="{}")),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_conformance_suite_has_nothing_to_say_against_our_client(tmp_path: Path, scenario: str) -> None:
    """The handshake, a call, and a stream that breaks off and is taken up again where it was."""
    words, text = SCENARIOS[scenario]
    workshop = Workshop(tmp_path / "work", tmp_path / "home")
    workshop.furnish()
    (workshop.folder / ".mcp.json").write_text('{"mcpServers": {"suite": {"url": "${SUITE}"}}}')
    if text:
        workshop.skill(text)
    client = tmp_path / "client.sh"
    client.write_text(CLIENT.format(folder=workshop.folder, skill=SKILL, words=words))
    client.chmod(0o755)
    done = subprocess.run(
        [
            *third_party.conformance(),
            "client",
            "--command",
            str(client),
            "--scenario",
            scenario,
            "-o",
            tmp_path / "out",
        ],
        env=workshop.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "OVERALL: PASSED" in done.stdout + done.stderr
