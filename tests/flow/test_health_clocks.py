"""The monitor's clocks come from outside: sleep and clocks that are set are lived through here, without waiting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest

from engine.health.built import HealthSettings, monitor_of
from engine.health.monitor import Happening
from engine.health.pace import Why
from engine.wiring import Engine
from engine.workspace import find_workspace
from tool_registry.sources.python import tool, tool_of
from tool_registry.tool import Effect, FixScope, Tool

MORNING = 1_795_244_400.0
"""2026-11-21 07:00:00 UTC."""
HOUR = 3_600.0
SETTINGS = """
profile = "yard"
[domains.door]
fixes.login = {call = {tool = "log_in"}, cooldown = 0}
expiry = {tool = "token_time"}
"""


class OverError(Exception):
    """The test has seen enough."""


@dataclass(slots=True)
class World:
    """Two clocks that only go on when somebody sleeps, a token that ends by one of them, and what happens when."""

    wall: float = MORNING
    up: float = 1_000.0
    token_ends: float = 0.0
    lifetime: float = 8 * HOUR
    logins: list[float] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    plans: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    until: float = 0.0

    async def sleep(self, seconds: float) -> None:
        """Time passes; what was planned happens."""
        await anyio.lowlevel.checkpoint()
        self.wall += seconds
        self.up += seconds
        for plan in [plan for plan in self.plans if plan[0] <= self.up]:
            self.plans.remove(plan)
            plan[1]()
        if self.up >= self.until:
            raise OverError

    def suspend(self, seconds: float) -> None:
        """The machine sleeps: both clocks go on, nobody gets a turn."""
        self.wall += seconds
        self.up += seconds

    def set_clock(self, by: float) -> None:
        """Somebody sets the wall clock; tokens and servers go by it, too."""
        self.wall += by

    def tools(self) -> tuple[Tool, ...]:
        """A login, and how long its token holds."""

        @tool(effect=Effect.WRITE, idempotent=True, domain="door", fix=FixScope.CREDENTIALS, timeout=5)
        async def log_in() -> str:
            """Gets a token."""
            self.logins.append(self.up)
            self.token_ends = self.wall + self.lifetime
            return "logged in"

        @tool(effect=Effect.READ, domain="door", timeout=5)
        async def token_time() -> dict[str, Any]:
            """Until when it holds."""
            return {"expires_at": self.token_ends or None}

        return (tool_of(log_in), tool_of(token_time))


async def live(world: World, folder: Path, *, hours: float) -> None:
    """Watches for so many hours of the world's own time."""
    (folder / "config").mkdir()
    (folder / "config" / "yard_profile.yaml").write_text("profile: yard\ndomains: {}\n")
    (folder / "skill.toml").write_text(SETTINGS)
    (folder / "skills" / "health").mkdir(parents=True)
    for shipped in ("free_space", "web_services"):
        text = f"name: {shipped}\ndescription: Hidden here.\nsteps:\n  - {{name: fine, compute: result = 1}}\n"
        (folder / "skills" / "health" / f"{shipped}.yaml").write_text(text)
    world.until = world.up + hours * HOUR
    engine = Engine(
        find_workspace(folder, home=folder / "home"),
        extra_tools=world.tools(),
        clock=lambda: world.wall,
        uptime=lambda: world.up,
    )
    async with engine:
        monitor = monitor_of(
            engine, HealthSettings.of(engine.workspace), repairs=True, watching=world.happenings.append
        )
        monitor.sleep = world.sleep
        with pytest.raises(OverError):
            await monitor.watch()


def whys(world: World) -> list[Why]:
    """Why looks were made, in order."""
    return [each.why for each in world.happenings if each.about == "look" and each.why]


def notices(world: World) -> list[str]:
    """What people were told."""
    return [each.text for each in world.happenings if each.about == "notice"]


async def test_a_night_of_sleep_is_one_look_and_one_login(tmp_path: Path) -> None:
    """Eight hours of sleep are 96 missed looks and a token that ended: one look at once, which logs in."""
    world = World()
    world.token_ends = world.wall + 4 * HOUR
    world.plans.append((world.up + 0.5 * HOUR, lambda: world.suspend(8 * HOUR)))
    await live(world, tmp_path, hours=9)
    assert whys(world).count(Why.WOKE) == 1
    assert whys(world).count(Why.BEGIN) == 1
    assert len(whys(world)) == pytest.approx(1 + 12, abs=1)
    assert len(world.logins) == 1
    assert [text.split(":")[0] for text in notices(world)] == ["door/token is not well", "door/token is well again"]


async def test_a_day_awake_renews_every_token_in_time_and_tells_nobody(tmp_path: Path) -> None:
    """Tokens of one hour for a day: none ends, and nobody hears of it."""
    world = World(lifetime=HOUR)
    world.token_ends = world.wall + HOUR
    await live(world, tmp_path, hours=24)
    found = [each.report for each in world.happenings if each.report is not None]
    assert min((report.expires_at or 0.0) - report.at for report in found) > 0
    assert notices(world) == []
    assert len(world.logins) == pytest.approx(24 * 60 / 52, abs=3)


@pytest.mark.parametrize("by", [7.5 * HOUR, 400 * 24 * HOUR])
async def test_a_clock_set_forwards_is_looked_at_once_at_once(tmp_path: Path, by: float) -> None:
    """The token may have ended by it: it is renewed, and looks go on at their interval."""
    world = World()
    world.token_ends = world.wall + 8 * HOUR
    world.plans.append((world.up + 100, lambda: world.set_clock(by)))
    await live(world, tmp_path, hours=1)
    assert whys(world)[:2] == [Why.BEGIN, Why.CLOCK]
    assert set(whys(world)[2:]) <= {Why.INTERVAL, Why.ENDING}
    assert len(whys(world)) == pytest.approx(13, abs=2)
    assert len(world.logins) == 1


async def test_a_clock_set_back_stops_neither_looks_nor_notices(tmp_path: Path) -> None:
    """A year back: the file's newest time lies in the future, and the interval goes on all the same."""
    world = World()
    world.token_ends = world.wall + 8 * HOUR
    world.plans.append((world.up + 100, lambda: world.set_clock(-365 * 24 * HOUR)))
    world.plans.append((world.up + 1_000, lambda: setattr(world, "token_ends", 1.0)))
    await live(world, tmp_path, hours=1)
    assert whys(world)[:2] == [Why.BEGIN, Why.CLOCK]
    assert len(whys(world)) == pytest.approx(13, abs=2)
    assert len(world.logins) == 1
    assert len(notices(world)) == 2


async def test_a_restart_tells_nothing_twice(tmp_path: Path) -> None:
    """The file remembers what people know."""
    (tmp_path / "one").mkdir()
    world = World()
    await live(world, tmp_path / "one", hours=0.2)
    assert len(notices(world)) == 2
    again = World(wall=world.wall, up=world.up, token_ends=world.token_ends)
    for part in ("config", "skills"):
        (tmp_path / "one" / part).rename(tmp_path / f"old_{part}")
    await live(again, tmp_path / "one", hours=0.2)
    assert notices(again) == []
