"""Modules the interpreter lacks, in small, as source text that it runs itself."""

from __future__ import annotations

from typing import Final

STAND_INS: Final[dict[str, str]] = {
    "string": "letters",
    "textwrap": "wrapping",
    "urllib.parse": "addresses",
    "zoneinfo": "zones",
    "statistics": "averages",
}
