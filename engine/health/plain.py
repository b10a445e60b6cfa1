"""What tools, skills and servers say of their health, as it may be shown, written and sent anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.model.health import HealthCheck, Part

ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)")
"""What moves a terminal's cursor, changes its colours, or its title."""
LONGEST = 2_000
"""Characters of one message that are kept, as of any failure's."""


def plain(check: HealthCheck, mask: Callable[[Any], Any]) -> HealthCheck:
    """The check, its texts masked, on one line each, and without what a terminal obeys or no file can hold."""

    def said(text: str) -> str:
        line = " ".join(ESCAPES.sub("", str(mask(text))).split())
        clean = "".join(sign for sign in line[: 2 * LONGEST] if sign.isprintable())
        # Again: what was left out may have stood in the middle of a secret.
        return " ".join(str(mask(clean)).split())[:LONGEST]

    def part(seen: Part) -> Part:
        return replace(seen, message=said(seen.message), trouble=said(seen.trouble), user=said(seen.user))

    return replace(check, parts=tuple(map(part, check.parts)))
