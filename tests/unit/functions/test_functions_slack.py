"""The tools of Slack, against the emulated one, and against our stand-in for what that one does not do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine.attempt import failure_of
from engine.heal.detect import diagnose
from tests.servers import emulated
from tests.servers.slack import ENDED, PERSON, TOKEN, Slack, slack
from tests.unit.functions.shop_repository import Contexts
from tool_registry.functions.slack import (
    slack_list_channels,
    slack_login_state,
    slack_read_channel,
    slack_read_thread,
    slack_search,
)
from tool_registry.functions.slack_access import channel_id, kind_of
from tool_registry.functions.slack_changes import slack_message_posted, slack_post_message, slack_react
from tool_registry.tool import ToolContext, ToolError

ESCAPED = "checkout 1.4 &amp; &lt;more&gt;"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The emulated Slack."""
    with emulated.slack(tmp_path_factory.mktemp("slack")) as address:
        yield address


@pytest.fixture
def ada(url: str, contexts: Contexts) -> ToolContext:
    """Somebody who may read and write there."""
    return contexts({"url": url, "channel": "#releases"}, SLACK_BOT_TOKEN=emulated.SLACK_TOKEN)


@pytest.fixture
def server() -> Iterator[Slack]:
    """Our stand-in."""
    with slack() as made:
        yield made


@pytest.fixture
def context(server: Slack, contexts: Contexts) -> ToolContext:
    """A bot at our stand-in."""
    return replace(contexts({"url": server.url, "channel": "releases"}, SLACK_BOT_TOKEN=TOKEN), step="tell")


async def test_a_message_is_said_read_answered_and_reacted_to(ada: ToolContext) -> None:
    """In the domain's channel or the one that is named; a reaction that stands there stays."""
    said = await slack_post_message("checkout 1.4 & <more>", ada)
    assert (await slack_message_posted("checkout 1.4 & <more>", ada)) == {"happened": True, "value": said}
    assert (await slack_message_posted("checkout 1.5", ada))["happened"] is False
    reply = await slack_post_message("seen", ada, channel="releases", thread=said["ts"])
    assert (await slack_message_posted("seen", ada, thread=said["ts"]))["value"] == reply
    assert [(await slack_react(said["ts"], ":eyes:", ada))["changed"] for _ in range(2)] == [True, False]
    (newest,) = (await slack_read_channel(ada, limit=1))["messages"]
    assert (newest["text"], newest["replies"], newest["reactions"]) == (ESCAPED, 1, {"eyes": 1})
    thread = await slack_read_thread(said["ts"], ada)
    assert [one["text"] for one in thread["messages"]] == [ESCAPED, "seen"]


async def test_channels_and_who_asks_are_told(ada: ToolContext) -> None:
    """By name; no more than are wanted."""
    listed = await slack_list_channels(ada, private=True)
    assert [one["name"] for one in listed["channels"]] == ["general", "incidents", "random", "releases"]
    assert listed["channels"][-1]["topic"] == "What goes out"
    assert (await slack_list_channels(ada, limit=2))["truncated"]
    assert await slack_login_state(ada) == {
        "ok": True,
        "user": "ada",
        "team": "Shop",
        "url": "https://shop.slack.com/",
        "bot": False,
    }


async def test_a_token_that_may_not_is_told_what_it_lacks(ada: ToolContext) -> None:
    """And a channel that is not there is not found, also where private ones may not be asked for."""
    reader = replace(ada, environment={**ada.environment, "SLACK_BOT_TOKEN": emulated.READER_TOKEN})
    with pytest.raises(ToolError, match="missing_scope; the token needs chat:write") as refused:
        await slack_post_message("hello", reader)
    assert (refused.value.kind, refused.value.details["needed"]) == ("permission_denied", "chat:write")
    for who in (ada, reader):
        with pytest.raises(ToolError, match="no channel nowhere") as none:
            await channel_id("#nowhere", who)
        assert none.value.kind == "resource_not_found"
    with pytest.raises(ToolError, match="name a channel"):
        await slack_post_message("hello", replace(ada, settings={"url": ada.settings["url"]}))


async def test_a_message_whose_answer_was_lost_is_found(server: Slack, context: ToolContext) -> None:
    """By its run, its step and its words: what another step said is not taken for it."""
    server.losing = "chat.postMessage"
    with pytest.raises(ToolError) as lost:
        await slack_post_message("out", context)
    assert lost.value.sent
    found = await slack_message_posted("out", context)
    assert found["value"] is not None
    assert (found["happened"], found["value"]["ts"]) == (True, server.messages["C000000002"][0]["ts"])
    assert not (await slack_message_posted("out", replace(context, step="other")))["happened"]
    assert not (await slack_message_posted("out", replace(context, run_id="run-2")))["happened"]


async def test_a_message_is_found_at_the_end_of_a_long_thread(server: Slack, context: ToolContext) -> None:
    """Slack tells a thread from its beginning, and what was said a moment ago stands at its end."""
    thread = server.said("releases", "who is here?")["ts"]
    for number in range(420):
        server.said("releases", f"me {number}", thread_ts=thread)
    server.losing = "chat.postMessage"
    with pytest.raises(ToolError):
        await slack_post_message("and I", context, thread=thread)
    assert (await slack_message_posted("and I", context, thread=thread))["happened"]
    assert not (await slack_message_posted("and you", context, thread=thread))["happened"]


async def test_what_looks_like_a_mention_calls_nobody(server: Slack, context: ToolContext) -> None:
    """Unless whoever says it wants that: what is told may come from anywhere."""
    for links in (False, True):
        await slack_post_message("<!channel> see <https://shop.example|the shop>", context, links=links)
    assert [one["text"] for one in server.messages["C000000002"]] == [
        "&lt;!channel&gt; see &lt;https://shop.example|the shop&gt;",
        "<!channel> see <https://shop.example|the shop>",
    ]


async def test_messages_are_read_page_by_page(server: Slack, context: ToolContext) -> None:
    """No more than are wanted, and none that are older."""
    for number in range(450):
        server.said("releases", f"No. {number}")
    read = await slack_read_channel(context, limit=430)
    assert (read["count"], read["truncated"], server.asked.count("conversations.history")) == (430, True, 3)
    later = f"{time.time() + 60:.0f}"
    assert (await slack_read_channel(context, since=later))["count"] == 0
    assert (await slack_read_channel(context, since="1h", limit=5))["count"] == 5


async def test_only_a_person_searches(server: Slack, context: ToolContext) -> None:
    """Where something was said, the newest first."""
    server.said("general", "Checkout is slow")
    server.said("releases", "checkout 1.4")
    with pytest.raises(ToolError, match="not_allowed_token_type") as refused:
        await slack_search("checkout", context)
    assert refused.value.kind == "permission_denied"
    person = replace(context, environment={**context.environment, "SLACK_BOT_TOKEN": PERSON})
    found = await slack_search("checkout", person, limit=1)
    assert (found["total"], found["truncated"], found["matches"][0]["channel_name"]) == (2, True, "releases")


async def test_a_refusal_has_its_kind_and_proves_that_nothing_happened(server: Slack, context: ToolContext) -> None:
    """Although its status is 200; how long to wait is kept."""
    ended = replace(context, environment={**context.environment, "SLACK_BOT_TOKEN": ENDED})
    with pytest.raises(ToolError) as refused:
        await slack_post_message("out", ended)
    found = diagnose(failure_of(refused.value, tool="slack_post_message"), ())
    assert (str(found.kind), found.untouched) == ("auth_expired", True)
    server.limited = 1
    with pytest.raises(ToolError) as limited:
        await slack_post_message("out", context)
    found = diagnose(failure_of(limited.value, tool="slack_post_message"), ())
    assert (str(found.kind), found.untouched, limited.value.retry_after) == ("rate_limited", True, 30.0)


@pytest.mark.parametrize(
    ("why", "kind"),
    [
        ("invalid_auth", "auth_expired"),
        ("token_revoked", "auth_expired"),
        ("not_in_channel", "permission_denied"),
        ("channel_not_found", "resource_not_found"),
        ("ratelimited", "rate_limited"),
        ("is_archived", "conflict"),
        ("msg_too_long", "usage_error"),
        ("invalid_arguments", "usage_error"),
        ("fatal_error", "server_error"),
        ("something_new", None),
    ],
)
def test_a_word_of_slack_has_a_kind(why: str, kind: str | None) -> None:
    """One that is not known has none, and is no guess."""
    assert kind_of(why) == kind
