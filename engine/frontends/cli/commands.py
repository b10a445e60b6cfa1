"""The table of commands; a command's module is imported only when that command is asked for."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module

import click

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "Run a skill; its steps heal themselves."),
    "list": ("library", "List the skills that can be run."),
    "show": ("library", "Show one skill: inputs, steps, outputs."),
    "check": ("library", "Find every mistake in skill files, before anything runs."),
    "tools": ("tools", "List the tools, or show one with an example."),
    "history": ("history", "List past runs."),
    "status": ("history", "Show how one run went, step by step."),
    "logs": ("history", "Show everything one run recorded."),
    "memory": ("memory", "Show what was learnt from failures."),
    "demo": ("demo", "Run the main job on the embedded local profile."),
    "doctor": ("doctor", "Check this machine, and say what to do."),
    "schema": ("library", "Print a JSON Schema, for editors."),
    "completion": ("completion", "Print a shell's completion script."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and help, and imports one when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """The command, imported now; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"engine.frontends.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name when there is no such command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], COMMANDS, n=1)
            if near and "Did you mean" not in error.message:
                raise click.UsageError(f"{error.message} Did you mean `{near[0]}`?", ctx) from error
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """The table of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])
