"""A transcript is sealed after its end: a row changed by hand breaks the seal, an erasure does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Department, Operator, Site
from chats import actions, keeping, sealing, seals
from chats.models import Chat, ChatSeal, Message, Note
from tests.chats.ended import Ended, say, talk
from tests.conftest import make_chat, visitor_on
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ended(vera: VisitorPrincipal, intake: Any, olga: Operator, principal_of: Any) -> Ended:
    """Vera's chat with olga, over for an hour, with a note of olga's."""
    return talk(vera, intake, principal_of(olga), "I slipped", "on a wet floor", "We can help")


def sealed(ended: Ended) -> Chat:
    assert actions.seal_ended() == 1
    return ended.again()


def test_a_chat_is_sealed_when_it_is_over(ended: Ended) -> None:
    """R-111: every row of both logs and what she filled in is in the chain; nothing is sealed twice."""
    chat = sealed(ended)
    seal = ChatSeal.objects.get(chat=chat)
    assert seal.count == 2 + chat.last_seq + chat.last_staff_seq
    assert sealing.verify_chain(chat) == []
    assert actions.seal_ended() == 0 and not sealing.seal(chat.pk)


def test_no_chat_is_sealed_that_goes_on_or_has_just_ended(
    ended: Ended, site: Site, intake: Department
) -> None:
    """R-111: what may still follow at once is waited for."""
    waiting = make_chat(visitor_on(site), intake)
    Chat.objects.filter(pk=ended.chat.pk).update(closed_at=timezone.now() - timedelta(minutes=5))
    assert actions.seal_ended() == 0 and not sealing.seal(waiting.pk)
    assert sealing.verify_chain(waiting) == []


CHANGES: dict[str, Callable[[Chat], Any]] = {
    "a word": lambda chat: Message.objects.filter(chat=chat, seq=3).update(text="I jumped"),
    "a time": lambda chat: Message.objects.filter(chat=chat, seq=3).update(
        created_at=timezone.now() - timedelta(days=1)
    ),
    "an author": lambda chat: Message.objects.filter(chat=chat, seq=5).update(author_id=0),
    "a text that is emptied": lambda chat: Message.objects.filter(chat=chat, seq=3).update(text=""),
    "a row that is taken out": lambda chat: Message.objects.filter(chat=chat, seq=3).delete(),
    "a row that is put in": lambda chat: Message.objects.create(
        account_id=chat.account_id, chat=chat, seq=chat.last_seq + 1, ref=chat.start_ref, author="operator",
        kind="text", text="Pay now", created_at=timezone.now(),
    ),
    "a note": lambda chat: Note.objects.filter(chat=chat).update(text="She lies"),
    "what she filled in": lambda chat: Chat.objects.filter(pk=chat.pk).update(answers=[]),
    "the end": lambda chat: Chat.objects.filter(pk=chat.pk).update(closed_at=timezone.now()),
    "the seal": lambda chat: ChatSeal.objects.filter(chat=chat).update(digest="0" * 64),
    "no seal": lambda chat: ChatSeal.objects.filter(chat=chat).delete(),
    "a shorter chain": lambda chat: ChatSeal.objects.filter(chat=chat).update(links=[]),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whoever_changes_a_row_by_hand_breaks_the_seal(ended: Ended, change: Callable[[Chat], Any]) -> None:
    """R-111: manual row change breaks `verify_chain`."""
    chat = sealed(ended)
    change(chat)
    assert sealing.verify_chain(ended.again()) != []


def test_what_is_said_of_a_broken_seal_is_nothing_that_she_said(ended: Ended) -> None:
    """R-109: the words for staff name the row, never its text."""
    chat = sealed(ended)
    Message.objects.filter(chat=chat, seq=3).update(text="I jumped")
    assert sealing.verify_chain(chat) == ["public row 3 is not what was sealed"]


def test_an_erasure_keeps_the_seal_whole(ended: Ended) -> None:
    """R-111, R-176: text and salt go, the digest stays; and what was erased may not be filled in again."""
    chat = sealed(ended)
    with transaction.atomic():
        Message.objects.filter(chat=chat).update(text="")
        Note.objects.filter(chat=chat).update(text="")
        Chat.objects.filter(pk=chat.pk).update(answers=[], page_url="")
        assert sealing.forget([chat.pk]) == 5  # the form, three messages and the note
    chat = ended.again()
    assert sealing.verify_chain(chat) == []
    links = sealing.links_of(ChatSeal.objects.get(chat=chat))
    assert [link.key for link in links if not link.salt] == [
        ("form", 0), ("public", 3), ("public", 4), ("public", 5), ("staff", 1),
    ]  # fmt: skip
    with transaction.atomic():
        assert sealing.forget([chat.pk]) == 0  # safe to repeat
    Message.objects.filter(chat=chat, seq=3).update(text="I slipped")
    assert sealing.verify_chain(chat) == ["public row 3 was erased and says something"]


def test_an_erasure_that_forgets_the_salts_cannot_hide_another_change(ended: Ended) -> None:
    """R-111: rows that still say something keep their salt."""
    chat = sealed(ended)
    Message.objects.filter(chat=chat, seq=3).update(text="I jumped")
    with transaction.atomic():
        sealing.forget([chat.pk])
    assert "public row 3 is not what was sealed" in sealing.verify_chain(chat)


def test_a_night_reads_the_new_seals_only(ended: Ended) -> None:
    """R-111: what comes later than that is sealed when the chat moves into the archive."""
    sealed(ended)
    say(ended.chat, "closed", facts={"state": "closed", "reason": "ended"})
    before = timezone.now() - timedelta(days=keeping.LATE_DAYS + 1)
    ChatSeal.objects.update(sealed_at=before)
    assert keeping.chats_grown() == []
    ChatSeal.objects.update(sealed_at=timezone.now())
    assert keeping.chats_grown() == [ended.chat.pk]


def test_rows_after_the_end_extend_the_chain(ended: Ended) -> None:
    """R-111: late rows are sealed by the next night, and the first ones keep their salts."""
    chat = sealed(ended)
    first = sealing.links_of(ChatSeal.objects.get(chat=chat))
    say(chat, "closed", facts={"state": "closed", "reason": "ended"})
    assert sealing.verify_chain(ended.again()) == []  # it follows the seal
    assert actions.extend_seals() == 1 and actions.extend_seals() == 0
    links = sealing.links_of(ChatSeal.objects.get(chat=chat))
    assert links[:-1] == first and links[-1].key == ("public", chat.last_seq + 1)
    Message.objects.filter(chat=chat, seq=chat.last_seq + 1).update(facts={"state": "missed"})
    assert sealing.verify_chain(ended.again()) != []


def test_two_equal_rows_have_different_digests() -> None:
    """R-111: salted, so that nobody finds out by guessing what was said."""
    row = {"log": "public", "number": 1, "text": "yes"}
    one, two = seals.linked(row), seals.linked(row)
    assert one.digest != two.digest and seals.digest_of(one.salt, row) == one.digest


def test_the_chain_is_the_one_that_is_documented() -> None:
    """R-111: written out by hand from docs/archive.md, so that others can prove a file in ten lines."""
    from hashlib import sha256

    row = {"number": 1, "log": "public", "text": "Grüße"}
    link = seals.linked(row)
    as_text = '{"log":"public","number":1,"text":"Grüße"}'.encode()
    assert link.digest == sha256(bytes.fromhex(link.salt) + as_text).hexdigest()
    begin = sha256(b"chatlead.seal.1:abc").digest()
    assert seals.chain("abc", [link]) == sha256(begin + f"public:1:{link.digest}".encode()).hexdigest()
