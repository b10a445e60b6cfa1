"""What a workspace's settings say of healing, and what overrules them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from engine.model.heal import HealMode
from engine.model.lazy_dataclass import dataclass
from engine.workspace import Workspace

SHADOW = 0.1
"""Share of foretold calls that run without the fix, for comparison, where the workspace does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealSettings:
    """How much healing a workspace wants; `chosen` counts before its mode.

    Where nothing is `real`, a kill switch that was thrown for the real world stops nothing.
    """

    workspace: Workspace
    chosen: HealMode | None = None
    real: bool = True

    @property
    def mode(self) -> HealMode:
        """What healing may do on its own."""
        return self.chosen or HealMode(self._said.get("mode", HealMode.AUTO))

    @property
    def killed(self) -> bool:
        """The kill switch: a setting, `SKILL_HEAL=off` in the environment, or a file `heal-off` in the state folder."""
        return self.real and (
            bool(self._said.get("kill_switch", False))
            or os.environ.get("SKILL_HEAL", "").lower() == "off"
            or (self.workspace.state / "heal-off").exists()
        )

    @property
    def strict_breaker(self) -> bool:
        """Whether fixes are switched off by the stricter rule (docs/healing.md)."""
        return bool(self._said.get("breaker") == "strict")

    @property
    def looks_ahead(self) -> bool:
        """Whether checks are made before runs and calls."""
        return bool(self._said.get("preflight", True))

    @property
    def foretells(self) -> bool:
        """Whether calls are looked at for what history foretells of them."""
        return bool(self._said.get("predict", True))

    @property
    def shadow(self) -> float:
        """The share of foretold calls that run without the fix."""
        return float(self._said.get("shadow", SHADOW))

    @property
    def _said(self) -> Mapping[str, Any]:
        said: Mapping[str, Any] = self.workspace.settings.get("heal", {})
        return said
