"""Tokens of the local platform: whose they are, until when, and that nobody else can make one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tool_registry.local_platform.answers import Refusal
from tool_registry.local_platform.login import Login
from tool_registry.local_platform.settings import Settings


@pytest.fixture
def login(tmp_path: Path) -> Login:
    """A login that knows ada."""
    made = Login(tmp_path / "login", Settings(path=tmp_path / "settings.json"))
    made.enrol("ada")
    return made


def granted(login: Login, folder: Path, **changes: str) -> dict[str, Any]:
    """Ask for ada's token, with changes to the form."""
    secret = (folder / "login" / "ada.secret").read_text().strip()
    form = {"grant_type": "client_credentials", "client_id": "ada", "client_secret": secret, **changes}
    return dict(json.loads(login.grant(form).body))


def part(value: object) -> str:
    """Encode one part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_token_is_its_owners(login: Login, tmp_path: Path) -> None:
    """Whoever sends the secret gets a token that says their name."""
    token = granted(login, tmp_path)["access_token"]
    caller = login.caller(f"Bearer {token}")
    assert caller.user == "ada"
    assert caller.expires_at == pytest.approx(time.time() + 3600, abs=5)


def test_a_token_outlives_a_restart(login: Login, tmp_path: Path) -> None:
    """The key is kept, so a token given before holds after."""
    token = granted(login, tmp_path)["access_token"]
    again = Login(tmp_path / "login", Settings(path=tmp_path / "settings.json"))
    assert again.caller(f"bearer {token}").user == "ada"


def test_the_lifetime_is_read_at_every_login(login: Login, tmp_path: Path) -> None:
    """A changed setting needs no restart."""
    (tmp_path / "settings.json").write_text('{"token_lifetime": 7}')
    assert granted(login, tmp_path)["expires_in"] == 7


@pytest.mark.parametrize("user", ["", "../ada", "nobody-here", ".ada", "ada\0", "a" * 100])
def test_unknown_and_strange_names_get_nothing(login: Login, tmp_path: Path, user: str) -> None:
    """A name is looked up only when it can be a file's name in the folder."""
    assert granted(login, tmp_path, client_id=user)["error"] == "invalid_client"


def test_an_empty_secret_is_no_secret(login: Login, tmp_path: Path) -> None:
    """A user whose file is empty cannot log in."""
    (tmp_path / "login" / "eve.secret").write_text("\n")
    assert granted(login, tmp_path, client_id="eve", client_secret="")["error"] == "invalid_client"


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Basic YTpi", "Bearer a.b.c", "Bearer \xe9.b.c", "Bearer ."]
)
def test_what_is_no_token_is_refused(login: Login, authorization: str | None) -> None:
    """Every other header is a 401."""
    with pytest.raises(Refusal) as refused:
        login.caller(authorization)
    assert (refused.value.status, refused.value.code) == (401, "invalid_token")


def test_a_token_without_signature_is_refused(login: Login) -> None:
    """The header's word that none is needed counts for nothing."""
    claims = {"iss": "skill-engine local profile", "sub": "ada", "exp": time.time() + 60}
    for header in ({"alg": "none"}, {"alg": "HS256", "typ": "JWT"}):
        with pytest.raises(Refusal, match="not issued here"):
            login.caller(f"Bearer {part(header)}.{part(claims)}.")


@pytest.mark.parametrize("claims", [{"exp": None}, {"exp": "later"}, {"exp": -1e30}, {"exp": 1e300}, {"sub": 7}, []])
def test_signed_claims_of_a_strange_shape_are_refused(login: Login, tmp_path: Path, claims: Any) -> None:
    """Even with the key, a token is only what is issued here."""
    body = {"iss": "skill-engine local profile", "sub": "ada", "exp": time.time() + 9}
    signed = (
        f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part({**body, **claims} if isinstance(claims, dict) else claims)}"
    )
    key = bytes.fromhex((tmp_path / "login" / "signing.key").read_text())
    signature = base64.urlsafe_b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
    with pytest.raises(Refusal, match="not issued here"):
        login.caller(f"Bearer {signed}.{signature}")
