"""Somebody in this browser is under 18: nothing is collected from it any more (R-070)."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.utils import timezone

from accounts import notices, outbox
from accounts.actions import set_site_fields
from accounts.models import AuditEntry, Department, Operator, OutboxItem, Site, User
from accounts.sites import site_fields
from chatlead import metrics
from chatlead.errors import BadField, MissingField, UnderAge
from chatlead.realtime.codes import CloseCode
from chatlead.realtime.shapes import FieldSpec
from chats import actions
from chats.models import Chat, Message
from surveys import links
from surveys.actions import publish_survey, send_survey
from surveys.models import Question, Response
from surveys.selectors import may_ask
from tests.conftest import make_chat, make_site, visitor_on
from tests.identifiers import new_ref
from tests.polls import polling
from tests.realtime.test_poll import poller_of
from tests.sockets import Closed, frame_of
from tests.surveys.conftest import ALL_KINDS
from visitors.actions import close_browsers, engage, forget_closed
from visitors.models import ClosedBrowser, Visitor, VisitorSession
from visitors.sessions import COOKIE, VisitorPrincipal, browser_key_of, new_token, session_key_of

pytestmark = pytest.mark.django_db(transaction=True)
BROWSER = "a-browser-that-is-known-again"


@pytest.fixture
def token() -> str:
    """Vera's live session."""
    return new_token()


@pytest.fixture
def child(site: Site, token: str, on_duty: Operator) -> VisitorPrincipal:
    return visitor_on(
        site,
        session_key=session_key_of(site.key, token),
        browser_key=browser_key_of(site.key, BROWSER),
    )


@pytest.fixture
def reported(site: Site, child: VisitorPrincipal, on_duty: Operator, principal_of: Any) -> Chat:
    """Olga has said that vera is under 18."""
    chat = make_chat(child, on_duty.departments.get())
    actions.accept_chat(principal=principal_of(on_duty), uid=chat.uid)
    actions.report_minor(principal=principal_of(on_duty), uid=chat.uid)
    return chat


async def code_of(site: Site, **who: Any) -> int:
    """With what a frame's hello is refused; 0 where it is let in."""
    try:
        async with frame_of(site, **who):
            return 0
    except Closed as refused:
        return refused.code


async def test_her_browser_is_not_let_in_again(site: Site, token: str, reported: Chat) -> None:
    """R-070: after a reload, in a second tab, and when only its id came back; anybody else is."""
    assert await code_of(site, token=token) == CloseCode.MINOR
    assert await code_of(site, token=token, browser=BROWSER) == CloseCode.MINOR
    assert await code_of(site, token=new_token(), browser=BROWSER) == CloseCode.MINOR
    assert await code_of(site, token=new_token(), browser="another-browser-of-somebody") == 0


async def test_nor_by_polls(site: Site, token: str, child: VisitorPrincipal, intake: Department) -> None:
    """R-070, R-006: neither one that begins nor one that was let in a moment ago."""
    chat = await sync_to_async(make_chat)(child, intake)
    async with polling():
        before = await poller_of(site, token)
        await before.enter()
        await sync_to_async(close_browsers)(account_id=chat.account_id, visitor_ids=[chat.visitor_id])
        notice = before.welcome["site"]["notice"]["sha256"]
        leave = {"type": "leave_message", "ref": new_ref(), "email": "v@post.test", "notice": notice}
        refused = await before.poll("answers", leave | {"text": "It is me", "id": 1})
        assert (refused.status, refused.close, refused.frames) == (403, CloseCode.MINOR, [])
        anew = await (await poller_of(site, token)).poll("welcome")
        assert (anew.status, anew.close) == (403, CloseCode.MINOR)
    assert not await Visitor.objects.filter(email="v@post.test").aexists()


async def test_what_a_line_that_is_open_still_begins_is_refused(
    site: Site, token: str, on_duty: Operator, child: VisitorPrincipal
) -> None:
    """R-070: no chat, no message, no name."""
    async with frame_of(site, token=token) as vera:
        await sync_to_async(_close)(site, token)
        notice = vera.welcome["site"]["notice"]["sha256"]
        begun = await vera.ask(
            type="start_chat", ref=new_ref(), fields={"name": "Vera"}, notice=notice, text="It is me"
        )
        left = await vera.ask(
            type="leave_message", ref=new_ref(), email="v@post.test", text="It is me", notice=notice
        )
    assert [(each["type"], each["code"]) for each in (begun, left)] == [("failed", "under_age")] * 2
    assert not await Chat.objects.aexists() and not await Visitor.objects.exclude(name="").aexists()


def _close(site: Site, token: str) -> None:
    key = hashlib.sha256(f"closed|{session_key_of(site.key, token)}".encode()).hexdigest()
    ClosedBrowser.objects.create(account_id=site.account_id, key=key)


def test_the_document_says_so_and_asks_for_nothing(site: Site, token: str, reported: Chat) -> None:
    """R-070: in her language, with a way to her data; in a page and on the site's own; for nobody else."""
    for path in (f"/widget/v1/frame?site={site.key}&lang=es", f"/chat/{site.key}/?lang=es"):
        hers = Client(headers={"Host": "127.0.0.1:8000"})
        hers.cookies[COOKIE] = token
        shown = hers.get(path)
        assert "personas adultas" in shown.text and "/privacy/requests/?site=" in shown.text
        assert "chat.es" not in shown.text and "<form" not in shown.text and "<input" not in shown.text
        assert "frame-ancestors" in shown["Content-Security-Policy"]
        stranger = Client(headers={"Host": "127.0.0.1:8000"}).get(path)
        assert "personas adultas" not in stranger.text
        said = Client(headers={"Host": "127.0.0.1:8000"}).get(f"{path}&closed")
        assert "personas adultas" in said.text  # the widget was refused by what only the page knew


def test_what_is_kept_of_the_browser_leads_to_nobody(site: Site, token: str, reported: Chat) -> None:
    """R-070, R-071: two hashes that no other row has; the queue has done its work."""
    for item in OutboxItem.objects.filter(kind="erase_visitors"):
        assert outbox.carry_out(item.pk)
    keys = set(ClosedBrowser.objects.values_list("key", flat=True))
    assert len(keys) == 2
    known = {
        *Visitor.objects.values_list("browser_key", flat=True),
        *VisitorSession.objects.values_list("key", flat=True),
    }
    assert not keys & known
    assert not keys & {session_key_of(site.key, token), browser_key_of(site.key, BROWSER)}


def test_an_answer_under_18_closes_the_browser(
    site: Site, child: VisitorPrincipal, on_duty: Operator, principal_of: Any
) -> None:
    """R-070, R-043: in the moment in which she gives it, whatever becomes of the queue."""
    publish_survey(site=site, department=None, title="How was it?", intro="", asked=ALL_KINDS)
    chat = make_chat(child, on_duty.departments.get())
    actions.accept_chat(principal=principal_of(on_duty), uid=chat.uid)
    actions.end_chat(principal=child, uid=chat.uid)
    age = Question.objects.get(version=Response.objects.get(chat=chat).version, kind="age")
    send_survey(principal=child, uid=chat.uid, ref=new_ref(), values={age.uid: "u18"})
    with pytest.raises(UnderAge):
        engage(child)
    with pytest.raises(UnderAge):
        actions.mail_transcript(
            principal=child, uid=chat.uid, ref=new_ref(), email="v@post.test", notice="0" * 64
        )


def test_nobody_asks_her_how_it_was_once_olga_has_said_so(
    site: Site, child: VisitorPrincipal, on_duty: Operator, principal_of: Any, client: Client
) -> None:
    """R-071, R-040: by the link of an earlier chat neither, before any worker has come to erase her, and
    where her browser is not known."""
    publish_survey(site=site, department=None, title="How was it?", intro="", asked=ALL_KINDS)
    desk, intake = principal_of(on_duty), on_duty.departments.get()
    earlier = make_chat(child, intake)
    actions.accept_chat(principal=desk, uid=earlier.uid)
    actions.end_chat(principal=child, uid=earlier.uid)
    response = Response.objects.get(chat=earlier)
    path = links.path_of(response.uid)
    assert "<form" in client.get(path).text
    now = make_chat(child, intake)
    actions.report_minor(principal=desk, uid=now.uid)
    ClosedBrowser.objects.all().delete()
    response.refresh_from_db()
    assert response.visitor_number is not None and not may_ask(response)
    assert "<form" not in client.get(path).text


def test_after_a_year_the_browser_is_a_strangers(site: Site, child: VisitorPrincipal, reported: Chat) -> None:
    """R-070: what is kept of it goes, by the daily task."""
    assert forget_closed() == 0
    ClosedBrowser.objects.update(closed_at=timezone.now() - timedelta(days=366))
    assert forget_closed() == 2
    engage(child)


def test_a_browser_that_is_closed_at_acme_is_open_at_rivals(
    site: Site, token: str, reported: Chat, eve: Operator
) -> None:
    """R-112: its name is another on another site."""
    office = Department.objects.create(account=eve.account, name="Office", email="o@rival.test", position=1)
    theirs = make_site(eve.account, "rival.test", ["rival.test"], [office])
    engage(visitor_on(theirs, session_key=session_key_of(theirs.key, token)))


# --- asked before a chat ------------------------------------------------------------------------------

ADULT = {
    "name": "of_age", "label": "How old are you?", "kind": "select", "required": True,
    "options": ["18 or older", "Under 18"], "hint": "If you are under 18, call 813 555 0100.",
}  # fmt: skip


@pytest.fixture
def asking(site: Site) -> Site:
    """Acme asks for a name, and whether the visitor is an adult."""
    set_site_fields(site_id=site.pk, fields=[*msgspec.convert([ADULT], list[FieldSpec]), *site_fields(site)])
    return Site.objects.get(pk=site.pk)


async def test_who_says_before_a_chat_that_she_is_under_18_leaves_nothing(
    asking: Site, on_duty: Operator, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    """R-070: no name, no address, no message, whatever else she has filled in; only a number grows. From then
    on her browser is not let in, and its page says whom to call."""
    before = _refused_minors()
    async with frame_of(asking, token=token, browser=BROWSER) as vera:
        given = {"name": "Vera Canary", "email": "no address at all", "of_age": "Under 18"}
        notice = vera.welcome["site"]["notice"]["sha256"]
        for _ in range(2):  # its answer was lost on the way
            said = await vera.ask(
                type="start_chat", ref=new_ref(), fields=given, notice=notice, text="I am twelve"
            )
            assert (said["type"], said["code"]) == ("failed", "under_age")
    for model in (Chat, Message, Visitor, VisitorSession, OutboxItem, AuditEntry):
        assert not await model.objects.aexists(), model
    assert "Canary" not in caplog.text and "twelve" not in caplog.text
    assert _refused_minors() == before + 2
    for who in ({"token": token}, {"token": new_token(), "browser": BROWSER}):
        assert await code_of(asking, **who) == CloseCode.MINOR
    page = await sync_to_async(Client().get)(f"/widget/v1/frame?site={asking.key}&closed")
    assert "call 813 555 0100" in page.text and "<form" not in page.text


def _refused_minors() -> float:
    return metrics.REFUSED.labels("under_age")._value.get()


def test_who_was_here_before_she_said_so_is_erased(
    asking: Site, child: VisitorPrincipal, on_duty: Operator, principal_of: Any
) -> None:
    """R-070, R-071: what was known of her from an earlier chat goes by the outbox."""
    chat = make_chat(child, on_duty.departments.get())
    Visitor.objects.filter(pk=chat.visitor_id).update(name="Vera Canary")
    actions.end_chat(principal=child, uid=chat.uid)
    for _ in range(2):
        with pytest.raises(UnderAge):
            actions.start_chat(principal=child, ref=new_ref(), fields={"of_age": "Under 18"})
    [item] = OutboxItem.objects.filter(kind="erase_visitors")
    assert outbox.carry_out(item.pk)
    assert not Visitor.objects.exclude(name="").exists()


def test_that_she_is_of_age_is_asked_and_not_kept(
    asking: Site, child: VisitorPrincipal, on_duty: Operator
) -> None:
    """R-070: nobody gets past the question; who is 18 talks, and her chat says nothing of it."""
    begin = partial(actions.start_chat, principal=child, notice=notices.current(asking).sha256)
    with pytest.raises(MissingField) as missing:
        begin(ref=new_ref(), fields={"name": "Vera", "email": "v@post.test"})
    assert missing.value.field == "of_age"
    with pytest.raises(BadField):
        begin(ref=new_ref(), fields={"name": "Vera", "email": "v@post.test", "of_age": "perhaps"})
    chat = begin(ref=new_ref(), fields={"name": "Vera", "email": "v@post.test", "of_age": "18 or older"})
    assert "older" not in str(chat.answers) and not ClosedBrowser.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"required": False}, {"options": ["18 or older"]}, {"hint": ""}, {"hint": "Call us"}, {"kind": "text"}],
    ids=str,
)
def test_a_question_that_closes_nothing_or_tells_no_number_is_refused(
    site: Site, wrong: dict[str, Any]
) -> None:
    """R-070."""
    field = ADULT | ({"options": []} if "kind" in wrong else {}) | wrong
    with pytest.raises(BadField):
        set_site_fields(site_id=site.pk, fields=msgspec.convert([field], list[FieldSpec]))


def test_staff_has_a_site_ask_and_not_ask_any_more(site: Site) -> None:
    """R-070: without a telephone number the form says what is missing."""
    client = Client()
    client.force_login(User.objects.create(email="staff@chatlead.test", is_staff=True, is_superuser=True))
    address = f"/admin/accounts/site/{site.pk}/change/"
    look = {"color": "#1f5fbf", "corner": "end", "offset_side": 16, "offset_bottom": 16, "greeting_after": 8}
    sent = look | {"ask_name": "may", "ask_adult": "on"}
    assert "Say whom to call" in client.post(address, sent | {"adult_hint": "Call us"}).text
    assert client.post(address, sent | {"adult_hint": ADULT["hint"]}).status_code == 302
    assert [each.name for each in site_fields(Site.objects.get(pk=site.pk))] == ["name", "of_age"]
    page = client.get(address).text
    assert "call 813 555 0100" in page and 'name="ask_adult" id="id_ask_adult" checked' in page.replace(
        'aria-describedby="id_ask_adult_helptext" ', ""
    )
    assert client.post(address, look | {"ask_name": "may"}).status_code == 302
    assert [each.name for each in site_fields(Site.objects.get(pk=site.pk))] == ["name"]
