"""Whom a connection by TLS trusts and who it says it is, where that is told by content and not by files."""

from __future__ import annotations

import os
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tool_registry.tool import ToolError


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Certificates in PEM: the only authority that is trusted (empty for the usual ones), and a client's own.

    `unchecked` believes every server: for a person who has said so.
    """

    authority: str = ""
    certificate: str = ""
    key: str = field(default="", repr=False)
    unchecked: bool = False

    def context(self) -> ssl.SSLContext:
        """What a connection is made with; ToolError (`configuration_error`) where the content is no certificate."""
        try:
            made = ssl.create_default_context(cadata=self.authority or None)
            if self.certificate:
                self._show(made)
        except (ssl.SSLError, ValueError) as error:
            message = f"the certificates cannot be read: {error}"
            raise ToolError(message, kind="configuration_error", sent=False) from error
        if self.unchecked:
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
        return made

    def _show(self, made: ssl.SSLContext) -> None:
        """Loads the client's certificate, which Python reads from a file only: a private one that is gone at once."""
        descriptor, name = tempfile.mkstemp(prefix="client-")
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{self.certificate}\n{self.key}\n")
            # a key with a pass phrase would ask at the terminal
            made.load_cert_chain(name, password="")
        finally:
            Path(name).unlink()
