"""Old pages talk with new processes, and new pages with old ones (V-10, docs/protocol.md "Versions").

`version_1.jsonl` is a conversation as clients of version 1 held it: who said what, and what they heard then.
A line is never changed; a version that comes to be gets a file of its own.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Operator, Site
from chatlead.errors import ProtocolNotSpoken, UnknownField
from chatlead.realtime import commands
from chatlead.realtime.frames import CommandDecoder
from tests.realtime.reducers import Reducers
from tests.sockets import PAGE, Closed, Line, line, log_in
from visitors import tickets

RECORDED = Path(__file__).with_name("version_1.jsonl")
STEPS: list[dict[str, Any]] = [json.loads(each) for each in RECORDED.read_text().splitlines()]


@pytest.fixture(scope="module")
def reducers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reducers]:
    started = Reducers(tmp_path_factory.mktemp("reducers"))
    yield started
    started.close()


def filled(frame: Any, values: dict[str, str]) -> Any:
    """A recorded frame with what is another one in every conversation."""
    if isinstance(frame, dict):
        return {name: filled(value, values) for name, value in frame.items()}
    return values.get(frame, frame) if isinstance(frame, str) else frame


def lacking(recorded: Any, now: Any, path: str) -> list[str]:
    """What an old client would look for in vain: fields that are gone, or hold another kind of thing."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        gone = [f"{path}.{name}" for name in recorded if name not in now]
        return gone + [
            each
            for name, value in recorded.items()
            if name in now
            for each in lacking(value, now[name], f"{path}.{name}")
        ]
    if isinstance(recorded, list) and isinstance(now, list):
        return lacking(recorded[0], now[0], f"{path}[]") if recorded and now else []
    same = type(recorded) is type(now) or {type(recorded), type(now)} == {int, float}
    return [] if same else [path]


@pytest.mark.django_db(transaction=True)
async def test_who_speaks_version_1_is_understood(site: Site, olga: Operator) -> None:
    """V-10: every frame that was said then is taken now, and every answer has what it had then."""
    from asgiref.sync import sync_to_async

    key = await sync_to_async(log_in)(olga)
    values = {"$site": site.key, "$ticket": await sync_to_async(tickets.issue)(site, PAGE), "$page": PAGE}
    found: list[str] = []
    async with contextlib.AsyncExitStack() as stack:
        people: dict[str, Line] = {
            "olga": await stack.enter_async_context(line("/ws/v1/operator", cookies={"cl_login": key})),
            "vera": await stack.enter_async_context(line("/ws/v1/visitor")),
        }
        for step in STEPS:
            person = people[step["who"]]
            if "says" in step:
                await person.say(filled(step["says"], values))
                continue
            heard = await person.hear_type(step["hears"]["type"])
            found += lacking(step["hears"], heard, heard["type"])
            if heard["type"] == "visitor_welcome":
                values |= {"$notice": heard["site"]["notice"]["sha256"], "$epoch": heard["epoch"]}
            if heard["type"] == "started":
                values["$chat"] = heard["chat"]["uid"]
    assert found == []


def heard_by(who: str, until: str) -> list[dict[str, Any]]:
    """What somebody has heard up to the first frame of a type."""
    frames = [step["hears"] for step in STEPS if step["who"] == who and "hears" in step]
    return frames[: [frame["type"] for frame in frames].index(until) + 1]


def texts_of(chat: dict[str, Any]) -> list[str]:
    return [row.get("text", "") for row in chat["log"] if row["type"] == "message_posted"]


def test_our_pages_understand_a_server_of_version_1(reducers: Reducers) -> None:
    """V-10: what a server has told then, today's widget and console make the same chat of."""
    widget = reducers.known("visitor", [e for e in heard_by("vera", "resumed") if e["type"] not in ANSWERS])
    console = reducers.known("operator", heard_by("olga", "synced"))
    [chat] = console["chats"].values()
    assert texts_of(widget["chat"]) == texts_of(chat) == ["Good morning", "How are you?", ""]
    assert (widget["chat"]["state"], widget["chat"]["operator_name"], chat["state"]) == (
        "active",
        "Olga",
        "active",
    )


ANSWERS = {"pong", "done", "ack", "failed"}


def test_our_pages_pass_over_what_they_do_not_know(reducers: Reducers) -> None:
    """docs/protocol.md: fields and types of a newer server; a row of an unknown kind keeps its place."""
    console, widget = heard_by("olga", "chat_listed"), heard_by("vera", "started")
    chat = console[-1]["chat"]
    uid, seq = chat["uid"], chat["log"][-1]["seq"]
    row = {"chat": uid, "at": 1, "author": "operator", "moon": {"phase": "full"}}
    said = row | {"type": "message_posted", "seq": seq + 2, "text": "after the moon", "ref": "r"}
    rows = {"type": "resumed", "chat": uid, "log": [row | {"type": "moon_row", "seq": seq + 1}, said]}
    newer = [{"type": "moon_rose", "at": 1, "chat": uid}, rows | {"moon": 1}]
    after = reducers.known("operator", [console[0] | {"moon": 1}, console[-1] | {"moon": 1}, *newer])
    assert after["chats"][uid]["held"] == 0
    assert after["positions"][uid][0] == seq + 2
    assert texts_of(after["chats"][uid])[-1] == "after the moon"
    shown = reducers.known("visitor", [each for each in widget if each["type"] not in ANSWERS] + newer)
    assert shown["chat"]["seq"] == seq + 2
    assert texts_of(shown["chat"])[-1] == "after the moon"


def test_the_older_of_two_versions_is_spoken() -> None:
    """docs/protocol.md: N speaks with N-1 and with N+1; who is older still is told to reload."""
    assert commands.spoken(commands.PROTOCOL) == commands.spoken(commands.PROTOCOL + 5) == commands.PROTOCOL
    assert commands.spoken(commands.OLDEST) == commands.OLDEST
    assert commands.PROTOCOL - commands.OLDEST <= 1
    with pytest.raises(ProtocolNotSpoken):
        commands.spoken(commands.OLDEST - 1)


def test_a_newer_client_may_say_more_in_its_hello_and_nowhere_else() -> None:
    """During an upgrade a page of the new process finds an old one."""
    decode = CommandDecoder(commands.VISITOR).decode
    hello = {"type": "hello", "role": "page", "site": "S" * 22, "moon": {"phase": 1}}
    taken = decode(json.dumps(hello | {"protocol": commands.PROTOCOL + 1}))
    assert (type(taken), taken.site) == (commands.Hello, "S" * 22)
    for frame in (
        hello | {"protocol": commands.PROTOCOL},
        {"type": "set_typing", "chat": "C" * 22, "on": True, "moon": 1, "protocol": 2},
    ):
        with pytest.raises(UnknownField):
            decode(json.dumps(frame))


@pytest.mark.django_db(transaction=True)
async def test_who_is_too_old_is_told_to_reload(site: Site, olga: Operator) -> None:
    """4406, for widget and console alike."""
    from asgiref.sync import sync_to_async

    key = await sync_to_async(log_in)(olga)
    old = {"type": "hello", "protocol": commands.OLDEST - 1}
    page = old | {"role": "page", "site": site.key, "page_url": f"{PAGE}/"}
    for path, hello, handshake in (
        ("/ws/v1/operator", old, {"cookies": {"cl_login": key}}),
        ("/ws/v1/visitor", page, {"origin": PAGE}),
    ):
        async with line(path, **handshake) as opened:
            await opened.say(hello)
            with pytest.raises(Closed) as closed:
                await opened.hear()
            assert closed.value.code == 4406
