"""`skill memory patterns review`: what was learnt, put before a person who accepts or rejects it."""

from __future__ import annotations

import time
from typing import Any

import click

from engine.bundle import bundle
from engine.frontends.cli.asking import may_ask
from engine.frontends.cli.commands import NearestGroup
from engine.frontends.cli.layout import beside
from engine.frontends.cli.proposed import proposal_record, told_kind
from engine.frontends.cli.screen import Screen, screen_options
from engine.frontends.cli.session import Session
from engine.improve.review import NAMELESS, NO_FIX, accept, reject
from engine.memory import Memory
from engine.model.failure import FailureKind
from engine.model.improvement import About, Proposal, ProposalStatus

KINDS = [kind.value for kind in FailureKind if kind not in NAMELESS]
CHOICES = {"a": "accept", "r": "reject", "s": "skip", "q": "quit"}


@click.group("patterns", cls=NearestGroup)
def patterns_command() -> None:
    """Decide about what was learnt."""


@patterns_command.command("review")
@click.argument("proposal", required=False)
@click.option("--accept", "decision", flag_value="accept", help="Make a pattern or a known fix of it.")
@click.option("--reject", "decision", flag_value="reject", help="Never propose it again, nor what is alike.")
@click.option("--kind", type=click.Choice(KINDS), metavar="KIND", help="What kind of failure it is (auth_expired).")
@click.option("--fix", help=f"The role that may repair it (login, connect), or `{NO_FIX}`.")
@click.option("--pattern", help="The expression, where yours is better.")
@click.option("--meaning", help="What the failure means, in a sentence.")
@click.option("--root-cause", help="Why it failed, of a repair.")
@click.option("--fix-applied", help="What helps, of a repair.")
@click.option("--because", default="", help="Why you reject it.")
@click.option("--all", "everything", is_flag=True, help="Show those that are decided, too.")
@click.option("--no-input", is_flag=True, help="Only list them.")
@screen_options
def review_command(
    session: Session,
    proposal: str | None,
    decision: str | None,
    everything: bool,
    no_input: bool,
    because: str,
    screen: Screen,
    **changes: str | None,
) -> None:
    """List what `skill learn` proposes, show one, or decide about it.

    On a terminal each is asked about in turn. Exit status: 2 when something is missing, 6 when a file is broken.
    """
    memory = Memory(session.workspace().memory, seeds=bundle("memory"), secrets=session.secrets)
    if proposal is None and (decision or any(changes.values()) or because):
        raise click.UsageError("say which proposal: `skill memory patterns review` lists them")
    if proposal is not None:
        _one(memory, memory.proposals.find(proposal), decision, screen, because=because, changes=changes)
        return
    found = [each for each in memory.proposals.standing() if everything or each.status is ProposalStatus.OPEN]
    if found and not everything and screen.is_text and not screen.quiet and may_ask(no_input=no_input):
        _ask_each(memory, found, screen)
    else:
        _list(found, screen)


def _one(
    memory: Memory,
    proposal: Proposal,
    decision: str | None,
    screen: Screen,
    *,
    because: str,
    changes: dict[str, str | None],
) -> None:
    if decision is None:
        if any(changes.values()) or because:
            raise click.UsageError("say what to do with it: --accept or --reject")
        _show(proposal, screen)
        return
    told = (
        accept(memory, proposal, now=time.time(), **_changed(changes))
        if decision == "accept"
        else reject(memory, proposal, now=time.time(), reason=because)
    )
    if screen.is_text:
        screen.text(told)
    else:
        screen.result({"proposal": proposal.id, "decision": decision, "told": told})


def _changed(changes: dict[str, str | None]) -> dict[str, Any]:
    kind = changes.get("kind")
    return {**changes, "kind": FailureKind(kind) if kind else None}


def _list(found: list[Proposal], screen: Screen) -> None:
    if not screen.is_text:
        screen.result([proposal_record(each) for each in found])
        return
    if not found:
        screen.note("nothing waits for you; `skill learn` looks for more")
        return
    rows = [[each.id, each.status.value, told_kind(each) or "repair", str(each.times), each.text] for each in found]
    screen.table(rows, ["PROPOSAL", "STATUS", "KIND", "TIMES", "SAYS"], spare=["STATUS"])
    screen.note("  skill memory patterns review PROPOSAL shows one; --accept or --reject decides", dim=True)


def _show(proposal: Proposal, screen: Screen) -> None:
    if not screen.is_text:
        screen.result(proposal_record(proposal))
        return
    screen.text(f"{proposal.id}  {proposal.about}  {proposal.status}", bold=True)
    for name, text in _lines(proposal):
        for told in beside(f"  {name:<10}", text, screen.width, lines=20):
            screen.text(told)


def _lines(proposal: Proposal) -> list[tuple[str, str]]:
    pattern = [
        ("pattern", proposal.pattern),
        ("kind", proposal.kind.value + (" (you say what it is: --kind)" if proposal.kind in NAMELESS else "")),
        ("fix", proposal.fix),
        ("right", f"{proposal.right} of {proposal.seen} whose kind is known otherwise" if proposal.seen else ""),
    ]
    repair = [("error", proposal.error_pattern), ("cause", proposal.root_cause), ("fix", proposal.fix_applied)]
    told = [
        ("says", proposal.example),
        ("tools", ", ".join(proposal.tools)),
        ("because", proposal.because),
        *(pattern if proposal.about is About.PATTERN else repair),
    ]
    return [(name, text) for name, text in told if text]


def _ask_each(memory: Memory, found: list[Proposal], screen: Screen) -> None:
    for number, each in enumerate(found, 1):
        _show(each, screen)
        words = ", ".join(f"{word} ({letter})" for letter, word in CHOICES.items())
        asked = f"{number} of {len(found)}: {words}"
        match click.prompt(asked, type=click.Choice(list(CHOICES)), default="s", show_choices=False, err=True):
            case "a":
                screen.text(accept(memory, each, now=time.time(), **_asked(each)))
            case "r":
                screen.text(reject(memory, each, now=time.time()))
            case "q":
                return


def _asked(proposal: Proposal) -> dict[str, Any]:
    """What only a person can say of it."""
    if proposal.about is not About.PATTERN or proposal.kind not in NAMELESS:
        return {}
    kind = click.prompt("what kind of failure is it", type=click.Choice(KINDS), err=True)
    return {"kind": FailureKind(kind), "meaning": click.prompt("what does it mean", default="", err=True)}
