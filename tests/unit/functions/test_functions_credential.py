"""Credentials by reference: where they are looked for, and what is said of one that is not there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.configuration import SERVICES
from tests.pypi import installed
from tests.unit.functions.shop_repository import Contexts
from tool_registry import functions
from tool_registry.functions.credential import credential
from tool_registry.tool import ToolError

KEYRING = ("keyring==25.7.0", "keyrings.alt==5.0.2")
PLAIN = "keyrings.alt.file.PlaintextKeyring"
"""A keyring that is a file, so that nobody has to unlock one."""


def printing(text: str) -> dict[str, Any]:
    """A reference to a program that prints this."""
    return {"command": [sys.executable, "-c", f"print({text!r}, end='')"]}


def put(program: Path, secret: str, environment: dict[str, str]) -> None:
    """Puts Ann's secret of gitlab into the keyring, as she would."""
    subprocess.run([program, "set", "gitlab", "ann"], input=secret.encode(), env=environment, check=True)


async def test_a_credential_is_where_its_reference_says(contexts: Contexts, secrets: list[Any], tmp_path: Path) -> None:
    """A variable, a file of the workspace or of one's home, a program; each without blanks, and masked."""
    (tmp_path / "kept").write_text(" of-the-file\n")
    told = {
        "of-the-variable": {"env": "MINE"},
        "of-the-file": {"file": "kept"},
        "of-the-program": printing("of-the-program"),
    }
    for expected, reference in told.items():
        assert await credential(contexts({"credential": reference}, MINE="of-the-variable")) == expected
    home = contexts({"credential": {"file": "~/kept"}}, HOME=str(tmp_path))
    assert await credential(home) == "of-the-file"
    assert {*told} <= {*secrets}


async def test_without_a_reference_the_usual_variable_is_looked_into(contexts: Contexts) -> None:
    """Empty where that is not set either, or where there is no usual one."""
    context = contexts(USUAL_OF_THE_TEST="usual")
    assert await credential(context, usual="USUAL_OF_THE_TEST") == "usual"
    assert await credential(context, usual="NOT_SET_BY_THE_TEST") == ""
    assert await credential(context, usual="") == ""


async def test_a_file_that_is_not_there_holds_no_credential_yet(contexts: Contexts, tmp_path: Path) -> None:
    """Whoever is asked says so and a login helps; the file is read anew for every call."""
    context = contexts({"credential": {"file": "kept"}})
    assert await credential(context) == ""
    (tmp_path / "kept").write_text("new")
    assert await credential(context) == "new"


async def test_another_setting_and_one_in_a_mapping_are_read_the_same_way(contexts: Contexts) -> None:
    """Dots lead into mappings."""
    context = contexts({"api_credential": {"env": "A"}, "login": {"client_secret": {"env": "B"}}}, A="a", B="b")
    assert await credential(context, setting="api_credential") == "a"
    assert await credential(context, setting="login.client_secret") == "b"


@pytest.mark.parametrize(
    ("reference", "kind", "said"),
    [
        ({"env": "NOT_SET_BY_THE_TEST"}, "environment_variable", "NOT_SET_BY_THE_TEST, which holds the credential"),
        ({"file": "."}, "configuration_error", "cannot be read"),
        ({"command": ["false"]}, "configuration_error", "false, which is to give the credential, ended with 1"),
        ({"command": ["true"]}, "configuration_error", "printed none"),
        (printing("one\ntwo"), "configuration_error", "printed several lines"),
        ("t0ken-in-the-open", "configuration_error", "credential is not a reference"),
        ({"env": "A", "file": "b"}, "configuration_error", "credential is not a reference"),
        ({"command": "cat token"}, "configuration_error", "credential is not a reference"),
    ],
)
async def test_a_reference_that_leads_nowhere_says_what_it_names(
    contexts: Contexts, reference: Any, kind: str, said: str
) -> None:
    """Before anybody is asked, and never with what stood there."""
    with pytest.raises(ToolError, match=re.escape(said)) as failed:
        await credential(contexts({"credential": reference}))
    assert (failed.value.kind, failed.value.sent) == (kind, False)
    assert "t0ken" not in failed.value.message


@pytest.mark.parametrize("named", ["pipe", "folder", "/dev/zero", "/dev/tty"])
async def test_what_is_no_plain_file_is_not_waited_for(contexts: Contexts, tmp_path: Path, named: str) -> None:
    """A pipe would block everything until somebody writes to it, and a device has no end."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ToolError, match="which holds the credential, cannot be read") as failed:
        await credential(contexts({"credential": {"file": named}}))
    assert failed.value.kind == "configuration_error"


@pytest.mark.parametrize("text", ["hush-hush\nX-Admin: yes", "hush\x00hush", "hush\x1b[2Jhush"])
async def test_what_cannot_be_a_credential_is_not_sent_as_one(
    contexts: Contexts, secrets: list[Any], tmp_path: Path, text: str
) -> None:
    """More than a line would be more than a header; what it is, is told nobody."""
    (tmp_path / "kept").write_text(text)
    with pytest.raises(ToolError, match="and is not used") as failed:
        await credential(contexts({"credential": {"file": "kept"}}))
    assert "hush" not in f"{failed.value.message}{failed.value.output}"
    assert text in secrets


@pytest.mark.parametrize(
    "script",
    ["print('hush-hush', flush=True); import time; time.sleep(60)", "import sys; sys.stderr.write('hush-hush')"],
)
async def test_what_a_program_printed_is_no_evidence(contexts: Contexts, script: str) -> None:
    """Before it was ended, or where a program speaks that ends well: it may be the secret."""
    reference = {"command": [sys.executable, "-S", "-c", script]}
    with pytest.raises(ToolError) as failed:
        await credential(contexts({"credential": reference}, timeout=0.5))
    assert failed.value.kind in ("timeout", "configuration_error")
    assert "hush" not in f"{failed.value.message}{failed.value.output}{failed.value.details}"


async def test_a_program_that_waits_is_ended_by_the_calls_own_time(contexts: Contexts) -> None:
    """It may ask for a passphrase that nobody will give."""
    with pytest.raises(ToolError) as failed:
        await credential(contexts({"credential": {"command": ["sleep", "60"]}}, timeout=0.2))
    assert failed.value.kind == "timeout"


async def test_without_its_module_the_keyring_says_how_it_is_installed(contexts: Contexts) -> None:
    """It is no part of what is always installed."""
    context = contexts({"credential": {"keyring": {"service": "gitlab", "username": "ann"}}}, PYTHONPATH="")
    with pytest.raises(ToolError, match=r"pip install 'skill-engine\[keyring\]'") as failed:
        await credential(context)
    assert (failed.value.kind, failed.value.details["module"]) == ("dependency_missing", "keyring")


async def test_the_keyring_gives_what_was_put_into_it(contexts: Contexts, secrets: list[Any], tmp_path: Path) -> None:
    """By the real module; what it does not have is no credential."""
    programs = installed(*KEYRING)
    library = next((programs.parent / "lib").glob("python*/site-packages"))
    given = {"PYTHONPATH": str(library), "PYTHON_KEYRING_BACKEND": PLAIN, "XDG_DATA_HOME": str(tmp_path)}
    put(programs / "keyring", "of-the-keyring", given)
    here = contexts({"credential": {"keyring": {"service": "gitlab", "username": "ann"}}}, **given)
    assert await credential(here) == "of-the-keyring"
    assert "of-the-keyring" in secrets
    with pytest.raises(ToolError, match="keyring, which is to give the credential, ended with 1") as failed:
        await credential(contexts({"credential": {"keyring": {"service": "jira", "username": "ann"}}}, **given))
    assert failed.value.kind == "configuration_error"


@pytest.mark.parametrize("kind", [kind for kind, known in SERVICES.items() if known.usual])
def test_the_variable_a_service_is_said_to_look_into_is_the_one_its_tools_do(kind: str) -> None:
    """The configuration tells people of it, and the family reads it."""
    folder = Path(functions.__file__).parent
    named = f'"{SERVICES[kind].usual}"'
    assert any(named in path.read_text() for path in folder.glob("*.py"))
