"""Whether a regular expression that a person wrote may be run on what a tool said.

Python's `re` cannot be interrupted, so an expression that may take forever is refused before it is used: by its form
(a repetition inside a repetition), and where its form is suspicious, by trying it on texts it finds hard.
"""

from __future__ import annotations

import re
from time import thread_time

LONGEST = 2_000
"""Characters of an expression."""
PATIENCE = 0.05
"""CPU seconds one search may take on a text it finds hard."""
TEXT = 8_192
"""Characters of the longest such text: as much as evidence holds."""
LINE = 2_000
WIDE = 1_000
"""A repetition of more than this counts as one without end."""

_PIECE = r"""
      (?P<escape>\\.)
    | (?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])
    | (?P<open>\((?:\?(?:[aiLmsux-]*:|P<\w+>|<?[=!]|\#[^)]*|>))?)
    | (?P<close>\))
    | (?P<repeat>[*+?]|\{\d*(?:,\d*)?\})
    | (?P<either>\|)
    | (?P<literal>.)
"""
_MAY_BE_SLOW = r"[*+]|,\}|\)\{"
"""Without any of these nothing repeats without end, and no group repeats; most expressions need no closer look."""


def fault(expression: str) -> str:
    """Why the expression is not used, as a clause (`does not compile: ...`); empty when it may be."""
    if len(expression) > LONGEST:
        return f"is longer than {LONGEST:,} characters"
    try:
        compiled = re.compile(expression, re.MULTILINE)
    except (re.error, RecursionError, OverflowError) as error:
        return f"does not compile: {error}"
    if compiled.search(""):
        return "matches an empty text, so it would speak on every failure"
    return _slowness(compiled) if re.search(_MAY_BE_SLOW, expression) else ""


def _slowness(compiled: re.Pattern[str]) -> str:
    form = _form(compiled.pattern)
    if form.nested:
        return "repeats a part that itself repeats without end, which can take forever"
    if form.suspicious and not _quick(compiled):
        return f"takes more than {PATIENCE * 1000:.0f} ms on some texts"
    return ""


class _Group:
    """What stands in one pair of parentheses: whether it repeats without end, varies in length, is a choice."""

    __slots__ = ("choice", "endless", "varies")

    def __init__(self) -> None:
        self.endless = self.varies = self.choice = False


class _Form:
    """What an expression is made of: endless repetitions, one inside another, repeated parts that vary in length."""

    __slots__ = ("endless", "nested", "varied")

    def __init__(self) -> None:
        self.endless = 0
        self.nested = self.varied = False

    @property
    def suspicious(self) -> bool:
        return self.endless > 1 or self.varied


def _form(expression: str) -> _Form:
    form, groups, last = _Form(), [_Group()], _Group()
    for token in re.finditer(_PIECE, expression, re.VERBOSE | re.DOTALL):
        match token.lastgroup:
            case "open":
                groups.append(_Group())
            case "close" if len(groups) > 1:
                last = groups.pop()
                groups[-1].endless |= last.endless
                groups[-1].varies |= last.varies or last.choice
                continue
            case "either":
                groups[-1].choice = True
            case "repeat":
                _repeat(form, groups[-1], last, _most(token.group()))
        last = _Group()
    return form


def _repeat(form: _Form, around: _Group, repeated: _Group, most: int) -> None:
    around.varies = True
    if most <= 1:
        return
    form.nested |= repeated.endless
    form.varied |= repeated.varies or repeated.choice
    if most > WIDE:
        form.endless += 1
        around.endless = True


def _most(repeat: str) -> int:
    """How often the repeated part may stand, WIDE + 1 for without end."""
    match repeat:
        case "*" | "+":
            return WIDE + 1
        case "?":
            return 1
        case _:
            most = repeat[1:-1].rpartition(",")[2]
            return int(most) if most else WIDE + 1


def _quick(compiled: re.Pattern[str]) -> bool:
    """Tries texts that grow: what explodes does so while they are still short."""
    words = re.sub(r"\\.|[^A-Za-z0-9 :/.,=_-]", "", compiled.pattern)[:200]
    for piece in dict.fromkeys([words, *words.split(), *words[:8], "a", "0", " ", "/", ":"]):
        if piece and not _quick_on(compiled, piece):
            return False
    return True


def _quick_on(compiled: re.Pattern[str], piece: str) -> bool:
    size = len(piece) * 4
    while size <= LINE:
        line = (piece * (size // len(piece) + 1))[:size]
        begin = thread_time()
        compiled.search(line + "\0")
        if (thread_time() - begin) * (TEXT / LINE) > PATIENCE:
            return False
        # Slowly while short: three characters more may take eight times as long.
        size = size + max(1, len(piece)) if size < 40 * len(piece) and size < LINE // 4 else size * 2
    return True
