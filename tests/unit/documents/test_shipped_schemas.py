"""The schemas for tools, profiles and settings: what they accept, and what they say."""

from __future__ import annotations

import pytest

from engine.documents import findings, parse, schema
from engine.model.failure import FailureKind
from engine.model.heal import HealMode
from tool_registry.sources import canned, command, definition, http_tool
from tool_registry.tool import Effect, FixScope

COMMAND = """\
name: git_head
description: The commit a branch leads to.
parameters:
  required: [repo]
  properties:
    repo: {type: string, description: The folder.}
    short: {type: boolean, default: false}
result: {type: string}
effect: read
idempotent: true
domain: forge
timeout: 30s
verify: git_log
needs: {programs: [git], environment: [HOME], modules: [json], settings: ["url|platform"]}
examples: [{repo: .}]
secret: [token]
command:
  argv: [git, -C, "{repo}", rev-parse, {if: short, then: [--short]}, HEAD, 1]
  allow_dash: [repo]
  cwd: "{folder}"
  stdin: ""
  environment: {A: b, B: {secret_env: TOKEN}, C: {settings: token}}
  output: {regex: "(?P<sha>.*)", many: false}
  select: sha
  stream: stdout
  exit: {"1": not_found, "2": {kind: conflict, message: in use}}
  not_found: {exit: [128], stderr: unknown revision}
  failed_when: {json: {ok: false}, kind: unknown}
  output_limit: 1000
"""
HTTP = """\
name: silence
http:
  method: post
  url: "{settings.url}/api"
  query: {all: true}
  headers: {Authorization: {secret_env: TOKEN}}
  json: {id: "{id}"}
  output: json
  select: data.0
  ok: [200, 201]
  not_found: 404
  failed_when: [{body: nope}, {json: {ok: false}}]
  follow_redirects: true
  output_limit: 1000
parameters: {properties: {id: {type: string}}}
"""
CANNED = """\
name: answers
fix: credentials
canned:
  answers:
    - failure: {http_status: 401, message: token expired, kind: auth_expired, sent: true, retry_after: 1.5}
      when: {id: 1}
      delay: 0.1
    - {value: {digest: abc}, text: abc}
    - {not_found: true}
"""


@pytest.mark.parametrize("text", [COMMAND, HTTP, CANNED])
def test_a_tool_with_every_key_is_valid(text: str) -> None:
    """Every key of each kind of tool is known."""
    assert findings(parse(text, "f"), "tool") == ()


def test_the_schema_knows_the_keys_the_registry_knows() -> None:
    """The schema and the code that reads a definition list the same keys and words."""
    known = schema("tool")
    assert set(known["properties"]) == definition.KEYS
    kinds = {"command": command.KEYS, "http": http_tool.KEYS, "canned": canned.KEYS}
    assert {kind: set(known["$defs"][kind]["properties"]) for kind in kinds} == kinds
    answer = known["$defs"]["answer"]["properties"]
    assert set(answer) == canned.ANSWER_KEYS
    assert set(answer["failure"]["properties"]) == canned.FAILURE_KEYS
    assert known["properties"]["effect"]["enum"] == [each.value for each in Effect]
    assert known["properties"]["fix"]["enum"] == [each.value for each in FixScope]
    assert known["$defs"]["marker"]["properties"]["kind"]["enum"] == [each.value for each in FailureKind]
    assert schema("settings")["properties"]["heal"]["properties"]["mode"]["enum"] == [each.value for each in HealMode]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("name: x\n", ["1:1: no-choice one of `command`, `http`, `canned` is needed here"]),
        ("name: x\ncomand: {argv: [ls]}\n", ["2:1: unknown-key the key `comand` is not known here"]),
        (
            "name: x\ncommand: {argv: [ls]}\nhttp: {url: x}\n",
            ["3:1: no-choice only one of `command`, `http` may stand here"],
        ),
        ("name: x\ncommand: {argv: []}\n", ["2:17: out-of-range `argv` must not be empty"]),
        ("name: x\ncommand: {argv: ls -l}\n", ["2:17: wrong-type `argv` must be a list, but is the text 'ls -l'"]),
        ("name: x\ncommand: {argv: [ls], exit: {x: ok}}\n", ["2:30: key-name an exit status is a whole number"]),
        ("name: x\ncommand: {argv: [ls, {iff: a, then: [b]}]}\n", ["2:23: unknown-key the key `iff` is not known"]),
        ("name: x\nhttp: {url: u, method: FETCH}\n", ["2:24: wrong-form this is not a method"]),
        ("name: x\ntimeout: soon\nhttp: {url: u}\n", ["2:10: wrong-form this is not a duration"]),
        ("name: 1x\nhttp: {url: u}\n", ["1:7: wrong-form `name` is the text '1x'"]),
    ],
)
def test_a_wrong_tool_is_told_what_is_wrong(text: str, sentences: list[str]) -> None:
    """The commonest mistakes in a definition, each with its own sentence."""
    found = [str(each).removeprefix("f:") for each in findings(parse(text, "f"), "tool")]
    assert [each[: len(sentence)] for each, sentence in zip(found, sentences, strict=True)] == sentences


def test_a_profile_with_every_key_is_valid() -> None:
    """Domains with settings, a mode, and fixes by role."""
    text = """\
profile: stage
description: The staging cluster.
config: {region: eu}
domains:
  cluster:
    description: The cluster.
    settings: {kubeconfig: "{state}/kubeconfig", port: 1}
    mode: ask
    expiry: {tool: token_time, args: {cluster: stage}, offline: true}
    fixes:
      login:
        call: {tool: kube_login, args: {cluster: stage}}
        verify: {tool: kube_whoami}
        ready_within: 5
        cooldown: 10
"""
    assert findings(parse(text, "f"), "profile") == ()
    wrong = findings(parse(text.replace("mode: ask", "mode: always"), "f"), "profile")
    assert [str(each.place) for each in wrong] == ["f:8:11"]


def test_settings_with_every_key_are_valid() -> None:
    """What `skill.toml` may say, written here as YAML."""
    text = """\
profile: stage
heal: {mode: suggest, kill_switch: false, breaker: strict}
history: {synchronous: full}
env: {allow: [HOME, USER]}
domains: {cluster: {mode: "off"}}
config: {anything: [goes]}
"""
    assert findings(parse(text, "f"), "settings") == ()
    wrong = findings(parse(text.replace("cluster: {mode", "cluster: {mod"), "f"), "settings")
    assert [each.hint for each in wrong] == ["did you mean `mode`?"]
