"""A login server with real keys: npm's `oauth2-mock-server`, and who checks its tokens as a cluster's API does.

Beyond what the package does by itself (`oauth.mjs`): tokens hold for as long as the test says, and a refresh token
counts once, as where it is rotated. It knows one person, `johndoe`, and checks no client's secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import jwt

from tests import npm
from tests.servers.third_party import listening

PACKAGES = {"oauth2-mock-server": "9.3.0"}
SCRIPT = Path(__file__).with_name("oauth.mjs")
REFRESH_TOKEN = "refresh-me-once"
CLIENT = "skills"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Where the login server answers, and the tokens of it that somebody showed and that counted."""

    url: str
    keys: jwt.PyJWKClient = field(repr=False)
    counted: list[str] = field(default_factory=list)

    @property
    def token_url(self) -> str:
        """Its token endpoint."""
        return f"{self.url}/token"

    def knows(self, token: str) -> str | None:
        """Who shows a token: signed by a key that the server publishes, for our client, and not over; else nobody."""
        try:
            key = self.keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(token, key, algorithms=["RS256"], audience=CLIENT, issuer=self.url)
        except jwt.PyJWTError:
            return None
        if token not in self.counted:
            self.counted.append(token)
        return str(claims["sub"])


@contextmanager
def oauth(*lifetimes: int) -> Iterator[Issuer]:
    """A login server whose tokens hold for so many seconds, one after the other; the last number is for the rest."""
    package = npm.installed(PACKAGES) / "oauth2-mock-server" / "dist" / "index.mjs"
    with listening(SCRIPT, str(package), REFRESH_TOKEN, *map(str, lifetimes)) as url:
        yield Issuer(url=url, keys=jwt.PyJWKClient(f"{url}/jwks"))
