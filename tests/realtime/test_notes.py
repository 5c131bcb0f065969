"""What operators say among themselves never reaches a visitor."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts.models import Department
from chatlead.realtime import hub as hubs
from chats import positions
from tests.conftest import make_chat, visitor_on
from tests.identifiers import new_ref
from tests.sockets import Line, console_of, frame_of, hello_as_page, line
from visitors.sessions import new_token, session_key_of

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "the-client-may-be-lying"


class Wiretap(Line):
    """Keeps every text that went to the browser, as it was on the wire."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.texts: list[str] = []

    async def _put(self, message: dict[str, Any]) -> None:
        self.texts.append(json.dumps(message))
        await super()._put(message)


async def test_no_frame_of_a_visitor_knows_of_a_note(
    everybody: SimpleNamespace, intake: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-005: every frame, of every kind that can be provoked, is searched: neither the text nor a place."""
    monkeypatch.setattr("tests.sockets.Line", Wiretap)
    token, site = new_token(), everybody.site
    vera = visitor_on(site, session_key=session_key_of(site.key, token))
    chat = await sync_to_async(make_chat)(vera, intake)
    async with (
        frame_of(site, token=token) as frame,
        console_of(everybody.olga) as olga,
        console_of(everybody.nina) as nina,
        line("/ws/v1/visitor", origin="https://www.acme.test") as page,
    ):
        await hello_as_page(page, site)
        note = {"type": "add_note", "chat": chat.uid, "text": SECRET}
        talk = {"type": "send_message", "chat": chat.uid}
        assert (await nina.ask(**note, ref=new_ref()))["seq"] == 1
        await olga.ask(type="accept_chat", chat=chat.uid)
        assert (await olga.ask(**note, ref=new_ref()))["seq"] == 2
        await frame.ask(**talk, ref=new_ref(), text="Hello?")
        await olga.ask(**talk, ref=new_ref(), text="Good morning")
        await olga.ask(type="transfer_chat", chat=chat.uid, department=intake.uid)
        await nina.ask(type="accept_chat", chat=chat.uid)
        await nina.ask(**note, ref=new_ref())
        for after in (0, 3, 99):
            epoch = frame.welcome["epoch"]
            await frame.ask(type="resume", chat=chat.uid, after=after, staff_after=0, epoch=epoch)
        await frame.ask(type="load_messages", chat=chat.uid)
        assert (await frame.ask(**note, ref=new_ref()))["code"] == "bad_frame"  # no command of visitors
        hub = hubs.current()
        assert hub is not None
        await positions.tell_visitors(hub)
        async with frame_of(site, token=token) as again:
            await again.rest()
            await nina.ask(type="end_chat", chat=chat.uid)
            await frame.rest()
            heard = [text for each in (frame, again, page) for text in each.texts]  # type: ignore[attr-defined]
    assert len(heard) > 15
    for text in heard:
        assert SECRET not in text and "staff" not in text and "note" not in text.replace("notice", "")
    # the same search finds it where it belongs
    assert any(SECRET in text for text in nina.texts)  # type: ignore[attr-defined]


async def test_the_public_log_of_a_visitor_has_no_gap_where_notes_are(
    everybody: SimpleNamespace, intake: Department
) -> None:
    """R-005, R-035: numbers of the public log tell nothing of the other one."""
    token, site = new_token(), everybody.site
    vera = visitor_on(site, session_key=session_key_of(site.key, token))
    chat = await sync_to_async(make_chat)(vera, intake)
    async with frame_of(site, token=token) as frame, console_of(everybody.olga) as olga:
        await olga.ask(type="accept_chat", chat=chat.uid)
        for text in ("one", "two"):
            await olga.ask(type="add_note", chat=chat.uid, ref=new_ref(), text=SECRET)
            await olga.ask(type="send_message", chat=chat.uid, ref=new_ref(), text=text)
        assert [each["seq"] for each in await frame.rest() if "seq" in each] == [2, 3, 4]
