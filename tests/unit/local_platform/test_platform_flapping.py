"""A platform that comes and goes: when it is away is a matter of counting, and the port is really closed."""

from __future__ import annotations

import http.client
import json
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from tool_registry.local_platform.answers import as_json
from tool_registry.local_platform.flapping import LONGEST, Flapping
from tool_registry.local_platform.server import Server
from tool_registry.local_platform.settings import Settings


def test_phases_are_counted_in_answers() -> None:
    """Two answers, away for 1.5 s; one more, away for 3 s; then everything."""
    flapping = Flapping(phases=lambda: (2.0, 1.5, 1.0, 3.0))
    assert [flapping.after_this() for _ in range(6)] == [0.0, 1.5, 3.0, 0.0, 0.0, 0.0]


def test_other_phases_begin_anew() -> None:
    """A person changes the settings while it runs; an odd list has a last phase that never ends."""
    phases: tuple[float, ...] = (1.0, 2.0)
    flapping = Flapping(phases=lambda: phases)
    assert flapping.after_this() == 2.0
    phases = (1.0, 10_000.0, 1.0)
    assert [flapping.after_this() for _ in range(3)] == [LONGEST, 0.0, 0.0]
    phases = ()
    assert flapping.after_this() == 0.0


def test_while_it_is_away_connections_are_refused_and_then_answered_again() -> None:
    """By the kernel, because nobody listens; connections that were kept open are closed as well."""
    flapping = Flapping(phases=lambda: (2.0, 1.0))
    with Server(0) as server:
        server.answering = lambda _: as_json({"ok": True})
        server.away_after = flapping.after_this
        server.serve_in_thread()
        port = server.server_port
        with connected(port) as kept, connected(port) as last:
            assert asked(kept) == {"ok": True}
            assert asked(last) == {"ok": True}, "the answer that begins the absence is given"
            with pytest.raises(ConnectionRefusedError), connected(port) as refused:
                asked(refused)
            with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
                asked(kept)
        assert eventually_asked(port) == {"ok": True}
        threading.Thread(target=server.shutdown).start()


def connected(port: int) -> closing[http.client.HTTPConnection]:
    """A connection that is closed at the end."""
    return closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5))


def asked(connection: http.client.HTTPConnection) -> object:
    """The answer to one request."""
    connection.request("GET", "/")
    return json.loads(connection.getresponse().read())


def eventually_asked(port: int) -> object:
    """The answer as soon as somebody listens."""
    until = time.monotonic() + 15
    while True:
        try:
            with connected(port) as connection:
                return asked(connection)
        except ConnectionRefusedError:
            assert time.monotonic() < until
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("[3, 1.5]", (3.0, 1.5)), ("[]", ()), ("7", ()), ("[1, -1]", ()), ("[1, true]", ()), ('["a"]', ())],
)
def test_phases_of_the_wrong_shape_are_passed_over(tmp_path: Path, written: str, expected: tuple[float, ...]) -> None:
    """A platform never breaks because of what a person wrote."""
    (tmp_path / "settings.json").write_text(f'{{"flap": {written}, "registry_login": {written}}}')
    settings = Settings(path=tmp_path / "settings.json")
    assert settings.numbers("flap") == expected
    assert settings.flag("registry_login") is False
