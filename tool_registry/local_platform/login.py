"""The login: secrets on disk, OAuth2 client credentials (RFC 6749, 4.4), signed tokens that expire (RFC 7519)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tool_registry.local_platform.answers import Answer, Refusal, as_json
from tool_registry.local_platform.files import read_json, write_json, write_whole
from tool_registry.local_platform.settings import Settings

ISSUER = "skill-engine local profile"
USER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
HEADER = {"alg": "HS256", "typ": "JWT"}
FOR_EVER = 1e11
CHALLENGE = 'Bearer realm="skill-engine", error="invalid_token"'
PLATFORM_ITSELF = "local-platform"
"""In whose name the platform fetches from its own registry, where that wants a login."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, as a valid token says, and until when the token holds (epoch seconds)."""

    user: str
    expires_at: float


class Login:
    """Gives tokens for client secrets and tells whose a token is."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        """Make the folder and the signing key where they are missing."""
        self._folder = folder
        self._settings = settings
        self._revoking = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._key = bytes.fromhex(_made_once(folder / "signing.key", secrets.token_hex(32)))

    def enrol(self, user: str) -> None:
        """Make a client secret for `user` if there is none."""
        if USER_NAME.fullmatch(user):
            _made_once(self._folder / f"{user}.secret", secrets.token_urlsafe(32))

    def grant(self, form: dict[str, str]) -> Answer:
        """Answer a token request; refusals are RFC 6749's."""
        if not form.get("grant_type"):
            return _refused(400, "invalid_request", "grant_type is missing")
        if form["grant_type"] != "client_credentials":
            return _refused(400, "unsupported_grant_type", "only client_credentials is given here")
        user = form.get("client_id", "")
        if not self._secret_matches(user, form.get("client_secret", "")):
            return _refused(401, "invalid_client", f"no such client, or not its secret: {user[:64]!r}")
        lifetime = self._settings.number("token_lifetime")
        token = {"access_token": self._token(user, lifetime), "token_type": "Bearer", "expires_in": lifetime}
        return as_json(token, headers={"Cache-Control": "no-store"})

    def caller(self, authorization: str | None) -> Caller:
        """Tell whose the bearer token is; a missing, forged or expired one is refused with 401."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _unauthorized("a bearer token is needed; log in at /oauth/token")
        claims = self._claims(token.strip())
        if claims["exp"] <= time.time():
            ended = time.strftime("%H:%M:%S", time.localtime(claims["exp"]))
            said = f"the token expired at {ended}; log in again at /oauth/token"
            raise _unauthorized(said, reason="expired", user=claims["sub"], expired_at=claims["exp"])
        if self._is_revoked(claims):
            said = "the token was revoked; log in again at /oauth/token"
            raise _unauthorized(said, reason="revoked", user=claims["sub"])
        return Caller(user=claims["sub"], expires_at=claims["exp"])

    def revoke(self, form: dict[str, str]) -> Answer:
        """Revoke the token that is given (RFC 7009); one that is none is as good as revoked already."""
        if not form.get("token"):
            return _refused(400, "invalid_request", "token is missing")
        try:
            claims = self._claims(form["token"].strip())
        except Refusal:
            return as_json({"revoked": False})
        with self._revoking:
            kept = {one: ends for one, ends in self._revoked().items() if ends > time.time()}
            write_json(self._revoked_file, {**kept, str(claims.get("jti")): claims["exp"]}, 0o600)
        return as_json({"revoked": True})

    def registry_user(self, authorization: str | None) -> str | None:
        """Tell who logs in to the registry, by name and client secret (RFC 7617) or by a token; None for nobody."""
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() == "bearer":
            try:
                return self.caller(authorization).user
            except Refusal:
                return None
        try:
            user, _, secret = base64.b64decode(given.strip(), validate=True).decode().partition(":")
        except ValueError:
            return None
        return user if scheme.lower() == "basic" and self._secret_matches(user, secret) else None

    def of_the_platform(self) -> str:
        """Give what the platform itself logs in to its own registry with."""
        return f"Bearer {self._token(PLATFORM_ITSELF, self._settings.number('token_lifetime'))}"

    @property
    def _revoked_file(self) -> Path:
        return self._folder / "revoked.json"

    def _revoked(self) -> dict[str, float]:
        kept = read_json(self._revoked_file)
        return kept if isinstance(kept, dict) else {}

    def _is_revoked(self, claims: dict[str, Any]) -> bool:
        issued = claims.get("iat")
        before = self._settings.number("revoked_before")
        early = isinstance(issued, int | float) and issued < before and claims["sub"] != PLATFORM_ITSELF
        return early or str(claims.get("jti")) in self._revoked()

    def _secret_matches(self, user: str, given: str) -> bool:
        if not USER_NAME.fullmatch(user):
            return False
        try:
            kept = (self._folder / f"{user}.secret").read_text().strip()
        except OSError:
            return False
        return bool(kept) and hmac.compare_digest(kept.encode(), given.encode())

    def _token(self, user: str, lifetime: float) -> str:
        now = time.time()
        times = {
            "iat": round(now, 3),
            "exp": round(now + lifetime, 3),
        }  # RFC 7519 allows fractions; tests use short lives
        claims = {"iss": ISSUER, "sub": user, **times, "jti": secrets.token_hex(8)}
        signed = f"{_encoded(HEADER)}.{_encoded(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def _claims(self, token: str) -> dict[str, Any]:
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._signature(signed).encode(), signature.encode()):
            raise _unauthorized("the token was not issued here")
        try:
            header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
        except ValueError:
            raise _unauthorized("the token cannot be read") from None
        if header != HEADER or not _are_ours(claims):
            raise _unauthorized("the token was not issued here")
        return dict(claims)

    def _signature(self, signed: str) -> str:
        return _plain(hmac.new(self._key, signed.encode(), hashlib.sha256).digest())


def _are_ours(claims: Any) -> bool:
    """Tell whether the claims are such as are issued here, each of its type."""
    if not isinstance(claims, dict) or claims.get("iss") != ISSUER:
        return False
    ends = claims.get("exp")
    return isinstance(claims.get("sub"), str) and isinstance(ends, int | float) and 0 <= ends < FOR_EVER


def _made_once(path: Path, value: str) -> str:
    if not path.exists():
        write_whole(path, value.encode() + b"\n")
    return path.read_text().strip()


def _plain(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _encoded(value: Any) -> str:
    return _plain(json.dumps(value, separators=(",", ":")).encode())


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _unauthorized(sentence: str, **details: Any) -> Refusal:
    return Refusal(401, "invalid_token", sentence, headers={"WWW-Authenticate": CHALLENGE}, **details)


def _refused(status: int, error: str, description: str) -> Answer:
    headers = {"WWW-Authenticate": 'Basic realm="skill-engine"'} if status == 401 else {}  # noqa: PLR2004 - RFC 6749, 5.2
    return as_json({"error": error, "error_description": description}, status, headers)
