"""The server: HTTP/1.1 on loopback, every request read within bounds, every answer whole."""

from __future__ import annotations

import io
import logging
import shutil
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from tool_registry.local_platform.answers import Answer, Refusal
from tool_registry.local_platform.requests import Request

BODY_LIMIT = 1_000_000
CONNECTIONS, QUEUE = 128, 384
SOCKET_PATIENCE = 30.0
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
log = logging.getLogger(__name__)


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1 and gives every connection a thread, at most 128 of them."""

    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, port: int, *, patience: float = SOCKET_PATIENCE) -> None:
        """Take the port, 0 for any free one; OSError when it is taken. `answering` is set later.

        A request has to arrive whole within `patience` seconds. `away_after` is asked before every answer for how many
        seconds from then on nothing is to be listened for.
        """
        self.patience = patience
        self.last_request = time.monotonic()
        self.answering: Callable[[Request], Answer] = _not_yet
        self.away_after: Callable[[], float] = _stays
        self._open: set[socket.socket] = set()
        self._places = threading.BoundedSemaphore(CONNECTIONS)
        self._waiting = threading.BoundedSemaphore(CONNECTIONS + QUEUE)
        super().__init__(("127.0.0.1", port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Have a connection wait for its place in a thread; hang up where too many wait already."""
        self._open.add(request)
        if self._waiting.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection when there is a place for it."""
        try:
            with self._places:
                super().process_request_thread(request, client_address)
        finally:
            self._waiting.release()

    def serve_in_thread(self) -> None:
        """Serve until `shutdown`, beside what else there is to do."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def go_away(self, seconds: float, but: socket.socket) -> None:
        """Refuse connections for some seconds and close those that are open, but one that is still to be answered."""
        self.shutdown()
        self.socket.close()
        for connection in self._open - {but}:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        back = threading.Timer(seconds, self._come_back)
        back.daemon = True
        back.start()

    def shutdown_request(self, request: Any) -> None:
        """Close a connection, and forget it."""
        self._open.discard(request)
        super().shutdown_request(request)

    def _come_back(self) -> None:
        """Listen at the same port again."""
        self.socket = socket.socket(self.address_family, self.socket_type)
        try:
            self.server_bind()
            self.server_activate()
        except OSError as error:
            log.warning("the port %d cannot be had again: %s", self.server_port, error.strerror)
            return
        self.serve_in_thread()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the signature is the library's
        """Write down what broke a connection; mostly it is a caller that left."""
        log.debug("a connection broke", exc_info=True)  # noqa: LOG014 - the library calls this inside its handler


class Handler(BaseHTTPRequestHandler):
    """Reads requests of one connection and writes the answers."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "skill-engine-local-profile"
    sys_version = ""
    timeout = SOCKET_PATIENCE
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Read through a clock: whoever sends a byte now and then must not hold a place for ever."""
        super().setup()
        self._incoming = _Incoming(self.connection, self.server.patience)
        self.rfile = io.BufferedReader(self._incoming)

    def handle_one_request(self) -> None:
        """Serve one request, which has to arrive whole within the patience."""
        self._incoming.until = time.monotonic() + self.server.patience
        super().handle_one_request()

    def _respond(self) -> None:
        begun = time.monotonic()
        self.server.last_request = begun
        try:
            answer = self.server.answering(self._request())
        except Refusal as refusal:
            self.close_connection = True  # the body was not read, so nothing after it can be
            answer = refusal.answer()
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # the caller left, or never sent what it announced
            return
        except Exception:  # a server's outermost border: one broken request must not be silent
            log.exception("%s %s broke", self.command, self.path[:200])
            answer = Refusal(500, "internal", "the local platform broke on this request; its log says where").answer()
        away = self.server.away_after()
        if away:
            self.close_connection = True
            self.server.go_away(away, self.connection)
        self._write(answer)
        self.server.last_request = time.monotonic()
        log.info("%s %s %d %.3f s", self.command, self.path[:200], answer.status, time.monotonic() - begun)

    do_GET = do_HEAD = do_POST = do_DELETE = do_PUT = do_PATCH = _respond  # noqa: N815 - the library looks for these names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parameter's name is the library's
        """Leave the library's own lines to the debug level."""
        log.debug(format, *args)

    def _request(self) -> Request:
        self._check_host()
        body = self._body()
        try:
            target = urlsplit(self.path)
        except ValueError:
            raise Refusal(400, "bad_request", f"{self.path[:200]!r} is not a path") from None
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(method=self.command, path=unquote(target.path), query=target.query, headers=headers, body=body)

    def _check_host(self) -> None:
        """Refuse names that are not this machine's: a web page must not get here by a name of its own."""
        hosts = self.headers.get_all("Host") or [""]
        host = hosts[0].strip().lower()
        name, colon, port = (host, "", "") if host.endswith("]") else host.rpartition(":")
        named = name if colon else host
        if len(hosts) > 1 or named not in LOOPBACK_NAMES or (colon and port and not port.isdigit()):
            said = ", ".join(hosts)[:80]
            raise Refusal(421, "wrong_host", f"this platform answers to 127.0.0.1 and localhost, not to {said!r}")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding"):
            raise Refusal(411, "length_required", "send the body with a Content-Length")
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()):
            raise Refusal(400, "bad_request", "Content-Length is not a number")
        if len(length) > len(str(BODY_LIMIT)) or int(length) > BODY_LIMIT:
            raise Refusal(413, "too_large", f"a body may have {BODY_LIMIT} bytes")
        return self.rfile.read(int(length))

    def _write(self, answer: Answer) -> None:
        size = answer.file.stat().st_size if answer.file else len(answer.body)
        self.send_response(answer.status, HTTPStatus(answer.status).phrase)
        for name, value in {"Content-Type": answer.content_type, "Content-Length": str(size), **answer.headers}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        if answer.file is None:
            self.wfile.write(answer.body)
            return
        with answer.file.open("rb") as content:
            shutil.copyfileobj(content, self.wfile)


class _Incoming(io.RawIOBase):
    """What a caller sends, read until a moment and no longer."""

    def __init__(self, connection: socket.socket, patience: float) -> None:
        """Read from `connection`; `until` is set for every request anew."""
        self.until = time.monotonic() + patience
        self._connection = connection

    def readable(self) -> bool:
        """Say that this can be read."""
        return True

    def readinto(self, place: Any, /) -> int:
        """Wait for the next bytes; TimeoutError when the time is over."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request did not arrive in time")
        self._connection.settimeout(left)
        try:
            return self._connection.recv_into(place)
        finally:
            self._connection.settimeout(SOCKET_PATIENCE)


def _stays() -> float:
    return 0.0


def _not_yet(_: Request) -> Answer:
    raise Refusal(503, "starting", "the platform is starting")
