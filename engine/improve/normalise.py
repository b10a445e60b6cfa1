"""What a failure said, without what differs between two sightings of it: times, ids, hashes, paths, numbers, addresses.

What looks like a credential goes too, even where nobody had told the engine that it is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from engine.heal.detect import normalise as readable
from engine.model.secret import MASK

LONGEST = 400
"""Characters of a line that are compared; what tells one error from another stands there."""

_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
_NAMES = (
    r"sha\d{1,3}|md5|utf-?\d{1,2}|base64|ipv[46]|x86_64|i[36]86|amd64|arm64|rs256|win(?:32|64)|oauth2|http2|x509|s3|k8s|"
    r"log4j|urllib3|python[23]"
)
"""Names with digits in them that are no ids."""
_KEY = r"(?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key|access[_-]?key|credentials?)[\"']?"
_UNLIKE_A_WORD = r"(?=[^\s,;&)]{0,200}\d|[^\s,;&)]{20})"
"""Behind a colon words may follow, too (`token: expired`); a credential has digits, or is long."""
_KEPT = {ord("0") + digit: 0xE000 + digit for digit in range(10)}
"""Digits that mean something are put aside as letters of no alphabet while the others are levelled."""
_BACK = {aside: kept for kept, aside in _KEPT.items()}

Level = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]


def _aside(found: re.Match[str]) -> str:
    return found[0].translate(_KEPT)


CREDENTIALS: Sequence[Level] = (
    (re.compile(re.escape(MASK)), "<secret>"),
    (re.compile(r"(?<=://)[^\s/@]{1,300}@"), "<secret>@"),
    (re.compile(r"\b(?:gh[pousr]_|glpat-|xox[abprs]-|sk-|AKIA|eyJ)[\w.+/=-]{8,2000}"), "<secret>"),
    (re.compile(rf"(?i)({_KEY}[ ]?=[ ]?)[^\s,;&)]{{1,2000}}"), r"\1<secret>"),
    (re.compile(rf"(?i)({_KEY}[ ]?:[ ]?){_UNLIKE_A_WORD}[^\s,;&)]{{4,2000}}"), r"\1<secret>"),
    (re.compile(rf"(?i)\b(bearer|basic) {_UNLIKE_A_WORD}[\w.+/=-]{{8,2000}}"), r"\1 <secret>"),
)
"""What looks like a credential, known to the engine or not."""

LEVELS: Sequence[Level] = (
    (re.compile(rf"(?i)\b(?:{_NAMES})\b(?!:[0-9a-f])"), _aside),
    (
        re.compile(
            r"\b\d{4}[-/]\d\d[-/]\d\d(?:[T _]\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?)?(?: ?Z|[+-]\d\d:?\d\d)?(?![\w-])"
        ),
        "<time>",
    ),
    (re.compile(rf"\b(?:(?:{_DAYS})[a-z]{{0,6}},? )?\d{{1,2}} (?:{_MONTHS})[a-z]{{0,6}} \d{{4}}\b"), "<time>"),
    (re.compile(rf"\b(?:(?:{_DAYS}) )?(?:{_MONTHS}) {{1,2}}\d{{1,2}}\b(?:,? \d{{4}}\b)?"), "<time>"),
    (re.compile(r"(?<![\w:])\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?: ?[AP]M)?\b(?!:)"), "<time>"),
    (re.compile(r"(?<![\w.])(?:\d{1,9}(?:\.\d{1,9})?(?:ns|us|µs|ms|s|m|h|d))+\b"), "<time>"),
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), "<id>"),
    (
        re.compile(r"(?<![\w-])(?:sha(?:1|256|512):)?(?=[0-9a-f]{0,127}\d)(?=\d{0,127}[a-f])[0-9a-f]{7,128}(?![\w-])"),
        "<hash>",
    ),
    (re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b"), "<address>"),
    (re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?::\d{1,5})?(?![\w.]\d)"), "<address>"),
    (re.compile(r"(?<![\w:])\[?(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{1,4}\]?(?::\d{1,5})?(?![\w:])"), "<address>"),
    (re.compile(r"(https?://(?:<secret>@)?[^\s/\"'<>]{1,253})/[^\s\"'<>),;]{0,2000}"), r"\1<path>"),
    (re.compile(r"(?<![\w:/<>])(?:~|\.{1,2})?/[\w.@%+~=,-]{1,200}(?:/[\w.@%+~=,-]{0,200}){0,40}"), "<path>"),
    (re.compile(r"\b[A-Za-z]:\\[^\s\"'<>|]{1,400}"), "<path>"),
    (re.compile(r"(?<![\w/.-])[\w.-]{1,200}(?:/[\w.-]{1,200}){1,20}\.[A-Za-z]{1,5}\b"), "<path>"),
    (
        re.compile(
            r"(?i)\b(?:http(?:/\d(?:\.\d)?)?|status|code|error|said|returned|response|answered|exit|errno)"
            r"(?:[:= ]{1,2}(?:status|code))?[:= ]{1,2}\d{1,3}\b"
        ),
        _aside,
    ),
    (re.compile(r"^\S{1,60}: \(\d{1,3}\)|(?<![\w.])[45]\d\d(?= [A-Z][a-z])"), _aside),
    (re.compile(r"\b(?=[A-Za-z0-9_-]{6})(?=(?:[A-Za-z_-]*\d){2})(?=[\d_-]*[A-Za-z])[A-Za-z0-9_-]+"), "<id>"),
    (re.compile(r"0x[0-9a-fA-F]{1,16}|(?<![A-Z\d])\d+(?:[.,]\d+)*"), "<n>"),
)
"""What differs between two sightings of one error, the more particular first. Host names and status codes stay: they
are the error."""

_SAYS_SO = re.compile(
    r"(?i)\b(?:error|fatal|fail(?:ed|ure)?|denied|refused|cannot|can't|could ?n[o']t|unable|invalid|not (?:found|"
    r"allowed|permitted|owned|exist)|no such|missing|expired?|tim(?:ed|e)[ -]?out|unauthorized|forbidden|exception|"
    r"panic|exceeded|rejected|unknown|unreachable|aborted|conflict|locked|unavailable)\b|\w(?:Error|Exception)\b"
)
_TRACEBACK = "Traceback (most recent call last)"
_BEGINS_SO = re.compile(
    r"(?i)\W{0,8}(?:[\w./-]{1,60}(?:\[\d+\])?: )?(?:(?:fatal )?error|fatal|panic|err!|failed|failure|denied)\b[^.(=]"
    r"|[\w.]{0,100}(?:Error|Exception)\b(?:: |$)"
)
"""A line that begins by saying that it is an error, behind the program's name at most."""
_FRAME = re.compile(
    r"\s*(?:at |File \"|\^|[~^]+$)|.*[;{}]\s*$|\(Background on this error|Node\.js v\d"
    r"|.*\b(?:exiting now|not recoverable)\b"
)
"""A line of a stack trace, of source code, or advice that is always the same."""
_LOGGED = re.compile(r"[EWIF]\d{4} \d\d:\d\d:\d\d")
"""A line of a library's log (klog) beside what the program itself has to say."""


def telling_line(text: str) -> str:
    """The line that says what is wrong; empty where nothing is said.

    The last error of a Python traceback; else the first line that begins by saying that it is an error; else the first
    with such a word in it; else the last. Source code, frames of stacks and a library's log count only where there is
    nothing else. Terminal controls are left out, as patterns see it.
    """
    heard = readable(text)
    lines = [line.rstrip() for line in heard.split("\n") if line.strip()]
    told = [line for line in lines if not _FRAME.match(line) and not _LOGGED.match(line)] or lines
    begins = [line for line in told if _BEGINS_SO.match(line)]
    if _TRACEBACK in heard:
        return (begins or [line for line in told if not line[0].isspace()] or told)[-1].strip()
    if begins:
        return begins[0].strip()
    return next((line for line in told if _SAYS_SO.search(line)), told[-1] if told else "").strip()


def without_credentials(text: str) -> str:
    """The text with `<secret>` for what looks like one."""
    for expression, sign in CREDENTIALS:
        text = expression.sub(sign, text)
    return text


def normalised(line: str) -> str:
    """The line with `<time>`, `<id>`, `<hash>`, `<address>`, `<path>`, `<n>` and `<secret>` for what differs."""
    line = without_credentials(line[:LONGEST])
    for expression, sign in LEVELS:
        line = expression.sub(sign, line)
    return " ".join(line.translate(_BACK).split())
