"""The real command with secrets in it: nothing that it ever prints or keeps shows one, whatever happens to the run."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_terminal import Terminals
from tests.flow.hiding import ANSWER, CARD, KEY, PASSWORD, TOKEN, TOLD, files, leaks
from tests.flow.workshop import Workshop, until
from tests.shell import SKILL

SECRETS: Mapping[str, Any] = {
    "the password": PASSWORD,
    "the key": KEY,
    "the card": CARD,
    "the variable": TOKEN,
    "the answer": ANSWER,
    "the result of a secret tool": TOLD,
}
SETTINGS = """
[env]
secret = ["SECRET_TOKEN"]

[domains.door]
description = "A door with a lock."
fixes.login = {call = {tool = "log_in"}, cooldown = 0}
"""
QUIET = """
name: quiet
description: Is given secrets by its environment and its standard input, and looks at all that is running here.
effect: read
parameters: {{properties: {{word: {{type: string}}}}}}
command:
  argv: [sh, "{script}"]
  environment: {{TOKEN: {{secret_env: SECRET_TOKEN}}}}
  stdin: "{{word}}"
"""
LOOK_AROUND = """
cd "{folder}" || exit 1
for each in $$ $PPID $(cat /proc/$PPID/task/*/children); do cat /proc/$each/cmdline; done > arguments
printf 'given %s and ' "$TOKEN"
cat
"""
REPEATING = """
inputs:
  - {name: password, secret: true, required: true}
  - {name: key, secret: true, required: true}
  - {name: card, type: integer, secret: true, required: true}
steps:
  - {name: token, tool: token}
  - name: said
    tool: say
    args: {name: "{{ inputs.password }} {{ inputs.key }} {{ inputs.card }} {{ env.SECRET_TOKEN }}"}
  - {name: quietly, tool: quiet, args: {word: "{{ said }} {{ token }}"}}
  - name: made
    tool: make
    args: {name: "{{ said }}"}
    undo: {tool: refuse, args: {name: "{{ said }} {{ token }}"}, heal: false}
  - {name: healed, tool: look, args: {name: "{{ said }}"}}
  - {name: refused, tool: refuse, args: {name: "{{ said }} {{ token }}"}, heal: false, on_error: continue}
  - {name: hung, tool: hang}
  - {name: word, secret: true, ask: {question: "What follows {{ token }} and {{ said }}?"}}
  - {name: again, tool: say, args: {name: "{{ word }} {{ steps.refused.error }}"}}
  - name: each
    foreach: "[said, token, again]"
    on_error: continue
    tool: refuse
    args: {name: "{{ item }}"}
    heal: false
  - {name: end, stop: {status: failed, message: "no more of {{ again }} {{ token }} {{ said }}"}}
outputs:
  - {name: said, value: "{{ said }}"}
  - {name: token, value: "{{ [token, again] }}"}
"""
REFUSE = """
printf 'no: %s\\n' "$1"
printf '%s' "$1" | base64 -w0
printf '\\n%s' "$1" | base64
set -x
: "https://host/?p=$1"
false "$1"
"""


@dataclass(slots=True)
class Watched:
    """A workspace and everything that was ever printed there, by the words of the command."""

    shop: Workshop
    given: Path
    printed: dict[str, str] = field(default_factory=dict)

    @property
    def inputs(self) -> list[str]:
        """The secret inputs, from files: what stands on a command line is seen by every process."""
        names = ("password", "key", "card")
        return [word for name in names for word in ("-i", f"{name}=@{self.given / name}")]

    def run(self, *words: str, status: int | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """The finished command, remembered."""
        done = self.shop.run(*words, environment={"SECRET_TOKEN": TOKEN, **environment})
        self.printed[" ".join([*words, *environment])] = done.stdout + done.stderr
        assert status is None or done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def assert_hidden(self) -> None:
        """No secret stands in anything that was printed or kept."""
        found = leaks(SECRETS, {**self.printed, **files(self.shop.home, self.shop.folder / "kept")})
        assert found == [], "\n".join([f"{len(found)} leaks", *found[:30]])


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """A workspace whose tools repeat what they are given."""
    shop, given = Workshop(tmp_path / "work", tmp_path / "home"), tmp_path / "given"
    shop.furnish()
    (shop.folder / "skill.toml").write_text(SETTINGS)
    shop.tool("token", f"printf '%s' '{TOLD}'\n", more="secret: true")
    shop.tool("say", "printf '%s' \"$1\"\n")
    shop.tool("refuse", REFUSE)
    shop.tool("look", 'test -e token || { printf "401 for %s\\n" "$1" >&2; exit 41; }\necho "inside with $1"\n')
    shop.tool("make", "printf 'made %s' \"$1\"\n", effect="write")
    shop.tool("hang", "test -e go_on || { touch hanging; sleep 60; }\n")
    (shop.folder / "scripts" / "quiet.sh").write_text(LOOK_AROUND.format(folder=shop.folder))
    (shop.folder / "tools" / "quiet.yaml").write_text(QUIET.format(script=shop.folder / "scripts" / "quiet.sh"))
    shop.skill(REPEATING)
    given.mkdir()
    for name, value in {"password": PASSWORD, "key": KEY, "card": CARD, "word": ANSWER}.items():
        (given / name).write_text(str(value))
    return Watched(shop=shop, given=given)


def killed(watched: Watched) -> str:
    """A run that was killed in the middle of a step; its id."""
    words = ["run", "promise", *watched.inputs, "-v"]
    environment = {**watched.shop.environment, "SECRET_TOKEN": TOKEN}
    with subprocess.Popen(
        [SKILL, *words],
        cwd=watched.shop.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        until((watched.shop.folder / "hanging").exists)
        run = str(watched.shop.json("history")[0]["run"])
        with subprocess.Popen(
            [SKILL, "logs", "-f", run, "-v"],
            cwd=watched.shop.folder,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        ) as following:
            process.send_signal(signal.SIGKILL)
            watched.printed["killed"] = "".join(process.communicate(timeout=20))
            watched.printed["logs -f"] = following.communicate(timeout=20)[0]
    return run


def test_killed_resumed_parked_answered_and_tried_again(watched: Watched) -> None:
    """And looked at in every way in between."""
    run = killed(watched)
    for words in (
        ["status", run],
        ["status", run, "--json"],
        ["logs", run, "-v"],
        ["logs", run, "-o", "jsonl"],
        ["watch", run],
    ):
        watched.run(*words)
    watched.run("resume", run, status=2)
    (watched.shop.folder / "go_on").touch()
    watched.run("resume", run, *watched.inputs, "-v", status=4)
    watched.run("status", run, status=0)
    watched.run("status", run, "--json", status=0)
    watched.run("answer", run, *watched.inputs, status=2)
    watched.run("answer", run, f"word=@{watched.given / 'word'}", *watched.inputs, "-v", status=1)
    watched.run("retry", run, "--from-step", "healed", *watched.inputs, "-o", "jsonl", status=4)
    for words in (
        ["history", "-o", "yaml"],
        ["status", "last"],
        ["logs", "last", "-o", "yaml"],
        ["memory", "show", "failures"],
    ):
        watched.run(*words, status=0)
    for form in ("tree", "mermaid", "dot", "svg"):
        watched.run("graph", "--run", run, "--format", form, "-v", status=0)
    watched.run("test", "--record", run)
    watched.run("cancel", "last", *watched.inputs, status=0)
    watched.assert_hidden()
    kept = (watched.shop.folder / "arguments").read_bytes().replace(b"\0", b" ")
    assert b"quiet.sh" in kept
    assert leaks(SECRETS, {"the arguments of processes": kept}) == []


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "yaml"])
def test_in_every_format(watched: Watched, form: str) -> None:
    """A run that ends, and a plan of one."""
    (watched.shop.folder / "go_on").touch()
    answer = f"word=@{watched.given / 'word'}"
    done = watched.run("run", "promise", *watched.inputs, "--answer", answer, "-v", "-o", form, status=1)
    assert "•••" in done.stdout
    watched.run("run", "promise", *watched.inputs, "--dry-run=reads", "-v", "-o", form)
    watched.assert_hidden()


def test_at_a_terminal(watched: Watched) -> None:
    """A narrow one, where lines are broken in the middle of a secret, and on which an answer is typed."""
    (watched.shop.folder / "go_on").touch()
    terminals = Terminals(shell=watched.shop)
    try:
        terminal = terminals("run", "promise", *watched.inputs, "-v", width=46, environment={"SECRET_TOKEN": TOKEN})
        terminal.until("(text) >")
        terminal.type(f"{ANSWER}\n")
        assert terminal.end() == 1
    finally:
        terminals.close()
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.seen)
    assert "•••" in shown
    watched.printed |= {"the terminal": shown, "the terminal, its lines joined": " ".join(shown.split())}
    watched.assert_hidden()


def test_what_is_wrong_with_a_secret_does_not_show_it(watched: Watched) -> None:
    """Inputs that do not fit, in all the ways they are given, with and without a look behind the scenes."""
    other = ["-i", f"password=@{watched.given / 'password'}", "-i", f"key=@{watched.given / 'key'}"]
    for debug in ({}, {"SKILL_DEBUG": "1"}):
        watched.run("run", "promise", *other, "-i", f"card={PASSWORD}", status=2, **debug)
        watched.run("run", "promise", *other, "-i", f"card:={json.dumps([TOLD])}", status=2, **debug)
        watched.run("run", "promise", *other, "-i", f"card:={ANSWER}", status=2, **debug)
    said = list(watched.printed.values())
    watched.printed = {str(number): each for number, each in enumerate(said)}
    watched.assert_hidden()
