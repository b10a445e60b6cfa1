"""One expression for lines that say the same: it fits all of them and the next, and nothing else."""

from __future__ import annotations

import re

import pytest

from engine.improve.expression import expression
from engine.improve.normalise import normalised
from engine.memory.expressions import fault


def made(*said: str) -> str:
    """The expression for these lines."""
    return expression([normalised(line) for line in said], said)


def test_it_fits_all_of_them_and_the_next() -> None:
    """Ids, paths and times may be any; an inserted word becomes a gap."""
    found = made(
        "lease 8f3a2c1d of /var/run/a revoked at 12:03:04 for ann now",
        "lease 99aa2c1e of /tmp/b/c revoked at 2026-11-20 12:03:05 for bob (again) now",
    )
    assert re.search(found, "lease 00aa11bb of /x revoked at 01:02:03 for cy now")
    assert not re.search(found, "lease of /x revoked")
    assert not re.search(found, "the lease 00aa11bb of /x revoked at 01:02:03 for cy now")
    assert fault(found) == ""


def test_signs_in_it_are_only_signs() -> None:
    """What a tool prints is text, never an expression."""
    found = made("fatal (a|b)* [x] cannot be $read^ at 12", "fatal (a|b)* [x] cannot be $read^ at 99")
    assert re.search(found, "fatal (a|b)* [x] cannot be $read^ at 7")
    assert not re.search(found, "fatal aaaa x cannot be read at 7")


@pytest.mark.parametrize("line", ["error", "12:03:04 17", "failed: 12", "/a/b: <x>"])
def test_what_says_too_little_is_no_pattern(line: str) -> None:
    """It would speak on everything."""
    assert made(line, line) == ""


def test_lines_with_little_in_common_give_nothing() -> None:
    """Four gaps would swallow any line: what is behind the third is left out, and the rest says too little."""
    assert made("a one b two c three d four e", "a 1 b 2 c 3 d 4 e") == ""


def test_runs_of_blanks_fit_too() -> None:
    """Columns are laid out differently from one time to the next."""
    found = made("volume   alpha    cannot be attached", "volume   alpha cannot be attached")
    assert re.search(found, "volume alpha  cannot be attached")
