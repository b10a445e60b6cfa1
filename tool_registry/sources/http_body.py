"""The body of an answer, read while it arrives and no further than it may be long, packed or not.

Not the client's own unpacking: that one unpacks what has arrived without asking how much comes out of it, as many times
over as the server says.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Mapping
from typing import Any

GZIP, ZLIB, PLAIN_DEFLATE = 47, 15, -15
"""What zlib takes for the formats of RFC 1952, RFC 1950 and RFC 1951."""
NOT_FOR_TEXT = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"})
"""Python's encodings that are none of a page: they fail whatever they are told, or take their time."""


class BodyError(ValueError):
    """A body cannot be unpacked."""


async def read_body(response: Any, limit: int) -> bytes:
    """The beginning of the body, unpacked: up to one byte more than `limit`.

    Raises:
        BodyError: it is packed in a way that was not asked for, or broken.
    """
    unpacker = _unpacker(response.headers)
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += unpacker.more(chunk, limit + 1 - len(content)) if unpacker else chunk
        if len(content) > limit:
            break
    return bytes(content[: limit + 1])


def decoded(content: bytes, charset: str) -> str:
    """The text, in the character set the server names or UTF-8; undecodable bytes are replaced."""
    try:
        found = codecs.lookup(charset).name
        return content.decode("utf-8" if found in NOT_FOR_TEXT else found, "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


def _unpacker(headers: Mapping[str, str]) -> _Unpacker | None:
    match headers.get("content-encoding", "").strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return _Unpacker(GZIP)
        case "deflate":
            return _Unpacker(None)
        case other:
            raise BodyError(f"it is packed as {other[:80]!r}, which was not asked for")


class _Unpacker:
    """Unpacks one layer, never more at once than is wanted."""

    def __init__(self, form: int | None) -> None:
        """`form` is zlib's number; None finds out by the first byte, for servers disagree what deflate means."""
        self._form = form
        self._stream: Any = None

    def more(self, chunk: bytes, most: int) -> bytes:
        """What comes out of `chunk`, at most `most` bytes."""
        if self._stream is None:
            self._stream = zlib.decompressobj(self._form or (ZLIB if chunk[:1] == b"\x78" else PLAIN_DEFLATE))
        try:
            return bytes(self._stream.decompress(chunk, most))
        except zlib.error as error:
            raise BodyError(str(error)) from error
