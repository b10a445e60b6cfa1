"""The table of commands; a command's module is imported only when that command is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from engine.frontends.cli.starting import leaving_at_once

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "Run a skill; its steps heal themselves."),
    "list": ("library", "List the skills that can be run."),
    "show": ("library", "Show one skill: inputs, steps, outputs."),
    "new": ("new", "Write a skill to start from."),
    "fmt": ("fmt", "Lay out skill files in the one way; comments stay."),
    "check": ("check", "Find every mistake in skill files, before anything runs."),
    "test": ("rehearsing", "Rehearse skills: canned answers in, expectations out."),
    "graph": ("graph", "Draw a skill, or what a run made of it: tree, Mermaid, DOT, SVG."),
    "tools": ("tools", "List the tools, or show one with an example."),
    "watch": ("watch", "Show a run of another process as it goes on."),
    "answer": ("answer", "Answer what a run waits for; it goes on."),
    "resume": ("resume", "Go on with a run whose process died."),
    "retry": ("resume", "Run again, with what a run had done already."),
    "cancel": ("cancel", "End a run, and undo what it did."),
    "history": ("history", "List past runs."),
    "status": ("history", "Show how one run went, step by step."),
    "logs": ("logs", "Show everything one run recorded."),
    "memory": ("memory", "Read, edit, review and back up what was learnt."),
    "heal": ("heal", "Figures of healing; what a failure means; one tool, healed."),
    "learn": ("learn", "Learn from history: patterns, sequences, repairs by hand."),
    "health": ("health", "Look at tokens, networks and logins; watch them."),
    "mcp": ("mcp", "Serve agents by MCP; use and heal the tools of MCP servers."),
    "export": ("exporting", "Write skills in the form other agents read."),
    "import": ("importing", "Take in a skill written for other agents."),
    "demo": ("demo", "Run the main job on the embedded local profile."),
    "init": ("init", "Make this folder a workspace, with what this machine has."),
    "doctor": ("doctor", "Check this machine and what it reaches, and say what to do."),
    "schema": ("schema", "Print a JSON Schema, for editors."),
    "completion": ("completion", "Print a shell's completion script."),
}


class NearestGroup(click.Group):
    """A group that answers a name it does not have with the nearest it has."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; without a command what is said is the help, and that one is missing."""
        if not args and not ctx.resilient_parsing and not self.invoke_without_command:
            click.echo(ctx.get_help(), err=True)
            raise click.UsageError("say which command", ctx)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name when there is no such command."""
        name = args[0]
        if not name.startswith("-") and name not in self.list_commands(ctx):
            raise click.UsageError(f"there is no command `{name}`.{self._guess(ctx, name)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of commands with the whole first sentence of each, where click would cut it."""
        told = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(limit=200)) for name, command in told if command])

    def _guess(self, ctx: click.Context, name: str) -> str:
        from difflib import get_close_matches  # noqa: PLC0415 - late: only a mistyped command needs it

        near = get_close_matches(name, self.list_commands(ctx), n=1, cutoff=0.5)
        return f" Did you mean `{near[0]}`?" if near else ""


class UnreadError(Exception):
    """Nobody reads what the command writes any more; as BrokenPipeError click would make an exit status of its own."""


class LazyGroup(NearestGroup):
    """A group that knows its commands by name and help, and imports one when it runs."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """As click does. Raises UnreadError, for a help text too."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except BrokenPipeError as error:
            raise UnreadError from error

    def invoke(self, ctx: click.Context) -> Any:
        """As click does. Raises UnreadError."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise UnreadError from error

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """The command, imported now; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        with leaving_at_once():
            module = import_module(f"engine.frontends.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """The table of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands and options that begin with what was typed, without importing any command."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [CompletionItem(name, help=text) for name, (_, text) in COMMANDS.items() if name.startswith(incomplete)]
