"""`skill graph`: a skill as a picture, and with `--run` what a run made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from functools import partial
from pathlib import Path

import click

from engine.errors import DocumentError, RunNotFoundError, SkillNotFoundError
from engine.frontends.cli.choosing import opened
from engine.frontends.cli.completing import run_ids, skill_names
from engine.frontends.cli.graphing.target import FORMS, Form, FormatOrFile, target
from engine.frontends.cli.layout import json_text
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.history import History
from engine.history.records import RunRecord
from engine.library import SkillLibrary
from engine.library.graph import Graph, graph_of, happened, legible, with_data
from engine.model.lazy_dataclass import dataclass
from engine.model.skill import Skill
from engine.wiring import Engine

LAST = "last"


@click.command("graph")
@click.argument("name", required=False, shell_complete=skill_names)
@click.option("--format", "form", type=click.Choice(FORMS), help="The picture; default: tree, or by the file's suffix.")
@click.option("--run", "run_id", shell_complete=run_ids, help="Show what this run made of it (its id, or `last`).")
@click.option("--depth", type=click.IntRange(0), default=1, show_default=True, help="Levels of called skills to open.")
@click.option("--data", is_flag=True, help="Show which step reads what which other step defines.")
@partial(screen_options, written=FormatOrFile())
def graph_command(
    session: Session,
    name: str | None,
    form: str | None,
    run_id: str | None,
    depth: int,
    data: bool,
    screen: Screen,
) -> None:
    """Draw the skill NAME (a name, or the path of a file): its steps, conditions, groups, and what is undone.

    With --run NAME may be left out; the skill is drawn as it was then, and coloured by what happened.
    """
    asked = target(click.get_current_context(), form, data=not screen.is_text)
    engine = Engine(session.workspace(), secrets=session.secrets)
    skills = _Skills(library=engine.library)
    draw = partial(_drawn, engine, skills, depth=depth, data=data)
    graph = _of_run(session, name, run_id, skills, draw, screen) if run_id else draw(_named(engine, name))
    if not screen.is_text:
        from engine.frontends.cli.graphing.record import graph_record  # noqa: PLC0415 - late: one format of many

        screen.result(graph_record(graph))
    elif asked.file is None and asked.form == "tree":
        _show_tree(graph, screen)
    else:
        _write(_text(graph, asked.form, screen), asked.file, screen)


@dataclass(slots=True, kw_only=True)
class _Skills:
    """The skills of a graph: the one it is of under "", those it opens by the id of their nodes.

    `texts` are skills as a run had them, by the same ids.
    """

    library: SkillLibrary
    texts: dict[str, tuple[str, str]] = field(default_factory=dict)
    found: dict[str, Skill] = field(default_factory=dict)

    def find(self, path: str, name: str) -> Skill | None:
        """The skill called by the step at `path`, as the run had it if it is known and can be read, else as it is."""
        skill = self.then(path) or self.now(name)
        if skill is not None:
            self.found[path] = skill
        return skill

    def then(self, path: str) -> Skill | None:
        """The skill as the run had it."""
        text, file = self.texts.get(path, ("", ""))
        return legible(text, file) if text else None

    def now(self, name: str) -> Skill | None:
        """The skill as it is now."""
        try:
            return self.library.load(name)
        except (SkillNotFoundError, DocumentError):
            return None


def _named(engine: Engine, name: str | None) -> Skill:
    if name is None:
        raise click.UsageError("name a skill, or a run with --run", click.get_current_context())
    return engine.library.load(name)


def _drawn(engine: Engine, skills: _Skills, skill: Skill, *, depth: int, data: bool) -> Graph:
    skills.found[""] = skill
    graph = graph_of(skill, sandbox=engine.sandbox, find=skills.find, depth=depth)
    return with_data(graph, skills.found, sandbox=engine.sandbox) if data else graph


def _of_run(
    session: Session,
    name: str | None,
    run_id: str,
    skills: _Skills,
    draw: Callable[[Skill], Graph],
    screen: Screen,
) -> Graph:
    """The skill as a run had it, coloured by what happened."""
    from engine.frontends.cli.graphing.facts import fact, run_outcome  # noqa: PLC0415 - late: only runs need it

    with opened(session) as history:
        run = _run(history, name, run_id)
        skills.texts.update(_texts(history, run))
        facts = [fact(step, run) for step in history.steps(run.id)]
    skill = skills.then("")
    if skill is None:
        skill = skills.library.load(run.file if Path(run.file).is_file() else run.skill)
        screen.note(
            f"drawn as {run.skill} is now: its text at the time of the run cannot be read any more", fg="yellow"
        )
    return happened(draw(skill), run_outcome(run), facts)


def _run(history: History, name: str | None, run_id: str) -> RunRecord:
    """The run that was named; `last` is the last one of the skill, where one was named too."""
    skill = Path(name).stem if name and ("/" in name or name.endswith(".yaml")) else name
    if skill and run_id == LAST:
        found = history.runs(limit=1, skill=skill)
        if not found:
            raise RunNotFoundError(f"{skill} has not run yet", hint=f"`skill run {skill}` starts it")
        return found[0]
    run = history.run(run_id)
    if skill not in (None, run.skill):
        raise click.UsageError(f"the run {run.id} is one of {run.skill}, not of {skill}", click.get_current_context())
    return run


def _texts(history: History, run: RunRecord) -> Iterator[tuple[str, tuple[str, str]]]:
    """The texts of the run's skill and of those it called, by the ids their nodes will have."""
    from engine.library.graph.happened import static  # noqa: PLC0415 - late: only runs need it

    yield "", (history.skill_text(run.id), run.file)
    for path, step in history.past(run.id).steps.items():
        if step.skill_text:
            yield static(path), (step.skill_text, step.skill_file)


def _show_tree(graph: Graph, screen: Screen) -> None:
    from engine.frontends.cli.graphing.tree import tree  # noqa: PLC0415 - late: one format of many

    for line in tree(graph, width=screen.width, verbose=screen.verbose):
        click.echo("".join(screen.styled(text, **style) for text, style in line), color=screen.color)


def _text(graph: Graph, form: Form, screen: Screen) -> str:
    """The picture in a format, without what is secret. Each format is imported when it is drawn: there are many."""
    match form:
        case "tree":
            from engine.frontends.cli.graphing.tree import plain, tree  # noqa: PLC0415 - see above

            text = plain(tree(graph, verbose=screen.verbose))
        case "mermaid":
            from engine.frontends.cli.graphing.mermaid import mermaid, too_much  # noqa: PLC0415 - see above

            text = mermaid(graph)
            if why := too_much(graph, text):
                screen.note(why, fg="yellow")
        case "dot":
            from engine.frontends.cli.graphing.dot import dot  # noqa: PLC0415 - see above

            text = dot(graph)
        case "svg":
            from engine.frontends.cli.graphing.svg import svg  # noqa: PLC0415 - see above

            text = svg(graph)
        case "json":
            from engine.frontends.cli.graphing.record import graph_record  # noqa: PLC0415 - see above

            text = json_text(graph_record(graph), indent=2) + "\n"
    masked: str = screen.secrets.mask(text)
    return masked


def _write(text: str, file: Path | None, screen: Screen) -> None:
    if file is None:
        click.echo(text, nl=False)
        return
    file.write_text(text, encoding="utf-8")
    screen.note(f"wrote {file}", dim=True)
