"""Which of several ways to the same promise a run of the tests takes.

All of them with `SKILL_TEST_WAYS=all`; else the last that is named, for one way costs seconds and CI has minutes.
"""

from __future__ import annotations

import os
from typing import TypeVar

Way = TypeVar("Way")


def ways(*every: Way) -> list[Way]:
    """The ways to take."""
    return list(every) if os.environ.get("SKILL_TEST_WAYS") == "all" else [every[-1]]
