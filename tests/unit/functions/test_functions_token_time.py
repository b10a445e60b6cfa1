"""How long the kept token holds, by its own word."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tool_registry.registry import default_registry
from tool_registry.tool import ToolContext


def kept(path: Path, token: str) -> ToolContext:
    """A context whose kubeconfig holds a token of ann's."""
    path.write_text(json.dumps({"users": [{"name": "ann", "user": {"token": token}}]}))
    return ToolContext(settings={"kubeconfig": str(path), "user": "ann"})


def signed(claims: Any) -> str:
    """A token as it stands in a kubeconfig; nobody looks at its signature here."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.c2lnbmVk"


async def asked(context: ToolContext) -> Any:
    """What the tool says."""
    return (await default_registry().call("local_token_expiry", {}, context)).value


@pytest.mark.parametrize("left", [40.0, -40.0])
async def test_the_time_left_is_told(tmp_path: Path, left: float) -> None:
    """Until when, and how many seconds that is; less than none when it is over."""
    ends = time.time() + left
    told = await asked(kept(tmp_path / "kubeconfig", signed({"exp": ends})))
    assert (told["user"], told["expires_at"]) == ("ann", ends)
    assert left - 20 < told["expires_in"] <= left


@pytest.mark.parametrize("token", ["opaque", signed([]), signed({"sub": "ann"}), "a.!!.c", signed({"exp": "soon"})])
async def test_a_token_that_says_nothing_of_its_end_is_no_failure(tmp_path: Path, token: str) -> None:
    """Then nobody knows."""
    told = await asked(kept(tmp_path / "kubeconfig", token))
    assert (told["expires_at"], told["expires_in"]) == (None, None)


async def test_without_a_token_there_is_no_time(tmp_path: Path) -> None:
    """Before the first login."""
    context = ToolContext(settings={"kubeconfig": str(tmp_path / "none"), "user": "ann"})
    assert await asked(context) == {"user": "ann", "expires_at": None, "expires_in": None}


async def test_the_token_itself_is_kept_out_of_everything(tmp_path: Path) -> None:
    """It is registered as a secret."""
    secrets: list[Any] = []
    token = signed({"exp": 1})
    context = kept(tmp_path / "kubeconfig", token)
    told = await asked(ToolContext(settings=context.settings, secret=secrets.append))
    assert (secrets, token in json.dumps(told)) == ([token], False)
