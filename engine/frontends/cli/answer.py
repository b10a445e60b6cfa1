"""`skill answer`: the answer to a question a run waits for; the run goes on in this process."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from engine.errors import RunStateError
from engine.frontends.cli.choosing import chosen, only, opened, waits
from engine.frontends.cli.completing import runs_that
from engine.frontends.cli.given import read_pairs
from engine.frontends.cli.questions import short_name, waiting_lines
from engine.frontends.cli.resume import GIVEN, engine_for
from engine.frontends.cli.running import Manner, conducted, manner_options
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.history.records import RunRecord
from engine.model.outcome import RunResult
from engine.run.executor import SkillExecutor


def _words(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """First the runs that wait, then `NAME=` for each question of the run."""
    run = context.params.get("words") or ()
    if not run:
        return runs_that(waits)(context, parameter, incomplete)
    session = context.find_object(Session) or Session()
    with opened(session) as history:
        asked = history.run(run[0]).questions
    names = [question.name for question in asked]
    return [
        CompletionItem(f"{short_name(question.name, names)}=", help=question.text)
        for question in asked
        if short_name(question.name, names).startswith(incomplete)
    ]


@click.command("answer")
@click.argument("words", nargs=-1, metavar="[RUN] NAME=VALUE...", shell_complete=_words)
@GIVEN
@manner_options
@screen_options
def answer_command(
    session: Session, words: tuple[str, ...], pairs: tuple[str, ...], manner: Manner, screen: Screen
) -> int:
    """Answer what RUN asks, and go on with it here (NAME:=JSON too).

    NAME is the question's name or that of its step. RUN may be left out when only one run waits. The exit status is as
    for `skill run`.
    """
    run, answers = _parted(words)
    given = read_pairs(pairs)
    meant = chosen(session, lambda history: only(history, run, waits, none="no run waits for an answer"))
    if not answers:
        raise _unanswered(meant.record)

    async def answer(executor: SkillExecutor) -> RunResult:
        return await executor.answer(
            meant.record.id, answers, inputs=given.values, from_text=given.from_text, timeout=manner.timeout
        )

    return conducted(
        engine_for(session, manner, meant.events),
        answer,
        screen=screen,
        manner=manner,
        paths=meant.paths,
        past=meant.events,
    )


def _parted(words: tuple[str, ...]) -> tuple[str | None, dict[str, object]]:
    """The run, when the first word is no answer, and the answers."""
    run = words[0] if words and "=" not in words[0] else None
    answers = words[1:] if run else words
    return run, dict(read_pairs(answers, option="NAME=VALUE").values)


def _unanswered(run: RunRecord) -> Exception:
    if not waits(run):
        return RunStateError(
            f"run {run.id} does not wait for an answer", hint=f"`skill status {run.id}` shows how it is"
        )
    told = "\n".join(waiting_lines(run.id, run.questions, None))
    return click.UsageError(f"run {run.id} waits for an answer:\n{told}")
