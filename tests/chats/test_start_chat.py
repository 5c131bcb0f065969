"""A visitor begins a chat."""

from __future__ import annotations

import unicodedata
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import notices
from accounts.models import Account, Consent, Department, Operator, Site
from chatlead.errors import (
    BadField,
    ChatAlreadyOpen,
    Forbidden,
    MissingField,
    NobodyOnline,
    NotFound,
    NoticeRequired,
    UnknownField,
)
from chats import snapshot
from chats.actions import end_chat, start_chat
from chats.models import Chat, Message
from tests.at_once import at_once
from tests.conftest import goes_online, make_operator, visitor_on
from tests.identifiers import new_ref
from tests.snapshots import frame_of_one
from visitors.models import Visitor
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = [
    "X", "李", "O'Brien", "Jean-Luc de la Tour", "<b>x</b>", "=1+1", "😀" * 200, "علي بن أبي طالب",
    "דוד", "a",
    "J. R. R.", "von und zu Guttenberg", "María José", "Nguyễn Thị Minh Khai", "X Æ A-12", "🧑‍🚀", "Ωmega",
    "Мария", "さくら", "김민준", "สมชาย", "Þór", "Ł", "d'Artagnan", '"quoted"', "-- drop table",
    "../../etc/passwd",
    "{{7*7}}", "${x}", "%s%n", "null", "0", "True", "@SUM(A1)", "+1", "\u202eevil", "tab\there", "é" * 200,
    "  two  spaces inside ", "&amp;",
]  # fmt: skip


def starts(
    principal: VisitorPrincipal, fields: dict[str, str] | None = None, ref: UUID | None = None, **named: Any
) -> Chat:
    """A chat with the notice that is in force."""
    site = Site.objects.select_related("account").get(pk=principal.site_id)
    named.setdefault("notice", notices.current(site).sha256)
    return start_chat(principal=principal, ref=ref or new_ref(), fields=fields or {}, **named)


def ask_for(site: Site, *fields: dict[str, Any]) -> None:
    site.fields = list(fields)
    site.save()


def texts(chat: Chat) -> list[tuple[int, str, str]]:
    return list(Message.objects.filter(chat=chat).order_by("seq").values_list("seq", "kind", "text"))


# --- names (R-030) --------------------------------------------------------------------------------------


def test_there_are_forty_names() -> None:
    assert len(set(NAMES)) == 40


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_kept_as_it_is(vera: VisitorPrincipal, on_duty: Operator, name: str) -> None:
    """R-030: byte-equal in the table and in what operators are shown; NFC, never split."""
    chat = starts(vera, {"name": name})
    view = snapshot.operator_view(
        Chat.objects.select_related("department", "operator", "site", "visitor").get()
    )
    assert view.visitor.name == Visitor.objects.get().name == unicodedata.normalize("NFC", name)
    assert chat.visitor.name == name


def test_a_name_is_stored_composed(vera: VisitorPrincipal, on_duty: Operator) -> None:
    """R-030: what looks the same is the same."""
    assert starts(vera, {"name": "Zoe\u0308"}).visitor.name == "Zo\u00eb"


def test_a_name_may_have_two_hundred_characters_and_no_more(
    vera: VisitorPrincipal, on_duty: Operator
) -> None:
    """R-030."""
    with pytest.raises(BadField) as refused:
        starts(vera, {"name": "é" * 201})
    assert refused.value.field == "name"
    assert not Chat.objects.exists()


@pytest.mark.parametrize("name", ["", " ", "\u3000\t"])
def test_who_gives_no_name_is_a_number(vera: VisitorPrincipal, on_duty: Operator, name: str) -> None:
    """R-030."""
    view = snapshot.operator_view(starts(vera, {"name": name}))
    assert (view.visitor.name, view.visitor.number) == ("", 1)


@pytest.mark.parametrize("value", ["a\x00b", "\ud800"])
def test_what_no_database_can_hold_is_refused(vera: VisitorPrincipal, on_duty: Operator, value: str) -> None:
    with pytest.raises(BadField) as refused:
        starts(vera, {"name": value})
    assert refused.value.field == "name"


# --- the form (R-031, R-146) ----------------------------------------------------------------------------


def test_vera_starts_without_a_word_about_herself(vera: VisitorPrincipal, on_duty: Operator) -> None:
    """R-146, R-032: all optional fields blank; no notice is needed and no consent is recorded."""
    chat = starts(vera, {"name": "", "email": ""}, notice="")
    assert chat.state == "waiting"
    assert not Consent.objects.exists()


def test_a_site_may_ask_nothing(vera: VisitorPrincipal, on_duty: Operator, site: Site) -> None:
    """R-031: form off."""
    ask_for(site)
    assert starts(vera, notice="").state == "waiting"


def test_a_required_email_is_asked_for_by_name(vera: VisitorPrincipal, on_duty: Operator, site: Site) -> None:
    """R-031."""
    ask_for(site, {"name": "email", "label": "Email", "kind": "email", "required": True})
    for fields in ({}, {"email": ""}, {"email": "   "}):
        with pytest.raises(MissingField) as refused:
            starts(vera, fields)
        assert refused.value.field == "email"
    assert not Visitor.objects.exists()


def test_what_was_not_asked_for_is_not_stored(vera: VisitorPrincipal, on_duty: Operator) -> None:
    """R-031."""
    with pytest.raises(UnknownField) as refused:
        starts(vera, {"name": "Vera", "salary": "1"})
    assert refused.value.field == "salary"
    assert not Chat.objects.exists() and not Visitor.objects.exists()


FORM = (
    {"name": "who", "label": "Work mail", "kind": "email"},
    {"name": "phone", "label": "Phone", "kind": "phone"},
    {"name": "topic", "label": "Topic", "kind": "select", "options": ["Injury", "Other"]},
    {"name": "agree", "label": "I am over 18", "kind": "checkbox", "required": True},
    {"name": "story", "label": "What happened?", "kind": "textarea"},
    {"name": "city", "label": "City", "kind": "text"},
)
RIGHT = {
    "who": "vera@post.test",
    "phone": "+1 (813) 555-0100 ext. 4",
    "topic": "Injury",
    "agree": "yes",
    "story": "I fell\nfrom a ladder",
    "city": "Tampa",
}


def test_every_kind_of_field_is_kept(vera: VisitorPrincipal, on_duty: Operator, site: Site) -> None:
    """R-031: the address belongs to the visitor, the rest to the chat, with the labels that were shown."""
    ask_for(site, *FORM)
    chat = starts(vera, RIGHT)
    assert chat.visitor.email == "vera@post.test"
    assert [(each["label"], each["value"]) for each in chat.answers] == [
        ("Phone", "+1 (813) 555-0100 ext. 4"),
        ("Topic", "Injury"),
        ("I am over 18", "yes"),
        ("What happened?", "I fell\nfrom a ladder"),
        ("City", "Tampa"),
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("who", "not an address"),
        ("who", "a@b@c.test"),
        ("who", "x" * 250 + "@post.test"),
        ("phone", "call me"),
        ("phone", "12"),
        ("topic", "Divorce"),
        ("agree", "perhaps"),
        ("story", "x" * 2001),
        ("city", "x" * 501),
    ],
)
def test_a_wrong_value_is_refused_by_name(
    vera: VisitorPrincipal, on_duty: Operator, site: Site, field: str, value: str
) -> None:
    """R-031."""
    ask_for(site, *FORM)
    with pytest.raises(BadField) as refused:
        starts(vera, {**RIGHT, field: value})
    assert refused.value.field == field
    assert not Chat.objects.exists()


# --- the notice (R-032) -----------------------------------------------------------------------------------


def test_what_vera_gives_is_given_under_the_notice_she_saw(
    vera: VisitorPrincipal, on_duty: Operator, site: Site
) -> None:
    """R-032: hash, version, truncated address and user agent, one row a form."""
    chat = starts(vera, {"name": "Vera"})
    consent = Consent.objects.get()
    assert consent.notice == notices.current(site)
    assert (consent.purpose, consent.visitor_uid) == ("chat", chat.visitor.uid)
    assert (consent.ip, consent.user_agent) == ("203.0.113.0", vera.user_agent)


@pytest.mark.parametrize("seen", ["", "0" * 64])
def test_another_notice_must_be_read_first(vera: VisitorPrincipal, on_duty: Operator, seen: str) -> None:
    """R-032."""
    with pytest.raises(NoticeRequired):
        starts(vera, {"name": "Vera"}, notice=seen)
    assert not Chat.objects.exists() and not Visitor.objects.exists()


# --- who is there (R-034) ---------------------------------------------------------------------------------


def test_nobody_is_online(vera: VisitorPrincipal, olga: Operator) -> None:
    """R-034: then a message can be left."""
    with pytest.raises(NobodyOnline):
        starts(vera)


def test_an_intent_without_a_console_is_nobody(vera: VisitorPrincipal, on_duty: Operator) -> None:
    """R-034."""
    Operator.objects.update(lease_until=None)
    with pytest.raises(NobodyOnline):
        starts(vera)


def test_vera_chooses_her_department(
    vera: VisitorPrincipal, on_duty: Operator, sam: Operator, billing: Department
) -> None:
    with pytest.raises(NobodyOnline):
        starts(vera, department=billing.uid)
    goes_online(sam)
    assert starts(vera, department=billing.uid).department == billing


def test_without_a_choice_it_is_the_first_with_somebody_there(
    vera: VisitorPrincipal, sam: Operator, intake: Department, billing: Department
) -> None:
    goes_online(sam)
    assert starts(vera).department == billing


def test_a_department_of_somebody_else_is_none(
    vera: VisitorPrincipal, on_duty: Operator, rival_sales: Department, acme: Account
) -> None:
    """R-112: nor is one of the firm that this site does not offer."""
    hidden = Department.objects.create(account=acme, name="Hidden")
    goes_online(make_operator(acme, "Hedda", "operator", hidden))  # type: ignore[arg-type]
    for department in (rival_sales.uid, hidden.uid, "no-such-department-0001"):
        with pytest.raises(BadField) as refused:
            starts(vera, department=department)
        assert refused.value.field == "department"


def test_a_page_without_a_frame_starts_nothing(site: Site, on_duty: Operator) -> None:
    with pytest.raises(Forbidden):
        starts(visitor_on(site, role="page", session_key=""))


def test_a_site_that_was_switched_off_starts_nothing(
    vera: VisitorPrincipal, on_duty: Operator, site: Site
) -> None:
    Site.objects.update(is_enabled=False)
    with pytest.raises(NotFound):
        starts(vera)


# --- once ---------------------------------------------------------------------------------------------------


def test_the_first_rows_are_the_opening_and_what_she_says(
    vera: VisitorPrincipal, on_duty: Operator, intake: Department
) -> None:
    """R-035."""
    chat = starts(vera, text="I was in a crash")
    assert texts(chat) == [(1, "opened", ""), (2, "text", "I was in a crash")]
    assert (chat.last_seq, chat.department, chat.page_url) == (2, intake, "https://www.acme.test/injuries")


def test_the_same_start_is_the_same_chat(vera: VisitorPrincipal, on_duty: Operator) -> None:
    """V-1: whatever has happened since, and whatever it says now."""
    ref = new_ref()
    chat = starts(vera, {"name": "Vera"}, ref=ref, text="Hello")
    Operator.objects.update(availability="away")
    assert starts(vera, {"unknown": "x"}, ref=ref, notice="").pk == chat.pk
    end_chat(principal=vera, uid=chat.uid)
    assert starts(vera, ref=ref).pk == chat.pk
    assert Message.objects.filter(chat=chat, kind="text").count() == 1
    assert Consent.objects.count() == 1


def test_one_session_has_one_open_chat(vera: VisitorPrincipal, on_duty: Operator) -> None:
    starts(vera)
    with pytest.raises(ChatAlreadyOpen):
        starts(vera)
    assert Chat.objects.count() == 1


def test_two_tabs_start_at_once(vera: VisitorPrincipal, on_duty: Operator) -> None:
    """V-1: the same `ref` from several sockets at the same moment is one chat with one first message."""
    ref = new_ref()
    found = at_once(*[lambda: starts(vera, {"name": "Vera"}, ref=ref, text="Hello").uid] * 4)
    assert found == [Chat.objects.get().uid] * 4
    assert Message.objects.count() == 2 and Visitor.objects.count() == 1


def test_two_tabs_start_two_chats_at_once(vera: VisitorPrincipal, on_duty: Operator) -> None:
    """One is the chat; the other tab is told that there is one."""

    def tab() -> str:
        try:
            return str(starts(vera).uid)
        except ChatAlreadyOpen as error:
            return error.code

    found = at_once(*[tab] * 3)
    assert sorted(found, key=lambda each: each == "chat_already_open")[1:] == ["chat_already_open"] * 2
    assert Chat.objects.count() == 1


def test_nothing_is_stored_of_who_does_not_chat(vera: VisitorPrincipal, site: Site) -> None:
    """R-110: a look at the widget leaves no row."""
    frame_of_one(vera)
    assert not Visitor.objects.exists()


def test_starting_asks_a_known_number_of_questions(vera: VisitorPrincipal, on_duty: Operator) -> None:
    notices.current(Site.objects.select_related("account").get(pk=vera.site_id))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        starts(vera, {"name": "Vera"}, text="Hello")
    statements = [
        each["sql"] for each in asked if not each["sql"].startswith(("BEGIN", "SAVE", "RELEASE", "COMMIT"))
    ]
    assert len(statements) <= 34, "\n".join(each[:120] for each in statements)
