"""Modules the compute interpreter lacks, in small: their source text is handed to it and runs inside it.

The files keep to what that interpreter knows; tests compare them with the modules of Python they stand in for.
"""

from __future__ import annotations

from typing import Final

STAND_INS: Final = {
    "string": "letters",
    "textwrap": "wrapping",
    "urllib.parse": "addresses",
    "zoneinfo": "zones",
    "statistics": "averages",
}
"""The file that stands in for each module."""
