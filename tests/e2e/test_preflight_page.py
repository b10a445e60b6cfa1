"""docs/preflight.md works as it is printed: a token is got before the first step, and a closed port blocks the run."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[2] / "docs" / "preflight.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The page's examples in one language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def furnish(folder: Path, port: int) -> None:
    """Puts the page's files where it says."""
    (folder / "tools").mkdir()
    (folder / "skills").mkdir()
    (folder / "skill.toml").write_text(blocks("toml")[0].replace("8765", str(port)))
    for text in blocks("yaml"):
        name = text.split("name: ")[1].split()[0]
        (folder / "tools" / f"{name}.yaml").write_text(text)
    (folder / "skills" / "stock.yaml").write_text(
        "name: stock\ndescription: What there is.\nsteps:\n  - {name: items, tool: shop_items}\n"
    )


def test_the_page_s_shop_is_made_ready_and_blocks_where_nobody_listens(shell: Any) -> None:
    """The token is got once; then nothing is missing; then the port is closed."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        furnish(shell.folder, port)
        first = shell.run("run", "stock")
        assert first.returncode == 0, first.stderr
        assert "pre-flight  token of shop: shop-token.json holds no token; shop_login() repaired it" in first.stderr
        second = shell.json("run", "stock")
        assert {each["check"]: each["action"] for each in second["preflight"]} == {
            "server": "passed",
            "room": "passed",
            "token": "passed",
        }
    blocked = shell.json("run", "stock", status=5)
    told = f"server of shop: 127.0.0.1:{port}: Connection refused. The domain shop does not say how to connect."
    assert blocked["message"] == told
    assert "secret-of-shop" not in str(second)
