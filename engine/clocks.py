"""The clocks of this machine that do not follow its wall clock."""

from __future__ import annotations

import time


def uptime() -> float:
    """Seconds since this machine was started, asleep or not; setting its wall clock does not change them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def suspended() -> float:
    """Seconds this machine has slept since it was started; 0.0 where no clock tells.

    CLOCK_BOOTTIME runs on while a machine sleeps, CLOCK_MONOTONIC does not; on macOS the latter does, and
    CLOCK_UPTIME_RAW does not.
    """
    awake = getattr(time, "CLOCK_UPTIME_RAW", time.CLOCK_MONOTONIC)
    return max(0.0, uptime() - time.clock_gettime(awake))
