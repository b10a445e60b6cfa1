"""docs/workspace.md works as it is printed: three files make a login heal."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "workspace.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The page's examples in one language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


class Shop(BaseHTTPRequestHandler):
    """Answers with items to those who show the one good token, and as the page says to all others."""

    def do_GET(self) -> None:
        """One request."""
        good = self.headers.get("Authorization") == "Bearer good"
        body = json.dumps({"items": ["tea"]} if good else {"error": "token expired"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def shop() -> Iterator[int]:
    """A running shop's port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def furnish(folder: Path, port: int) -> None:
    """Puts the page's files where it says."""
    settings, tool, fix = blocks("toml")[0], *blocks("yaml")[:2]
    (folder / "tools").mkdir()
    (folder / "skills").mkdir()
    (folder / "skill.toml").write_text(settings.replace("8765", str(port)))
    (folder / "tools" / "shop_items.yaml").write_text(tool)
    (folder / "tools" / "shop_login.yaml").write_text(fix)
    (folder / "skills" / "stock.yaml").write_text(
        "name: stock\ndescription: What there is.\nsteps:\n  - {name: items, tool: shop_items}\n"
        "outputs:\n  - {name: items, value: '{{ items[\"items\"] }}'}\n"
    )
    program = folder / "get-token"
    program.write_text("#!/bin/sh\necho good\n")
    program.chmod(0o755)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page's example calls curl; .ci/run has it")
def test_the_page_s_workspace_heals_a_missing_and_an_expired_token(shell: Any) -> None:
    """No token yet: one login. A token: none. A token the shop no longer takes: one login."""
    with shop() as port:
        furnish(shell.folder, port)
        assert shell.run("check", "stock").returncode == 0
        first = shell.json("run", "stock")
        assert (first["status"], first["healed"], first["outputs"]) == ("ok", 1, {"items": ["tea"]})
        assert shell.json("run", "stock")["healed"] == 0
        token = next(shell.home.rglob("shop_token"))
        token.write_text("Authorization: Bearer stale\n")
        (shell.home / "state" / "fixes" / "shop_login--shop.json").unlink()  # as if its cool-down were over
        assert shell.json("run", "stock")["healed"] == 1


def test_the_page_s_other_settings_and_its_profile_are_valid(shell: Any) -> None:
    """What the page prints, the engine takes."""
    (shell.folder / "skill.toml").write_text(blocks("toml")[2].replace('profile = "local"', 'profile = "stage"'))
    (shell.folder / "config").mkdir()
    (shell.folder / "config" / "stage_profile.yaml").write_text(blocks("yaml")[-1])
    (shell.folder / "tools").mkdir()
    (shell.folder / "tools" / "shop_login.yaml").write_text(blocks("yaml")[1])
    done = shell.run("doctor", "--offline")
    assert "stage: The shop's stage." in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0, done.stdout + done.stderr


def test_doctor_finds_a_fix_that_names_no_tool(shell: Any) -> None:
    """A mistake in skill.toml is said before the token expires, not when."""
    furnish(shell.folder, 8765)
    text = (shell.folder / "skill.toml").read_text()
    (shell.folder / "skill.toml").write_text(text.replace('"shop_login"', '"shop_logn"'))
    done = shell.run("doctor")
    assert done.returncode == 1
    assert "shop.login names shop_logn, which is no tool" in " ".join(done.stdout.split())


def test_doctor_finds_checks_that_cannot_be_made_or_repaired(shell: Any) -> None:
    """A tool that is none, one that does more than read, arguments it does not take, a fix that is not there."""
    furnish(shell.folder, 8765)
    checks = {
        "gone": "tool = 'netwrk_reachable'",
        "writes": "tool = 'file_write'",
        "args": "tool = 'network_reachable'\nargs = {host = 'h', prot = 80}",
        "role": "tool = 'echo'\nargs = {value = 1}\nrole = 'conect'",
    }
    with (shell.folder / "skill.toml").open("a") as file:
        file.writelines(f"\n[domains.shop.checks.{name}]\n{text}\n" for name, text in checks.items())
    done = shell.run("doctor")
    said = " ".join(done.stdout.split())
    assert done.returncode == 1
    assert "shop.gone looks with netwrk_reachable, which is no tool" in said
    assert "shop.writes looks with file_write, which does more than read" in said
    assert "shop.args: network_reachable was not called: the argument `port` is missing" in said
    assert "shop.role is repaired by conect, and shop has no such fix" in said
