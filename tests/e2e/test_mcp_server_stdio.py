"""`skill mcp serve` over standard input and output: whatever comes in, only the protocol goes out."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.mcp_wire import GREET, HELLO, Spoken, call, request, spoken, workspace
from tests.shell import SKILL, Shell

BROKEN = "name: broken\nsteps:\n  - {name: say, tool: ecoh}\n"


@pytest.fixture
def here(tmp_path: Path) -> Shell:
    """A workspace with one good skill and one that cannot run."""
    return workspace(tmp_path / "work", tmp_path / "home", broken=BROKEN)


def refusal(answer: dict[str, Any]) -> str:
    """The sentence of a result that is an error."""
    assert answer["result"]["isError"] is True
    return str(answer["result"]["content"][0]["text"])


def runs(shell: Shell) -> list[Any]:
    """Every run there was."""
    return list(shell.json("history"))


def works(server: Spoken, *, modern: bool = True) -> None:
    """The server still does what it is asked."""
    told = server.ask(call(f"still {len(server.messages)}", "greet", modern=modern, who="you"))["result"]
    assert told["structuredContent"]["outputs"] == {"greeting": "hello you"}


GARBAGE = [
    (b"{bad\n", -32700),
    (b"\xff\xfe\x00\n", -32700),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", -32700),
    (b"[]\n", -32600),
    (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]\n', -32600),
    (b'"text"\n', -32600),
    (b'{"jsonrpc":"1.0","id":8,"method":"ping"}\n', -32600),
    (b'{"jsonrpc":"2.0","id":{},"method":"ping"}\n', -32600),
    (b'{"jsonrpc":"2.0","id":true,"method":"ping"}\n', -32600),
    (b'{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}\n', -32600),
]


@pytest.mark.parametrize("modern", [False, True])
def test_what_is_no_message_is_answered_and_the_server_goes_on(here: Shell, modern: bool) -> None:
    """Malformed JSON, batches, other versions: each gets an error before and after the first request."""
    with spoken(here) as server:
        for _ in range(2):
            for line, code in GARBAGE:
                server.say(line)
                assert server.hear()["error"]["code"] == code
            if not modern and not any(each.get("id") == "hello" for each in server.messages):
                server.greet()
            works(server, modern=modern)
    assert len(runs(here)) == 2


def test_a_cancellation_of_nothing_is_no_matter(here: Shell) -> None:
    """Whatever it names, the server goes on."""
    nothing: tuple[Any, ...] = ([1], {}, None, True, "nobody")
    with spoken(here) as server:
        server.greet()
        for of in nothing:
            told = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": of}}
            server.say(json.dumps(told).encode() + b"\n")
            works(server, modern=False)


def test_a_message_that_is_too_long_is_refused_and_not_kept(here: Shell) -> None:
    """Of 20 megabytes on one line no more is kept than the limit; the next line is heard."""
    with spoken(here) as server:
        server.say(b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"greet","arguments":{"who":"')
        for _ in range(20):
            server.say(b"x" * 1_000_000)
        server.say(b'"}}}\n')
        assert "4,194,304 bytes" in server.hear()["error"]["message"]
        status = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
        works(server)
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    assert peak < 400_000
    assert len(runs(here)) == 1


def test_arguments_that_are_too_large_are_refused(here: Shell) -> None:
    """A message within the limit whose arguments are not is answered with a sentence, and nothing runs."""
    with spoken(here) as server:
        assert "its arguments have 1,5" in refusal(server.ask(call(1, "greet", who="x" * 1_500_000)))
        works(server)
    assert len(runs(here)) == 1


WRONG: list[tuple[str, dict[str, Any], list[str]]] = [
    ("greet", {}, ["the argument `who` is missing"]),
    ("greet", {"hwo": "x"}, ["there is no argument `hwo`; did you mean `who`?"]),
    ("greet", {"who": 7}, ["`who` must be text, not 7"]),
    ("greet", {"who": "x", "times": "two"}, ['`times` must be a whole number, not "two"']),
    ("greet", {"who": "x", "times": 0}, ["`times`"]),
    ("skill_run", {"name": "gret"}, ["there is no skill called gret", "did you mean greet?"]),
    ("skill_run", {"name": "./skills/greet.yaml"}, ["there is no skill called ./skills/greet.yaml"]),
    ("skill_run", {"name": "broken"}, ["there is no tool called ecoh"]),
    ("skill_run", {"name": "greet", "inputs": {"who": 7}}, ["who got 7", "skill_describe(name='greet')"]),
    ("skill_run", {"name": "greet", "inputs": ["x"]}, ["`inputs` must be a mapping"]),
    ("skill_run", {"name": "greet", "wait_seconds": -1}, ["`wait_seconds`"]),
    ("skill_run", {"name": "greet", "inputs": {"who": "x"}, "wait_seconds": float("nan")}, ["a NaN"]),
    ("broken", {}, ["the skill broken cannot run", "skill check broken"]),
    ("run_status", {"run_id": "nope"}, ["there is no run nope"]),
    ("run_answer", {"run_id": "nope", "answers": {}}, ["there is no run nope"]),
    ("run_cancel", {"run": "nope"}, ["the argument `run_id` is missing", "did you mean `run_id`?"]),
    ("tool_exec", {"name": "ecoh"}, ["there is no tool called ecoh", "did you mean", "echo"]),
    ("tool_exec", {"name": "git_log"}, ["git_log was not called", "`repo` is missing", "debug_tool("]),
    ("check_known_issues", {}, ["neither a tool nor an error was named"]),
    ("memory_read", {"file": "../../etc/passwd"}, ["passwd"]),
]


@pytest.mark.parametrize("modern", [False, True])
def test_arguments_that_do_not_fit_are_refused_with_the_way_out(here: Shell, modern: bool) -> None:
    """Every refusal names the argument and the nearest that is known; nothing has run."""
    with spoken(here) as server:
        if not modern:
            server.greet()
        for number, (tool, arguments, sentences) in enumerate(WRONG):
            said = refusal(server.ask(call(number, tool, modern=modern, **arguments)))
            assert all(sentence in said for sentence in sentences), said
        assert server.process.poll() is None
    assert runs(here) == []


@pytest.mark.parametrize("modern", [False, True])
def test_requests_of_the_wrong_shape_are_refused(here: Shell, modern: bool) -> None:
    """An unknown method, an unknown tool with the nearest name, and parameters of other types."""
    with spoken(here) as server:
        if not modern:
            server.greet()
        asked = [
            server.ask(request(1, "tools/dance", modern=modern)),
            server.ask(call(2, "skil_run", modern=modern)),
            server.ask(request(3, "tools/call", modern=modern, name=5)),
            server.ask(request(4, "tools/call", modern=modern, name="greet", arguments=[1])),
            server.ask(request(5, "tools/list", modern=modern, cursor="nowhere")),
        ]
        works(server, modern=modern)
    assert [each["error"]["code"] for each in asked] == [-32601, -32602, -32602, -32602, -32602]
    assert "did you mean skill_run?" in asked[1]["error"]["message"]
    assert "`name`" in asked[2]["error"]["message"]
    assert "`arguments`" in asked[3]["error"]["message"]


def test_a_forged_request_state_is_refused(here: Shell) -> None:
    """A state that this server has not sealed is refused, and nothing runs."""
    with spoken(here) as server:
        for number, state in enumerate(["x", "v1.AAAA", "v1." + "A" * 200, json.dumps({"run": "1", "asked": []})]):
            line = request(number, "tools/call", name="greet", arguments={"who": "x"}, requestState=state)
            assert server.ask(line)["error"]["data"] == {"reason": "invalid_request_state"}
        works(server)
    assert len(runs(here)) == 1


def test_the_tools_are_the_general_ones_and_one_for_each_good_skill(here: Shell) -> None:
    """Names are unique; every schema is closed; the broken skill is left out, and said in `skill_list`."""
    with spoken(here) as server:
        listed = server.ask(request(1, "tools/list"))["result"]["tools"]
        skills = server.ask(call(2, "skill_list"))["result"]["structuredContent"]["skills"]
    names = [each["name"] for each in listed]
    assert names[:7] == [
        "skill_list", "skill_describe", "skill_run", "run_status", "run_answer", "run_cancel", "run_logs"
    ]  # fmt: skip
    assert names[7:13] == [
        "check_known_issues", "debug_tool", "memory_read", "learn_tool_fix", "tool_exec", "get_health"
    ]  # fmt: skip
    assert "greet" in names
    assert "broken" not in names
    assert len(set(names)) == len(names)
    assert all(each["inputSchema"]["additionalProperties"] is False for each in listed)
    assert next(each["error"] for each in skills if each["name"] == "broken")
    greet = next(each for each in listed if each["name"] == "greet")
    assert greet["inputSchema"]["required"] == ["who"]
    assert greet["annotations"]["readOnlyHint"] is True
    assert "greeting" in json.dumps(greet["outputSchema"]["properties"]["outputs"])


def test_the_list_follows_the_files(here: Shell) -> None:
    """A skill that is written while the server serves is told to the client, and can be called."""
    with spoken(here) as server:
        server.greet()
        server.ask(request(1, "tools/list", modern=False))
        text = GREET.replace("name: greet\n", "name: wave\n").replace("hello", "bye")
        (here.folder / "skills" / "wave.yaml").write_text(text)
        while server.hear().get("method") != "notifications/tools/list_changed":
            pass
        told = server.ask(call(2, "wave", modern=False, who="you"))["result"]["structuredContent"]
    assert told["outputs"] == {"greeting": "bye you"}


def test_a_listening_client_of_the_newer_protocol_hears_of_changes(here: Shell) -> None:
    """`subscriptions/listen` tells that the list has changed."""
    with spoken(here) as server:
        server.say(request("listen", "subscriptions/listen", notifications={"toolsListChanged": True}))
        assert server.hear()["method"] == "notifications/subscriptions/acknowledged"
        (here.folder / "skills" / "broken.yaml").unlink()
        assert server.hear()["method"] == "notifications/tools/list_changed"


def test_tags_and_names_choose_the_skills_that_are_tools(here: Shell) -> None:
    """The others can still be run by name."""
    with spoken(here, "--tags", "demo", "--skills", "g*,w*") as server:
        listed = [each["name"] for each in server.ask(request(1, "tools/list"))["result"]["tools"]]
    assert listed[13:] == ["greet"]
    with spoken(here, "--skills", "other*") as server:
        listed = [each["name"] for each in server.ask(request(1, "tools/list"))["result"]["tools"]]
        told = server.ask(call(2, "skill_run", name="greet", inputs={"who": "you"}))["result"]["structuredContent"]
    assert listed[13:] == []
    assert told["status"] == "ok"


def test_a_client_that_may_only_read_runs_nothing(here: Shell) -> None:
    """Tools above the tier are not listed, and are refused by name with the way out."""
    with spoken(here, "--allow", "read") as server:
        listed = {each["name"] for each in server.ask(request(1, "tools/list"))["result"]["tools"]}
        asked: list[tuple[str, dict[str, Any]]] = [
            ("greet", {"who": "x"}),
            ("skill_run", {"name": "greet", "inputs": {"who": "x"}}),
            ("tool_exec", {"name": "echo", "args": {"value": 1}}),
            ("run_cancel", {"run_id": "x"}),
        ]
        said = [refusal(server.ask(call(tool, tool, **arguments))) for tool, arguments in asked]
    assert listed == {
        "skill_list", "skill_describe", "run_status", "run_logs", "check_known_issues", "debug_tool", "memory_read",
        "get_health",
    }  # fmt: skip
    assert all("skill mcp serve --allow run" in sentence for sentence in said)
    assert runs(here) == []


def test_destructive_tools_wait_for_a_person(here: Shell) -> None:
    """In the tier `run`, `tool_exec` refuses them; in `approve-fixes` it calls them."""
    (here.folder / "tools").mkdir()
    (here.folder / "tools" / "wipe.yaml").write_text(
        "name: wipe\ndescription: Wipes.\neffect: destructive\ncommand:\n  argv: [touch, wiped]\n"
    )
    with spoken(here) as server:
        assert "it is destructive" in refusal(server.ask(call(1, "tool_exec", name="wipe")))
    assert not (here.folder / "wiped").exists()
    with spoken(here, "--allow", "approve-fixes") as server:
        told = server.ask(call(1, "tool_exec", name="wipe"))["result"]
    assert told["isError"] is False, told
    assert (here.folder / "wiped").exists()


def test_what_no_text_can_hold_is_replaced_in_answers(here: Shell) -> None:
    """Half of a surrogate pair, which a tool may give, ends no connection."""
    with spoken(here) as server:
        told = server.ask(call(1, "tool_exec", name="json_parse", args={"text": '{"\\ud83dx": "\\ud83dy", "n": NaN}'}))
        assert told["result"]["structuredContent"]["value"] == {"?x": "?y", "n": None}
        works(server)


def test_secrets_are_masked_in_answers_and_in_the_log(here: Shell) -> None:
    """A variable the workspace calls secret is shown nowhere; nor is a secret input that does not fit."""
    (here.folder / "skill.toml").write_text('[env]\nsecret = ["PASS"]\n')
    (here.folder / "skills" / "hide.yaml").write_text(
        "name: hide\ndescription: Hides.\ninputs:\n  - {name: key, type: string, required: true, secret: true}\n"
        'steps:\n  - {name: say, tool: echo, args: {value: "{{ env.PASS }}"}}\n'
        'outputs:\n  - {name: said, value: "{{ say }}"}\n'
    )
    with spoken(here, environment={"PASS": "correct-horse"}) as server:
        told = json.dumps(server.ask(call(1, "hide", key="battery-staple")))
        wrong = json.dumps(server.ask(call(2, "hide", key=["battery-staple"])))
        assert server.process.stdin is not None
        server.process.stdin.close()
        server.process.wait(20)
    assert '"status": "ok"' in told
    assert "correct-horse" not in told
    assert "battery-staple" not in wrong + told
    assert "correct-horse" not in "".join(server.log)
    assert "battery-staple" not in "".join(server.log)


def test_requests_from_a_pipe_that_is_closed_at_once_are_answered(here: Shell) -> None:
    """Whoever pipes a few lines in gets the answers, and exit status 0."""
    lines = request(1, "initialize", modern=False, **HELLO) + call(2, "skill_list", modern=False)
    done = subprocess.run(
        [SKILL, "mcp", "serve"],
        input=lines,
        cwd=here.folder,
        env=here.environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1, 2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_server_in_an_orderly_way(here: Shell, number: signal.Signals) -> None:
    """Exit status 0, and a line that says why."""
    with spoken(here) as server:
        works(server)
        server.process.send_signal(number)
        assert server.process.wait(20) == 0
    assert any(f"ended by {number.name}" in line for line in server.log)


def test_a_reader_who_leaves_ends_the_server(here: Shell) -> None:
    """When nobody reads its output any more, the server does not stay behind."""
    with spoken(here) as server:
        works(server)
        assert server.process.stdout is not None
        server.process.stdout.close()
        server.say(request(9, "tools/list"))
        assert server.process.wait(20) == 0


def test_a_host_that_reads_no_log_is_served(here: Shell) -> None:
    """Standard error is a pipe that nobody empties: the server does not wait for it."""
    process = subprocess.Popen(
        [SKILL, "mcp", "serve"],
        cwd=here.folder,
        env=here.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            server = Spoken(process=process)
            for number in range(1_500):
                server.ask(call(number, "t" * 60))
            works(server)
        finally:
            process.kill()


def test_a_host_that_closes_standard_error_is_served(here: Shell) -> None:
    """What would be written there is written nowhere."""
    done = subprocess.run(
        ["sh", "-c", f'exec "{SKILL}" mcp serve 2>&-'],
        cwd=here.folder,
        env=here.environment,
        input=call(1, "skill_list", query="hello"),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["result"]["structuredContent"]["skills"][0]["name"] == "greet"


def test_what_programs_print_does_not_reach_the_protocol(tmp_path: Path) -> None:
    """`print`, a program that is started, and a write to descriptor 1 all go to standard error."""
    program = tmp_path / "prints.py"
    program.write_text(
        "import os, subprocess\n"
        "from engine.frontends.mcp_server.wire import claimed\n"
        "with claimed() as wire:\n"
        "    print('printed', flush=True)\n"
        "    os.write(1, b'written\\n')\n"
        "    subprocess.run(['echo', 'echoed'], check=True)\n"
        "    assert subprocess.run(['cat'], capture_output=True, check=True).stdout == b''\n"
        "    os.write(wire.outgoing, b'protocol\\n')\n"
        "print('afterwards')\n"
    )
    done = subprocess.run(
        [sys.executable, program], input="not for cat\n", capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "protocol\nafterwards\n"
    assert done.stderr == "printed\nwritten\nechoed\n"


def test_without_the_extra_the_message_has_the_install_line(here: Shell) -> None:
    """Exit status 2, and nothing on standard output."""
    program = "import sys; sys.modules['mcp'] = None; from engine.frontends.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "mcp", "serve"],
        cwd=here.folder,
        env=here.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "pip install 'skill-engine[mcp]'" in done.stderr
