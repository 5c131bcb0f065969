"""After the chat a visitor wants to have in her mailbox what was said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from accounts import notices, outbox
from accounts.models import Consent, Department, Language, Operator, OutboxItem, Site
from chatlead.errors import BadField, ChatNotOver, MissingField, NotFound, NoticeRequired, RateLimited
from chats import journal
from chats.actions import accept_chat, end_chat, mail_transcript
from chats.models import Chat, Message, Note, TranscriptRequest
from tests.accounts.mailbox import Mailbox
from tests.at_once import at_once
from tests.conftest import make_chat, visitor_on
from tests.identifiers import new_ref
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)

Ended = Callable[..., Chat]


@pytest.fixture
def ended(intake: Department, olga: Operator, principal_of: Any) -> Ended:
    """A chat of this visitor with olga that is over, in which these words were said, the last by olga."""

    def talk(principal: VisitorPrincipal, *texts: str) -> Chat:
        chat = make_chat(principal, intake)
        at_desk = principal_of(olga)
        accept_chat(principal=at_desk, uid=chat.uid)
        said: dict[str, Any] = {"chat_id": chat.pk, "account_id": chat.account_id, "kind": "text"}
        as_vera: dict[str, Any] = {"author": "visitor", "session_key": principal.session_key}
        as_olga: dict[str, Any] = {
            "author": "operator", "author_id": olga.pk, "name": olga.name, "author_uid": olga.uid,
            "rights_epoch": at_desk.rights_epoch,
        }  # fmt: skip
        entries = [journal.Entry(ref=new_ref(), text=text, **said, **as_vera) for text in texts[:-1]]
        entries += [journal.Entry(ref=new_ref(), text=text, **said, **as_olga) for text in texts[-1:]]
        with transaction.atomic():
            journal.append(entries)
        end_chat(principal=principal, uid=chat.uid)
        chat.refresh_from_db()
        return chat

    return talk


def wants(principal: VisitorPrincipal, chat: Chat, **changed: Any) -> None:
    site = Site.objects.select_related("account").get(pk=principal.site_id)
    notice = notices.current(site).sha256
    told: dict[str, Any] = {"ref": new_ref(), "email": "vera@post.test", "notice": notice}
    mail_transcript(principal=principal, uid=chat.uid, **told | changed)


def carry_out_all() -> None:
    for each in OutboxItem.objects.order_by("id"):
        outbox.carry_out(each.pk)


def written_at(chat: Chat, *moments: datetime) -> None:
    """When its messages were written, in their order."""
    rows = Message.objects.filter(chat=chat, kind="text").order_by("seq")
    for row, moment in zip(rows, moments, strict=True):
        Message.objects.filter(pk=row.pk).update(created_at=moment)


def parts(mail: Any) -> tuple[str, str]:
    """The text and the HTML of it."""
    return mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()


def test_she_gets_what_was_said_as_text_and_as_html(
    vera: VisitorPrincipal, olga: Operator, inbox: Mailbox, ended: Ended
) -> None:
    """R-036, V-7: by a real mail server; markup is text, and notes of the operators are no part of it."""
    chat = ended(vera, "I fell.\nIt hurts", "<b>2 < 3</b>", "Who helped you?")
    Note.objects.create(
        account_id=chat.account_id, chat=chat, staff_seq=1, ref=new_ref(), author=olga, text="conflict!",
        created_at=chat.started_at,
    )  # fmt: skip
    wants(vera, chat)
    carry_out_all()
    [mail] = inbox.mails
    assert (inbox.recipients, mail["To"]) == ([["vera@post.test"]], "vera@post.test")
    assert (mail["Subject"], mail["Auto-Submitted"]) == ("Your chat with acme.test", "auto-generated")
    text, html = parts(mail)
    for part in (text, html):
        assert part.index("I fell.") < part.index("It hurts") < part.index("Who helped you?")
        assert "You" in part and "Olga" in part and "conflict!" not in part
    assert "<b>2 < 3</b>" in text
    assert "&lt;b&gt;2 &lt; 3&lt;/b&gt;" in html and "<b>" not in html
    assert "<script" not in html and "http" not in html  # nothing is fetched when it is read


def test_it_speaks_her_language_on_her_clock(vera: VisitorPrincipal, inbox: Mailbox, ended: Ended) -> None:
    """R-036: what was said before and after midnight in Berlin, on one day in UTC."""
    chat = ended(vera, "Hallo", "Guten Abend")
    written_at(chat, datetime(2026, 3, 4, 22, 59, tzinfo=UTC), datetime(2026, 3, 4, 23, 1, tzinfo=UTC))
    wants(vera, chat, language="de", zone="Europe/Berlin")
    carry_out_all()
    [mail] = inbox.mails
    assert (mail["Subject"], mail["Content-Language"]) == ("Ihr Chat mit acme.test", "de")
    text, html = parts(mail)
    told = ["4. März 2026", "23:59  Sie", "Hallo", "5. März 2026", "00:01  Olga", "Guten Abend"]
    places = [text.index(each) for each in told]
    assert places == sorted(places)
    assert "Europe/Berlin" in text and '<html lang="de" dir="ltr">' in html


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "Europe", "/etc/localtime"])
def test_a_clock_that_nobody_knows_is_utc(
    vera: VisitorPrincipal, inbox: Mailbox, ended: Ended, zone: str
) -> None:
    """R-036, P-23: and no file of this machine is read for it."""
    chat = ended(vera, "Hello", "Good evening")
    written_at(chat, datetime(2026, 3, 4, 22, 59, tzinfo=UTC), datetime(2026, 3, 4, 23, 1, tzinfo=UTC))
    wants(vera, chat, zone=zone)
    carry_out_all()
    text, _ = parts(inbox.mails[0])
    assert "Times are in UTC." in text and "10:59 p.m." in text and "11:01 p.m." in text


@pytest.mark.parametrize("language", Language.values)
def test_it_can_be_read_in_all_six_languages(
    vera: VisitorPrincipal, inbox: Mailbox, ended: Ended, language: str
) -> None:
    """R-036: nothing of the frame is left empty, and Arabic runs from the right."""
    wants(vera, ended(vera, "Hello", "Hello too"), language=language)
    carry_out_all()
    text, html = parts(inbox.mails[0])
    assert "{}" not in text + html and "{%" not in text + html
    assert (f'lang="{language}" dir="rtl"' in html) == (language == "ar")


def test_a_language_that_nobody_speaks_is_the_sites_own(
    vera: VisitorPrincipal, site: Site, ended: Ended
) -> None:
    """R-036."""
    Site.objects.filter(pk=site.pk).update(language="fr")
    wants(vera, ended(vera, "Bonjour", "Salut"), language="tlh")
    assert TranscriptRequest.objects.get().language == "fr"


def test_it_holds_this_chat_and_no_other(
    vera: VisitorPrincipal, site: Site, inbox: Mailbox, ended: Ended
) -> None:
    """R-112: neither a stranger's nor her own of another day."""
    ended(visitor_on(site), "of somebody else", "answer to somebody else")
    ended(vera, "of yesterday", "answer of yesterday")
    wants(vera, ended(vera, "of today", "answer of today"))
    carry_out_all()
    text, html = parts(inbox.mails[0])
    assert "of today" in text and "answer of today" in html
    assert not any(each in text + html for each in ("somebody else", "yesterday"))


def test_what_was_taken_back_is_not_sent(vera: VisitorPrincipal, inbox: Mailbox, ended: Ended) -> None:
    """R-035: its place is kept, its text is gone."""
    chat = ended(vera, "my number is 123", "Thank you")
    first = Message.objects.filter(chat=chat, kind="text").order_by("seq")[0]
    Message.objects.filter(pk=first.pk).update(text="", text_state="deleted")
    wants(vera, chat)
    carry_out_all()
    text, html = parts(inbox.mails[0])
    assert "Message deleted" in text and "Message deleted" in html


def test_nobody_gets_the_transcript_of_anothers_chat(
    vera: VisitorPrincipal, site: Site, ended: Ended
) -> None:
    """R-112, R-124: the lasting id of her browser is not enough either."""
    chat = ended(vera, "Hello", "Hello too")
    for other in (visitor_on(site), visitor_on(site, browser_key=vera.browser_key)):
        with pytest.raises(NotFound):
            wants(other, chat)
    assert not TranscriptRequest.objects.exists() and not OutboxItem.objects.exists()


def test_there_is_one_when_the_chat_is_over(
    vera: VisitorPrincipal, intake: Department, olga: Operator, principal_of: Any
) -> None:
    """R-036."""
    chat = make_chat(vera, intake)
    accept_chat(principal=principal_of(olga), uid=chat.uid)
    with pytest.raises(ChatNotOver):
        wants(vera, chat)


def test_words_that_nobody_has_read_are_sent_to_nobody(vera: VisitorPrincipal, intake: Department) -> None:
    """D-8: else anybody would write to anybody in the firm's name."""
    chat = make_chat(vera, intake)
    end_chat(principal=vera, uid=chat.uid)
    with pytest.raises(NotFound):
        wants(vera, chat)


@pytest.mark.parametrize(
    ("email", "error"),
    [
        (" ", MissingField),
        ("nobody", BadField),
        ("a@b.test\r\nBcc: c@d.test", BadField),
        ("a\x00@b", BadField),
    ],
)
def test_an_address_that_is_none_is_named_and_nothing_is_stored(
    vera: VisitorPrincipal, ended: Ended, email: str, error: type[BadField]
) -> None:
    """R-031, P-23."""
    chat = ended(vera, "Hello", "Hello too")
    with pytest.raises(error) as refused:
        wants(vera, chat, email=email)
    assert refused.value.field == "email"
    assert not TranscriptRequest.objects.exists() and not Consent.objects.exists()


def test_the_notice_is_required_and_proved(vera: VisitorPrincipal, ended: Ended) -> None:
    """R-032: who began without a form has been shown none."""
    chat = ended(vera, "Hello", "Hello too")
    with pytest.raises(NoticeRequired):
        wants(vera, chat, notice="")
    wants(vera, chat)
    consent = Consent.objects.get()
    assert (consent.purpose, consent.visitor_uid) == ("transcript", chat.visitor.uid)


def test_the_same_wish_is_one_mail_and_another_one_is_another(
    vera: VisitorPrincipal, inbox: Mailbox, ended: Ended
) -> None:
    """V-1, V-7: a repetition of the delivery, too, has the same Message-ID or is none."""
    chat, ref = ended(vera, "Hello", "Hello too"), new_ref()
    wants(vera, chat, ref=ref)
    wants(vera, chat, ref=ref, email="other@post.test")
    assert (TranscriptRequest.objects.count(), OutboxItem.objects.count(), Consent.objects.count()) == (
        1,
        1,
        1,
    )
    carry_out_all()
    OutboxItem.objects.update(state="pending")  # a worker died before it could say so
    carry_out_all()
    assert inbox.recipients == [["vera@post.test"]]
    wants(vera, chat, email="other@post.test")
    carry_out_all()
    assert inbox.recipients == [["vera@post.test"], ["other@post.test"]]
    assert inbox.mails[0]["Message-ID"] != inbox.mails[1]["Message-ID"]


def test_a_server_that_refuses_gets_it_later_and_then_the_address_is_forgotten(
    vera: VisitorPrincipal, inbox: Mailbox, ended: Ended
) -> None:
    """V-7, R-014: an address is kept for as long as the mail is on its way; the outbox never has it."""
    inbox.refuse = 1
    wants(vera, ended(vera, "Hello", "Hello too"), zone="Europe/Berlin")
    carry_out_all()
    request = TranscriptRequest.objects.get()
    assert (inbox.mails, request.email) == ([], "vera@post.test")
    item = OutboxItem.objects.get()
    assert item.subject == {"request": request.pk} and "vera" not in item.last_error
    OutboxItem.objects.update(due_at=item.created_at)
    carry_out_all()
    request.refresh_from_db()
    assert (len(inbox.mails), request.email, request.zone) == (1, "", "")


def test_a_chat_that_was_erased_since_is_not_mailed(
    vera: VisitorPrincipal, inbox: Mailbox, ended: Ended
) -> None:
    """R-014."""
    chat = ended(vera, "Hello", "Hello too")
    wants(vera, chat)
    chat.delete()
    carry_out_all()
    assert (inbox.mails, OutboxItem.objects.get().state) == ([], "done")


@pytest.fixture
def limits(settings: Settings) -> Settings:
    settings.TRANSCRIPTS = {"session": 3, "address": 5, "site": 9, "worked": 2, "mailbox": 2}
    settings.TRANSCRIPTS_PER_CHAT = 4
    return settings


def test_one_person_is_held_up_and_the_next_is_not(
    vera: VisitorPrincipal, site: Site, ended: Ended, limits: Settings
) -> None:
    """D-2, D-8: on a plan without limits as well."""
    chat = ended(vera, "Hello", "Hello too")
    for number in range(3):
        wants(vera, chat, email=f"vera{number}@post.test")
    with pytest.raises(RateLimited) as refused:
        wants(vera, chat, email="vera9@post.test")
    assert 0 < (refused.value.retry_after_ms or 0) <= 600_000
    assert OutboxItem.objects.count() == 3
    other = visitor_on(site)
    wants(other, ended(other, "Hello", "Hello too"))


def test_nobodys_mailbox_is_filled_by_many(site: Site, ended: Ended, limits: Settings) -> None:
    """D-2, D-8: whatever the letters' case; and who is refused has taken nothing of the others' bounds."""
    crowd = [visitor_on(site, ip=f"10.{number}.0.1") for number in range(3)]
    chats = [ended(each, "Hello", "Hello too") for each in crowd]
    for each, chat, email in zip(crowd[:2], chats[:2], ["nina@post.test", "Nina@Post.test"], strict=True):
        wants(each, chat, email=email)
    for _ in range(5):
        with pytest.raises(RateLimited):
            wants(crowd[2], chats[2], email="nina@post.test")
    wants(crowd[2], chats[2], email="vera@post.test")


def test_a_network_is_held_up_unless_it_works(site: Site, ended: Ended, limits: Settings) -> None:
    """D-2."""
    for _ in range(5):
        other = visitor_on(site, ip="198.51.100.9")
        wants(other, ended(other, "Hello", "Hello too"), email=f"{new_ref()}@post.test")
    last = visitor_on(site, ip="198.51.100.10")
    chat = ended(last, "Hello", "Hello too")
    with pytest.raises(RateLimited) as refused:
        wants(last, chat)
    assert refused.value.work


def test_one_chat_is_mailed_so_often_and_no_oftener(
    vera: VisitorPrincipal, ended: Ended, limits: Settings
) -> None:
    """D-8: however patient somebody is."""
    limits.TRANSCRIPTS = dict.fromkeys(limits.TRANSCRIPTS, 100)
    chat = ended(vera, "Hello", "Hello too")
    for _ in range(4):
        wants(vera, chat)
    with pytest.raises(RateLimited) as refused:
        wants(vera, chat)
    assert refused.value.retry_after_ms is None


def test_of_many_at_once_no_more_are_mailed_than_one_by_one(
    vera: VisitorPrincipal, ended: Ended, settings: Settings
) -> None:
    """D-8: a bound for ever is one, whatever comes in the same moment."""
    settings.TRANSCRIPTS_PER_CHAT = 2
    chat = ended(vera, "I fell", "We can help")

    def asks() -> bool:
        try:
            wants(vera, chat)
        except RateLimited:
            return False
        return True

    assert at_once(*[asks] * 4).count(True) == 2
    assert chat.transcript_requests.count() == OutboxItem.objects.count() == 2
