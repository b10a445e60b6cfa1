"""Servers that behave badly, on the loopback interface: each takes connections and does one thing wrong, always.

None of them ever ends by itself what it began badly: a caller that waits for them waits for ever. They end with the
block that started them, whoever is still connected.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum

HEAD_LIMIT = 65_536
HUGE = 10_000_000_000
PATIENCE = 60.0
"""Seconds after which a server that only waits gives up, so that a test that forgot it ends all the same."""


class Behaviour(StrEnum):
    """What a server does wrong."""

    SILENT = "takes connections and never answers"
    DRIP = "answers one byte a second, from the first"
    DRIP_BODY = "answers at once, and the body comes one byte a second"
    RATE_LIMITED = "answers 429 with Retry-After: 3600"
    CUT_BODY = "closes in mid-body"
    HANGS_UP = "closes without a word"
    REDIRECTS_FOR_EVER = "redirects to itself for ever"
    REDIRECTS_AWAY = "redirects to another server"
    ENDLESS = "sends ten gigabytes"
    WRONG_TYPE = "answers 200 with a page for people"
    BROKEN_JSON = "answers 200 with half a JSON document"
    OTHER_SHAPE = "answers 200 with JSON of another shape"
    NO_HTTP = "answers in something that is not HTTP"
    HALF_TLS = "begins a TLS handshake and stops in the middle"
    TELLS_TALES = "answers 403 with everything it was told"


class Hostile:
    """A server of one behaviour; `heads` are the requests as they arrived, `open` counts who is connected now."""

    def __init__(self, behaviour: Behaviour, elsewhere: str = "") -> None:
        """`elsewhere` is the address to redirect to, where it does."""
        self.behaviour, self.elsewhere = behaviour, elsewhere
        self.heads: list[bytes] = []
        self.connections = 0
        self.ending = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._lock = threading.Lock()
        self._talking: set[socket.socket] = set()
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is asked; over TLS, where that is what it spoils."""
        scheme = "https" if self.behaviour is Behaviour.HALF_TLS else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    @property
    def open(self) -> int:
        """How many connections callers hold now."""
        with self._lock:
            return len(self._talking)

    def _accept(self) -> None:
        while not self.ending.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._talking.add(connection)
                self.connections += 1
            threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        with connection, suppress(OSError):
            ACTS[self.behaviour](_Connection(self, connection))
        with self._lock:
            self._talking.discard(connection)

    def end(self) -> None:
        """Stops listening, and hangs up on everybody."""
        self.ending.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            talking = list(self._talking)
        for connection in talking:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()


class _Connection:
    """One caller, and what he is told."""

    def __init__(self, server: Hostile, request: socket.socket) -> None:
        self.server, self.request = server, request

    def hear(self) -> bytes:
        """One request: its head, and of its body what its length says; noted by the server."""
        heard = b""
        while b"\r\n\r\n" not in heard and len(heard) < HEAD_LIMIT and (more := self.more()):
            heard += more
        head, _, body = heard.partition(b"\r\n\r\n")
        wanted = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        while len(body) < wanted and (more := self.more()):
            body += more
        self.server.heads.append(head + b"\r\n\r\n" + body)
        return head

    def more(self) -> bytes:
        """What comes next; nothing when the other side has gone, or the server ends."""
        return self.request.recv(65_536)

    def wait(self) -> None:
        """Says nothing more until the other side goes away, or the server ends."""
        while self.more():
            pass

    def drip(self, words: bytes) -> None:
        """One byte a second, beginning again at the end."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            for byte in words:
                self.request.sendall(bytes([byte]))
                if self.server.ending.wait(1.0):
                    return

    def answer(self, status: str, body: bytes = b"", **headers: str) -> None:
        """Answers every request on this connection in the same way."""
        named = {"Content-Length": str(len(body)), "Content-Type": "application/json", **headers}
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items())
        while self.hear():
            self.request.sendall(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body)


def _silent(there: _Connection) -> None:
    there.hear()
    there.wait()


def _drip(there: _Connection) -> None:
    there.hear()
    there.drip(b"HTTP/1.1 200 OK\r\nX-Filler: " + b"a" * 3600)


def _drip_body(there: _Connection) -> None:
    there.hear()
    there.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    there.drip(b"[1, 2, ")


def _rate_limited(there: _Connection) -> None:
    there.answer("429 Too Many Requests", b'{"message": "slow down"}', Retry_After="3600")


def _cut_body(there: _Connection) -> None:
    there.hear()
    there.request.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n[{"id": ')


def _hangs_up(there: _Connection) -> None:
    there.hear()


def _redirects_for_ever(there: _Connection) -> None:
    there.answer("302 Found", Location=f"{there.server.url}/again/and/again")


def _redirects_away(there: _Connection) -> None:
    there.answer("302 Found", Location=f"{there.server.elsewhere}/taken")


def _endless(there: _Connection) -> None:
    there.hear()
    there.request.sendall(
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {HUGE}\r\n\r\n[".encode()
    )
    chunk = b'"aaaaaaaaaaaaa",' * 65_536
    for _ in range(HUGE // len(chunk)):
        there.request.sendall(chunk)
        if there.server.ending.is_set():
            return


def _wrong_type(there: _Connection) -> None:
    page = b"<!doctype html><title>Sign in</title><p>Please sign in to the network."
    there.answer("200 OK", page, Content_Type="text/html; charset=utf-8")


def _broken_json(there: _Connection) -> None:
    there.answer("200 OK", b'{"items": [{"id": 1, "name": "a')


def _other_shape(there: _Connection) -> None:
    there.answer("200 OK", b'{"welcome": ["to", {"another": "service"}]}')


def _no_http(there: _Connection) -> None:
    there.hear()
    there.request.sendall(b"\x00\x01 220 mail.example.org ESMTP\r\n500 what was that\r\n\r\n")


def _half_tls(there: _Connection) -> None:
    there.server.heads.append(there.more())
    there.request.sendall(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + b"\x00" * 20)  # of 122 bytes of ServerHello
    there.wait()


def _tells_tales(there: _Connection) -> None:
    while there.hear():
        body = there.server.heads[-1]
        there.request.sendall(
            f"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )


ACTS: Mapping[Behaviour, Callable[[_Connection], None]] = {
    Behaviour.SILENT: _silent,
    Behaviour.DRIP: _drip,
    Behaviour.DRIP_BODY: _drip_body,
    Behaviour.RATE_LIMITED: _rate_limited,
    Behaviour.CUT_BODY: _cut_body,
    Behaviour.HANGS_UP: _hangs_up,
    Behaviour.REDIRECTS_FOR_EVER: _redirects_for_ever,
    Behaviour.REDIRECTS_AWAY: _redirects_away,
    Behaviour.ENDLESS: _endless,
    Behaviour.WRONG_TYPE: _wrong_type,
    Behaviour.BROKEN_JSON: _broken_json,
    Behaviour.OTHER_SHAPE: _other_shape,
    Behaviour.NO_HTTP: _no_http,
    Behaviour.HALF_TLS: _half_tls,
    Behaviour.TELLS_TALES: _tells_tales,
}


@contextmanager
def hostile(behaviour: Behaviour, elsewhere: str = "") -> Iterator[Hostile]:
    """A running server of that behaviour."""
    server = Hostile(behaviour, elsewhere)
    try:
        yield server
    finally:
        server.end()
