"""Moments and lengths of time, as people, servers and credentials tell them.

RFC 3339 and epoch seconds, durations as Prometheus writes them, the `exp` of a JSON web token, a certificate's end.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from datetime import UTC, datetime
from typing import Any

from tool_registry.tool import ToolError

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_536_000.0}
DURATION = "^([0-9]{1,7}(ms|s|m|h|d|w|y)){1,7}$"
"""As Prometheus writes durations: 90s, 5m, 1h30m, 2d."""
SEQUENCE, UTC_TIME, GENERALIZED_TIME, VERSION = 0x30, 0x17, 0x18, 0xA0
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def moment(told: Any) -> float | None:
    """A moment in epoch seconds, from a number or from text as RFC 3339 writes it; None for anything else.

    A day without a time, as GitLab says when a token ends, is its beginning in UTC.
    """
    if isinstance(told, bool) or told is None:
        return None
    if isinstance(told, int | float):
        return _finite(told)
    try:
        read = datetime.fromisoformat(str(told))
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def epoch_of(told: str) -> float:
    """A moment given as epoch seconds or as RFC 3339 writes it; ToolError (`usage_error`) for anything else."""
    try:
        found = _finite(told)
    except ValueError:
        found = moment(told)
    if found is None:
        raise ToolError(f"{told!r} is not a moment: write it as 2026-01-31T09:00:00Z", kind="usage_error", sent=False)
    return found


def seconds_of(duration: str) -> float:
    """The seconds of a duration as Prometheus writes it; ToolError (`usage_error`) for anything else."""
    if not re.fullmatch(DURATION, duration):
        raise ToolError(f"{duration!r} is not a duration, as in 90s, 5m or 1h30m", kind="usage_error", sent=False)
    return sum(int(count) * UNITS[unit] for count, unit in re.findall(r"([0-9]+)(ms|[smhdwy])", duration))


def jwt_end(token: str) -> float | None:
    """The `exp` claim of a JSON web token (RFC 7519), unverified; None when it says nothing of the kind."""
    try:
        claims = token.split(".")[1]
        return _finite(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"])
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return None


def _finite(told: Any) -> float | None:
    """None for what is no moment at all: JSON as Python reads it has `Infinity` and `NaN`."""
    moment = float(told)
    return moment if math.isfinite(moment) else None


def certificate_end(text: bytes) -> float | None:
    """When a certificate ends (`notAfter`), from PEM or DER; None when it is none."""
    try:
        return _not_after(_der(text))
    except (ValueError, IndexError):
        return None


def _der(text: bytes) -> bytes:
    if BEGIN.encode() not in text:
        return text
    body = text.decode("ascii", "ignore").partition(BEGIN)[2].partition(END)[0]
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _not_after(der: bytes) -> float:
    """The second time in `validity`, which comes after version (if told), serial, algorithm and issuer."""
    (_, certificate, _) = _element(der)
    (_, signed, _) = _element(certificate)
    parts: list[tuple[int, bytes]] = []
    while signed and len(parts) < 6:  # noqa: PLR2004 - what stands up to `validity` and after it (RFC 5280, 4.1)
        tag, value, signed = _element(signed)
        parts.append((tag, value))
    validity = parts[4 if parts[0][0] == VERSION else 3]
    if validity[0] != SEQUENCE:
        raise ValueError("no validity where it belongs")
    (_, _, rest) = _element(validity[1])
    tag, ends, _ = _element(rest)
    return _time(tag, ends.decode("ascii"))


def _element(der: bytes) -> tuple[int, bytes, bytes]:
    """The tag and the content of the first element, and what follows it (X.690, definite lengths)."""
    tag, length, start = der[0], der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start], "big")
    if start + length > len(der):
        raise ValueError("cut off")
    return tag, der[start : start + length], der[start + length :]


def _time(tag: int, text: str) -> float:
    if tag == GENERALIZED_TIME:
        read = datetime.strptime(text, "%Y%m%d%H%M%SZ")  # noqa: DTZ007 - the zone is set below
    elif tag == UTC_TIME:
        century = "19" if int(text[:2]) >= 50 else "20"  # noqa: PLR2004 - RFC 5280, 4.1.2.5.1
        read = datetime.strptime(century + text, "%Y%m%d%H%M%SZ")  # noqa: DTZ007 - as above
    else:
        raise ValueError("no time where it belongs")
    return read.replace(tzinfo=UTC).timestamp()
