"""`skill demo`: the main job on the embedded local profile, with nothing to configure."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import anyio
import click

from engine.frontends.cli.ending import exit_status, show_result
from engine.frontends.cli.given import Given
from engine.frontends.cli.run import run_shown
from engine.frontends.cli.screen import Screen, screen_options
from engine.wiring import Engine
from engine.workspace import Workspace, find_workspace

SKILL = "test_mr_ephemeral"
STOPPING = 10.0
"""Seconds the platform has to stop in."""

INTRODUCTION = """\
The main job: deploy the newest open merge request of a demo project into a namespace of its own, test it there, clean
up.
It runs on the embedded local profile: a small platform on this machine's loopback interface, started when nothing
answers.
The skill has no healing steps; what heals it is the engine."""


@click.command("demo")
@click.option("--reset", is_flag=True, help="Stop the local platform and remove its data first, to begin anew.")
@click.option("--stop", is_flag=True, help="Only stop the local platform.")
@click.pass_obj
@screen_options
def demo_command(workspace: str | None, reset: bool, stop: bool, screen: Screen) -> int:
    """Run the main job on the embedded local profile, and watch it heal."""
    found = find_workspace(Path(workspace) if workspace else None)
    if reset or stop:
        stop_platform(found, screen)
    if stop:
        return 0
    if reset:
        _forget(found)
    screen.note(INTRODUCTION)
    screen.note("")
    return anyio.run(_demo, found, screen)


async def _demo(workspace: Workspace, screen: Screen) -> int:
    async with Engine(workspace, secrets=screen.secrets) as engine:
        skill = engine.library.load(SKILL)
        result = await run_shown(engine, skill, Given(values={}), timeout=None, screen=screen)
        show_result(result, screen)
        if result.healed:
            screen.note(
                "  run `skill demo` again: what is healed stays healed.   `skill demo --stop` ends the platform.",
                dim=True,
            )
        return exit_status(result)


def stop_platform(workspace: Workspace, screen: Screen) -> None:
    """Stops the local platform of this workspace if it runs; it releases its namespaces first."""
    endpoint = workspace.state / "platform" / "endpoint.json"
    try:
        pid = int(json.loads(endpoint.read_text(encoding="utf-8"))["pid"])
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError, KeyError, TypeError):
        screen.note("the local platform is not running")
        return
    until = time.monotonic() + STOPPING
    while endpoint.exists() and time.monotonic() < until:
        time.sleep(0.05)
    screen.note(
        "the local platform is stopped" if not endpoint.exists() else f"the local platform (pid {pid}) does not stop"
    )


def _forget(workspace: Workspace) -> None:
    """Removes what the local profile keeps: data, token and record of fixes; history and memory stay."""
    for name in ("platform", "fixes"):
        shutil.rmtree(workspace.state / name, ignore_errors=True)
    (workspace.state / "kubeconfig").unlink(missing_ok=True)
