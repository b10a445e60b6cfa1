"""Namespaces: leases with an owner and an end, a pool with a limit, and whoever takes away what has expired."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tool_registry.local_platform.answers import Refusal
from tool_registry.local_platform.files import read_json, write_json
from tool_registry.local_platform.namespace import Namespace, remove_folder
from tool_registry.local_platform.processes import Room
from tool_registry.local_platform.settings import Settings
from tool_registry.local_platform.sweeping import sweep

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
REAP_EVERY = 0.5
RELEASES_REMEMBERED = 1000
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who holds which namespace until when (epoch seconds); `mark` and `password` stay with the platform."""

    name: str
    owner: str
    pool: str
    created_at: float
    expires_at: float
    isolation: str
    idempotency_key: str | None
    mark: str
    password: str

    def shown(self) -> dict[str, Any]:
        """Give it as the API shows it."""
        return {key: value for key, value in asdict(self).items() if key not in {"mark", "password"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks for: seconds, the beginning of the name, which pool, a key that makes asking twice safe."""

    owner: str
    duration: float
    prefix: str = "ephemeral"
    pool: str = "default"
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """Where namespaces lie, what their processes must not see, and how far they are set apart."""

    folder: Path
    leases: Path
    hidden: tuple[Path, ...]
    isolation: str


class Namespaces:
    """All leases of this platform. What is inside a namespace is `Namespace`'s."""

    def __init__(self, grounds: Grounds, settings: Settings) -> None:
        """Take over what an earlier platform left: its processes are killed, its living leases kept."""
        self._grounds = grounds
        self._settings = settings
        self._lock = threading.RLock()
        self._held: dict[str, tuple[Lease, Namespace]] = {}
        self._released: deque[tuple[str, str]] = deque(maxlen=RELEASES_REMEMBERED)
        self._stopping = threading.Event()
        self._recover()
        threading.Thread(target=self._reap, daemon=True).start()

    def reserve(self, wish: Wish) -> tuple[Lease, bool]:
        """Lease a namespace, or find the one leased with the same key; the second value is True when it is new."""
        with self._lock:
            known = self._with_key(wish)
            if known is not None:
                return known, False
            self._check_pool(wish.pool)
            lease = self._leased(wish)
            namespace = self._keep(lease)
        try:
            namespace.open()
        except OSError as error:
            self.release(wish.owner, lease.name)
            raise Refusal(503, "no_namespace_possible", f"a namespace cannot be opened: {error}") from None
        return lease, True

    def leases(self, owner: str | None = None) -> list[Lease]:
        """Give the living leases, of one owner or all, oldest first."""
        with self._lock:
            found = [lease for lease, _ in self._held.values() if owner in {None, lease.owner}]
        return sorted(found, key=lambda lease: lease.created_at)

    def lease(self, name: str) -> Lease:
        """Give the lease of that name."""
        return self._entry(name)[0]

    def owned(self, user: str, name: str) -> Namespace:
        """Give the inside of a namespace to its owner alone."""
        lease, namespace = self._entry(name)
        _check_owner(lease, user)
        return namespace

    def extend(self, user: str, name: str, duration: float) -> Lease:
        """Let the lease end `duration` seconds later."""
        with self._lock:
            lease, namespace = self._entry(name)
            _check_owner(lease, user)
            latest = time.time() + self._settings.number("max_duration")
            longer = replace(lease, expires_at=min(lease.expires_at + duration, latest))
            self._held[name] = (longer, namespace)
            self._write(longer)
        return longer

    def release(self, user: str, name: str) -> None:
        """Kill everything in the namespace and remove it; once more is no matter."""
        with self._lock:
            if name not in self._held and (name, user) in self._released:
                return
            lease, namespace = self._entry(name)
            _check_owner(lease, user)
            self._held.pop(name)
            self._released.append((name, user))
        self._clear(lease, namespace)

    def close(self) -> None:
        """Release everything, all at once."""
        self._stopping.set()
        threads = [threading.Thread(target=self._let_go, args=(lease,)) for lease in self.leases()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _entry(self, name: str) -> tuple[Lease, Namespace]:
        with self._lock:
            entry = self._held.get(name)
        if entry is None:
            raise Refusal(
                404, "no_namespace", f"there is no namespace called {name[:80]}; it may have expired or been released"
            )
        return entry

    def _with_key(self, wish: Wish) -> Lease | None:
        if wish.key is None:
            return None
        alike = (lease for lease in self.leases(wish.owner) if lease.idempotency_key == wish.key)
        return next(alike, None)

    def _check_pool(self, pool: str) -> None:
        limit = int(self._settings.number("pool_limit"))
        taken = [lease for lease in self.leases() if lease.pool == pool]
        if len(taken) < limit:
            return
        held = ", ".join(f"{lease.name} by {lease.owner} until {_clock(lease.expires_at)}" for lease in taken)
        sentence = f"all {limit} namespaces are taken: {held}; release one, or wait for the first to expire"
        raise Refusal(409, "pool_exhausted", sentence, namespaces=[lease.shown() for lease in taken])

    def _leased(self, wish: Wish) -> Lease:
        now = time.time()
        return Lease(
            name=f"{wish.prefix}-{''.join(secrets.choice(LETTERS) for _ in range(6))}",
            owner=wish.owner,
            pool=wish.pool,
            created_at=now,
            expires_at=now + min(wish.duration, self._settings.number("max_duration")),
            isolation=self._grounds.isolation,
            idempotency_key=wish.key,
            mark=secrets.token_hex(16),
            password=secrets.token_urlsafe(18),
        )

    def _keep(self, lease: Lease) -> Namespace:
        self._write(lease)
        folder = self._grounds.folder / lease.name
        room = Room(folder=folder, hidden=self._grounds.hidden, mark=lease.mark, isolation=lease.isolation)
        namespace = Namespace(room, password=lease.password)
        self._held[lease.name] = (lease, namespace)
        return namespace

    def _write(self, lease: Lease) -> None:
        write_json(self._grounds.leases / f"{lease.name}.json", asdict(lease))

    def _clear(self, lease: Lease, namespace: Namespace) -> None:
        namespace.close()
        (self._grounds.leases / f"{lease.name}.json").unlink(missing_ok=True)
        remove_folder(self._grounds.folder / lease.name)
        log.info("released %s of %s", lease.name, lease.owner)

    def _let_go(self, lease: Lease) -> None:
        try:
            self.release(lease.owner, lease.name)
        except Refusal:
            log.debug("%s was released meanwhile", lease.name)

    def _reap(self) -> None:
        while not self._stopping.wait(REAP_EVERY):
            for lease in self.leases():
                if self._expired(lease.name):
                    log.info("the lease of %s has expired", lease.name)
                    self._let_go(lease)

    def _expired(self, name: str) -> bool:
        """Ask the lease as it is now: it may have been extended since it was listed."""
        with self._lock:
            entry = self._held.get(name)
        return entry is not None and entry[0].expires_at <= time.time()

    def _recover(self) -> None:
        self._grounds.leases.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in self._grounds.leases.glob("*.json"):
            lease = _read(read_json(path))
            if lease is None:
                log.warning("the lease %s cannot be read and is dropped", path.name)
                path.unlink()
                continue
            log.info("took over %s; %d processes of it were still there", lease.name, sweep(lease.mark))
            self._keep(replace(lease, isolation=self._grounds.isolation))
        self._grounds.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in self._grounds.folder.iterdir():
            if folder.name not in self._held:
                remove_folder(folder)


def _read(value: Any) -> Lease | None:
    try:
        return Lease(**value) if isinstance(value, Mapping) else None
    except TypeError:
        return None


def _check_owner(lease: Lease, user: str) -> None:
    if lease.owner != user:
        sentence = (
            f"{lease.name} belongs to {lease.owner}, not to {user}; ask {lease.owner}, or reserve one of your own"
        )
        raise Refusal(403, "not_owner", sentence, owner=lease.owner)


def _clock(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
