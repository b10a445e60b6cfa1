"""What an unquoted word means: the core schema of YAML 1.2, and nothing of YAML 1.1."""

from __future__ import annotations

import re

LONGEST_NUMBER = 400
"""Characters; longer ones are refused, because converting them takes time that grows with their square."""

Plain = str | int | float | bool | None

_MEANINGS = re.compile(
    r"""(?P<null>null|Null|NULL|~)
      | (?P<true>true|True|TRUE)
      | (?P<false>false|False|FALSE)
      | (?P<integer>[-+]?[0-9]+)
      | (?P<octal>0o[0-7]+)
      | (?P<hexadecimal>0x[0-9a-fA-F]+)
      | (?P<number>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)
      | (?P<infinity>[-+]?\.(?:inf|Inf|INF))
      | (?P<nan>\.(?:nan|NaN|NAN))""",
    re.VERBOSE,
)
_FIRST = frozenset("-+.0123456789nNtTfF~")
_TEN = 10
_WORDS: dict[str | None, Plain] = {"null": None, "true": True, "false": False, "nan": float("nan")}


def resolve(word: str) -> Plain:
    """The value of an unquoted word; `no`, `on` and dates are text. ValueError for a number of absurd length."""
    if not word:
        return None
    if word[0] not in _FIRST:
        return word
    match = _MEANINGS.fullmatch(word)
    return word if match is None else _convert(word, match.lastgroup)


def _convert(word: str, meaning: str | None) -> Plain:
    if meaning in _WORDS:
        return _WORDS[meaning]
    if meaning == "infinity":
        return float(word.replace(".", ""))
    if len(word) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(word)} characters")
    match meaning:
        case "integer":
            return int(word, _TEN)
        case "octal" | "hexadecimal":
            return int(word, 0)
        case _:
            return float(word)
