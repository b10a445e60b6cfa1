"""The server itself: bounds on what comes in, and on how long it may take."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tool_registry.local_platform.answers import as_json
from tool_registry.local_platform.server import Server


@contextmanager
def served(patience: float = 5.0) -> Iterator[int]:
    """A server that answers everything with an empty object; its port."""
    with Server(0, patience=patience) as server:
        server.answering = lambda _: as_json({})
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def _said(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """What the server says to these parts of a request, and that it hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
        except OSError:
            return b""
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize("host", [b"127.0.0.1", b"localhost", b"LOCALHOST:80", b"[::1]", b"[::1]:8080"])
def test_the_names_of_this_machine_are_answered(host: bytes) -> None:
    """With a port or without, in either case."""
    with served() as port:
        said = _said(port, b"GET / HTTP/1.1\r\nConnection: close\r\nHost: " + host + b"\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "hosts",
    [
        (),
        (b"evil.example",),
        (b"127.0.0.1.evil.example",),
        (b"127.0.0.1@evil.example",),
        (b"127.0.0.1", b"evil.example"),
    ],
)
def test_every_other_name_is_refused(hosts: tuple[bytes, ...]) -> None:
    """A page in a browser must not get here by a name of its own (DNS rebinding), nor by a second one."""
    lines = b"".join(b"Host: " + host + b"\r\n" for host in hosts)
    with served() as port:
        said = _said(port, b"GET / HTTP/1.1\r\n" + lines + b"\r\n")
    assert said.startswith(b"HTTP/1.1 421 ")


@pytest.mark.parametrize("request_line", [b"GET http://[/x HTTP/1.1", b"GET / HTTP/1.1\r\nContent-Length: \xb2"])
def test_what_cannot_be_read_is_a_bad_request(request_line: bytes) -> None:
    """A broken target and a length in superscript are the caller's mistakes, not the platform's."""
    with served() as port:
        said = _said(port, request_line + b"\r\nHost: localhost\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 400 ")


def test_a_request_that_drips_does_not_hold_its_place() -> None:
    """A byte now and then is not a request: the whole has a deadline, not each piece."""
    begun = time.monotonic()
    with served(patience=0.3) as port:
        said = _said(port, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n", *[b"x"] * 8, pause=0.1)
    assert said == b""
    assert time.monotonic() - begun < 20


def test_a_crowd_that_says_nothing_is_not_let_in() -> None:
    """More connections than can wait are hung up on, and cost neither threads nor descriptors."""
    with served(patience=1) as port:
        crowd = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(600)]
        try:
            assert crowd[-1].recv(1) == b""
        finally:
            for one in crowd:
                one.close()
        asked = b"GET / HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\n\r\n"
        until = time.monotonic() + 5  # those who left give their places back one after the other
        while not (said := _said(port, asked)) and time.monotonic() < until:
            time.sleep(0.01)
    assert said.startswith(b"HTTP/1.1 200 ")
