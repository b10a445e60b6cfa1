"""The token of a configured service, by reference: a program prints it, a file keeps it, or the environment has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tool_registry.tool import ToolContext, ToolError

LONGEST_TOKEN = 10_000
COMMAND_TIMEOUT = 20.0


async def service_token(context: ToolContext, usual: str) -> str:
    """The token, kept out of everything shown; empty where there is none, for then the server says what it wants.

    The domain's `token_command` is a list of words, a program that prints it; `token_file` a file that is read anew for
    every call, so that a fix can renew it; `token_variable` the environment variable, `usual` unless said.

    Raises:
        ToolError: `configuration_error` where the program prints none.
    """
    token = await _kept(context, usual)
    context.secret(token)
    return token


async def _kept(context: ToolContext, usual: str) -> str:
    settings = context.settings
    if command := settings.get("token_command"):
        return await _printed(command, context)
    if file := settings.get("token_file"):
        return _in_file(str(file), context)
    return context.environment.get(str(settings.get("token_variable") or usual), "").strip()


def _in_file(named: str, context: ToolContext) -> str:
    try:
        with (context.folder / Path(named).expanduser()).open(encoding="utf-8", errors="replace") as kept:
            return kept.read(LONGEST_TOKEN).strip()
    except OSError:
        return ""  # nobody has logged in yet: the server says so, and a fix helps


async def _printed(command: Any, context: ToolContext) -> str:
    from tool_registry.sources.process import run_program  # noqa: PLC0415 - late: few domains have a command

    if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
        message = "token_command is a list of words: a program and its arguments"
        raise ToolError(message, kind="configuration_error", sent=False)
    done = await run_program(
        command,
        cwd=context.folder,
        environment=context.environment,
        timeout=min(COMMAND_TIMEOUT, context.timeout),
        output_limit=LONGEST_TOKEN,
    )
    token = done.stdout.strip()
    context.secret(token)
    if done.exit_status or not token or "\n" in token:
        message = f"{done.program}, which is to print the token, ended with {done.exit_status} and printed none"
        raise ToolError(message, kind="configuration_error", sent=False, details={"exit_status": done.exit_status})
    return token
