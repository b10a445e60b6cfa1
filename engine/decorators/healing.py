"""`auto_heal`: a Python function, async or not, whose failed calls are understood, fixed and made again."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.decorators.hiding import hide, sounds_secret
from engine.decorators.lone import Lone, call
from engine.decorators.surroundings import surroundings
from engine.decorators.wrapping import Action, Function, bound, name_and_place, never_called, wrapped
from engine.heal.calls import HEALING
from engine.model.lazy_dataclass import dataclass
from engine.model.secret import MASK
from engine.model.skill import HealOption
from engine.wiring import Engine
from tool_registry.tool import Effect, Tool

HEALED = "__auto_heal__"
"""The attribute under which a decorated function carries how it is healed."""
LONGEST = 200
"""Characters of an argument that are written down."""
WIDEST = 1_024
"""Bits of a number that is written down: JSON has no limit, but readers of it have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealedBy:
    """How a function is healed: its domain, or the parameter that names it; which fixes; what a call of it does.

    `seconds` is the longest one call may take, None for as long as it likes: a function that is not async cannot be
    stopped, so only an async one is held to it.
    """

    domain: str | None
    domain_from: str | None = None
    domains: Mapping[str, str] | None = None
    fixes: tuple[str, ...] | None = None
    effect: Effect = Effect.READ
    idempotent: bool = False
    seconds: float | None = None
    engine: Engine | None = None

    def refuse_mistakes(self) -> None:
        """Raises TypeError or ValueError for what a declaration cannot say."""
        if isinstance(self.fixes, str):
            raise TypeError(f'fixes is a tuple of roles: write fixes=("{self.fixes}",)')
        number = isinstance(self.seconds, int | float) and not isinstance(self.seconds, bool)
        if self.seconds is not None and not (number and self.seconds > 0):
            raise ValueError(f"timeout is a number of seconds above 0, not {self.seconds!r}")

    def domain_of(self, arguments: Mapping[str, Any]) -> str | None:
        """The domain of one call."""
        if self.domain_from is None:
            return self.domain
        named = str(arguments.get(self.domain_from) or self.domain or "")
        return (self.domains or {}).get(named, named) or None


def auto_heal(  # noqa: PLR0913 - a declaration, every field by keyword
    *,
    domain: str | None = None,
    domain_from: str | None = None,
    domains: Mapping[str, str] | None = None,
    fixes: tuple[str, ...] | None = None,
    effect: Effect = Effect.READ,
    idempotent: bool = False,
    timeout: float | None = None,
    engine: Engine | None = None,
) -> Callable[[Function], Function]:
    """Heals the calls of a function by the pipeline that heals the steps of skills.

        @auto_heal(domain="stage")
        async def pods(namespace: str) -> list[str]: ...

    What it raises is the failure; what it returns is a success, whatever it says. `domain` is one of the workspace's:
    its login, its network, its checks. `domain_from` names a parameter that says which, by `domains` if that is given.
    `fixes` allows only some roles (`("login",)`); `effect` and `idempotent` say whether a second call is safe, as for a
    tool; `timeout` in seconds. `engine` is the workspace's of the current folder unless it is given.

    A call that still fails raises what the last one raised, with notes on what was done and what a person can do. With
    `@tool` it stands in either order. Raises PreflightError when a check says that the call cannot work.
    """
    how = HealedBy(
        domain=domain,
        domain_from=domain_from,
        domains=domains,
        fixes=fixes,
        effect=Effect(effect),
        idempotent=idempotent,
        seconds=timeout,
        engine=engine,
    )

    how.refuse_mistakes()

    def decorate(function: Function) -> Function:
        if domain_from is not None and callable(function) and domain_from not in inspect.signature(function).parameters:
            name = getattr(function, "__qualname__", repr(function))
            raise ValueError(f"domain_from names {domain_from}, and {name} has no such parameter")

        async def conduct(lone: Lone, action: Action) -> Any:
            async with surroundings(how.engine) as opened:
                return await call(opened, _shown(lone, opened), action)

        healed = wrapped(function, functools.partial(_prepared, function, how), conduct, domain=domain)
        setattr(healed, HEALED, how)
        return healed

    return decorate


def _prepared(
    function: Callable[..., Any], how: HealedBy, given: tuple[Any, ...], named: Mapping[str, Any]
) -> Lone | None:
    """The call as healing sees it; None where what is around it heals this domain already."""
    arguments = bound(function, given, named)
    name, location = name_and_place(function)
    tool = Tool(
        name=name,
        call=never_called,
        effect=how.effect,
        idempotent=how.idempotent,
        domain=how.domain_of(arguments),
        timeout=how.seconds or 60.0,
        location=location,
    )
    if (tool.domain or "") in HEALING.get():
        return None
    narrowing = HealOption(domain=tool.domain, fixes=how.fixes)
    return Lone(tool=tool, args=arguments, narrowing=narrowing, limit=how.seconds)


def _shown(lone: Lone, engine: Engine) -> Lone:
    """The call with its arguments as they may be written down: data cut short, and nothing of what sounds secret."""
    hide(engine.secrets, lone.args)
    return replace(lone, args={name: _argument(name, value) for name, value in lone.args.items()})


def _argument(name: str, value: Any) -> Any:
    if sounds_secret(name):
        return MASK
    match value:
        case int() if value.bit_length() > WIDEST:
            return "<int>"
        case None | bool() | int() | float():
            return value
        case str() | Path():
            return str(value)[:LONGEST]
        case list() | tuple() if len(value) <= LONGEST and all(isinstance(each, str | int | float) for each in value):
            return [_argument("", each) for each in value]
        case _:
            return f"<{type(value).__name__}>"


def healed_by(function: Callable[..., Any]) -> HealedBy | None:
    """How a function is healed; None when it is not."""
    found = getattr(function, HEALED, None)
    return found if isinstance(found, HealedBy) else None
