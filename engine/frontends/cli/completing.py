"""What a shell completes beside commands and options: names of skills, inputs, tools, runs and schemas; fast."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from engine.bundle import bundle
from engine.errors import EngineError
from engine.frontends.cli.session import Session

MOST_RUNS = 30
WORDS = "skill.words"
"""Where `skill run` keeps the words it was called with, for its help and for completion."""


def skill_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of skills by the names of their files, which costs no YAML; or files, once a path was begun."""
    if "/" in incomplete or incomplete.startswith("."):
        return [CompletionItem(incomplete, type="file")]
    with suppress(EngineError, OSError):
        found = {path.stem for folder in _session(context).workspace().skill_folders for path in folder.glob("*.yaml")}
        return [CompletionItem(name) for name in sorted(found) if name.startswith(incomplete)]
    return []


def input_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`NAME=` for each input of the skill already named on the line; the rest after a `=` is the person's own."""
    name = named_skill(context)
    if name is None or "=" in incomplete:
        return []
    from engine.documents import read  # noqa: PLC0415 - late: only inputs need the file

    with suppress(EngineError, OSError, AttributeError, TypeError):
        path = _skill_file(_session(context), name)
        inputs = read(path, tolerant=True).value.get("inputs", []) if path else []
        return [
            CompletionItem(f"{declared['name']}=", help=" ".join(declared.get("description", "").split()))
            for declared in inputs
            if isinstance(declared, dict) and str(declared.get("name", "")).startswith(incomplete)
        ]
    return []


def named_skill(context: click.Context) -> str | None:
    """The skill a call of `skill run` names, wherever among its options; also while an option still lacks its value."""
    words = [word for word in context.meta.get(WORDS, []) if word not in context.help_option_names]
    for spoken in (words, words[:-1]):
        try:
            options, _, _ = context.command.make_parser(context).parse_args(list(spoken))
        except click.UsageError:
            continue
        name = options.get("name")
        if isinstance(name, str):
            return name
    return None


def tool_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of tools, the workspace's own included."""
    from engine.memory_tools import NAMES  # noqa: PLC0415 - late: only tools need it
    from engine.profile import load_tools  # noqa: PLC0415 - late: only tools need it
    from tool_registry.registry import default_registry  # noqa: PLC0415 - late: only tools need it

    registry = default_registry()
    with suppress(EngineError, OSError, ValueError):
        load_tools(registry, _session(context).workspace())
    return [CompletionItem(name) for name in sorted([*registry, *NAMES]) if name.startswith(incomplete)]


Suits = Callable[..., bool]
"""Whether a command is about a run (a `RunRecord`, which is not imported here: history would cost its time)."""
Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def run_ids(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`last` and the newest runs."""
    return [item for item in [CompletionItem("last"), *_runs(context)] if item.value.startswith(incomplete)]


def runs_that(suits: Suits) -> Complete:
    """What completes the newest runs that suit."""

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [item for item in _runs(context, suits) if item.value.startswith(incomplete)]

    return complete


def _runs(context: click.Context, suits: Suits = lambda _: True) -> list[CompletionItem]:
    from engine.history import History  # noqa: PLC0415 - late: only runs need it

    session = _session(context)
    with suppress(EngineError, OSError):
        workspace = session.workspace()
        if workspace.history.exists():
            with History.open(workspace.history, secrets=session.secrets) as history:
                found = [run for run in history.runs(limit=MOST_RUNS) if suits(run)]
            return [CompletionItem(run.id, help=f"{run.skill}, {run.status.value}") for run in found]
    return []


def schema_names(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of schemas."""
    return [CompletionItem(name) for name in known_schemas() if name.startswith(incomplete)]


def known_schemas() -> list[str]:
    """The schemas there are, by name."""
    return sorted(path.name.removesuffix(".schema.json") for path in bundle("schemas").glob("*.schema.json"))


def _session(context: click.Context) -> Session:
    """The session of a call; while a shell completes, nothing has made one yet."""
    session = context.find_object(Session)
    if session is None:
        workspace = context.find_root().params.get("workspace")
        session = Session(folder=Path(workspace) if workspace else None)
    return session


def _skill_file(session: Session, name: str) -> Path | None:
    if "/" in name or name.endswith(".yaml"):
        return Path(name)
    files = (folder / f"{name}.yaml" for folder in session.workspace().skill_folders)
    return next((path for path in files if path.is_file()), None)
