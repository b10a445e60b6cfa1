"""`skill demo`: the main job on the embedded local profile, with nothing to configure."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import click

from engine.frontends.cli.ending import exit_status
from engine.frontends.cli.layout import short_path
from engine.frontends.cli.running import Manner, conduct
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.frontends.cli.steps import skill_paths
from engine.model.event import Event, EventKind
from engine.model.lazy_dataclass import dataclass
from engine.model.outcome import RunResult, RunStatus
from engine.model.prevention import CheckAction
from engine.run.executor import SkillExecutor
from engine.wiring import Engine
from engine.workspace import Workspace

SKILL = "test_mr_ephemeral"
LOGIN, BEFORE = "kube_login", "image"
"""The fix that gets the token, and the step after which the demo revokes it; the next to need it is `reserve`."""
STOPPING = 10.0
"""Seconds the platform has to stop in."""

INTRODUCTION = """\
The main job: put the newest open merge request of a demo project into a
namespace of its own, test it there, and clean up. The skill has no healing
steps. What it stands on is looked at, and repaired, before its first step;
what fails on the way is healed. So that something does, the demo revokes the
token in mid-run if it was got just before.

It runs on the local profile: a small platform embedded in this program (git
forge, image registry, login, namespaces). It listens on this machine's
loopback interface only, is started when nothing answers, and is no cluster.
"""
AHEAD = """
Repaired before the first step: {fixes}."""
HEALED = """
{count} of its steps failed and {verb} healed: {names}."""
REVOKED = """
The demo had revoked the token in mid-run; no look beforehand can foresee that."""
AGAIN = """
Run it again: what is repaired stays repaired.
`skill demo --stop` ends the platform."""
NOTHING = """
Nothing needed repair: the platform runs, and the token still holds.
`skill demo --reset` begins anew. `skill demo --stop` ends the platform."""
FAILED = """
`skill doctor` looks for what is missing here; `skill demo --reset` begins anew."""


@click.command("demo")
@click.option("--reset", is_flag=True, help="Stop the local platform and remove its data first, to begin anew.")
@click.option("--stop", is_flag=True, help="Only stop the local platform.")
@screen_options
def demo_command(session: Session, reset: bool, stop: bool, screen: Screen) -> int:
    """Run the main job on the embedded local profile, and watch it heal."""
    found = session.workspace()
    if reset or stop:
        stop_platform(found, screen)
    if stop:
        return 0
    if reset:
        _forget(found)
    screen.note(INTRODUCTION)
    engine = Engine(found, secrets=session.secrets)
    skill = engine.library.load(SKILL)

    revoking = Revoking(platform=found.state / "platform")

    async def run(executor: SkillExecutor) -> RunResult:
        executor.listeners = (*executor.listeners, revoking)
        return await executor.run(skill)

    result = conduct(engine, run, screen=screen, manner=Manner(), paths=skill_paths(skill))
    screen.note(_moral(result, revoked=revoking.done) + _way_in())
    return exit_status(result)


@dataclass(slots=True, kw_only=True)
class Revoking:
    """Listens to the run, and revokes the token that was got before its first step when the step BEFORE has ended."""

    platform: Path
    logged_in: bool = False
    done: bool = False

    def __call__(self, event: Event) -> None:
        """Hears one event."""
        match event.kind:
            case EventKind.FIX_FINISHED if not event.step:
                self.logged_in = self.logged_in or event.data["fix"] == LOGIN
            case EventKind.STEP_FINISHED if event.step == BEFORE and self.logged_in and not self.done:
                self.done = _revoke(self.platform / "settings.json")


def _revoke(settings: Path) -> bool:
    """Tells the platform that no token from before this moment counts; False where its settings cannot be written."""
    try:
        kept = json.loads(settings.read_text(encoding="utf-8")) if settings.exists() else {}
        beside = settings.with_name(f".{settings.name}.{os.getpid()}")
        beside.write_text(json.dumps({**kept, "revoked_before": time.time()}), encoding="utf-8")
        beside.replace(settings)
    except (OSError, ValueError, TypeError):
        return False
    return True


def _moral(result: RunResult, *, revoked: bool) -> str:
    """What the run has shown, and what to try next."""
    if result.status is not RunStatus.OK:
        return FAILED
    ahead = list(dict.fromkeys(check.fix for check in result.preflight if check.action is CheckAction.FIXED))
    healed = [step.name for step in result.steps if step.status == "healed"]
    if not ahead and not healed:
        return NOTHING
    verb = "was" if len(healed) == 1 else "were"
    told = AHEAD.format(fixes=" and ".join(ahead)) if ahead else ""
    told += HEALED.format(count=len(healed), verb=verb, names=" and ".join(healed)) if healed else ""
    return told + (REVOKED if revoked else "") + AGAIN


def _way_in() -> str:
    """How to call this command from here, where `skill` is another program (procps has one) or none."""
    activate = Path(sys.prefix) / "bin" / "activate"
    found = shutil.which("skill")
    if not activate.is_file() or (found and Path(found).resolve().parent == activate.parent.resolve()):
        return ""
    return f"\nFor the command `skill`, type first:  . {short_path(activate)}"


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
