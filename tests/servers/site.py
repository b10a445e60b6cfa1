"""A page on the loopback interface, for servers that fetch; a test decides what happens while it is being fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.servers.answering import answering


class Site(ThreadingHTTPServer):
    """Counts who asks; `meanwhile` happens while the first one waits for the answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.asked = 0
        self.meanwhile: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_port}/page.txt"


class Page(BaseHTTPRequestHandler):
    """Answers with one sentence."""

    server: Site

    def do_GET(self) -> None:
        """Counts, lets happen what is to happen, answers."""
        self.server.asked += 1
        if self.server.asked == 1:
            self.server.meanwhile()
        body = b"A page of our own."
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Says nothing."""


@contextmanager
def serving() -> Iterator[Site]:
    """A small web site, for as long as the block lasts."""
    with answering(Site()) as made:
        yield made
