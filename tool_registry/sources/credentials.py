"""Secret values a definition asks for by name, so that they stand in no file and in no argument list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tool_registry.sources.placeholders import Reader, Values
from tool_registry.tool import ToolError


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A value from an environment variable or a setting of the domain; secret from the moment it is read."""

    variable: str | None = None
    setting: str | None = None

    def text(self, values: Values) -> str:
        """The value; ToolError (`environment_variable`, `configuration_error`) when it is not set."""
        value = self._variable(values) if self.variable else str(values.setting(self.setting or ""))
        values.context.secret(value)
        return value

    def _variable(self, values: Values) -> str:
        found = values.context.environment.get(self.variable or "")
        if not found:
            raise ToolError(
                f"the environment variable {self.variable} is not set", kind="environment_variable", sent=False
            )
        return found


def credential(spec: Mapping[str, Any], reader: Reader) -> Credential:
    """`{secret_env: NAME}` or `{settings: key}`."""
    match spec:
        case {"secret_env": str(variable)} if len(spec) == 1:
            return Credential(variable=variable)
        case {"settings": str(setting)} if len(spec) == 1:
            return Credential(setting=setting)
    raise reader.error(f"a secret is {{secret_env: NAME}} or {{settings: key}}, not {dict(spec)!r}")
