"""An editor without a screen: it speaks the language server protocol with yaml-language-server, as VS Code does."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

PACKAGES = Path(__file__).parent / "editor"
PATIENCE = 60.0
"""Seconds an answer may take on a machine that is busy with other things."""
SETTINGS: dict[str, dict[str, Any]] = {
    "yaml": {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False, "url": ""}},
    "http": {"proxyStrictSSL": True},
}
"""No schemas from elsewhere: what is shown comes from the line in the file and from the file it names."""
ABILITIES = {
    "textDocument": {
        "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
        "hover": {"contentFormat": ["markdown"]},
    },
    "workspace": {"configuration": True},
}
CURSOR = "‸"
"""Stands in a text where the cursor is."""


def language_server() -> Path:
    """The program of yaml-language-server, installed once for all runs of the tests in a cache outside the tree.

    Where there is no Node.js, or it cannot be installed, the test is skipped with the reason; in CI it fails.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        _without("without node and npm there is no editor's language server to ask; .ci/run installs them")
    wanted = sha256(b"".join((PACKAGES / name).read_bytes() for name in ("package.json", "package-lock.json")))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "skill-engine"
    folder = cache / f"editor-{wanted.hexdigest()[:12]}"
    if not folder.is_dir():
        _install(folder)
    return folder / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"


def _install(folder: Path) -> None:
    """Installs beside the folder and moves it there whole: a test that is broken off leaves nothing half done."""
    fresh = folder.with_name(f"{folder.name}-{os.getpid()}")
    fresh.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PACKAGES / name, fresh)
    words = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(words, cwd=fresh, capture_output=True, text=True, check=False, timeout=100)
    if done.returncode:
        shutil.rmtree(fresh)
        _without(f"npm cannot install yaml-language-server here: {done.stderr.strip()[-500:]}")
    try:
        fresh.rename(folder)
    except OSError:  # another run of the tests was quicker
        shutil.rmtree(fresh)


def _without(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass
class Editor:
    """One window of an editor: files are opened, and looked at."""

    process: subprocess.Popen[bytes]
    schemas: Mapping[str, str] = field(default_factory=dict)
    answers: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)
    found: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: int = 0
    opened: int = 0
    configured: bool = False

    def open(self, path: Path, text: str | None = None) -> str:
        """Opens a file, with `text` in the window if it is not saved yet; gives its address."""
        shown, address = path.read_text(encoding="utf-8") if text is None else text, path.as_uri()
        self.found.pop(address, None)
        self.opened += 1
        document = {"uri": address, "languageId": "yaml", "version": self.opened, "text": shown}
        self._tell("textDocument/didOpen", {"textDocument": document})
        return address

    def problems(self, path: Path, text: str | None = None) -> dict[int, str]:
        """What the editor underlines in a file, by line (from 1)."""
        address = self.open(path, text)
        while address not in self.found:
            self._hear()
        self._tell("textDocument/didClose", {"textDocument": {"uri": address}})
        return {each["range"]["start"]["line"] + 1: each["message"] for each in self.found[address]}

    def completions(self, path: Path, text: str) -> dict[str, dict[str, Any]]:
        """What the editor offers where the cursor stands in a text, by label."""
        offered = self._at_cursor("textDocument/completion", path, text)
        return {item["label"]: item for item in (offered["items"] if isinstance(offered, dict) else offered)}

    def hover(self, path: Path, text: str) -> str:
        """What the editor shows when the mouse rests where the cursor stands."""
        shown = self._at_cursor("textDocument/hover", path, text)
        return str(shown["contents"]["value"]).replace("\\", "") if shown else ""

    def _at_cursor(self, method: str, path: Path, text: str) -> Any:
        before = text[: text.index(CURSOR)]
        address = self.open(path, text.replace(CURSOR, ""))
        place = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
        answer = self.ask(method, {"textDocument": {"uri": address}, "position": place})
        while address not in self.found:  # else what is underlined here is taken for the next text's
            self._hear()
        self._tell("textDocument/didClose", {"textDocument": {"uri": address}})
        return answer

    def ask(self, method: str, about: Any) -> Any:
        """The server's answer to a question."""
        self.asked += 1
        number = self.asked
        self._send({"id": number, "method": method, "params": about})
        while (heard := self._hear()) is None or heard.get("id") != number:
            pass
        assert "error" not in heard, heard
        return heard["result"]

    def begin(self, folder: Path) -> None:
        """Opens a folder."""
        there = {"uri": folder.as_uri(), "name": folder.name}
        self.ask(
            "initialize",
            {"processId": os.getpid(), "rootUri": there["uri"], "workspaceFolders": [there], "capabilities": ABILITIES},
        )
        self._tell("initialized", {})
        self._tell("workspace/didChangeConfiguration", {"settings": self._settings})
        while not self.configured:
            self._hear()

    @property
    def _settings(self) -> dict[str, Any]:
        return {**SETTINGS, "yaml": {**SETTINGS["yaml"], "schemas": dict(self.schemas)}}

    def listen(self) -> None:
        """Takes in what the server says, until it is gone."""
        stream = self.process.stdout
        assert stream is not None
        while header := stream.readline():
            if header.lower().startswith(b"content-length:"):
                while stream.readline().strip():
                    pass
                self.answers.put(json.loads(stream.read(int(header.split(b":")[1]))))

    def _hear(self) -> dict[str, Any] | None:
        """The next answer; what the server asks or tells meanwhile is answered or noted."""
        said = self.answers.get(timeout=PATIENCE)
        match said.get("method"):
            case None:
                return said
            case "workspace/configuration":
                self.configured = True
                self._send(
                    {
                        "id": said["id"],
                        "result": [self._settings.get(each["section"]) for each in said["params"]["items"]],
                    }
                )
            case "textDocument/publishDiagnostics":
                self.found[said["params"]["uri"]] = said["params"]["diagnostics"]
            case _ if "id" in said:
                self._send({"id": said["id"], "result": None})
        return None

    def _tell(self, method: str, about: Any) -> None:
        self._send({"method": method, "params": about})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stream = self.process.stdin
        assert stream is not None
        stream.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        stream.flush()


@contextmanager
def editor_in(folder: Path, schemas: Mapping[str, str] | None = None) -> Iterator[Editor]:
    """An editor with a folder open, told which schemas are for which files; it is told of none on the network."""
    command = ["node", str(language_server()), "--stdio"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        editor = Editor(process, schemas or {})
        ear = threading.Thread(target=editor.listen, daemon=True)
        ear.start()
        try:
            editor.begin(folder)
            yield editor
        finally:
            process.kill()
            process.wait()
            ear.join(PATIENCE)
