"""What a text mentions in passing: lines that do not tell why the call failed."""

from __future__ import annotations

import re

from engine.heal.quoted import without_quotes
from engine.model.failure import FailureKind as Kind

ELSEWHERE = frozenset(
    {
        Kind.AUTH_EXPIRED,
        Kind.PERMISSION_DENIED,
        Kind.NETWORK_UNREACHABLE,
        Kind.DNS_FAILURE,
        Kind.CONNECTION_REFUSED,
        Kind.TLS,
        Kind.RATE_LIMITED,
        Kind.SERVER_ERROR,
    }
)
"""Kinds that blame something outside the program. Logs, tests and retries mention them all the time."""

SURVIVED = re.compile(
    r"^(?:.{0,40}\b(?:TRACE|DEBUG|INFO|NOTICE)\b(?![^\n]{0,200}\b(?:fatal|giving up))"
    r"|\S{1,60} \S{1,40} \S{1,40} \[\d\d/\w{3}/\d{4}[: ]\d\d:\d\d:\d\d[^\]\n]{0,12}\] "
    r"|.{0,400}\b(?:reconnected|recovered|refreshed|refreshing the token|going on|going without|ok on attempt"
    r"|continuing without|trying the next)\b|.{0,400}\(expected\)).*$",
    re.MULTILINE,
)
"""A line of a log below a warning, of a server's access log, or one that says that the program went on."""

TESTED = re.compile(
    r"^(?:FAILED \((?:failures|errors)=[1-9]|not ok \d{1,6}\b|--- FAIL: |# fail [1-9]"
    r"|Tests run: \d{1,6}, Failures: [1-9]"
    r"|.{0,40}\bTests:? {1,8}[1-9]\d{0,5} failed\b|\s{0,8}[1-9]\d{0,5} (?:failing|fail)$|test result: FAILED\b"
    r"|\s{0,8}\d{1,6} (?:tests?|specs?|examples?), [1-9]\d{0,5} failures?\b|\s{0,8}[1-9]\d{0,5} tests? failed\b"
    r"|={1,80} .{0,80}\b[1-9]\d{0,5} failed\b.{0,80} in [\d.]{1,10}s)",
    re.MULTILINE,
)
"""The summary of a test runner that counts failures."""

TRACEBACK = re.compile(r"^\s{0,4}Traceback \(most recent call last\):", re.MULTILINE)

OWN_MISTAKE = re.compile(
    r"^(?:json\.decoder\.)?(?:KeyError|IndexError|AttributeError|NameError|UnboundLocalError|ZeroDivisionError"
    r"|AssertionError|TypeError|ValueError|RecursionError|NotImplementedError|FileNotFoundError|PermissionError"
    r"|JSONDecodeError)(?::|$)",
    re.MULTILINE,
)
"""The last line of a traceback of Python that blames the program or this machine."""

OWN_MISTAKE_IN_SCRIPT = re.compile(
    r"^(?:\[[\d:]{5,8}\] )?(?:TypeError|ReferenceError|RangeError|SyntaxError)"
    r"(?: \[\w{1,40}\])?: (?!fetch failed|terminated|Invalid URL).{0,400}\n\s{2,12}at ",
    re.MULTILINE,
)
"""An uncaught mistake of JavaScript with its stack."""


def decisive(heard: str) -> str:
    """What is left to blame something outside the program: nothing after failed tests, else what was said last.

    A traceback that ends in a mistake of the program overrules whatever was logged before it. Of JSON counts what it
    says of the call itself, and not the data that it hands on.
    """
    if TESTED.search(heard):
        return ""
    return without_quotes(SURVIVED.sub("", heard[_crash(heard) :]))


def _crash(heard: str) -> int:
    """Where the program's own mistake begins that ended it; 0 if there is none."""
    stacks = [found.start() for found in OWN_MISTAKE_IN_SCRIPT.finditer(heard)]
    traces = [found.start() for found in TRACEBACK.finditer(heard)]
    last = OWN_MISTAKE.search(heard, traces[-1]) if traces else None
    return max([*stacks[-1:], *([last.start()] if last else []), 0])
