"""`skill completion SHELL`: the script a shell sources to complete commands, options and names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

HELP = """Print the completion script of SHELL.

\b
bash: skill completion bash > ~/.local/share/bash-completion/completions/skill
zsh:  skill completion zsh > "${fpath[1]}/_skill"
fish: skill completion fish > ~/.config/fish/completions/skill.fish
"""

PLAIN = "COMPREPLY+=($value)"
PLAIN_THEN_VALUE = f"{PLAIN}\n            [[ $value == *= ]] && compopt -o nospace"
"""An input's value follows its `NAME=` at once, so bash adds no space there."""


@click.command("completion", help=HELP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion_command(context: click.Context, shell: str) -> None:
    """Prints the script; what it completes is asked of `skill` itself each time."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"there is no completion for {shell}")
    source = kind(context.find_root().command, {}, "skill", "_SKILL_COMPLETE").source()
    click.echo(source.replace(PLAIN, PLAIN_THEN_VALUE) if shell == "bash" else source)
