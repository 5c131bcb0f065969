"""Nobody is there, so a visitor leaves a message."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from accounts import notices, outbox
from accounts.models import Consent, Department, Operator, OutboxItem, Site
from chatlead.errors import BadField, ChatAlreadyOpen, ChatClosed, MissingField, NotFound, NoticeRequired
from chats import journal, selectors, snapshot
from chats.actions import accept_chat, leave_message
from chats.models import Chat, Message
from tests.accounts.mailbox import Mailbox
from tests.conftest import make_chat, visitor_on
from tests.identifiers import new_ref
from tests.snapshots import console_of_one, frame_of_one
from visitors.models import Visitor
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)


def leaves(principal: VisitorPrincipal, **changed: Any) -> Chat:
    site = Site.objects.select_related("account").get(pk=principal.site_id)
    told: dict[str, Any] = {
        "ref": new_ref(),
        "name": "Vera",
        "email": "vera@post.test",
        "text": "Please call me.\nI was in a crash.",
        "notice": notices.current(site).sha256,
    }
    return leave_message(principal=principal, **told | changed)


def carry_out_all() -> None:
    for each in OutboxItem.objects.order_by("id"):
        outbox.carry_out(each.pk)


def test_it_waits_for_the_operators_as_a_missed_chat(
    vera: VisitorPrincipal, olga: Operator, intake: Department, principal_of
) -> None:
    """R-034, R-035."""
    chat = leaves(vera)
    assert (chat.state, chat.department, chat.closed_at) == ("missed", intake, chat.started_at)
    rows = list(Message.objects.order_by("seq").values_list("seq", "kind", "text"))
    assert rows == [(1, "opened", ""), (2, "text", "Please call me.\nI was in a crash.")]
    welcome = console_of_one(principal_of(olga))
    [missed] = welcome.missed
    assert (missed.uid, missed.visitor.email, missed.unread_count) == (chat.uid, "vera@post.test", 1)
    assert welcome.chats == []


def test_the_department_gets_a_mail(vera: VisitorPrincipal, inbox: Mailbox, intake: Department) -> None:
    """R-034, V-7: sent to a real server, once more under the same Message-ID where nobody knows better."""
    leaves(vera)
    carry_out_all()
    [mail] = inbox.mails
    assert inbox.recipients == [[intake.email]]
    assert (mail["Subject"], mail["Reply-To"]) == ("Message from Vera", "vera@post.test")
    assert "I was in a crash." in mail.get_content()
    OutboxItem.objects.update(state="pending")
    carry_out_all()
    first, again = inbox.mails
    assert first["Message-ID"] == again["Message-ID"]


def test_the_answer_goes_to_whoever_has_asked(
    vera: VisitorPrincipal, site: Site, inbox: Mailbox, olga: Operator, principal_of
) -> None:
    """P-13, R-122: somebody else in the same browser, or with its id, turns neither mail nor console."""
    leaves(vera)
    mallory = visitor_on(site, browser_key=vera.browser_key)
    leaves(mallory, name="Mallory", email="mallory@evil.test", text="x")
    assert Visitor.objects.get().email == "mallory@evil.test"
    carry_out_all()
    heads = [(mail["Subject"], mail["Reply-To"]) for mail in inbox.mails]
    assert heads[0] == ("Message from Vera", "vera@post.test")
    assert "vera@post.test" in inbox.mails[0].get_content() and "evil" not in str(inbox.mails[0])
    of_vera = console_of_one(principal_of(olga)).missed[-1]
    assert [each.value for each in of_vera.answers] == ["Vera", "vera@post.test"]


@pytest.mark.parametrize("name", ["V\u2028Bcc: all@post.test", "\u202eareV", "V\tera", ""])
def test_a_name_cannot_write_headers(vera: VisitorPrincipal, inbox: Mailbox, name: str) -> None:
    """P-18, P-23."""
    leaves(vera, name=name)
    carry_out_all()
    [mail] = inbox.mails
    assert mail["Bcc"] is None and "\u202e" not in mail["Subject"] + mail.get_content()
    assert inbox.recipients == [["intake@acme.test"]]


def test_the_outbox_holds_no_text(vera: VisitorPrincipal) -> None:
    """V-7: ids only."""
    chat = leaves(vera)
    assert OutboxItem.objects.get().subject == {"chat": chat.pk}


def test_the_same_message_is_left_once(vera: VisitorPrincipal) -> None:
    """V-1."""
    ref = new_ref()
    assert leaves(vera, ref=ref).pk == leaves(vera, ref=ref, text="again").pk
    assert (Chat.objects.count(), OutboxItem.objects.count(), Consent.objects.count()) == (1, 1, 1)


def test_she_may_leave_another_one(vera: VisitorPrincipal) -> None:
    leaves(vera)
    leaves(vera)
    assert Visitor.objects.count() == 1 and Chat.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("email", " ", MissingField),
        ("email", "nobody", BadField),
        ("email", "a@b.test\r\nBcc: all@b.test", BadField),
        ("name", "V\r\nBcc: all@b.test", BadField),
        ("name", "x" * 201, BadField),
        ("text", "a\x00b", BadField),
        ("department", "no-such-department-0001", BadField),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(
    vera: VisitorPrincipal, field: str, value: str, error: type[BadField]
) -> None:
    """R-031, P-23."""
    with pytest.raises(error) as refused:
        leaves(vera, **{field: value})
    assert refused.value.field == field
    assert not Chat.objects.exists() and not Visitor.objects.exists() and not OutboxItem.objects.exists()


def test_the_notice_is_required(vera: VisitorPrincipal) -> None:
    """R-032."""
    with pytest.raises(NoticeRequired):
        leaves(vera, notice="")
    leaves(vera)
    consent = Consent.objects.get()
    assert (consent.purpose, consent.visitor_uid) == ("message", Visitor.objects.get().uid)


def test_who_is_in_a_chat_leaves_no_message(vera: VisitorPrincipal, chat: Chat) -> None:
    with pytest.raises(ChatAlreadyOpen):
        leaves(vera)
    assert Chat.objects.get() == chat and not OutboxItem.objects.exists()


def test_it_is_no_chat_to_the_visitor(vera: VisitorPrincipal) -> None:
    """After a reload the widget is as it was: nobody is online."""
    leaves(vera)
    assert frame_of_one(vera).chat is None


def test_a_department_without_an_address_gets_no_mail(vera: VisitorPrincipal, intake: Department) -> None:
    Department.objects.update(email="")
    leaves(vera)
    assert not OutboxItem.objects.exists()


# --- from the line --------------------------------------------------------------------------------------


def says(chat: Chat, text: str) -> None:
    entry = journal.Entry(
        chat_id=chat.pk, account_id=chat.account_id, author="visitor", session_key=chat.session_key,
        ref=new_ref(), kind="text", text=text,
    )  # fmt: skip
    with transaction.atomic():
        journal.append([entry])


def test_who_waits_in_vain_leaves_a_message_and_all_that_she_wrote_goes_along(
    vera: VisitorPrincipal, site: Site, olga: Operator, intake: Department, inbox: Mailbox, principal_of
) -> None:
    """R-034, V-7: one missed chat, one mail, and the place in line is the next one's."""
    chat, behind = make_chat(vera, intake), make_chat(visitor_on(site), intake)
    says(chat, "I was in a crash")
    left = leaves(vera, chat=chat.uid, text="Call after five")
    assert (left.pk, left.state) == (chat.pk, "missed")
    kinds = list(Message.objects.filter(chat=chat).order_by("seq").values_list("kind", "text"))
    assert kinds == [
        ("opened", ""),
        ("text", "I was in a crash"),
        ("text", "Call after five"),
        ("closed", ""),
    ]
    assert snapshot.visitor_view(left).log[-1].reason == "message"  # type: ignore[union-attr]
    assert selectors.place_in_line(behind) == 1
    carry_out_all()
    [mail] = inbox.mails
    assert mail["Reply-To"] == "vera@post.test"
    assert mail.get_content().index("I was in a crash") < mail.get_content().index("Call after five")
    [missed] = console_of_one(principal_of(olga)).missed
    assert (missed.visitor.email, missed.unread_count) == ("vera@post.test", 2)
    assert Consent.objects.get().purpose == "message"


def test_who_has_written_all_already_needs_only_an_address(
    vera: VisitorPrincipal, intake: Department
) -> None:
    """R-034: and who has not is asked for words."""
    chat = make_chat(vera, intake)
    with pytest.raises(MissingField) as refused:
        leaves(vera, chat=chat.uid, text="")
    assert refused.value.field == "text"
    says(chat, "I was in a crash")
    assert leaves(vera, chat=chat.uid, text="").state == "missed"
    assert [each["name"] for each in Chat.objects.get().answers] == ["name", "email"]


def test_a_message_from_the_line_is_left_once(vera: VisitorPrincipal, intake: Department) -> None:
    """V-1: its answer may be lost, and it is sent again."""
    chat, ref = make_chat(vera, intake), new_ref()
    first = leaves(vera, ref=ref, chat=chat.uid)
    assert leaves(vera, ref=ref, chat=chat.uid).last_seq == first.last_seq == 3
    assert (OutboxItem.objects.count(), Consent.objects.count()) == (1, 1)
    with pytest.raises(ChatClosed):
        leaves(vera, chat=chat.uid)


def test_who_was_answered_meanwhile_stays_in_the_chat(
    vera: VisitorPrincipal, olga: Operator, intake: Department, principal_of
) -> None:
    """R-034: nothing ends, nothing is mailed."""
    chat = make_chat(vera, intake)
    accept_chat(principal=principal_of(olga), uid=chat.uid)
    with pytest.raises(ChatAlreadyOpen):
        leaves(vera, chat=chat.uid)
    assert (Chat.objects.get().state, OutboxItem.objects.count()) == ("active", 0)


def test_nobody_leaves_a_message_from_anothers_line(
    vera: VisitorPrincipal, site: Site, intake: Department
) -> None:
    """R-112."""
    chat = make_chat(vera, intake)
    with pytest.raises(NotFound):
        leaves(visitor_on(site), chat=chat.uid)
    assert Chat.objects.get().state == "waiting"
