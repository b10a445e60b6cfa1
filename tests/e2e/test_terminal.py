"""The command at a real terminal: colours, what is under way, prompts, Ctrl-C, and its width."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.screen import EmulatedScreen

SKILL = Path(sys.executable).with_name("skill")
DRAWN = "\x1b[K"
"""Begins a line of what is under way."""
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
STYLE = re.compile(r"\x1b\[[0-9;]*m")
GREET = """\
name: greet
description: Greets somebody after a moment, at such length that a description has to be folded on a narrow terminal.
inputs:
  - {name: who, type: string, required: true, description: Whom to greet., pattern: "[a-z]+"}
  - {name: word, type: string, required: true, secret: true}
steps:
  - name: moment
    tool: wait
    args: {seconds: 0.6}
  - name: said
    tool: echo
    args: {value: "hello {{ inputs.who }}"}
outputs:
  - {name: said, value: "{{ said }}"}
"""
SLOW = """\
name: slow
description: Waits.
steps:
  - {name: long, tool: wait, args: {seconds: 60}}
always:
  - {name: tidy, tool: echo, args: {value: tidied}}
"""
MANY = """\
name: many
description: Does several things at once.
steps:
  - name: both
    parallel:
      - {name: left, tool: wait, args: {seconds: 3}}
      - {name: right, tool: wait, args: {seconds: 3.1}}
      - {name: pods, foreach: range(60), parallel: 3, tool: wait, args: {seconds: 0.2}}
"""
ASKS = """\
name: asks
description: Asks twice.
steps:
  - {name: target, ask: {question: Where to?, choices: [staging, production]}}
  - {name: sure, ask: {question: "Sure?", type: boolean, default: false}}
outputs:
  - {name: said, value: "{{ target }} {{ sure }}"}
"""
GIVEN = ("-i", "who=you", "-i", "word=swordfish")


@dataclass(slots=True)
class Terminal:
    """A process on a terminal of its own; `seen` is everything it wrote there, `screen` what stands there now."""

    process: subprocess.Popen[bytes]
    side: int
    screen: EmulatedScreen
    seen: str = ""
    decoder: Any = field(default_factory=codecs.getincrementaldecoder("utf-8"))

    def until(self, words: str, *, within: float = 20.0) -> None:
        """Reads until `words` were written."""
        end = time.monotonic() + within
        while words not in self.seen:
            assert time.monotonic() < end, f"no {words!r} in {self.seen!r}"
            assert self._read(), f"ended without {words!r}: {self.seen!r}"

    def type(self, keys: str) -> None:
        """Presses keys."""
        os.write(self.side, keys.encode())

    def end(self, *, within: float = 30.0) -> int:
        """Reads to the end, and gives the exit status."""
        end = time.monotonic() + within
        while self._read():
            assert time.monotonic() < end, self.seen
        return self.process.wait(timeout=10)

    def resize(self, width: int) -> None:
        """Makes the window narrower or wider."""
        fcntl.ioctl(self.side, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        self.screen.resize(width)

    @property
    def lines(self) -> list[str]:
        """What stands on the screen, without styles."""
        return self.screen.rows

    def _read(self) -> bool:
        if not select.select([self.side], [], [], 0.2)[0]:
            return True
        try:
            got = os.read(self.side, 65_536)
        except OSError:  # Linux says EIO when the other side has closed
            return False
        text = self.decoder.decode(got)
        self.seen += text
        self.screen.write(text)
        return bool(got)


@dataclass(slots=True)
class Terminals:
    """Opens terminals in the folder of a shell."""

    shell: Any
    opened: list[Terminal] = field(default_factory=list)

    def __call__(self, *words: str, width: int = 100, environment: Mapping[str, str] | None = None) -> Terminal:
        """`skill` with these words on a terminal `width` columns wide."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        kept = {name: text for name, text in os.environ.items() if name not in {"CI", "NO_COLOR", "COLUMNS"}}
        process = subprocess.Popen(
            [SKILL, *words],
            cwd=self.shell.folder,
            env={**kept, "SKILL_HOME": str(self.shell.home), "TERM": "xterm-256color", **(environment or {})},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one thread, and Ctrl-C needs it
        )
        os.close(theirs)
        self.opened.append(Terminal(process=process, side=ours, screen=EmulatedScreen(width, 40)))
        return self.opened[-1]

    def close(self) -> None:
        """Ends whatever still runs."""
        for each in self.opened:
            each.process.kill()
            each.process.wait()
            os.close(each.side)


@pytest.fixture
def terminal(shell: Any) -> Iterator[Callable[..., Terminal]]:
    """Opens terminals; whatever still runs at the end is ended."""
    (shell.folder / "skills").mkdir()
    (shell.folder / "skills" / "greet.yaml").write_text(GREET)
    (shell.folder / "skills" / "slow.yaml").write_text(SLOW)
    (shell.folder / "skills" / "many.yaml").write_text(MANY)
    (shell.folder / "skills" / "asks.yaml").write_text(ASKS)
    terminals = Terminals(shell=shell)
    yield terminals
    terminals.close()


def test_colours_on_a_terminal_and_none_with_no_color(terminal: Callable[..., Terminal]) -> None:
    """`NO_COLOR` and `--color never` leave the words; an empty `NO_COLOR` counts as not set."""
    for words, environment, coloured in (
        (["list"], {}, True),
        (["list"], {"NO_COLOR": "1"}, False),
        (["list"], {"NO_COLOR": ""}, True),
        (["list", "--color", "never"], {}, False),
        (["lsit"], {"NO_COLOR": "1"}, False),
        (["lsit"], {}, True),
    ):
        opened = terminal(*words, environment=environment)
        opened.end()
        assert bool(STYLE.search(opened.seen)) is coloured, (words, environment)


def test_color_always_reaches_a_pipe(shell: Any) -> None:
    """For pagers."""
    assert STYLE.search(shell.run("list", "--color", "always").stdout)


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("words", [["list"], ["tools"], ["show", "test_mr_ephemeral"], ["memory", "show", "patterns"]])
def test_no_line_is_wider_than_the_terminal(terminal: Callable[..., Terminal], words: list[str], width: int) -> None:
    """At 40 columns single long words may stand out, at 80 and 120 nothing does."""
    opened = terminal(*words, width=width)
    assert opened.end() == 0
    written = [STYLE.sub("", line) for line in opened.seen.replace("\r\n", "\n").split("\n")]
    wide = [line for line in written if len(line) > width and (width > 40 or " " in line.strip()[:width])]
    assert width == 40 or wide == []


def test_what_is_under_way_is_drawn_and_erased(terminal: Callable[..., Terminal]) -> None:
    """It shows the step while it runs; at the end only finished lines stand there."""
    opened = terminal("run", "greet", *GIVEN)
    assert opened.end() == 0
    assert opened.seen.count(DRAWN) >= 4
    assert any(sign in opened.seen for sign in SPINNER[1:5])
    assert not any(sign in line for line in opened.lines for sign in SPINNER)
    assert [line.split()[1] for line in opened.lines if line.startswith("  ✓")] == ["moment", "said"]


def test_several_steps_under_way_each_have_a_line_whatever_the_window_does(terminal: Callable[..., Terminal]) -> None:
    """In place, above one another, never wrapped; after the window was made narrow and wide nothing is left over."""
    opened = terminal("run", "many", width=100)
    opened.until("pods[0]")
    shown = [line for line in opened.lines if any(sign in line for sign in SPINNER)]
    assert [line.split()[1] for line in shown][:2] == ["left", "right"]
    for width in (50, 44, 90):
        opened.resize(width)
        opened.seen = ""
        opened.until("pods[", within=5)
        opened.until(DRAWN)
    assert opened.end() == 0
    # A line that was finished on a wide screen is wrapped on a narrow one, which is the terminal's business.
    assert not any(sign in line for line in opened.lines for sign in SPINNER)
    assert [line.split()[1] for line in opened.lines if line.lstrip().startswith(("✓", "▸"))] == [
        "both",
        "left",
        "right",
        "pods",
        "both",
    ]


def test_questions_are_asked_and_wrong_answers_asked_again(terminal: Callable[..., Terminal]) -> None:
    """A choice by its number, Enter for the default; nothing is drawn over what is typed."""
    opened = terminal("run", "asks")
    opened.until("2. production")
    opened.type("nowhere\n")
    opened.until("it wants one of")
    opened.type("2\n")
    opened.until("Sure? [y/N]")
    opened.type("\n")
    assert opened.end() == 0
    assert "said  production False" in opened.seen.replace("\r", "")


def test_ctrl_d_leaves_a_question_open(terminal: Callable[..., Terminal], shell: Any) -> None:
    """The run waits, and says how it is answered; `skill answer` goes on with it."""
    opened = terminal("run", "asks")
    opened.until("2. production")
    opened.type("\x04")
    assert opened.end() == 4
    command = next(line for line in opened.lines if line.strip().startswith("skill answer"))
    assert shell.run(*command.split()[1:], "--answer", "sure=yes").returncode == 0
    assert shell.json("status")["outputs"] == {"said": "staging True"}


def test_ctrl_c_at_a_question_cancels_the_run(terminal: Callable[..., Terminal], shell: Any) -> None:
    """It does not park; what must always happen happens."""
    opened = terminal("run", "asks")
    opened.until("2. production")
    opened.type("\x03")
    assert opened.end() == 130
    assert "cancelling" in opened.seen
    assert shell.json("status")["status"] == "cancelled"


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"TERM": ""}])
def test_a_dumb_terminal_gets_plain_lines(terminal: Callable[..., Terminal], environment: dict[str, str]) -> None:
    """Nothing is drawn over where that is not understood."""
    opened = terminal("run", "greet", *GIVEN, environment=environment)
    assert opened.end() == 0
    assert DRAWN not in opened.seen


def test_missing_inputs_are_asked_for_until_they_fit(terminal: Callable[..., Terminal]) -> None:
    """By name and description; a wrong answer is refused there and then; a secret one is not shown."""
    opened = terminal("run", "greet")
    opened.until("who (Whom to greet.): ")
    opened.type("123\n")
    opened.until("Error: ")
    opened.type("you\n")
    opened.until("word: ")
    opened.type("swordfish\n")
    assert opened.end() == 0
    assert "hello you" in opened.seen
    assert "swordfish" not in opened.seen


@pytest.mark.parametrize("how", [("--no-input",), ("CI",)])
def test_nobody_is_asked_who_does_not_want_to(terminal: Callable[..., Terminal], how: tuple[str]) -> None:
    """`--no-input`, or `CI` in the environment: an error at once."""
    opened = terminal("run", "greet", *how) if how != ("CI",) else terminal("run", "greet", environment={"CI": "1"})
    assert opened.end() == 2
    assert "who is missing" in opened.seen


def test_ctrl_c_at_a_prompt_is_130(terminal: Callable[..., Terminal]) -> None:
    """At once, without a traceback."""
    opened = terminal("run", "greet")
    opened.until("who (Whom to greet.): ")
    # Python does not see a signal that comes between the prompt's text and its reading; no person is that quick, and
    # whoever presses again is heard.
    for _ in range(3):
        opened.type("\x03")
        with suppress(subprocess.TimeoutExpired):
            opened.process.wait(timeout=3)
            break
    assert opened.end() == 130
    assert "Traceback" not in opened.seen


def test_ctrl_c_in_a_run_cleans_up(terminal: Callable[..., Terminal]) -> None:
    """What must always happen happens, and the exit status is 130."""
    opened = terminal("run", "slow")
    opened.until("long")
    opened.until(DRAWN)
    opened.type("\x03")
    assert opened.end() == 130
    assert "cancelling" in opened.seen
    assert any(line.startswith("  ✓ tidy") for line in opened.lines)


def test_a_closed_terminal_cleans_up(terminal: Callable[..., Terminal], shell: Any) -> None:
    """The window is closed in mid-run: the run is cancelled and its history has an end."""
    opened = terminal("run", "slow")
    opened.until("long")
    opened.until(DRAWN)
    fresh = os.open(os.devnull, os.O_RDWR)
    os.dup2(fresh, opened.side)  # the last handle of our side goes, and the system sends SIGHUP
    os.close(fresh)
    assert opened.process.wait(timeout=20) in {1, 130}
    record = shell.json("status")
    assert (record["status"], record["steps"][-1]["name"]) == ("cancelled", "tidy")
    assert record["steps"][-1]["status"] == "ok"


def test_a_question_about_a_fix_can_be_answered(terminal: Callable[..., Terminal], shell: Any) -> None:
    """`--heal ask`: the fix is named, yes runs it, no leaves the failure with the way out."""
    (shell.folder / "skills" / "who.yaml").write_text(
        "name: who\ndescription: Asks the platform.\nsteps:\n  - {name: forge, tool: git_repository}\n"
    )
    for answer, status in (("n\n", 1), ("\x03", 130), ("\x04", 4), ("y\n", 0)):
        opened = terminal("run", "who", "--heal", "ask")
        opened.until("[y/N] ")
        opened.type(answer)
        assert opened.end() == status, opened.seen


def test_a_proxy_that_a_person_starts_says_whom_it_waits_for(terminal: Callable[..., Terminal]) -> None:
    """In one line; otherwise it would look as if it hung. Ctrl-C ends it, before it listens (130) or after."""
    screen = terminal("mcp", "proxy", "--name", "git", "--", "cat", width=80)
    screen.until("before git: waits for what a client says on standard input, a line each")
    screen.type("\x03")
    assert screen.end() in {0, 130}
