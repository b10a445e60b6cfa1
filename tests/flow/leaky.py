"""Tools that say what they were given wherever a tool can say something, and a skill that gives them every secret."""

from __future__ import annotations

import base64
import html
import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.flow.hiding import ANSWER, CARD, HANDED, KEY, PASSWORD, TOKEN, TOLD
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, FixScope, Tool, ToolContext, ToolError

BROKEN_PROMISE = "brOken-pr0mise-77fd1"
"""A secret that is first seen in an answer that is not what its tool had promised."""
SECRETS: Mapping[str, Any] = {
    "the password": PASSWORD,
    "the key": KEY,
    "the card": CARD,
    "the variable": TOKEN,
    "the answer": ANSWER,
    "what a tool handed out": HANDED,
    "the result of a secret step": TOLD,
    "the broken promise": BROKEN_PROMISE,
}
SETTINGS = """
[env]
allow = ["PLAIN_WORD"]
secret = ["SECRET_TOKEN"]

[domains.gate]
description = "A gate with a lock."
fixes.login = {call = {tool = "sign_in"}, cooldown = 0}
"""


@dataclass
class Note:
    """An object that JSON does not know."""

    text: str


def everywhere(value: Any) -> str:
    """One text in which a value stands in many ways."""
    text = str(value)
    address = f"https://admin:{quote(text, safe='')}@host/login?password={quote(text)}"
    header = "Authorization: Basic " + base64.b64encode(f"admin:{text}".encode()).decode()
    told = json.dumps({"password": text, "again": json.dumps([text])})
    return "\n".join([text, address, header, told, shlex.quote(text), html.escape(text), repr([text])])


LONG = "x" * 8_500
WAYS: Mapping[str, Callable[[str], Exception]] = {
    "error": lambda text: ToolError(f"refused {text}", output=everywhere(text), details=_odd(text)),
    "exception": lambda text: ValueError(f"no: {text}"),
    "url": lambda text: ToolError(f"GET https://host/?p={quote(text)} gave 500", http_status=500),
    "json": lambda text: ToolError("no", output=json.dumps({"error": json.dumps({"bad": text})})),
    "header": lambda text: ToolError(
        "sent " + base64.b64encode(f"user:{text}!".encode()).decode(), output=base64.encodebytes(text.encode()).decode()
    ),
    "shell": lambda text: ToolError(f"+ curl -u {shlex.quote(text)}", exit_status=7, program="curl"),
    "html": lambda text: ToolError(f"<p>{html.escape(text)}</p>", http_status=400),
    "trace": lambda text: ToolError("no", output="$ login '" + text.replace("'", "'\\''") + "'"),
    "cut": lambda text: ToolError(
        LONG[: 2_000 - len(text) * 2 // 3] + text + LONG, output=LONG[: -len(text) // 2] + text
    ),
    "cut before": lambda text: ToolError("no", output=text + "y" * (8_192 - len(text) * 2 // 3)),
}
"""How a tool may fail with a text: said plainly, in each of the forms that programs give it, and cut in its middle."""


def _odd(text: str) -> dict[Any, Any]:
    """Evidence of every type that Python has."""
    return {
        "path": Path("/home", text),
        "bytes": text.encode(),
        "set": {text},
        "error": ValueError(text),
        "note": Note(text),
        "pairs": ((text, 1),),
        text: {"number": CARD, "pid": CARD, "name": text, "tool": text},
    }


def tools() -> list[Tool]:
    """A source of secrets of each kind, and tools that repeat what they are given."""
    return [*sources(), *readers(), *lockers(), *writers()]


def sources() -> list[Tool]:
    """Where secrets come from."""

    @tool(effect=Effect.READ, timeout=5)
    async def fetch() -> dict[str, Any]:
        """Gives a credential, among other things."""
        return {"token": TOLD, "host": "localhost", "port": 5432}

    @tool(effect=Effect.READ, timeout=5)
    async def hand_out(context: ToolContext) -> str:
        """Gets a credential, and says so to the engine."""
        context.secret(HANDED)
        return HANDED

    @tool(effect=Effect.READ, timeout=5, result={"type": "object", "properties": {"token": {"type": "integer"}}})
    async def promise() -> Any:
        """Gives something else than it promises."""
        return {"token": BROKEN_PROMISE}

    @tool(effect=Effect.READ, timeout=5)
    async def collect(words: list[Any]) -> list[Any]:
        """Gives back what it was given: nobody who only reads the skill sees that secrets are in it."""
        return words

    return [tool_of(each) for each in (fetch, hand_out, promise, collect)]


def readers() -> list[Tool]:
    """Tools that only read, and say what they were given."""

    @tool(effect=Effect.READ, timeout=5)
    async def repeat(value: Any) -> Any:
        """Gives back what it was given, in every way, as keys too."""
        return {"value": value, "text": everywhere(value), str(value): [value], "number": value, "name": value}

    @tool(effect=Effect.READ, timeout=5)
    async def count(number: int) -> int:
        """Wants a number."""
        return number

    @tool(effect=Effect.READ, timeout=5)
    async def fail(value: Any, way: str) -> None:
        """Fails, and says with what."""
        raise WAYS[way](str(value))

    return [tool_of(each) for each in (repeat, count, fail)]


def lockers() -> list[Tool]:
    """A gate that needs a login, and the login, which fails at first."""
    logged_in = False

    @tool(effect=Effect.READ, domain="gate", timeout=5)
    async def come_in(value: Any) -> str:
        """Fails until somebody has logged in."""
        if not logged_in:
            raise ToolError(f"401 for {value}", http_status=401, output=everywhere(value), details=_odd(str(value)))
        return f"inside with {value}"

    @tool(effect=Effect.WRITE, idempotent=True, domain="gate", fix=FixScope.CREDENTIALS, timeout=5)
    async def sign_in() -> str:
        """Logs in, but not at the first time, and says with what."""
        nonlocal logged_in
        if not logged_in:
            logged_in = True
            raise ToolError(f"the login server refused {PASSWORD}", http_status=400, output=everywhere(PASSWORD))
        return f"logged in with {PASSWORD}"

    return [tool_of(each) for each in (come_in, sign_in)]


def writers() -> list[Tool]:
    """Tools that change something, lose their answers, and cannot take it back."""

    @tool(effect=Effect.WRITE, timeout=5)
    async def make(value: Any) -> Any:
        """Makes something."""
        return {"made": value}

    @tool(effect=Effect.WRITE, timeout=5)
    async def unmake(value: Any) -> None:
        """Cannot take it back, and says what."""
        raise ToolError(f"cannot remove {value}: {everywhere(value)}")

    @tool(effect=Effect.WRITE, timeout=5, verify="happened")
    async def lose(value: Any) -> None:
        """Loses its answer."""
        raise ToolError(f"lost the answer for {value}", errno="ECONNRESET", sent=True)

    @tool(effect=Effect.READ, timeout=5)
    async def happened(value: Any) -> dict[str, Any]:
        """It had its effect."""
        return {"happened": True, "value": {"kept": value}}

    return [tool_of(each) for each in (make, unmake, lose, happened)]


SKILL = """
inputs:
  - {name: password, secret: true, required: true}
  - {name: key, secret: true, required: true}
  - {name: card, type: integer, secret: true, required: true}
  - {name: who, default: ann}
steps:
  - {name: fetched, tool: fetch, secret: true}
  - {name: handed, tool: hand_out}
  - name: known
    tool: collect
    args: {words: ["{{ inputs.password }}", "{{ inputs.key }}", "{{ inputs.card }}", "{{ env.SECRET_TOKEN }}"]}
  - name: asked
    secret: true
    ask: {question: "The word for {{ known }} and {{ known[1] }}?", default: "{{ known[0] }}"}
  - name: words
    tool: collect
    args: {words: "{{ known + [asked, handed, fetched.token] }}"}
  - {name: plainly, ask: {question: "Is it {{ words[4] }}?", default: "{{ words[6] }} {{ words[4] }}"}}
  - {name: promised, tool: promise, secret: true, on_error: continue}
  - name: told
    foreach: words
    as: each
    parallel: 3
    tool: repeat
    args: {value: "{{ each }}"}
  - name: failed
    foreach: words
    as: each
    on_error: continue
    steps:
      - name: ways
        foreach: WAYS
        as: way
        on_error: continue
        tool: fail
        args: {value: "{{ each }}", way: "{{ way }}"}
        heal: false
      - {name: wrong_type, on_error: continue, tool: count, args: {number: "{{ [each] }}"}}
      - {name: expected, on_error: continue, tool: repeat, args: {value: "{{ each }}"}, expect: "result.value == 'no'"}
      - name: waited
        on_error: continue
        tool: repeat
        args: {value: "{{ each }}"}
        until: {condition: "result.value == 'no'", every: 0.01, timeout: 0.05}
      - name: tried
        on_error: continue
        tool: fail
        args: {value: "{{ each }}", way: error}
        retry: {attempts: 2, delay: 0.01}
      - {name: raised, on_error: continue, compute: 'raise ValueError(f"no: {each}")'}
      - {name: turned, on_error: continue, compute: "result = int(str(each) + 'x')"}
      - {name: looked_up, on_error: continue, compute: "result = {'a': 1}[each]"}
      - {name: judged, on_error: continue, condition: "each.no_such_thing > 1", tool: fetch}
      - {name: listed, on_error: continue, foreach: "each", tool: fetch}
      - {name: grouped, on_error: continue, parallel: [{name: one, tool: fail, args: {value: "{{ each }}", way: json}}]}
      - {name: asked_badly, on_error: continue, ask: {question: "{{ each }}?", type: integer}}
  - {name: called, skill: inner, inputs: {password: "{{ words[0] }}", words: "{{ words }}"}}
  - name: called_badly
    on_error: continue
    skill: inner
    inputs: {password: "{{ [words[0]] }}", words: "{{ words[1] }}"}
  - {name: quietly, secret: true, skill: inner, inputs: {password: "{{ words[4] }}", words: "{{ words }}"}}
  - {name: entered, tool: come_in, args: {value: "{{ inputs.password }}"}, on_error: continue}
  - {name: entered_again, tool: come_in, args: {value: "{{ handed }}"}}
  - name: made
    foreach: words
    as: each
    tool: make
    args: {value: "{{ each }}"}
    undo: {name: unmade, tool: unmake, args: {value: "{{ each }}"}, heal: false}
  - {name: lost, tool: lose, args: {value: "{{ inputs.password }}"}}
  - {name: enough, stop: {status: failed, message: "{{ words }} and {{ words[1] }} {{ words[0] }} {{ words[4] }}"}}
always:
  - {name: bye, tool: repeat, args: {value: "{{ words }}"}}
outputs:
  - {name: everything, value: "{{ words }}"}
  - {name: told, value: "{{ told }}"}
  - {name: summary, value: "{{ words[0] }} {{ words[4] }} {{ words[1] }} {{ words[3] }}"}
""".replace("WAYS", json.dumps(json.dumps([*WAYS])))
INNER = """
inputs:
  - {name: password, secret: true, type: string}
  - {name: words, type: array}
steps:
  - {name: inner_echo, tool: repeat, args: {value: "{{ inputs.password }}"}}
  - {name: inner_fail, on_error: continue, tool: fail, args: {value: "{{ inputs.words[0] }}", way: error}}
  - name: inner_made
    tool: make
    args: {value: "{{ inputs.password }}"}
    undo: {tool: unmake, args: {value: "{{ inputs.password }}"}}
outputs:
  - {name: inner, value: "{{ inner_echo.value }}"}
"""
INPUTS: Mapping[str, Any] = {"password": PASSWORD, "key": KEY, "card": CARD}
ANSWERS: Mapping[str, Any] = {"asked": ANSWER, "plainly": f"yes, {ANSWER}", "asked_badly": f"{TOLD}!"}
