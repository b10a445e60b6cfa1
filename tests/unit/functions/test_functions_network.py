"""The way to a host, as the kernel has it."""

from __future__ import annotations

from tests.unit.functions.shop_repository import Contexts
from tool_registry.functions.network import network_route


async def test_this_machine_is_reached_over_its_loopback(contexts: Contexts) -> None:
    """The kernel names the source; the device is told where the program `ip` is."""
    told = await network_route(host="127.0.0.1", port=9, context=contexts())
    assert (told["found"], told["address"], told["source"], told["reason"]) == (True, "127.0.0.1", "127.0.0.1", "")
    assert told["device"] in {"lo", ""}


async def test_without_the_program_ip_the_route_is_known_all_the_same(contexts: Contexts) -> None:
    """Only the device is not."""
    told = await network_route(host="127.0.0.1", context=contexts(PATH="/nowhere"))
    assert (told["found"], told["device"]) == (True, "")


async def test_a_name_nobody_knows_has_no_way(contexts: Contexts) -> None:
    """`.invalid` is never given to anybody (RFC 2606)."""
    told = await network_route(host="shop.invalid", context=contexts())
    assert told["found"] is False
    assert told["reason"].startswith("EAI_")
    assert told["message"]
