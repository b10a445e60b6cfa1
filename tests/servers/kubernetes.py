"""A stand-in of ours for the Kubernetes API: what kubectl and lightkube need to look, create, change and follow.

It has the resources of the table in `kubernetes_resources`, custom ones among them: created (also by `generateName`),
applied, patched, replaced, deleted with what they own; namespaces that end after a moment with all that is in them;
deployments whose replicas get ready after a moment (scale, rollouts), logs, lists by labels and fields and in pages,
watches, tables for kubectl, errors as `Status`, bearer tokens that expire (401), rules that forbid (403), and a token
endpoint (client credentials). A test's own controllers set what a status says (`objects.controllers`, `objects.later`),
and `kubelet` runs Jobs as processes.

It does not: run anything by itself; check objects by schemas, or give what a real API would give where nothing is said
(only to deployments); know who owns which field (an apply is never a conflict), JSON patches, directives of strategic
merges, finalizers, exec, attach or port-forward; keep replica sets (the list is empty), versions for a watch to begin
in the past, protobuf (`kubectl create namespace` speaks nothing else), or OpenAPI documents (kubectl creates with
`--validate=false`); know roles (a rule is a verb
and a resource that are forbidden to everybody); roll out by percent (all new pods are made at once). A deployment named
in `objects.stuck` is past its progress deadline as soon as it is changed.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import SSLContext
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.answering import answering
from tests.servers.kubernetes_answers import discovery, status
from tests.servers.kubernetes_checks import RefusedError, Target
from tests.servers.kubernetes_objects import Objects
from tests.servers.kubernetes_patches import merge, selects
from tests.servers.kubernetes_requests import Request, answer, forbidden, target, verb

USER, PASSWORD = "ann", "pass-to-the-cluster"


class Kubernetes(ThreadingHTTPServer):
    """Counts logins and notes what it was asked; once it has answered what begins with `expires_after`, tokens end.

    `knows` is asked who shows a token that is none of its own; `losing` is the beginning of a request that is done and
    whose answer is lost.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Api)
        self.objects = Objects()
        self.tokens: dict[str, float] = {}
        self.knows: Callable[[str], str | None] = lambda _: None
        self.forbidden: set[tuple[str, str]] = set()
        self.asked: list[str] = []
        self.logins = 0
        self.lifetime = 3600.0
        self.expires_after = ""
        self.losing = ""
        self.scheme = "http"

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def secured(self, context: SSLContext) -> None:
        """Answers by TLS from now on; a client's certificate is a login."""
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.scheme = "https"

    def grant(self) -> str:
        """A new token."""
        token = secrets.token_urlsafe(24)
        self.tokens[token] = time.time() + self.lifetime
        return token

    def expire(self) -> None:
        """Ends every token that was given."""
        self.tokens.clear()

    def writes(self) -> list[str]:
        """The requests that were to change something."""
        return [each for each in self.asked if not each.startswith("GET") and "/oauth/" not in each]


class _Api(BaseHTTPRequestHandler):
    server: Kubernetes
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answers."""
        self._answer()

    def do_POST(self) -> None:
        """Answers."""
        self._answer()

    def do_PATCH(self) -> None:
        """Answers."""
        self._answer()

    def do_PUT(self) -> None:
        """Answers."""
        self._answer()

    def do_DELETE(self) -> None:
        """Answers."""
        self._answer()

    def _answer(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/oauth/token":
            self._token(parse_qs(body.decode()))
            return
        user = self._user()
        if user is None:
            self._say(401, status(401, "Unauthorized", "Unauthorized"))
            return
        said = discovery(parts.path.rstrip("/"), self.server.objects.absent)
        if said is not None:
            self._say(200, said)
        elif parts.path.endswith("/selfsubjectreviews"):
            review = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {}}
            self._say(201, {**review, "status": {"userInfo": {"username": user, "groups": ["staff"]}}})
        else:
            self._resource(parts.path, query, body, user)
        if self.server.expires_after and f"{self.command} {self.path}".startswith(self.server.expires_after):
            self.server.expires_after = ""
            self.server.expire()

    def _token(self, form: Mapping[str, list[str]]) -> None:
        if form.get("client_secret") != [PASSWORD]:
            self._say(401, {"error": "invalid_client", "error_description": "the client is not known"})
            return
        self.server.logins += 1
        self._say(
            200, {"access_token": self.server.grant(), "token_type": "Bearer", "expires_in": self.server.lifetime}
        )

    def _user(self) -> str | None:
        """Who asks: by certificate, by token, anonymously; None where the token does not count."""
        shown: Mapping[str, Any] = getattr(self.connection, "getpeercert", dict)() or {}
        for ((name, value),) in shown.get("subject", ()):
            if name == "commonName":
                return str(value)
        given = self.headers.get("Authorization", "")
        if not given:
            return "system:anonymous"
        token = given.removeprefix("Bearer ")
        return USER if self.server.tokens.get(token, 0) > time.time() else self.server.knows(token)

    def _resource(self, path: str, query: dict[str, str], body: bytes, user: str) -> None:
        sort = self.headers.get("Content-Type", "").partition(";")[0]
        as_table = "as=Table" in self.headers.get("Accept", "")
        asked = Request(method=self.command, query=query, body=body, sort=sort, as_table=as_table)
        objects = self.server.objects
        try:
            what = target(path, objects)
            doing = verb(asked, what)
            forbidden(self.server.forbidden, doing, what, user)
            if doing == "watch":
                self._watch(what, query)
                return
            with objects.lock:
                code, said = answer(objects, asked, what)
                sent = said.encode() if isinstance(said, str) else json.dumps(said).encode()
        except RefusedError as refused:
            if isinstance(refused.said, str):
                self._send(refused.code, "text/plain; charset=utf-8", refused.said.encode())
            else:
                self._say(refused.code, refused.said)
            return
        self._send(code, "text/plain" if isinstance(said, str) else "application/json", sent)

    def _watch(self, what: Target, query: Mapping[str, str]) -> None:
        """Tells every change from now on; what was before the watch's version is not told."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        objects = self.server.objects
        seen = int(query.get("resourceVersion") or 0)
        until = time.monotonic() + min(float(query.get("timeoutSeconds") or 20), 20)
        while time.monotonic() < until:
            with objects.lock:
                lines = [json.dumps(each) for each in _changes(objects, what, query, seen)]
                seen = objects.version
            for line in lines:
                self._chunk(f"{line}\n".encode())
            time.sleep(0.03)
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _say(self, code: int, said: Any) -> None:
        self._send(code, "application/json", json.dumps(said).encode())

    def _send(self, code: int, sort: str, body: bytes) -> None:
        if self.server.losing and f"{self.command} {self.path}".startswith(self.server.losing):
            self.server.losing, self.close_connection = "", True
            return
        self.send_response(code)
        self.send_header("Content-Type", sort)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        """Serves; a client that goes away in the middle of a watch is nothing to tell of."""
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Says nothing."""


def _changes(objects: Objects, what: Target, query: Mapping[str, str], seen: int) -> Iterator[dict[str, Any]]:
    """What happened to the objects that are watched since a version."""
    named = {**query, "fieldSelector": ",".join(filter(None, (query.get("fieldSelector"), _only(what))))}
    for one in objects.within(what.resource, what.namespace):
        if int(one["metadata"]["resourceVersion"]) > seen and selects(one, named):
            born = objects.born.get(one["metadata"]["uid"], 0)
            yield {"type": "ADDED" if born > seen else "MODIFIED", "object": one}
    for version, resource, one in objects.gone:
        inside = what.namespace in ("", one["metadata"].get("namespace"))
        if version > seen and resource == what.resource and inside and selects(one, named):
            yield {"type": "DELETED", "object": one}


def _only(what: Target) -> str:
    return f"metadata.name={what.name}" if what.name else ""


def furnish(cluster: Kubernetes) -> None:
    """A small shop: two deployments, one of which crashes, secrets, events, and a second namespace."""
    objects = cluster.objects
    for name in ("default", "shop", "empty"):
        objects.namespace(name)
    objects.node("node-1")
    objects.deployment("shop", "web", 2)
    objects.deployment("shop", "worker", 1)
    worker = next(one for one in objects.within("pods", "shop") if one["metadata"]["labels"]["app"] == "worker")
    objects.crash(worker)
    objects.logs[f"shop/{worker['metadata']['name']}"] = ["starting", "cannot reach the queue: connection refused"]
    objects.secret("shop", "database", {"password": "s3cret-of-the-shop", "user": "shop"})
    objects.secret("shop", "tls", {"tls.crt": "x", "tls.key": "y"}, "kubernetes.io/tls")
    objects.event("shop", ("Pod", worker["metadata"]["name"]), "BackOff", "Back-off restarting failed container worker")
    objects.event("shop", ("Deployment", "web"), "ScalingReplicaSet", "Scaled up replica set web to 2", "Normal")


@contextmanager
def kubernetes(context: SSLContext | None = None) -> Iterator[Kubernetes]:
    """A furnished cluster, for as long as the block lasts."""
    made = Kubernetes()
    if context is not None:
        made.secured(context)
    furnish(made)
    with answering(made):
        yield made


def kubeconfig(path: Path, cluster: Kubernetes, user: Mapping[str, Any], **more: Any) -> Path:
    """Writes a kubeconfig whose current context is this user at this cluster."""
    place: dict[str, Any] = {"server": cluster.url}
    merge(place, more)
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "stage",
        "clusters": [{"name": "here", "cluster": place}],
        "users": [{"name": USER, "user": dict(user)}],
        "contexts": [{"name": "stage", "context": {"cluster": "here", "user": USER, "namespace": "shop"}}],
    }
    path.write_text(json.dumps(content))
    return path
