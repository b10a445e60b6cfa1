"""A stand-in of ours for the Kubernetes API: what kubectl and lightkube need to look, scale, restart and follow.

It has namespaces, nodes, pods with logs, secrets, events, deployments (scale, rollouts whose replicas get ready after a
moment), lists by labels and fields and in pages, watches, tables for kubectl, errors as `Status`, bearer tokens that
expire (401), rules that forbid (403), and a token endpoint (client credentials).

It does not: run anything; create or delete objects; know strategic merges of lists, server-side apply, exec, attach
or port-forward; keep replica sets (the list is empty), versions for a watch to begin in the past, or OpenAPI documents;
know roles (a rule is a verb and a resource that are forbidden to everybody); roll out by percent (all new pods are made
at once). A deployment named in `objects.stuck` is past its progress deadline as soon as it is changed.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import SSLContext
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.answering import answering
from tests.servers.kubernetes_answers import discovery, listed, scale_of, selects, status, table
from tests.servers.kubernetes_objects import Object, Objects, merge

USER, PASSWORD = "ann", "pass-to-the-cluster"
PATH = re.compile(
    r"/(?:api/v1|apis/apps/v1)(?:/namespaces/(?P<namespace>[^/]+)(?=/[a-z]))?/(?P<resource>[a-z]+)"
    r"(?:/(?P<name>[^/]+))?(?:/(?P<sub>log|scale))?"
)
VERBS = {"GET": "get", "PATCH": "patch", "PUT": "update"}


class Kubernetes(ThreadingHTTPServer):
    """Counts logins and notes what it was asked; once it has answered what begins with `expires_after`, tokens end."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Api)
        self.objects = Objects()
        self.tokens: dict[str, float] = {}
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
        said = discovery(parts.path)
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
        return USER if self.server.tokens.get(given.removeprefix("Bearer "), 0) > time.time() else None

    def _resource(self, path: str, query: dict[str, str], body: bytes, user: str) -> None:
        found = PATH.fullmatch(path)
        resource = found["resource"] if found else ""
        if found is None or resource not in self.server.objects.kept:
            self._say(404, status(404, "NotFound", "the server could not find the requested resource"))
            return
        namespace, name, sub = found["namespace"] or "", found["name"] or "", found["sub"] or ""
        verb = VERBS.get(self.command, "create") if name else ("watch" if query.get("watch") else "list")
        full = f"{resource}/{sub}" if sub else resource
        if user == "system:anonymous" or {(verb, full), ("*", full), ("list" if verb == "watch" else "", full)} & (
            self.server.forbidden
        ):
            self._forbid(user, verb, full, namespace, name)
            return
        with self.server.objects.lock:
            if name:
                self._one(found, sub, query, body)
                return
            if verb == "list":
                self._list(resource, namespace, query)
                return
        self._watch(resource, namespace, query)

    def _forbid(self, user: str, verb: str, full: str, namespace: str, name: str) -> None:
        resource = full.partition("/")[0]
        group = "apps" if resource in ("deployments", "replicasets") else ""
        where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
        suffix = f".{group}" if group else ""
        subject = f'{resource}{suffix} "{name}"' if name else f"{resource}{suffix}"
        message = (
            f'{subject} is forbidden: User "{user}" cannot {verb} resource "{full}" in API group "{group}" {where}'
        )
        self._say(403, status(403, "Forbidden", message, name=name, kind=resource, group=group))

    def _one(self, found: re.Match[str], sub: str, query: Mapping[str, str], body: bytes) -> None:
        objects = self.server.objects
        resource, namespace, name = found["resource"], found["namespace"] or "", found["name"]
        one = objects.find(resource, namespace, name)
        if one is None:
            group = "apps" if resource in ("deployments", "replicasets") else ""
            told = f'{resource}{"." + group if group else ""} "{name}" not found'
            self._say(404, status(404, "NotFound", told, name=name, kind=resource, group=group))
        elif sub == "log":
            self._log(namespace, name, one, query)
        elif self.command == "GET":
            shown = scale_of(one) if sub else one
            self._say(200, table(resource, [shown], {}) if "as=Table" in self._accept and not sub else shown)
        else:
            self._change(one, sub, json.loads(body))

    def _change(self, one: Object, sub: str, patch: Object) -> None:
        if sub == "scale":
            wanted = patch["spec"]["replicas"]
            if not isinstance(wanted, int) or wanted < 0:
                message = f'Scale.autoscaling "{one["metadata"]["name"]}" is invalid: spec.replicas: Invalid value'
                self._say(422, status(422, "Invalid", message))
                return
            changed = scale_of(self.server.objects.change(one, {"spec": {"replicas": wanted}}))
        else:
            before = json.loads(json.dumps(one["metadata"]))
            version = patch.get("metadata", {}).pop("resourceVersion", before["resourceVersion"])
            if version != before["resourceVersion"]:
                self._say(409, status(409, "Conflict", "the object has been modified"))
                return
            changed = self.server.objects.change(one, patch)
        self._say(200, changed)

    def _log(self, namespace: str, name: str, one: Object, query: Mapping[str, str]) -> None:
        if one["status"]["phase"] == "Pending":
            container = one["spec"]["containers"][0]["name"]
            message = f'container "{container}" in pod "{name}" is waiting to start: ContainerCreating'
            self._say(400, status(400, "BadRequest", message))
            return
        lines = self.server.objects.logs.get(f"{namespace}/{name}", [])
        tail = int(query.get("tailLines", len(lines)))
        text = "".join(f"{line}\n" for line in lines[len(lines) - min(tail, len(lines)) :])
        self._send(200, "text/plain", text.encode())

    def _list(self, resource: str, namespace: str, query: Mapping[str, str]) -> None:
        found = [one for one in self.server.objects.within(resource, namespace) if selects(one, query)]
        first = int(query.get("continue") or 0)
        most = int(query.get("limit") or 0) or len(found)
        page, left = found[first : first + most], len(found) - first - most
        meta: Object = {"resourceVersion": str(self.server.objects.version)}
        if left > 0:
            meta |= {"continue": str(first + most), "remainingItemCount": left}
        as_table = "as=Table" in self._accept
        self._say(200, table(resource, page, meta) if as_table else listed(resource, page, meta))

    def _watch(self, resource: str, namespace: str, query: Mapping[str, str]) -> None:
        """Tells every change from now on; what was before the watch's version is not told."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        seen = int(query.get("resourceVersion") or 0)
        until = time.monotonic() + min(float(query.get("timeoutSeconds") or 20), 20)
        while time.monotonic() < until:
            with self.server.objects.lock:
                within = self.server.objects.within(resource, namespace)
                fresh = [
                    one for one in within if int(one["metadata"]["resourceVersion"]) > seen and selects(one, query)
                ]
                seen = self.server.objects.version
                lines = [json.dumps({"type": "MODIFIED", "object": one}) for one in fresh]
            for line in lines:
                self._chunk(f"{line}\n".encode())
            time.sleep(0.03)
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    @property
    def _accept(self) -> str:
        return self.headers.get("Accept", "")

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
