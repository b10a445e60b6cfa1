"""Starting the real platform and asking it over HTTP, for the tests beside this file."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

USER = "ada"
PATIENCE = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Status, JSON value (the text where it is none) and headers."""

    status: int
    value: Any
    headers: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class Platform:
    """A running platform and a caller with a token."""

    data: Path
    process: subprocess.Popen[str]
    url: str
    tokens: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: Any = None, *, user: str | None = USER, **headers: str) -> Reply:
        """Send one request, as `user` (None: without a token)."""
        sent = dict(headers)
        if user is not None:
            sent["Authorization"] = f"Bearer {self.token(user)}"
        return self.send(method, path, None if body is None else json.dumps(body).encode(), sent)

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Send one request as it is."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        return Reply(status=response.status, value=_value(text), headers=dict(response.getheaders()))

    def login(self, user: str = USER, secret: str | None = None) -> Reply:
        """Ask for a token."""
        path = self.data / "login" / f"{user}.secret"
        form = {
            "grant_type": "client_credentials",
            "client_id": user,
            "client_secret": secret or path.read_text().strip(),
        }
        return self.send("POST", "/oauth/token", urlencode(form).encode(), {})

    def token(self, user: str) -> str:
        """Give the user's token, got at the first need."""
        if user not in self.tokens:
            self.tokens[user] = self.login(user).value["access_token"]
        return self.tokens[user]

    def reserve(self, duration: float = 300, **more: Any) -> str:
        """Reserve a namespace and give its name."""
        return str(self.ask("POST", "/api/namespaces", {"duration": duration, **more}).value["name"])

    def build(self, repository: Path, name: str = "local/tried") -> tuple[str, str]:
        """Build the repository's newest commit; give image and digest."""
        body = {"repository": str(repository), "commit": head(repository), "name": name}
        return f"{urlsplit(self.url).netloc}/{name}", str(self.ask("POST", "/api/images", body).value["digest"])

    def deploy(self, namespace: str, image: tuple[str, str], app: str = "shop", **more: Any) -> Reply:
        """Deploy an image."""
        body = {"app": app, "image": image[0], "digest": image[1], **more}
        return self.ask("POST", f"/api/namespaces/{namespace}/deployments", body)

    def state(self, namespace: str, *, until: str, app: str = "shop") -> dict[str, Any]:
        """Wait until the deployment has that status, and give it."""
        path = f"/api/namespaces/{namespace}/deployments/{app}"
        seen: dict[str, Any] = {}

        def reached() -> bool:
            nonlocal seen
            seen = self.ask("GET", path).value
            return seen.get("status") == until

        eventually(reached, lambda: f"{until} was awaited, but {seen}")
        return seen

    def run(self, namespace: str, *command: str, app: str = "shop", **more: Any) -> dict[str, Any]:
        """Run a command inside."""
        answered = self.ask("POST", f"/api/namespaces/{namespace}/exec", {"app": app, "command": command, **more})
        assert answered.status == 200, answered
        return dict(answered.value)

    def release(self, namespace: str) -> None:
        """Release a namespace."""
        assert self.ask("DELETE", f"/api/namespaces/{namespace}").value == {"released": True}


def spawn(data: Path, *options: str) -> subprocess.Popen[str]:
    """Start the platform's process."""
    return subprocess.Popen(
        [sys.executable, "-m", "tool_registry.local_platform", "--data", str(data), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextmanager
def running(data: Path, *options: str, settings: Mapping[str, Any] | None = None) -> Iterator[Platform]:
    """Run a platform on `data` that knows the users ada and ben."""
    (data / "login").mkdir(parents=True, exist_ok=True)
    for user in ("ada", "ben"):
        (data / "login" / f"{user}.secret").write_text(f"secret of {user}\n")
    if settings is not None:
        (data / "settings.json").write_text(json.dumps(settings))
    process = spawn(data, *options)
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        url = process.stdout.readline().strip()
        assert url, process.stderr.read()
        try:
            yield Platform(data=data, process=process, url=url)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def eventually(
    holds: Callable[[], bool], otherwise: Callable[[], str] = lambda: "", patience: float = PATIENCE
) -> None:
    """Wait until something holds."""
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, otherwise()
        time.sleep(0.05)


def processes_with(word: str) -> list[int]:
    """Give the processes of this machine that have `word` in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def repository(folder: Path, files: Mapping[str, str]) -> Path:
    """Make a git repository of one commit, the same every time."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "One")
    return folder


def head(folder: Path, ref: str = "HEAD") -> str:
    """Give the full SHA of a ref."""
    return git(folder, "rev-parse", ref)


def git(folder: Path, *arguments: str) -> str:
    """Run git with a fixed person and date."""
    person = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in PERSON.items()}
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **person}
    ran = subprocess.run(
        ["git", "-C", str(folder), *arguments], env=environment, capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


def kill(process: subprocess.Popen[str]) -> None:
    """End a process at once."""
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


PERSON = {"NAME": "Ada", "EMAIL": "ada@example.com", "DATE": "2026-01-05T09:00:00+00:00"}
