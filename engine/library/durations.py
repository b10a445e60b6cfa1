"""Lengths of time as authors write them."""

from __future__ import annotations

import re

_LENGTH = re.compile(r"(?=\d)(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")
_UNITS = (3600.0, 60.0, 1.0)


def seconds(value: float | str) -> float:
    """The seconds in a number of seconds or in text such as `90s`, `5m`, `1h30m`; ValueError for anything else."""
    if not isinstance(value, str):
        return float(value)
    parts = _LENGTH.fullmatch(value.strip())
    if parts is None or not any(parts.groups()):
        raise ValueError(f'{value!r} is not a length of time such as "90s", "5m" or "1h30m"')
    return sum(float(part) * unit for part, unit in zip(parts.groups(), _UNITS, strict=True) if part)
