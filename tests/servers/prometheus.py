"""A real Prometheus (Debian `prometheus`) that reads a shop of ours every second, and has rules that fire at once.

`QueueTooLong` fires for each queue of the shop that is longer than ten. `NobodyHome` fires for as long as the target of
the job `gone` does not answer, which is always. Their annotations are full of words that frighten and mean nothing.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.servers.answering import answering
from tests.servers.daemons import program, serving

FRIGHTENING = "error: 401 Unauthorized, 3 failed, Traceback (most recent call last), no route to host"
CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
alerting: {{alertmanagers: [{{static_configs: [{{targets: [{alertmanagers}]}}]}}]}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: shop
    static_configs: [{{targets: ["{shop}"], labels: {{namespace: shop}}}}]
  - job_name: gone
    static_configs: [{{targets: ["127.0.0.1:1"]}}]
"""
RULES = """
groups:
  - name: shop
    interval: 1s
    rules:
      - record: shop:queue_length:sum
        expr: sum(shop_queue_length)
      - alert: QueueTooLong
        expr: shop_queue_length > 10
        labels: {severity: critical}
        annotations:
          summary: "the queue {{ $labels.queue }} has {{ $value }} orders (%s)"
          runbook_url: https://runbooks.example/queue
      - alert: NobodyHome
        expr: up{job="gone"} == 0
        labels: {severity: warning}
        annotations: {summary: "%s"}
"""


class Shop(ThreadingHTTPServer):
    """What Prometheus reads: the length of the shop's queues, as a test sets them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Metrics)
        self.queues: dict[str, float] = {"orders": 3, "returns": 1}

    @property
    def address(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.server_port}"


class _Metrics(BaseHTTPRequestHandler):
    """The text format of Prometheus."""

    server: Shop

    def do_GET(self) -> None:
        """Tells the queues."""
        lines = ["# TYPE shop_queue_length gauge"]
        lines += [f'shop_queue_length{{queue="{name}",pod="{name}-1"}} {value}' for name, value in self.queues()]
        body = ("\n".join(lines) + "\n").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def queues(self) -> list[tuple[str, float]]:
        """The queues and how long they are."""
        return sorted(self.server.queues.items())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Says nothing."""


@contextmanager
def shop() -> Iterator[Shop]:
    """The shop, for as long as the block lasts."""
    with answering(Shop()) as made:
        yield made


@contextmanager
def prometheus(folder: Path, read: Shop, *alertmanagers: str, options: tuple[str, ...] = ()) -> Iterator[str]:
    """Its address; it reads that shop, and tells those Alertmanagers (addresses) of alerts."""
    folder.mkdir(parents=True, exist_ok=True)
    told_to = ", ".join(f'"{each.removeprefix("http://")}"' for each in alertmanagers)
    configuration = folder / "prometheus.yml"
    configuration.write_text(CONFIGURATION.format(shop=read.address, alertmanagers=told_to))
    (folder / "rules.yml").write_text(RULES % (FRIGHTENING, FRIGHTENING))

    def argv(port: int) -> list[str]:
        return [
            program("prometheus"),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={folder / 'kept'}",
            f"--web.listen-address=127.0.0.1:{port}",
            *options,
        ]

    with serving(argv, "/-/ready", folder / "prometheus.log") as url:
        yield url


def told(url: str, path: str) -> Any:
    """The data its API answers with, asked past all of ours."""
    with urllib.request.urlopen(f"{url}/api/v1/{path}", timeout=20) as reply:  # noqa: S310 - an address of ours
        return json.loads(reply.read())["data"]


def state(url: str) -> Any:
    """Everything an unwanted write would change: its configuration, flags and rules."""
    rules = told(url, "rules")["groups"]
    kept = [(group["name"], [(rule["name"], rule["query"]) for rule in group["rules"]]) for group in rules]
    return told(url, "status/config"), told(url, "status/flags"), kept


def firing(url: str) -> set[str]:
    """The alerts that fire, as `name queue`."""
    alerts = told(url, "alerts")["alerts"]
    fired = [each["labels"] for each in alerts if each["state"] == "firing"]
    return {" ".join([each["alertname"], each.get("queue", "")]).strip() for each in fired}
