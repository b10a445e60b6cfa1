"""Stands in for `urllib.parse`: quoting, splitting and joining of addresses and query texts."""

from collections import namedtuple

_UNRESERVED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~"

SplitResult = namedtuple("SplitResult", "scheme netloc path query fragment")  # noqa: PYI024 - all the interpreter knows
ParseResult = namedtuple("ParseResult", "scheme netloc path params query fragment")  # noqa: PYI024 - as above


def quote(string: str, safe: str = "/") -> str:
    """A text with every character that means something in an address written as %XX."""
    kept = _UNRESERVED + safe
    return "".join([letter if letter in kept else _escaped(letter) for letter in str(string)])


def _escaped(letter: str) -> str:
    return "".join(["%" + format(byte, "02X") for byte in letter.encode()])


def quote_plus(string: str, safe: str = "") -> str:
    """As `quote`, with + for a space."""
    return quote(string, safe + " ").replace(" ", "+")


def unquote(string: str) -> str:
    """A text with every %XX written as its character; what is no UTF-8 becomes a replacement sign."""
    first, *rest = string.split("%")
    done = first
    waiting = ""
    for part in rest:
        if _is_hexadecimal(part[:2]):
            waiting = waiting + part[:2]
            if len(part) > 2:  # noqa: PLR2004 - two digits
                done = done + _decoded(waiting) + part[2:]
                waiting = ""
        else:
            done = done + _decoded(waiting) + "%" + part
            waiting = ""
    return done + _decoded(waiting)


def _is_hexadecimal(text: str) -> bool:
    return len(text) == 2 and all([letter in "0123456789abcdefABCDEF" for letter in text])  # noqa: C419, PLR2004 - two digits; a list is what the interpreter builds anyway


def _decoded(digits: str) -> str:
    return bytes.fromhex(digits).decode("utf-8", "replace") if digits else ""


def unquote_plus(string: str) -> str:
    """As `unquote`, with a space for +."""
    return unquote(string.replace("+", " "))


def urlencode(query: object, doseq: bool = False) -> str:
    """Pairs of names and values as a query text."""
    pairs = query.items() if isinstance(query, dict) else query
    parts: list[str] = []
    for name, value in pairs:  # type: ignore[attr-defined]
        values = value if doseq and isinstance(value, (list, tuple)) else [value]
        parts.extend([quote_plus(str(name)) + "=" + quote_plus(str(each)) for each in values])
    return "&".join(parts)


def parse_qsl(qs: str, keep_blank_values: bool = False) -> list[tuple[str, str]]:
    """A query text as pairs."""
    pairs: list[tuple[str, str]] = []
    for part in qs.split("&"):
        name, _, value = part.partition("=")
        if part and (value or keep_blank_values):
            pairs.append((unquote_plus(name), unquote_plus(value)))
    return pairs


def parse_qs(qs: str, keep_blank_values: bool = False) -> dict[str, list[str]]:
    """A query text as a mapping of names to lists of values."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(qs, keep_blank_values):
        found.setdefault(name, []).append(value)
    return found


def urlsplit(url: str) -> SplitResult:
    """An address in its parts."""
    rest, _, fragment = url.partition("#")
    rest, _, query = rest.partition("?")
    scheme, found, after = rest.partition(":")
    letters = scheme.replace("+", "a").replace("-", "a").replace(".", "a")
    if not found or not letters.isalnum() or not scheme[0].isalpha():
        scheme, after = "", rest
    netloc, path = "", after
    if after.startswith("//"):
        netloc, slash, tail = after[2:].partition("/")
        path = slash + tail
    return SplitResult(scheme.lower(), netloc, path, query, fragment)


def host_part(parts: SplitResult, name: str) -> object:
    """The `username`, `password`, `hostname` or `port` of an address in parts; the interpreter asks for it here."""
    login, found, place = parts.netloc.rpartition("@")
    username, colon, password = login.partition(":")
    if name == "username":
        return username if found else None
    if name == "password":
        return password if colon else None
    bracketed = place.startswith("[")
    host, _, port = place[1:].partition("]") if bracketed else place.partition(":")
    if name == "hostname":
        return host.lower() or None
    port = port[1:] if bracketed else port
    return int(port) if port else None


def urlparse(url: str) -> ParseResult:
    """As `urlsplit`, with the parameters of the last part of the path apart."""
    scheme, netloc, path, query, fragment = urlsplit(url)
    params = ""
    if ";" in path.split("/")[-1]:
        path, _, params = path.rpartition(";")
    return ParseResult(scheme, netloc, path, params, query, fragment)


def urlunsplit(parts: object) -> str:
    """The address of five parts: scheme, host, path, query, fragment."""
    scheme, netloc, path, query, fragment = [str(part) for part in parts]  # type: ignore[attr-defined]
    address = ("//" + netloc if netloc else "") + ("/" if netloc and path and not path.startswith("/") else "") + path
    address = scheme + ":" + address if scheme else address
    return address + ("?" + query if query else "") + ("#" + fragment if fragment else "")


def urlunparse(parts: object) -> str:
    """The address of six parts, as `urlparse` gives them."""
    scheme, netloc, path, params, query, fragment = [str(part) for part in parts]  # type: ignore[attr-defined]
    return urlunsplit([scheme, netloc, path + (";" + params if params else ""), query, fragment])


def urljoin(base: str, url: str) -> str:
    """`url` as it reads on the page `base`."""
    start, link = urlsplit(base), urlsplit(url)
    if not url or link[0]:
        return url or base
    if link[1]:
        return urlunsplit([start[0], *link[1:5]])
    if not link[2]:
        return urlunsplit([start[0], start[1], start[2], link[3] or start[3], link[4]])
    path = link[2] if link[2].startswith("/") else start[2].rpartition("/")[0] + "/" + link[2]
    return urlunsplit([start[0], start[1], _without_dots(path), link[3], link[4]])


def _without_dots(path: str) -> str:
    kept: list[str] = []
    parts = path.split("/")
    for part in parts:
        if part == "..":
            if len(kept) > 1:
                kept.pop()
        elif part != ".":
            kept.append(part)
    return "/".join(kept) + ("/" if parts[-1] in (".", "..") else "")
