"""A program that asks a question where there is no terminal: which one, and the flag that answers for a person."""

from __future__ import annotations

from collections.abc import Mapping

from engine.heal.causes.case import Case
from engine.heal.causes.looks import Looks
from engine.heal.proof import program_name
from engine.model.remediation import RemedyStep, RootCause

ID = "no_terminal"
FLAGS: Mapping[str, str] = {
    "apt": "-y",
    "apt-get": "-y",
    "bonfire": "--force",
    "dnf": "-y",
    "docker": "no -t (and for a login --password-stdin)",
    "gh": "--yes",
    "glab": "--yes",
    "helm": "--yes",
    "kubectl": "no -t (`kubectl exec` needs none)",
    "npm": "--yes",
    "npx": "--yes",
    "oc": "no -t (`oc exec` needs none)",
    "pip": "--yes",
    "podman": "no -t (and for a login --password-stdin)",
    "ssh": "-o BatchMode=yes, and a key",
    "sudo": "-n, and a rule that needs no password",
    "terraform": "-input=false -auto-approve",
    "vault": "-no-print, with VAULT_TOKEN set",
}
"""What the manual pages of these programs say keeps them from asking."""


async def find(case: Case, looks: Looks) -> RootCause | None:  # noqa: ARG001 - there is nothing to look at
    """The program that asks, its flag, and the place where the flag belongs."""
    program = program_name(case.failure.evidence.program) or case.call.tool
    flag = FLAGS.get(program, "")
    told = f"{flag}" if flag else "the flag that answers for you (such as --yes, --force or --no-input)"
    steps = [RemedyStep(text=f"Give {program} {told}")]
    if case.tool is not None and case.tool.location and case.tool.source == "command":
        steps.append(RemedyStep(text=f"Its command is written in {case.tool.location}"))
    steps.append(RemedyStep(text="Look at the tool", command=f"skill tools debug {case.call.tool}"))
    found = {"program": program} | ({"flag": flag} if flag else {})
    because = f"{program} asks a question, and there is no terminal to answer it."
    return RootCause(id=ID, because=because, steps=tuple(steps), found=found, source=ID)
