"""Credentials by reference: a domain's settings say where a secret is kept, and never what it is."""

from __future__ import annotations

from pathlib import Path

from tool_registry.tool import ToolContext, ToolError

LARGEST = 100_000
"""Characters of a file that are read for a secret."""


def referenced(name: str, context: ToolContext, *, usual: str = "") -> str | None:
    """The value that `NAME_variable` (an environment variable) or `NAME_file` of the domain's settings lead to.

    It is kept out of everything shown from here on. `usual` is the variable that is looked into without either; None
    where nothing is named.

    Raises:
        ToolError: `environment_variable` or `configuration_error` where something is named and not there.
    """
    variable, file = context.settings.get(f"{name}_variable"), context.settings.get(f"{name}_file")
    found = _in_file(str(file), context) if file and not variable else context.environment.get(str(variable or usual))
    if variable and not found:
        message = f"the environment variable {variable}, which holds the {name}, is not set"
        raise ToolError(message, kind="environment_variable", sent=False, details={"variable": str(variable)})
    context.secret(found)
    return found or None


def _in_file(named: str, context: ToolContext) -> str:
    path = context.folder / Path(named).expanduser()
    try:
        with path.open(encoding="utf-8") as kept:
            text = kept.read(LARGEST).strip()
    except (OSError, ValueError) as error:
        raise ToolError(f"{path} cannot be read: {error}", kind="configuration_error", sent=False) from error
    if not text:
        raise ToolError(f"{path} is empty", kind="configuration_error", sent=False)
    return text
