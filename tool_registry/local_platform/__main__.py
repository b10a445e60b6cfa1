"""Starting and stopping the platform: `python -m tool_registry.local_platform --data DIR`."""

from __future__ import annotations

import argparse
import getpass
import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path

from tool_registry.local_platform import demo_project, endpoint
from tool_registry.local_platform.flapping import Flapping
from tool_registry.local_platform.images import Images
from tool_registry.local_platform.login import Login
from tool_registry.local_platform.namespaces import Grounds, Namespaces
from tool_registry.local_platform.processes import isolation_of
from tool_registry.local_platform.registry import Registry
from tool_registry.local_platform.routes import Parts, Routes
from tool_registry.local_platform.server import Server
from tool_registry.local_platform.settings import Settings

OCCUPIED, PORT_TAKEN = 3, 4
IDLE_DEFAULT = 1800.0
LOG_SIZE = 1_000_000
log = logging.getLogger("tool_registry.local_platform")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the platform until it is stopped; the exit status is in docs/local-profile.md."""
    options = _options(arguments)
    data = options.data.absolute()
    try:
        with endpoint.held(data):
            endpoint.withdraw(data)  # an earlier platform that was killed could not
            _log_to(data / "platform.log")
            return _run(data, options)
    except endpoint.OccupiedError as error:
        sys.stderr.write(f"local platform: {error}\n")
        return OCCUPIED


def _run(data: Path, options: argparse.Namespace) -> int:
    try:
        server = Server(options.port)
    except OSError as error:
        sys.stderr.write(f"local platform: port {options.port} cannot be had: {error.strerror}\n")
        log.warning("port %d cannot be had: %s", options.port, error.strerror)
        return PORT_TAKEN
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    parts = _parts(data, options, server.server_port, stop)
    server.answering = Routes(parts=parts).answer
    server.away_after = Flapping(phases=lambda: parts.settings.numbers("flap")).after_this
    server.serve_in_thread()
    url = endpoint.announce(data, server.server_port)
    log.info("answers at %s, isolation by %s", url, parts.isolation)
    _say_and_detach(url)
    _wait(stop, server, parts.namespaces, options.idle)
    log.info("stopping")
    endpoint.withdraw(data)
    parts.namespaces.close()
    server.shutdown()
    server.server_close()
    return 0


def _parts(data: Path, options: argparse.Namespace, port: int, stop: threading.Event) -> Parts:
    given = {} if options.token_lifetime is None else {"token_lifetime": options.token_lifetime}
    settings = Settings(path=data / "settings.json", given=given)
    login = Login(data / "login", settings)
    login.enrol(_user())
    registry = Registry(data / "registry")
    images = Images(registry, data / "builds")
    images.interrupted()
    demo_project.prepare(data / "forge", images, registry)
    isolation = isolation_of(options.isolation)
    grounds = Grounds(folder=data / "namespaces", leases=data / "leases", hidden=_hidden(data), isolation=isolation)
    return Parts(
        login=login,
        registry=registry,
        images=images,
        namespaces=Namespaces(grounds, settings),
        settings=settings,
        isolation=isolation,
        port=port,
        stop=stop.set,
    )


def _wait(stop: threading.Event, server: Server, namespaces: Namespaces, idle: float) -> None:
    """Wait for the end: a signal, a request for it, or nobody needing the platform for `idle` seconds."""
    while not stop.wait(min(1.0, idle / 4) if idle else 1.0):
        quiet = time.monotonic() - server.last_request
        if idle and quiet > idle and not namespaces.leases():
            log.info("nobody asked for anything in %.0f s", quiet)
            return


def _hidden(data: Path) -> tuple[Path, ...]:
    """Give the folders services must not see: homes, sockets, scratch space of others, the platform's own."""
    home = Path(os.environ.get("HOME") or "/")
    shared = ("/home", "/root", "/run", "/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - hidden, not used
    return tuple(dict.fromkeys(Path(folder).resolve() for folder in (home, *shared, data)))


def _user() -> str:
    """Give the person's name on this machine, in the letters a client id may have."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"user{os.getuid()}"
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[:64]


def _log_to(path: Path) -> None:
    handler = RotatingFileHandler(path, maxBytes=LOG_SIZE, backupCount=1)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def _say_and_detach(url: str) -> None:
    """Say where the platform answers, then let go of the starter's streams: it may wait for their end."""
    try:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
    except OSError:
        log.debug("nobody listens on standard output")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        if not os.isatty(descriptor):
            os.dup2(nothing, descriptor)
    os.close(nothing)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tool_registry.local_platform", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of everything the platform keeps")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--token-lifetime", type=float, help="seconds a token lives; default 3600")
    parser.add_argument(
        "--idle", type=float, default=IDLE_DEFAULT, help="seconds without need before leaving; 0 is never"
    )
    parser.add_argument("--isolation", choices=("auto", "namespaces", "process-group"), default="auto")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
