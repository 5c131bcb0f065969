"""A network lets no socket through: the survey is offered and answered by plain requests all the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from chats.actions import accept_chat, end_chat
from chats.models import Chat
from surveys.actions import publish_survey
from surveys.models import Answer, Response
from tests.identifiers import new_ref
from tests.polls import polling
from tests.realtime.test_poll import at_of, poller_of
from tests.surveys.conftest import ALL_KINDS

pytestmark = pytest.mark.django_db(transaction=True)


async def test_vera_is_asked_and_answers_without_a_socket(
    everybody: SimpleNamespace, token: str, chat: Chat, principal_of: Any
) -> None:
    """R-006, R-040, R-041, V-4: her poll tells of the end, the next one brings the survey, to one of her tabs
    alone; what she answers is stored once, however often the request has to be made."""
    publish = sync_to_async(publish_survey)
    await publish(site=everybody.site, department=None, title="How was it?", intro="", asked=ALL_KINDS)
    async with polling():
        olga = await sync_to_async(principal_of)(everybody.olga)
        await sync_to_async(accept_chat)(principal=olga, uid=chat.uid)
        vera, tab = await poller_of(everybody.site, token), await poller_of(everybody.site, token)
        shown = await vera.enter()
        await tab.enter()
        early = {"type": "ask_survey", "chat": chat.uid, "ref": new_ref()}
        [refused] = (await vera.poll("answers", early)).frames
        assert (refused["type"], refused["code"]) == ("failed", "chat_not_over")

        await sync_to_async(end_chat)(principal=olga, uid=chat.uid)
        news = await vera.poll("news", at=at_of(shown["chat"], shown["epoch"]), wait=20)
        heard = [row for frame in news.frames for row in frame.get("log", [frame])]
        assert "chat_closed" in [row["type"] for row in heard]

        ask = {"type": "ask_survey", "chat": chat.uid, "ref": new_ref(), "id": 1}
        [offered] = (await vera.poll("answers", ask)).frames
        assert (offered["type"], offered["id"]) == ("survey_offered", 1)
        asked = {each["kind"]: each["uid"] for each in offered["survey"]["asked"]}
        assert list(asked) == [each.kind for each in ALL_KINDS]
        [again] = (await vera.poll("answers", ask)).frames
        assert again["survey"] == offered["survey"]  # the answer was lost on its way
        [elsewhere] = (await tab.poll("answers", ask | {"ref": new_ref()})).frames
        assert "survey" not in elsewhere

        answers = {asked["score"]: "5", asked["text"]: "More tea"}
        send = {"type": "send_survey", "chat": chat.uid, "ref": new_ref(), "answers": answers, "id": 2}
        for _ in range(3):
            [done] = (await vera.poll("answers", send)).frames
            assert (done["type"], done["id"]) == ("done", 2)
        [late] = (await tab.poll("answers", send | {"ref": new_ref()})).frames
        assert (late["type"], late["code"]) == ("failed", "survey_over")
    response = await Response.objects.aget(chat=chat)
    assert response.state == "answered"
    assert await Answer.objects.filter(response=response).acount() == 2
