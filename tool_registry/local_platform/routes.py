"""What each path does: the API of docs/local-profile.md, one small function a line of its tables."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tool_registry.local_platform import pulling
from tool_registry.local_platform.answers import Answer, Refusal, as_json
from tool_registry.local_platform.images import Images
from tool_registry.local_platform.login import Login
from tool_registry.local_platform.namespace import Namespace
from tool_registry.local_platform.namespaces import Namespaces, Wish
from tool_registry.local_platform.registry import Registry, login_wanted
from tool_registry.local_platform.requests import Request
from tool_registry.local_platform.settings import Settings

TITLE = "skill-engine local profile"
EXEC_DEFAULT, EXEC_MOST = 60.0, 3600.0
TAIL_DEFAULT = 100
KEY_LIMIT = 200
SLOWEST = 600.0
"""Seconds an answer is kept back at most; longer than anybody waits, and no thread is lost for good."""
OK = 200

Route = Callable[[Request, re.Match[str]], Answer]


@dataclass(slots=True, kw_only=True)
class Parts:
    """The parts of the platform that requests reach, and where it answers."""

    login: Login
    registry: Registry
    images: Images
    namespaces: Namespaces
    settings: Settings
    isolation: str
    port: int
    stop: Callable[[], None]
    figures: Counter[str] = field(default_factory=Counter)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str) -> None:
        """Count one more of `what`; requests come in many threads."""
        with self._counting:
            self.figures[what] += 1


@dataclass(slots=True, kw_only=True)
class Routes:
    """Finds what a request asks for and does it."""

    parts: Parts
    table: list[tuple[str, re.Pattern[str], Route]] = field(init=False)

    def __post_init__(self) -> None:
        """Write the table down once."""
        inside = r"/api/namespaces/(?P<name>[^/]+)"
        self.table = [
            (method, re.compile(path), route)
            for method, path, route in (
                ("GET", "/healthz", self._health),
                ("GET", "/metrics.json", self._metrics),
                ("POST", "/shutdown", self._shutdown),
                ("POST", "/oauth/token", self._token),
                ("POST", "/oauth/revoke", self._revoke),
                ("GET", "/oauth/userinfo", self._userinfo),
                ("GET", "/v2(?:/.*)?", self._registry),
                ("POST", "/api/images", self._build),
                ("GET", "/api/images/builds", self._builds),
                ("POST", "/api/namespaces", self._reserve),
                ("GET", "/api/namespaces", self._leases),
                ("GET", inside, self._lease),
                ("DELETE", inside, self._release),
                ("POST", f"{inside}/extend", self._extend),
                ("POST", f"{inside}/deployments", self._deploy),
                ("GET", f"{inside}/deployments", self._deployments),
                ("GET", f"{inside}/deployments/(?P<app>[^/]+)", self._deployment),
                ("GET", f"{inside}/pods", self._pods),
                ("GET", f"{inside}/pods/(?P<pod>[^/]+)/logs", self._logs),
                ("GET", f"{inside}/secrets/database", self._database),
                ("POST", f"{inside}/exec", self._exec),
            )
        ]

    def answer(self, request: Request) -> Answer:
        """Answer one request; refusals are answers too."""
        self.parts.count("requests")
        time.sleep(min(self.parts.settings.number("slow_seconds"), SLOWEST))
        try:
            return self._found(request)
        except Refusal as refusal:
            return refusal.answer()

    def _found(self, request: Request) -> Answer:
        method = "GET" if request.method == "HEAD" else request.method
        matches = [(verb, route, match) for verb, path, route in self.table if (match := path.fullmatch(request.path))]
        for verb, route, match in matches:
            if verb == method:
                return route(request, match)
        if not matches:
            raise Refusal(404, "not_found", f"there is nothing at {request.path[:200]}")
        allowed = ", ".join(verb for verb, _, _ in matches)
        if request.path.startswith("/v2"):
            errors = [
                {
                    "code": "UNSUPPORTED",
                    "message": "this registry takes no pushes; POST /api/images builds",
                    "detail": {},
                }
            ]
            return as_json({"errors": errors}, 405, {"Allow": allowed})
        raise Refusal(405, "method_not_allowed", f"{request.path[:200]} takes {allowed}", headers={"Allow": allowed})

    def _user(self, request: Request) -> str:
        return self.parts.login.caller(request.headers.get("authorization")).user

    def _inside(self, request: Request, match: re.Match[str]) -> Namespace:
        return self.parts.namespaces.owned(self._user(request), match["name"])

    def _health(self, _: Request, __: re.Match[str]) -> Answer:
        return as_json({"status": "ok", "platform": TITLE, "isolation": self.parts.isolation})

    def _metrics(self, _: Request, __: re.Match[str]) -> Answer:
        return as_json({what: self.parts.figures[what] for what in ("logins", "reservations", "requests")})

    def _shutdown(self, request: Request, _: re.Match[str]) -> Answer:
        self._user(request)
        self.parts.stop()
        return as_json({"status": "stopping"}, 202)

    def _token(self, request: Request, _: re.Match[str]) -> Answer:
        answer = self.parts.login.grant(request.form())
        if answer.status == OK:
            self.parts.count("logins")
        return answer

    def _revoke(self, request: Request, _: re.Match[str]) -> Answer:
        return self.parts.login.revoke(request.form())

    def _userinfo(self, request: Request, _: re.Match[str]) -> Answer:
        caller = self.parts.login.caller(request.headers.get("authorization"))
        return as_json({"sub": caller.user, "exp": caller.expires_at})

    def _registry(self, request: Request, _: re.Match[str]) -> Answer:
        given = request.headers.get("authorization")
        if self.parts.settings.flag("registry_login") and self.parts.login.registry_user(given) is None:
            return login_wanted(given is not None)
        return self.parts.registry.answer(request.path)

    def _build(self, request: Request, _: re.Match[str]) -> Answer:
        self._user(request)
        fields = request.fields()
        repository, commit, name = Path(fields.text("repository")), fields.text("commit"), fields.text("name")
        return as_json(asdict(self.parts.images.build(repository, commit, name)), 201)

    def _builds(self, request: Request, _: re.Match[str]) -> Answer:
        name = request.asked("name")
        if not name:
            raise Refusal(400, "bad_request", "name must say which image, like ?name=demo/shop")
        return as_json(self.parts.images.builds(name, request.asked("commit")))

    def _reserve(self, request: Request, _: re.Match[str]) -> Answer:
        user, fields = self._user(request), request.fields()
        wish = Wish(
            owner=user,
            duration=fields.seconds("duration"),
            prefix=fields.word("name", "ephemeral"),
            pool=fields.word("pool", "default"),
            key=(request.headers.get("idempotency-key") or "")[:KEY_LIMIT] or None,
        )
        lease, new = self.parts.namespaces.reserve(wish)
        if new:
            self.parts.count("reservations")
        return as_json(lease.shown(), 201 if new else 200)

    def _leases(self, request: Request, _: re.Match[str]) -> Answer:
        user = self._user(request)
        mine = (request.asked("mine") or "").lower() in {"true", "1", "yes"}
        return as_json([lease.shown() for lease in self.parts.namespaces.leases(user if mine else None)])

    def _lease(self, request: Request, match: re.Match[str]) -> Answer:
        self._user(request)
        return as_json(self.parts.namespaces.lease(match["name"]).shown())

    def _release(self, request: Request, match: re.Match[str]) -> Answer:
        self.parts.namespaces.release(self._user(request), match["name"])
        return as_json({"released": True})

    def _extend(self, request: Request, match: re.Match[str]) -> Answer:
        user, duration = self._user(request), request.fields().seconds("duration")
        return as_json(self.parts.namespaces.extend(user, match["name"], duration).shown())

    def _deploy(self, request: Request, match: re.Match[str]) -> Answer:
        namespace, fields = self._inside(request, match), request.fields()
        address = fields.text("image")
        image = pulling.reference(address, fields.text("digest"), self.parts.port)
        image = replace(image, authorization=self.parts.login.of_the_platform())
        ready = self.parts.settings.number("ready_timeout")
        env = fields.variables("env")
        return as_json(namespace.deploy(fields.word("app"), image, address, env=env, ready_timeout=ready), 202)

    def _deployments(self, request: Request, match: re.Match[str]) -> Answer:
        return as_json([deployment.state() for deployment in self._inside(request, match).deployments()])

    def _deployment(self, request: Request, match: re.Match[str]) -> Answer:
        return as_json(self._inside(request, match).deployment(match["app"]).state())

    def _pods(self, request: Request, match: re.Match[str]) -> Answer:
        return as_json([deployment.pod() for deployment in self._inside(request, match).deployments()])

    def _logs(self, request: Request, match: re.Match[str]) -> Answer:
        tail = request.asked("tail") or str(TAIL_DEFAULT)
        if not re.fullmatch(r"\d{1,6}", tail):
            raise Refusal(400, "bad_request", "tail must be a number of lines")
        return as_json({"lines": self._inside(request, match).log_lines(match["pod"], int(tail))})

    def _database(self, request: Request, match: re.Match[str]) -> Answer:
        return as_json({"data": self._inside(request, match).database()})

    def _exec(self, request: Request, match: re.Match[str]) -> Answer:
        namespace, fields = self._inside(request, match), request.fields()
        result: dict[str, Any] = namespace.run(
            fields.word("app"),
            fields.words("command"),
            timeout=fields.seconds("timeout", EXEC_DEFAULT, most=EXEC_MOST),
            collect=fields.inner_path("collect"),
        )
        return as_json(result)
