"""What a person may set, read at every use, so that a change takes effect without a restart."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEFAULTS: Mapping[str, float] = {
    "token_lifetime": 3600,
    "pool_limit": 5,
    "max_duration": 7 * 24 * 3600,
    "ready_timeout": 30,
    "slow_seconds": 0,
    "revoked_before": 0,
}
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Numbers from `settings.json`, else those of the command line, else the defaults."""

    path: Path
    given: Mapping[str, float] = field(default_factory=dict)

    def number(self, name: str) -> float:
        """Give the setting called `name`; a value that is no number above zero is reported and passed over."""
        value = self._written().get(name)
        if isinstance(value, int | float) and _is_above_zero(value):
            return value
        if value is not None:
            log.warning("settings.json: %s must be a number above 0, not %r; the default stands", name, value)
        return self.given.get(name, DEFAULTS[name])

    def flag(self, name: str) -> bool:
        """Tell whether `name` is switched on; anything but true and false is reported and passed over."""
        value = self._written().get(name, False)
        if not isinstance(value, bool):
            log.warning("settings.json: %s must be true or false, not %r; it is taken for false", name, value)
        return value is True

    def numbers(self, name: str) -> tuple[float, ...]:
        """Give a list of numbers above 0, empty when there is none; anything else is reported and passed over."""
        value = self._written().get(name, [])
        if isinstance(value, list) and all(_is_above_zero(each) for each in value):
            return tuple(float(each) for each in value)
        log.warning("settings.json: %s must be a list of numbers above 0, not %r; it is passed over", name, value)
        return ()

    def _written(self) -> Mapping[str, Any]:
        if self.path.exists() and not self.path.is_file():  # a pipe would be waited for
            log.warning("settings.json is not a file, the defaults stand")
            return {}
        try:
            value = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.warning("settings.json cannot be read, the defaults stand: %s", error)
            return {}
        return value if isinstance(value, dict) else {}


def _is_above_zero(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
