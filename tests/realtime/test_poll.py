"""The whole protocol by plain requests, for networks that let no socket through (R-006)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts.models import Account, Operator, Site
from chatlead.realtime import hub as hubs
from chats.actions import accept_chat, end_chat
from chats.models import Chat, Message
from tests.conftest import visitor_on
from tests.identifiers import new_ref
from tests.polls import Poller, polling
from tests.realtime.kit import until
from tests.sockets import PAGE, console_of, frame_of, log_in
from visitors import tickets
from visitors.sessions import VisitorPrincipal, new_token, session_key_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def token() -> str:
    return new_token()


@pytest.fixture
def vera(site: Site, token: str) -> VisitorPrincipal:
    """Vera, whose cookie we know."""
    return visitor_on(site, session_key=session_key_of(site.key, token))


@sync_to_async
def poller_of(site: Site, token: str = "", **handshake: Any) -> Poller:
    """Vera's frame, before it was let in."""
    hello = {"type": "hello", "protocol": 1, "role": "chat", "site": site.key, "embedder": PAGE}
    cookies = {"__Host-cl_s": token} if token else None
    return Poller("/poll/v1/visitor", hello | {"ticket": tickets.issue(site, PAGE)}, cookies=cookies, **handshake)


@sync_to_async
def console_poller(operator: Operator, **handshake: Any) -> Poller:
    """An operator's console, before it was let in."""
    cookies = {"cl_login": log_in(operator)}
    return Poller("/poll/v1/operator", {"type": "hello", "protocol": 1}, cookies=cookies, **handshake)


def at_of(chat: dict[str, Any], epoch: str, **more: Any) -> dict[str, Any]:
    """What a frame has that was just shown this chat."""
    marks = chat.get("marks", {})
    names = ("visitor_delivered", "visitor_read", "operator_delivered", "operator_read")
    here = {"chat": chat["uid"], "seq": chat["seq"], "marks": [marks.get(name, 0) for name in names]}
    return here | {"place": chat.get("position", 0), "epoch": epoch} | more


def said(chat: Chat, text: str, **more: Any) -> dict[str, Any]:
    return {"type": "send_message", "chat": chat.uid, "ref": new_ref(), "text": text} | more


async def test_vera_and_olga_talk_without_a_socket(everybody, token: str, chat: Chat, principal_of) -> None:
    """R-006: what one says is in the other's held poll at once, under the number that the sender was told."""
    async with polling():
        await sync_to_async(accept_chat)(principal=await sync_to_async(principal_of)(everybody.olga), uid=chat.uid)
        vera, olga = await poller_of(everybody.site, token), await console_poller(everybody.olga)
        shown = await vera.enter()
        listed = await olga.enter()
        assert shown["chat"]["uid"] == listed["chats"][0]["uid"] == chat.uid
        at = at_of(shown["chat"], shown["epoch"])
        held = asyncio.create_task(vera.poll("news", at=at, wait=20))
        await until(lambda: len(hubs.current().members) == 1)
        ack = (await olga.poll("answers", said(chat, "Are you hurt?", id=4))).frames
        assert [(frame["type"], frame["id"]) for frame in ack] == [("ack", 4)]
        heard = (await asyncio.wait_for(held, 2)).frames
        assert [(f["type"], f["text"], f["seq"]) for f in heard] == [
            ("message_posted", "Are you hurt?", ack[0]["seq"])
        ]
        assert not hubs.current().members
