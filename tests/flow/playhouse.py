"""A workspace for rehearsals: tools that leave a trace when they are really called, which no rehearsal may do."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.frontends.cli.staging import builder
from engine.model.rehearsal import Rehearsal
from engine.run.rehearsal.reading import read_rehearsals
from engine.run.rehearsal.rehearse import Verdict, rehearse
from engine.workspace import Workspace, find_workspace

SETTINGS = """
[domains.door]
description = "A door with a lock."
fixes.login = {call = {tool = "log_in"}, cooldown = 0}

[config]
town = "Ulm"
"""
TOOL = """
name: {name}
description: Really does something, and so may never be called in a rehearsal.
domain: door
timeout: 20s
{more}
command:
  argv: [sh, -c, 'echo "$1" >> "$2"', -, {name}, "{trace}"]
"""
TOOLS: Mapping[str, str] = {
    "look": "effect: read\nidempotent: true\n"
    "result: {type: object, required: [seen], properties: {seen: {type: string}}}",
    "enter": "effect: write\nparameters: {properties: {name: {type: string}}, required: [name]}\nverify: is_inside",
    "leave": "effect: write\nidempotent: true\nparameters: {properties: {name: {type: string}}}",
    "push": "effect: write\nparameters: {properties: {name: {type: string}}}",
    "is_inside": "effect: read\nidempotent: true\nparameters: {properties: {name: {type: string}}, required: [name]}",
    "log_in": "effect: write\nidempotent: true\nfix: credentials",
}
VISIT = """
inputs:
  - {name: who, type: string, default: ann}
  - {name: code, type: string, secret: true}
steps:
  - name: look
    tool: look
  - name: enter
    tool: enter
    args: {name: "{{ inputs.who }}"}
    undo: {name: go_back, tool: leave, args: {name: "{{ inputs.who }}"}}
  - name: count
    compute: |
      result = {"letters": len(inputs["who"]), "town": config["town"]}
  - name: push
    tool: push
    args: {name: "{{ inputs.code or 'nothing' }}"}
outputs:
  - {name: seen, value: "{{ look.seen }}"}
  - {name: count, value: "{{ count }}"}
"""
USUAL = """
skill: visit
tools:
  look: [{value: {seen: a table}}]
  enter: [{value: {inside: true}}]
  push: [{works: true}]
"""


@dataclass(frozen=True, slots=True)
class Playhouse:
    """A folder with skills and tools, and a file in which every real call of one leaves its name."""

    folder: Path

    def furnish(self) -> None:
        """Puts settings, tools and the skill `visit` there."""
        for part in ("tools", "skills", "rehearsals"):
            (self.folder / part).mkdir(parents=True)
        (self.folder / "skill.toml").write_text(SETTINGS)
        for name, more in TOOLS.items():
            text = TOOL.format(name=name, more=more, trace=self.folder / "trace")
            (self.folder / "tools" / f"{name}.yaml").write_text(text)
        self.skill("visit", VISIT)

    def skill(self, name: str, text: str) -> None:
        """Writes a skill; `text` is everything after the description."""
        head = f"name: {name}\ndescription: A test.\n"
        (self.folder / "skills" / f"{name}.yaml").write_text(head + textwrap.dedent(text))

    def write(self, text: str, name: str = "visit") -> Path:
        """Writes a rehearsal file."""
        path = self.folder / "rehearsals" / f"{name}.yaml"
        path.write_text(textwrap.dedent(text))
        return path

    @property
    def workspace(self) -> Workspace:
        """The folder as a workspace."""
        return find_workspace(self.folder, home=self.folder / "home")

    def rehearsals(self, text: str) -> tuple[Rehearsal, ...]:
        """The rehearsals in a text."""
        return read_rehearsals(self.write(text))

    def play(self, text: str, *, shared: str = USUAL) -> Verdict:
        """How a rehearsal with the usual answers goes; nothing real may have been called."""
        [rehearsal] = self.rehearsals(textwrap.dedent(shared) + textwrap.dedent(text))
        return self.played(rehearsal)

    def played(self, rehearsal: Rehearsal) -> Verdict:
        """How a rehearsal goes."""
        number = len([*self.folder.glob("home-*")])
        home = self.folder / f"home-{number}"
        home.mkdir()
        verdict = rehearse(rehearsal, home, builder(self.workspace, rehearsal, home))
        assert not (self.folder / "trace").exists(), "a real tool was called"
        return verdict


def messages(verdict: Verdict) -> list[str]:
    """What differed."""
    assert verdict.error is None, verdict.error
    return [difference.message for difference in verdict.differences]
