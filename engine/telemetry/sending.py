"""Sending to a collector that may be down: within bounds, without repeating, and with one line about it at most."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO
from urllib.parse import urlsplit

import requests

FLUSH = 2.0
"""Seconds to wait at the end for what has not been sent."""
LINE = 300
"""Characters of the line about what could not be sent."""
SILENT = "opentelemetry"
"""The library's logger, which says more than one line about a collector that is down."""

Flush = Callable[[], Any]


class UnsentError(Exception):
    """A request to a collector that did not get through; the library repeats what it takes for a lost connection."""


class Sending:
    """What one process sends: it remembers the first thing that went wrong, and tells it once, when all is over."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._flushes: tuple[Flush, ...] = ()
        self._threads: list[threading.Thread] = []
        self._flushing = threading.Lock()
        self._wrong = self._to = ""
        self._told = False
        logger = logging.getLogger(SILENT)
        logger.addHandler(_Listening(self))
        logger.propagate = False

    @property
    def console(self) -> TextIO:
        """Where an exporter that prints may print."""
        return sys.stderr

    def session(self, signal: str) -> requests.Session | None:
        """What sends by HTTP; None where the environment names a provider of credentials, which brings its own."""
        own = ("OTEL_PYTHON_EXPORTER_OTLP_HTTP", f"OTEL_PYTHON_EXPORTER_OTLP_HTTP_{signal}")
        if any(self._environ.get(f"{name}_CREDENTIAL_PROVIDER") for name in own):
            return None
        return _Session(self)

    def sends(self, *flushes: Flush) -> None:
        """These send what is left."""
        self._flushes = flushes

    def asks(self, url: str) -> None:
        """A collector is asked."""
        self._to = spoken(url)

    def begun(self) -> None:
        """Somebody begins to send: what goes wrong from now on is told once more."""
        self._wrong, self._told = "", False

    def failed(self, why: str) -> None:
        """Something could not be sent."""
        self._wrong = self._wrong or " ".join(why.split())[:LINE]
        if logging.getLogger().handlers:  # a server, say, whose log is read while it goes on
            self.tell()

    def flush(self) -> None:
        """Sends what is left, in at most `FLUSH` seconds, and tells what went wrong."""
        if not self._flushing.acquire(timeout=FLUSH):
            return
        try:
            if not self._is_stuck():  # whoever opens engine after engine waits for a mute collector once
                self._flush()
        finally:
            self._flushing.release()
        self.tell()

    def _flush(self) -> None:
        self._threads = [threading.Thread(target=flush, daemon=True) for flush in self._flushes]
        for thread in self._threads:
            thread.start()
        until = time.monotonic() + FLUSH
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        if self._is_stuck():
            self.failed(f"{self._to}: no answer within {FLUSH:g} s".removeprefix(": "))

    def _is_stuck(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def tell(self) -> None:
        """One line, the first time, if something went wrong."""
        if self._wrong and not self._told:
            self._told = True
            logging.getLogger("engine.telemetry").warning("telemetry could not be sent: %s", self._wrong)


class _Session(requests.Session):
    """Sends a request once: what cannot be sent now is given up, for a run does not wait for a collector."""

    def __init__(self, sending: Sending) -> None:
        super().__init__()
        self._sending = sending
        self.max_redirects = 0  # a key that a header carries is for nobody else

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        self._sending.asks(str(url))
        try:
            return super().request(method, url, *args, **options)
        except requests.RequestException as error:
            said = f"{spoken(str(url))}: {_reason(error)}"
            self._sending.failed(said)
            raise UnsentError(said) from None


class _Listening(logging.Handler):
    """Takes what the library says instead of printing it."""

    def __init__(self, sending: Sending) -> None:
        super().__init__(logging.WARNING)
        self._sending = sending

    def emit(self, record: logging.LogRecord) -> None:
        self._sending.failed(record.getMessage())


def spoken(url: str) -> str:
    """An address without what may be a credential."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _reason(error: requests.RequestException) -> str:
    """Why nothing came through, in few words."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        inner = getattr(cause, "reason", None) or next(
            (each for each in cause.args if isinstance(each, Exception)), None
        )
        cause = inner if isinstance(inner, BaseException) else cause.__cause__
    return type(error).__name__
