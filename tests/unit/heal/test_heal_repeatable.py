"""Whether a failed call may be made again, how it is named, and what a call that was cut off had done."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from engine.heal.policy import HealPolicy
from engine.model.failure import FailureKind
from engine.model.heal import HealMode
from engine.model.skill import HealOption
from tests.unit.heal.lives import RESET, UNAUTHORISED, Shop
from tool_registry.tool import Effect, ToolError

REFUSED_HERE = ToolError("order was not called", kind="usage_error", sent=False)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop where healing is off."""
    return Shop(folder=tmp_path, policy=HealPolicy(mode=HealMode.OFF))


@pytest.mark.parametrize(
    ("error", "effect", "idempotent", "repeatable"),
    [
        (RESET, Effect.READ, False, True),
        (RESET, Effect.WRITE, True, True),
        (RESET, Effect.WRITE, False, False),
        (UNAUTHORISED, Effect.WRITE, False, True),
        (REFUSED_HERE, Effect.DESTRUCTIVE, False, True),
        (ToolError("odd"), Effect.WRITE, False, False),
    ],
)
async def test_a_failed_call_says_whether_a_second_one_is_safe(
    shop: Shop, error: ToolError, effect: Effect, idempotent: bool, repeatable: bool
) -> None:
    """By effect, or by proof that nothing happened; whether healing may act does not matter."""
    shop.effect, shop.idempotent, shop.acts = effect, idempotent, [error]
    assert (await shop.call()).repeatable is repeatable


@pytest.mark.parametrize(("placed", "ok", "repeatable"), [(False, False, True), (True, True, False)])
async def test_a_write_that_verify_looked_for_is_settled(shop: Shop, placed: bool, ok: bool, repeatable: bool) -> None:
    """It did not happen, so a second call is safe, though healing has a reason to make none."""
    failure = ToolError("slow down", http_status=503, retry_after=900.0)
    shop.policy, shop.verifies = HealPolicy(), True
    shop.acts = [shop.placed_then(failure) if placed else failure]
    healing = await shop.call()
    assert (healing.ok, healing.repeatable) == (ok, repeatable)


@pytest.mark.parametrize("stopped", ["heal: false", "kill switch", "off"])
async def test_detection_is_not_healing(shop: Shop, stopped: str) -> None:
    """A failure has its name wherever healing is stopped."""
    policies = {"kill switch": HealPolicy(kill_switch=True), "off": HealPolicy(mode=HealMode.OFF)}
    shop.policy, shop.acts = policies.get(stopped, HealPolicy()), [UNAUTHORISED]
    healing = await shop.call(narrowing=HealOption(enabled=stopped != "heal: false"))
    assert healing.failure is not None
    assert healing.failure.kind is FailureKind.AUTH_EXPIRED


async def test_healing_that_breaks_still_names_the_failure(shop: Shop) -> None:
    """By evidence alone; and a second call is then only safe for what may always be called again."""

    def broken() -> Any:
        raise RuntimeError("no policy today")

    for effect, repeatable in ((Effect.WRITE, False), (Effect.READ, True)):
        shop.effect, shop.acts = effect, [UNAUTHORISED]
        healer = replace(shop.healer(), mending=broken)
        healing = await healer.call(shop.request())
        assert healing.failure is not None
        assert (healing.failure.kind, healing.repeatable) == (FailureKind.AUTH_EXPIRED, repeatable)
        assert "healing itself broke (RuntimeError: no policy today)" in healing.reason


async def test_going_on_that_breaks_is_a_failure_too(shop: Shop) -> None:
    """Nothing is called, and the failure says that the call was cut off."""

    def broken() -> Any:
        raise RuntimeError("no policy today")

    await shop.call()
    healing = await replace(shop.healer(), mending=broken).call(shop.request(past=shop.book.past()))
    assert healing.failure is not None
    assert (healing.failure.kind, healing.repeatable, shop.calls) == (FailureKind.CANCELLED, False, ["order"])


async def test_the_wait_a_server_names_is_told(shop: Shop) -> None:
    """For whoever repeats the call."""
    shop.acts = [ToolError("slow down", http_status=429, retry_after=7.0)]
    healing = await shop.call()
    assert healing.retry_after == 7.0
    assert (await shop.call()).retry_after is None


async def test_a_wait_longer_than_the_step_may_take_gives_up_at_once(shop: Shop) -> None:
    """The reason names both."""
    shop.policy, shop.effect = HealPolicy(), Effect.READ
    shop.acts = [ToolError("slow down", http_status=429, retry_after=60.0)]
    healing = await shop.call(deadline=anyio.current_time() + 30)
    assert (healing.ok, shop.calls) == (False, ["order"])
    assert "The next call may come in 60 s" in healing.reason


async def test_a_look_may_come_a_moment_after_the_deadline(shop: Shop) -> None:
    """The step's time is up, and whether the write happened is still worth knowing."""
    shop.policy, shop.verifies, shop.acts = HealPolicy(), True, [shop.placed_then(RESET)]
    healing = await shop.call(deadline=anyio.current_time())
    assert (healing.ok, shop.calls) == (True, ["order", "was_placed"])


@pytest.mark.parametrize(
    ("verifies", "verdict", "happened"), [(True, True, True), (True, False, False), (True, "?", None), (False, 1, None)]
)
async def test_who_cleans_up_learns_whether_a_call_had_its_effect(
    shop: Shop, verifies: bool, verdict: Any, happened: bool | None
) -> None:
    """The tool itself is not called; and what nothing can tell is None."""
    shop.verifies, shop.verdict = verifies, verdict
    told, _ = await shop.healer().settle(shop.request())
    assert told is happened
    assert "order" not in shop.calls


def test_a_call_that_works_needs_nothing_that_heals() -> None:
    """What a failure or a past needs is not even imported."""
    code = (
        "import sys, engine.heal.healer, engine.heal.calls; "
        "late = {'pipeline', 'resume', 'recollection', 'settle', 'asking', 'broken', 'detect', 'safety'}; "
        "print(sorted(name for name in late if f'engine.heal.{name}' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
