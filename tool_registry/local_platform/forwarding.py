"""Forwarding from a socket of the machine to a port of the namespace.

A listening socket belongs to the network namespace it was made in, whoever accepts from it. The platform makes it
outside, and the supervisor, inside, joins what it accepts to the service.
"""

from __future__ import annotations

import socket
import threading

CONNECTIONS = 64
PATIENCE = 5.0
IDLE = 300.0


def forward(listening: socket.socket, port: int) -> None:
    """Join every connection to `listening` with 127.0.0.1:`port` here, in threads, until the process ends."""
    threading.Thread(
        target=_accept, args=(listening, port, threading.BoundedSemaphore(CONNECTIONS)), daemon=True
    ).start()


def _accept(listening: socket.socket, port: int, places: threading.BoundedSemaphore) -> None:
    while True:
        places.acquire()
        try:
            outside, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_join, args=(outside, port, places), daemon=True).start()


def _join(outside: socket.socket, port: int, places: threading.BoundedSemaphore) -> None:
    try:
        with outside, socket.create_connection(("127.0.0.1", port), PATIENCE) as inside:
            for end in (outside, inside):
                end.settimeout(IDLE)
            back = threading.Thread(target=_pump, args=(inside, outside), daemon=True)
            back.start()
            _pump(outside, inside)
            back.join()
    except OSError:
        return
    finally:
        places.release()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, target):
            _close_both_ways(end)


def _close_both_ways(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
