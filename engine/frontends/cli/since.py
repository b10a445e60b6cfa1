"""`--since`: a moment of the past, as a length of time before now or as a day."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

import click

_LENGTH = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


class Since(click.ParamType[float]):
    """`90m`, `36h`, `7d`, `2w` before now, or a day or time in ISO form (UTC); gives seconds since the epoch."""

    name = "since"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds since the epoch; click's error for a text that is neither."""
        if isinstance(value, float):
            return value
        if length := _LENGTH.fullmatch(value.strip()):
            return time.time() - float(length[1]) * _SECONDS[length[2]]
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            self.fail(f"{value!r} is neither a length of time (7d, 36h) nor a day (2026-11-01)", param, ctx)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


SINCE = Since()
