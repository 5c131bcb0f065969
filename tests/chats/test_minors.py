"""An operator learns that a visitor is under 18: nothing stays but that it happened (R-071)."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts import audit, outbox
from accounts.models import Department, Operator, OutboxItem
from chatlead.errors import NotFound
from chats import actions
from chats.models import Chat, Message, Note
from tests.chats.ended import talk
from tests.conftest import make_chat, visitor_on
from tests.sockets import console_of
from visitors.models import Visitor, VisitorSession
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chat(folder: Path, vera: VisitorPrincipal, intake: Department, olga: Operator, principal_of: Any) -> Chat:
    """Vera talked with olga once, in the archive by now, and does again."""
    earlier = talk(vera, intake, principal_of(olga), "My name is Vera", "Hello", hours=1000)
    actions.archive_chat(earlier.chat.pk)
    talk(vera, intake, principal_of(olga), "I slipped", "Where?", hours=3)
    chat = make_chat(vera, intake, answers=[{"name": "name", "label": "Name", "value": "Vera"}])
    Visitor.objects.filter(pk=chat.visitor_id).update(name="Vera Winter", email="vera@post.test")
    actions.accept_chat(principal=principal_of(olga), uid=chat.uid)
    return chat


def test_the_chat_ends_and_what_was_said_is_gone_at_once(
    chat: Chat, vera: VisitorPrincipal, olga: Operator, principal_of: Any
) -> None:
    """R-071: before the button is answered, whatever becomes of the queue; her session opens nothing."""
    actions.report_minor(principal=principal_of(olga), uid=chat.uid)
    chat.refresh_from_db()
    assert (chat.state, chat.answers, chat.page_url) == ("closed", [], "")
    assert not Message.objects.exclude(text="").exists() and not Note.objects.exclude(text="").exists()
    assert not VisitorSession.objects.filter(key=vera.session_key).exists()
    with pytest.raises(NotFound):
        actions.end_chat(principal=vera, uid=chat.uid)


def test_the_rest_follows_and_a_note_without_a_name_stays(
    chat: Chat, olga: Operator, principal_of: Any
) -> None:
    """R-071: name, address and the file in the archive; pressed twice it is one deed, noted with who."""
    for _ in range(2):
        actions.report_minor(principal=principal_of(olga), uid=chat.uid)
    [item] = OutboxItem.objects.filter(kind="erase_visitors")
    assert outbox.carry_out(item.pk)
    assert not Visitor.objects.exclude(name="", email="").exists()
    assert all(each.archived_file.erased_at for each in Chat.objects.exclude(archived_at=None))
    noted = [(each.action, each.actor_uid, each.subject) for each in audit.entries(chat.account_id)]
    assert noted.count(("chat.closed_under_18", olga.uid, f"chat:{chat.uid}")) == 1
    assert "privacy.erased" in {action for action, _, _ in noted}
    assert not any("vera" in str(each).lower() for each in noted)


def test_other_visitors_keep_their_chats(
    chat: Chat, site: Any, intake: Department, olga: Operator, principal_of: Any
) -> None:
    """R-071: hers alone."""
    other = talk(visitor_on(site), intake, principal_of(olga), "I fell", "Where?")
    actions.report_minor(principal=principal_of(olga), uid=chat.uid)
    assert Message.objects.filter(chat=other.chat, text="I fell").exists()


def test_only_who_may_see_the_chat_may_say_so(
    chat: Chat, sam: Operator, eve: Operator, principal_of: Any
) -> None:
    """R-112."""
    for stranger in (sam, eve):
        with pytest.raises(NotFound):
            actions.report_minor(principal=principal_of(stranger), uid=chat.uid)
    assert not OutboxItem.objects.filter(kind="erase_visitors").exists()
    chat.refresh_from_db()
    assert chat.state == "active"


async def test_a_console_forgets_an_archived_chat_at_once(chat: Chat, olga: Operator) -> None:
    """R-071, R-151: nothing of it is in the database any more, and it may stand on a screen all the same; she
    is told of each chat, and the second time of none."""
    everything = {uid async for uid in Chat.objects.values_list("uid", flat=True)}
    erase = partial(actions.erase_chats, account_id=chat.account_id, visitor_ids=[chat.visitor_id])
    async with console_of(olga) as desk:
        await sync_to_async(erase)()
        told = {(await desk.hear_type("chat_erased"))["chat"] for _ in everything}
        await sync_to_async(erase)()
        later = await desk.rest()
    assert told == everything and len(told) == 3
    assert "chat_erased" not in [frame["type"] for frame in later]
