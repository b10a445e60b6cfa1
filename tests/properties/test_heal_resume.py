"""Killed anywhere and as often as you like, a call that may be made once is made once, or somebody was asked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
from hypothesis import event, given, settings
from hypothesis import strategies as st

from engine.heal.policy import HealPolicy
from engine.model.event import EventKind
from engine.model.heal import Healing, HealMode
from engine.model.question import DONE, FAIL, REPEAT
from tests.unit.heal.lives import RESET, SPOKEN, UNAUTHORISED, Book, Died, Shop
from tool_registry.tool import Effect, ToolError

SLOW = ToolError("gateway time-out", http_status=504)
ORDERS: dict[str, Callable[[Shop], Any]] = {
    "works": lambda shop: shop.place,
    "unauthorised": lambda _: UNAUTHORISED,
    "lost": lambda _: RESET,
    "lost after it was placed": lambda shop: shop.placed_then(RESET),
    "says that it was unauthorised after it was placed": lambda shop: shop.placed_then(SPOKEN),
    "slow": lambda shop: shop.placed_then(SLOW),
    "dies": lambda _: Died(),
    "dies after it was placed": lambda shop: shop.placed_then(Died()),
}
LOGINS: dict[str, Any] = {"works": "in", "fails": ToolError("closed", http_status=503), "dies": Died()}
LIVES = 40
"""More than any story can kill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What calls do, one after the other; before which event each process dies; what is answered to questions."""

    orders: list[str]
    logins: list[str]
    deaths: list[int | None]
    words: list[str]
    verify: str
    mode: HealMode
    effect: Effect
    login_idempotent: bool
    shared: bool

    def shop(self, folder: Path) -> Shop:
        """A shop in which that happens."""
        shop = Shop(folder=folder, policy=HealPolicy(mode=self.mode, pause=0.0), book=Book(shared=self.shared))
        shop.effect, shop.log_in_idempotent = self.effect, self.login_idempotent
        shop.verifies, shop.verdict = self.verify != "none", {"unclear": "?"}.get(self.verify)
        shop.acts = [ORDERS[name](shop) for name in self.orders]
        shop.log_in_acts = [LOGINS[name] for name in self.logins]
        return shop

    def told(self, folder: Path) -> tuple[Shop, Healing, int]:
        """The shop afterwards, how the call ended, and how often somebody said `repeat`."""
        shop = self.shop(folder)
        return (shop, *anyio.run(until_it_ends, shop, list(self.deaths), list(self.words)))


stories = st.builds(
    Story,
    orders=st.lists(st.sampled_from(sorted(ORDERS)), min_size=1, max_size=6),
    logins=st.lists(st.sampled_from(sorted(LOGINS)), max_size=3),
    deaths=st.lists(st.none() | st.integers(min_value=0, max_value=14), max_size=6),
    words=st.lists(st.sampled_from([REPEAT, DONE, FAIL]), min_size=1, max_size=4),
    verify=st.sampled_from(["none", "true", "unclear"]),
    mode=st.sampled_from([HealMode.AUTO, HealMode.ASK, HealMode.OFF]),
    effect=st.sampled_from([Effect.WRITE, Effect.DESTRUCTIVE]),
    login_idempotent=st.booleans(),
    shared=st.booleans(),
)


async def until_it_ends(shop: Shop, deaths: list[int | None], words: list[str]) -> tuple[Healing, int]:
    """The call's end over many processes, and how often somebody said that it should be repeated.

    Each process but the last dies before the event of that number, or in a call; `words` answer what is asked.
    """
    known: dict[str, Any] = {}
    for _ in range(LIVES):
        shop.book.dies_before = deaths.pop() if deaths else None
        try:
            healing = await shop.call(past=shop.book.past(), answers=known, parks=True)
        except Died:
            shop.book.dies()
            continue
        shop.book.dies()
        if healing.question is None:
            return healing, list(known.values()).count(REPEAT)
        assert healing.question.name not in known
        settles = healing.question.about == "settle"
        known[healing.question.name] = (words.pop() if words else FAIL) if settles else True
    raise AssertionError("it never ended")


@given(story=stories)
@settings(max_examples=200, deadline=None)
def test_a_write_is_never_made_twice_unless_somebody_said_so(story: Story) -> None:
    """Whatever fails, wherever the process dies: the order is placed once, and once more for each `repeat`."""
    with tempfile.TemporaryDirectory() as folder:
        shop, healing, repeats = story.told(Path(folder))
    event(f"ok: {healing.ok}, repeated: {repeats}, calls: {min(shop.calls.count('order'), 4)}")
    assert shop.placed <= 1 + repeats
    assert shop.calls.count("log_in") <= 1 or story.login_idempotent
    assert shop.placed or not healing.ok or healing.answer_lost
    if story.verify == "true":
        assert repeats == 0
        assert shop.placed == 0 or healing.ok or story.mode is HealMode.OFF


@given(story=stories.map(lambda story: replace(story, effect=Effect.READ, mode=HealMode.AUTO, verify="none")))
@settings(max_examples=200, deadline=None)
def test_nobody_is_asked_what_became_of_a_read(story: Story) -> None:
    """It is made again, however often it is killed."""
    with tempfile.TemporaryDirectory() as folder:
        shop, _, _ = story.told(Path(folder))
    assert [asked for asked in shop.book.told(EventKind.QUESTION_ASKED) if asked["about"] == "settle"] == []
