"""Somebody in this browser is under 18: nothing is collected from it any more (R-070)."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.utils import timezone

from accounts import outbox
from accounts.models import Department, Operator, OutboxItem, Site
from chatlead.errors import UnderAge
from chatlead.realtime.codes import CloseCode
from chats import actions
from chats.models import Chat
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
