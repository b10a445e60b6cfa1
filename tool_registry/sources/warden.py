"""What ends programs whose caller has died: `kill -9` leaves no time to do so oneself.

A shell reads from a pipe which programs run; when the pipe ends because its writer has died, it ends those that are
left. It starts with the first program, costs a millisecond, and works wherever there is a shell.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from typing import Any

import anyio

GRACE = 2
"""Seconds between SIGTERM and SIGKILL, as for a program that is cancelled."""
LOOK = 0.002
"""Seconds between two looks whether the shell has ended."""
SHELL = "/bin/sh"
SCRIPT = f"""
trap '' HUP INT TERM
left=
while read -r sign leader; do
    if [ "$sign" = + ]; then left="$left $leader "; else left="${{left%% $leader *}} ${{left#* $leader }}"; fi
done
set -- $left
[ $# -eq 0 ] && exit
for leader; do kill -TERM "-$leader"; done
for look in {" ".join("x" * (10 * GRACE))}; do
    lives=
    for leader; do kill -0 "-$leader" && lives=1; done
    [ "$lives" ] || exit
    sleep 0.1 || sleep 1
done
for leader; do kill -KILL "-$leader"; done
"""
KEY = "warden"


class Warden:
    """Watches over the programs of one registry."""

    def __init__(self) -> None:
        reading, self._pipe = os.pipe()
        os.set_blocking(self._pipe, False)
        redirect: list[tuple[int, int, str, int, int] | tuple[int, int, int]] = [
            (os.POSIX_SPAWN_DUP2, reading, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        try:
            # In a session of its own, so that Ctrl-C at the terminal does not end it first.
            self._pid = os.posix_spawn(
                SHELL, [SHELL, "-c", SCRIPT], {"PATH": os.defpath}, file_actions=redirect, setsid=True
            )
        except BaseException:
            os.close(self._pipe)
            raise
        finally:
            os.close(reading)

    @contextmanager
    def over(self, leader: int) -> Iterator[None]:
        """Meanwhile the program, which leads a session, ends with this process; afterwards it has ended."""
        self._tell(f"+ {leader}\n")
        try:
            yield
        finally:
            self._tell(f"- {leader}\n")

    async def aclose(self) -> None:
        """Lets the shell end, and waits for that."""
        os.close(self._pipe)
        with anyio.move_on_after(GRACE + 1), suppress(ChildProcessError):
            while os.waitpid(self._pid, os.WNOHANG) == (0, 0):  # noqa: ASYNC110, ASYNC222 - it looks, and does not wait
                await anyio.sleep(LOOK)

    def _tell(self, line: str) -> None:
        # Without its warden a program is no worse off than it was.
        with suppress(OSError):
            os.write(self._pipe, line.encode())


def warden_in(shared: MutableMapping[Any, Any] | None) -> Warden | None:
    """The warden among the connections that a registry's calls share; None where there are none, or no shell."""
    if shared is None:
        return None
    if KEY not in shared:
        with suppress(OSError):
            shared[KEY] = Warden()
    return shared.get(KEY)
