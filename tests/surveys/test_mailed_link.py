"""Who has the transcript mailed finds under it where to say how it was, if she has not said yet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts import notices, outbox
from accounts.models import OutboxItem, Site
from chatlead.errors import UnderAge
from chats.actions import mail_transcript
from chats.models import Chat
from surveys import links
from surveys.actions import skip_survey
from surveys.models import Response, Survey
from tests.accounts.mailbox import Mailbox
from tests.identifiers import new_ref
from tests.surveys.conftest import answers
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)
Talk = Callable[..., Chat]
HOST = "https://chat.example"


@pytest.fixture(autouse=True)
def known_as(settings: Settings) -> None:
    settings.PUBLIC_URL = HOST


def wants(principal: VisitorPrincipal, chat: Chat, **changed: Any) -> None:
    """The transcript, by mail."""
    site = Site.objects.select_related("account").get(pk=principal.site_id)
    told: dict[str, Any] = {
        "ref": new_ref(),
        "email": "vera@post.test",
        "notice": notices.current(site).sha256,
    }
    mail_transcript(principal=principal, uid=chat.uid, **told | changed)


def mailed(inbox: Mailbox) -> tuple[str, str]:
    """The text and the HTML of the one mail that was sent."""
    for each in OutboxItem.objects.filter(kind="transcript"):
        outbox.carry_out(each.pk)
    [mail] = inbox.mails
    sent: Any = mail
    return sent.get_body(("plain",)).get_content(), sent.get_body(("html",)).get_content()


def test_who_was_asked_and_has_said_nothing_finds_the_link(
    survey: Survey, vera: VisitorPrincipal, talk: Talk, inbox: Mailbox, client: Client
) -> None:
    """R-040: in her language, with the day until which it is good; it opens the survey of this chat."""
    chat = talk(vera)
    wants(vera, chat, language="de", zone="Europe/Berlin")
    response = Response.objects.get()
    path = links.path_of(response.uid)
    text, html = mailed(inbox)
    assert f"{HOST}{path}" in text and f'href="{HOST}{path}"' in html
    last = timezone.localtime(response.offered_at + timedelta(days=7))
    assert "Wenn Sie möchten, sagen Sie uns, wie es war." in text and str(last.year) in text
    page = client.get(path).text
    assert "How did we do?" in page and page.count('data-busy="Sending…"') == 2 and "pages.js" in page
    assert "Skip to the content" in page  # not the word of the button that skips the survey


@pytest.mark.parametrize("deed", ["answered", "skipped", "under 18", "a week ago", "no survey", "no address"])
def test_whoever_is_not_to_be_asked_finds_none(
    deed: str, vera: VisitorPrincipal, talk: Talk, inbox: Mailbox, request: pytest.FixtureRequest,
    settings: Settings,
) -> None:  # fmt: skip
    """R-041, R-071: answered already, put away (nobody is reminded), a child, too late."""
    if deed != "no survey":
        request.getfixturevalue("survey")
    chat = talk(vera)
    wants(vera, chat)
    match deed:
        case "answered":
            answers(vera, chat, score="5")
        case "skipped":
            skip_survey(principal=vera, uid=chat.uid)
        case "under 18":
            answers(vera, chat, age="u18")
        case "a week ago":
            Response.objects.update(offered_at=timezone.now() - links.LIFETIME)
        case "no address":
            settings.PUBLIC_URL = ""
    text, html = mailed(inbox)
    assert "/survey/" not in text + html and "http" not in html


def test_a_child_who_said_so_after_another_chat_is_not_asked_either(
    survey: Survey, vera: VisitorPrincipal, talk: Talk, inbox: Mailbox
) -> None:
    """R-070, R-071: before whoever erases her has come to it; and she is mailed nothing that she asks for
    afterwards."""
    first, second = talk(vera), talk(vera)
    wants(vera, second)
    answers(vera, first, age="u18")
    with pytest.raises(UnderAge):
        wants(vera, second)
    assert Response.objects.get(chat=second).state == "offered"
    text, _ = mailed(inbox)
    assert "/survey/" not in text
