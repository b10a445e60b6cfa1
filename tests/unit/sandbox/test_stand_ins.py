"""The modules that stand in for Python's give what Python's give, here and inside the interpreter."""

from __future__ import annotations

import statistics
import string
import textwrap
import urllib.parse
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from engine.model.place import Place, Text
from engine.sandbox import Sandbox
from engine.sandbox.stand_ins import addresses, averages, letters, wrapping

TEXTS = some.text(alphabet="ab \n\t%/?&=#:;+-.\u00e9", max_size=40)
ASCII = some.text(alphabet="abc \n", max_size=60)
NUMBERS = some.lists(some.integers(-1000, 1000), min_size=2, max_size=8)


def written(text: str) -> Text:
    """`text` somewhere."""
    return Text(text=text, place=Place(file="skill.yaml", line=1, column=1), indent=0)


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_addresses_are_quoted_as_python_does(text: str) -> None:
    """Quoting, unquoting and query texts are those of urllib.parse."""
    assert addresses.quote(text) == urllib.parse.quote(text)
    assert addresses.quote_plus(text) == urllib.parse.quote_plus(text)
    assert addresses.unquote(text) == urllib.parse.unquote(text)
    assert addresses.parse_qs(text) == urllib.parse.parse_qs(text)
    assert addresses.urlencode({"a": text, "b": 1}) == urllib.parse.urlencode({"a": text, "b": 1})


ADDRESSES = (
    "https://user:pass@Example.org:8443/a/b;p?x=1&y=2#part",
    "http://[::1]:80/",
    "//host/path",
    "/only/path?q",
    "mailto:someone@example.org",
    "quay.io/team/app:1.2",
    "https://example.org",
    "",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_are_split_as_python_does(address: str) -> None:
    """The parts of an address are those of urllib.parse, host and port too."""
    parts, expected = addresses.urlsplit(address), urllib.parse.urlsplit(address)
    assert tuple(parts) == tuple(expected)
    assert tuple(addresses.urlparse(address)) == tuple(urllib.parse.urlparse(address))
    for name in ("username", "password", "hostname", "port"):
        assert addresses.host_part(parts, name) == getattr(expected, name)
    assert addresses.urlunsplit(parts) == urllib.parse.urlunsplit(expected)


@pytest.mark.parametrize("link", ["c", "/c", "../c", "./c?x=1", "//other/c", "http://o/c", "#part", "?q=1", ""])
def test_addresses_are_joined_as_python_does(link: str) -> None:
    """A link on a page is the address urllib.parse gives."""
    assert addresses.urljoin("https://example.org/a/b?q", link) == urllib.parse.urljoin(
        "https://example.org/a/b?q", link
    )


@given(ASCII, some.integers(5, 30))
@settings(max_examples=150, deadline=None)
def test_texts_are_wrapped_as_python_does(text: str, width: int) -> None:
    """Dedenting, indenting, wrapping and shortening are those of textwrap."""
    assert wrapping.dedent(text) == textwrap.dedent(text)
    assert wrapping.indent(text, "> ") == textwrap.indent(text, "> ")
    assert wrapping.wrap(text, width) == textwrap.wrap(text, width)
    assert wrapping.fill(text, width) == textwrap.fill(text, width)
    if all(len(word) <= width - 6 for word in text.split()):
        assert wrapping.shorten(text, width) == textwrap.shorten(text, width)


@given(NUMBERS)
@settings(max_examples=100, deadline=None)
def test_averages_are_those_of_python(numbers: list[int]) -> None:
    """Averages and spreads are those of statistics, to the last digits of a float."""
    for name in ("mean", "median", "median_low", "median_high", "mode", "variance", "pvariance", "stdev", "pstdev"):
        found, expected = getattr(averages, name)(numbers), getattr(statistics, name)(numbers)
        assert found == pytest.approx(expected)
    assert averages.quantiles(numbers) == pytest.approx(statistics.quantiles(numbers))


@pytest.mark.parametrize("name", ["ascii_letters", "digits", "punctuation", "whitespace", "printable", "hexdigits"])
def test_letters_are_those_of_python(name: str) -> None:
    """The constants are those of string."""
    assert getattr(letters, name) == getattr(string, name)


CALLS: tuple[tuple[str, Callable[[], object]], ...] = (
    ("textwrap.wrap('aaa bb cccccccccc d', 6)", lambda: textwrap.wrap("aaa bb cccccccccc d", 6)),
    ("textwrap.fill('aaa bb', 4)", lambda: textwrap.fill("aaa bb", 4)),
    ("textwrap.indent('a\\n\\nb', '- ')", lambda: textwrap.indent("a\n\nb", "- ")),
    ("string.capwords('ab cd')", lambda: string.capwords("ab cd")),
    ("string.punctuation", lambda: string.punctuation),
    ("statistics.quantiles([1, 2, 3, 4, 5])", lambda: statistics.quantiles([1, 2, 3, 4, 5])),
    ("statistics.multimode('aabb')", lambda: statistics.multimode("aabb")),
    ("statistics.pstdev([1, 2, 3, 4])", lambda: statistics.pstdev([1, 2, 3, 4])),
    ("urllib.parse.unquote('a%C3%A9%zz')", lambda: urllib.parse.unquote("a%C3%A9%zz")),
    ("urllib.parse.parse_qs('a=1&a=2&b')", lambda: urllib.parse.parse_qs("a=1&a=2&b")),
    ("urllib.parse.urljoin('http://h/a/b', '../c')", lambda: urllib.parse.urljoin("http://h/a/b", "../c")),
    ("list(urllib.parse.urlsplit('http://h:1/p?q#f'))", lambda: list(urllib.parse.urlsplit("http://h:1/p?q#f"))),
    ("urllib.parse.urlparse('http://u:p@h:1/').port", lambda: 1),
    ("urllib.parse.urlunparse(urllib.parse.urlparse('http://h/p;x?q'))", lambda: "http://h/p;x?q"),
)


@pytest.mark.parametrize(("call", "expected"), CALLS, ids=range(len(CALLS)))
async def test_the_interpreter_runs_them(sandbox: Sandbox, call: str, expected: Callable[[], object]) -> None:
    """Inside a compute block the stand-ins give the same as outside."""
    block = written(f"import string, statistics, textwrap\nimport urllib.parse\nresult = {call}")
    assert await sandbox.compute(block, {}) == expected()


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Asia/Kolkata", "UTC"])
@pytest.mark.parametrize("month", [1, 7])
async def test_zones_have_the_offset_of_the_moment(sandbox: Sandbox, zone: str, month: int) -> None:
    """A date in a zone has summer time in summer and none in winter."""
    text = (
        "from datetime import datetime\nfrom zoneinfo import ZoneInfo\nzone = ZoneInfo(name)\n"
        "made = datetime(2026, month, 1, 12, tzinfo=zone)\n"
        "result = [made, moment.astimezone(zone), datetime(2026, month, 1, 12).replace(tzinfo=zone), "
        "datetime.fromtimestamp(moment.timestamp(), zone), f'{moment.astimezone(zone):%H}']"
    )
    moment = datetime(2026, month, 1, 12, tzinfo=UTC)
    made = datetime(2026, month, 1, 12, tzinfo=ZoneInfo(zone))
    there = moment.astimezone(ZoneInfo(zone))
    found = await sandbox.compute(written(text), {"name": zone, "month": month, "moment": moment})
    assert found == [made, there, made, there, f"{there:%H}"]
    assert [date.utcoffset() for date in found[:4]] == [made.utcoffset(), there.utcoffset()] * 2
