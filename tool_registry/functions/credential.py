"""Credentials by reference: a domain's settings say where a secret is kept, and never what it is.

A reference is exactly one of `{env: NAME}`, an environment variable; `{file: PATH}`, a file that is read anew for every
call, so that a fix can renew it; `{keyring: {service: S, username: U}}`, the keyring of this person's session; and
`{command: [WORD, ...]}`, a program that prints it. docs/configuration.md says so to people.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tool_registry.sources.plain_file import named_path, plain_text
from tool_registry.tool import ToolContext, ToolError

LONGEST = 100_000
"""Characters of a file or of a program's output that are read for a secret."""
PRINTED_WITHIN = 20.0
"""Seconds a program or the keyring has to give it; less where the call has less."""
FORMS = "{env = NAME}, {file = PATH}, {keyring = {service = S, username = U}} or {command = [WORD, ...]}"


async def credential(context: ToolContext, *, usual: str = "GITLAB_TOKEN", setting: str = "credential") -> str:
    """The secret that the domain's `setting` refers to, kept out of everything shown; empty where there is none.

    Without the setting it is the environment variable `usual` (empty: none). A file that is not there is no secret yet:
    whoever is asked says so, and a login helps. Dots in `setting` lead into mappings, as in `login.client_secret`.

    Raises:
        ToolError: `environment_variable` where the variable that is named is not set, `dependency_missing` without the
            module `keyring`, `configuration_error` where the reference is none or what it names gives nothing.
    """
    reference = setting_of(context.settings, setting)
    found = context.environment.get(usual, "") if reference is None else await _kept(reference, setting, context)
    found = found.strip()
    context.secret(found)
    if any(sign < " " or sign == "\x7f" for sign in found):
        raise _unusable(setting, f"the {setting} has more than one line, or signs that are no text, and is not used")
    return found


async def _kept(reference: Any, setting: str, context: ToolContext) -> str:
    match reference:
        case {"env": str(name)} if len(reference) == 1:
            return _in_environment(name, setting, context)
        case {"file": str(name)} if len(reference) == 1:
            return _in_file(name, context)
        case {"keyring": {"service": str(service), "username": str(user)}} if len(reference) == 1:
            return await _in_keyring(service, user, setting, context)
        case {"command": [str(), *words] as command} if len(reference) == 1 and all(isinstance(w, str) for w in words):
            return await _printed(command, Path(command[0]).name, setting, context)
    raise _unusable(setting, f"{setting} is not a reference: write {FORMS}")


def _in_environment(name: str, setting: str, context: ToolContext) -> str:
    if found := context.environment.get(name, "").strip():
        return found
    raise ToolError(
        f"the environment variable {name}, which holds the {setting}, is not set",
        kind="environment_variable",
        sent=False,
        details={"setting": setting, "variable": name},
    )


def _in_file(name: str, context: ToolContext) -> str:
    try:
        return plain_text(named_path(name, context.folder, context.environment), LONGEST)
    except FileNotFoundError:
        return ""  # nobody has logged in yet: whoever is asked says so, and a fix helps
    except (OSError, ValueError) as error:
        message = f"{name}, which holds the credential, cannot be read: {error}"
        raise ToolError(message, kind="configuration_error", sent=False) from error


async def _in_keyring(service: str, user: str, setting: str, context: ToolContext) -> str:
    """What the keyring has; its module runs as a program of its own, for it may wait for a person to unlock it."""
    command = [sys.executable, "-P", "-m", "keyring", "get", service, user]
    try:
        return await _printed(command, "keyring", setting, context)
    except ToolError as error:
        if "No module named keyring" not in error.output:
            raise
        raise ToolError(
            f"the {setting} is in the keyring, and its module is not installed; pip install 'skill-engine[keyring]'",
            kind="dependency_missing",
            sent=False,
            details={"setting": setting, "module": "keyring"},
        ) from error


async def _printed(command: Sequence[str], what: str, setting: str, context: ToolContext) -> str:
    from tool_registry.sources.process import run_program  # noqa: PLC0415 - late: few domains name a program

    done = await run_program(
        list(command),
        cwd=context.folder,
        environment=context.environment,
        timeout=min(PRINTED_WITHIN, context.timeout),
        output_limit=LONGEST,
        shared=context.connections,
        prints_secret=True,
    )
    found = done.stdout.strip()
    context.secret(found)
    if done.exit_status or not found or "\n" in found:
        how = "several lines" if found and not done.exit_status else "none"
        raise ToolError(
            f"{what}, which is to give the {setting}, ended with {done.exit_status} and printed {how}",
            kind="configuration_error",
            program=what,
            output=done.stderr[-2_000:] if done.exit_status else "",  # it was content: what it said may be the secret
            sent=False,
            details={"setting": setting, "exit_status": done.exit_status},
        )
    return found


def setting_of(settings: Mapping[str, Any], name: str) -> Any:
    """What a domain's settings hold under a name, None for nothing; dots lead into mappings."""
    found: Any = settings
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _unusable(setting: str, message: str) -> ToolError:
    return ToolError(message, kind="configuration_error", sent=False, details={"setting": setting})
