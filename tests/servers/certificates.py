"""A certificate authority made by openssl, a server's certificate for 127.0.0.1, and a client's."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.servers.daemons import program

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """Files in PEM."""

    authority: Path
    server: Path
    client: Path
    client_key: Path
    server_key: Path

    def context(self) -> ssl.SSLContext:
        """What a server listens with, that knows its clients by certificates of the same authority."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.server, self.server_key)
        made.load_verify_locations(self.authority)
        made.verify_mode = ssl.CERT_OPTIONAL
        return made


def certificates(folder: Path, client: str = "ann") -> Certificates:
    """Makes them; without openssl the test is skipped, and fails in CI."""
    folder.mkdir(parents=True, exist_ok=True)
    _openssl(
        folder, "req", "-x509", *EC, "-subj", "/CN=cluster-ca", "-keyout", "ca.key", "-out", "ca.pem",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip
    _signed(folder, "server", "127.0.0.1", "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    _signed(folder, "client", client, "extendedKeyUsage=clientAuth\n")
    return Certificates(
        authority=folder / "ca.pem",
        server=folder / "server.pem",
        server_key=folder / "server.key",
        client=folder / "client.pem",
        client_key=folder / "client.key",
    )


def _signed(folder: Path, name: str, subject: str, extensions: str) -> None:
    (folder / f"{name}.ext").write_text(extensions)
    _openssl(folder, "req", *EC[:-2], "-subj", f"/CN={subject}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    _openssl(
        folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem",
    )  # fmt: skip


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run([program("openssl"), *words], cwd=folder, check=True, capture_output=True)
