"""The privacy notice beside a form, its versions, and the proof that goes with what was submitted."""

from __future__ import annotations

import hashlib

import pytest
from asgiref.sync import sync_to_async
from pytest_django import Settings

from accounts import notices
from accounts.models import Account, Consent, Department, Language, Notice, Operator, Site
from chatlead.errors import NoticeRequired
from chats.actions import leave_message, start_chat
from tests.identifiers import new_ref
from tests.sockets import frame_of
from visitors.models import Visitor
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_notice_names_the_firm_and_us(site: Site, settings: Settings) -> None:
    """R-033: the controller by its legal name, and who runs the chat for it."""
    settings.VENDOR_NAME = "Chat Vendor Ltd"
    text = notices.current(site).text
    assert "Acme Law LLP" in text
    assert "Chat Vendor Ltd" in text


def test_a_changed_text_is_a_new_version_and_the_old_one_stays(site: Site, acme: Account) -> None:
    """R-032: what was shown then can still be read."""
    first = notices.current(site)
    assert notices.current(site) == first
    acme.legal_name = "Acme & Partners LLP"
    acme.save()
    site.refresh_from_db()
    second = notices.current(site)
    assert (first.version, second.version) == (1, 2)
    assert first.sha256 == hashlib.sha256(first.text.encode()).hexdigest() != second.sha256
    assert Notice.objects.count() == 2


def test_a_submitted_form_leaves_the_proof(vera: VisitorPrincipal, site: Site, on_duty: Operator) -> None:
    """R-032: tenant, site, visitor, the text shown and its version, when, from where, with what."""
    notice = notices.current(site)
    chat = start_chat(principal=vera, ref=new_ref(), fields={"name": "Vera"}, notice=notice.sha256)
    proof = Consent.objects.select_related("notice").get()
    assert (proof.account_id, proof.site_id) == (site.account_id, site.pk)
    assert proof.notice == notice
    assert proof.visitor_uid == chat.visitor.uid
    assert (proof.purpose, proof.ip, proof.user_agent) == ("chat", "203.0.113.0", "Mozilla/5.0 (test)")


def test_a_chat_without_a_word_about_the_person_leaves_no_proof(
    vera: VisitorPrincipal, on_duty: Operator
) -> None:
    """R-032, R-146: nothing was given, so nothing was consented to; and nothing is required."""
    chat = start_chat(principal=vera, ref=new_ref(), fields={"name": "", "email": " "}, text="Hello")
    assert not Consent.objects.exists()
    assert (chat.visitor.name, chat.visitor.email) == ("", "")


def test_a_form_with_an_old_notice_is_shown_the_new_one(
    vera: VisitorPrincipal, site: Site, acme: Account, on_duty: Operator
) -> None:
    """R-032: refused, and nothing of it is stored (R-110)."""
    old = notices.current(site).sha256
    Account.objects.filter(pk=acme.pk).update(legal_name="Another LLP")
    for sent in (old, "", "0" * 64):
        with pytest.raises(NoticeRequired):
            start_chat(principal=vera, ref=new_ref(), fields={"name": "Vera"}, notice=sent)
    assert not Consent.objects.exists()
    assert not Visitor.objects.exists()


def test_a_left_message_always_leaves_the_proof(
    vera: VisitorPrincipal, site: Site, intake: Department
) -> None:
    """R-032, R-034: it always brings an address to answer to."""
    sent = {"email": "vera@example.org", "text": "Call me", "department": intake.uid}
    with pytest.raises(NoticeRequired):
        leave_message(principal=vera, ref=new_ref(), notice="", **sent)
    leave_message(principal=vera, ref=new_ref(), notice=notices.current(site).sha256, **sent)
    assert Consent.objects.get().purpose == "message"


@pytest.mark.parametrize("language", Language.values)
def test_the_notice_names_the_firm_and_us_in_every_language(
    site: Site, settings: Settings, language: str
) -> None:
    """R-033."""
    settings.VENDOR_NAME = "Chat Vendor Ltd"
    notice = notices.current(site, language)
    assert notice.language == language
    assert notice.text.count("Acme Law LLP") == 2
    assert "Chat Vendor Ltd" in notice.text
    assert "{" not in notice.text
    assert len({notices.text_for(site.account, each) for each in Language.values}) == len(Language)


def test_the_consent_says_in_which_language_it_was_asked(
    vera: VisitorPrincipal, site: Site, on_duty: Operator
) -> None:
    """R-032: what was shown is the proof, and that she could read it."""
    notices.current(site)
    german = notices.current(site, "de")
    start_chat(principal=vera, ref=new_ref(), fields={"name": "Vera"}, notice=german.sha256)
    proof = Consent.objects.select_related("notice").get()
    assert (proof.language, proof.notice.text) == ("de", german.text)
    assert proof.notice.sha256 == hashlib.sha256(german.text.encode()).hexdigest()


def test_a_language_has_versions_of_its_own_and_one_changed_text_takes_none_else_back(
    site: Site, acme: Account
) -> None:
    """R-032: each is in force until its own text changes."""
    english, arabic = notices.current(site), notices.current(site, "ar")
    assert notices.current(site) == english
    assert notices.shown(site, arabic.sha256) == arabic
    acme.legal_name = "Acme & Partners LLP"
    acme.save()
    site.refresh_from_db()
    newer = notices.current(site, "ar")
    assert newer.version > arabic.version
    for old in (english, arabic):
        with pytest.raises(NoticeRequired):
            notices.shown(site, old.sha256)
    assert notices.shown(site, newer.sha256) == newer


@pytest.mark.parametrize(
    ("asked", "of_site", "language"),
    [
        ("de", "", "de"),
        ("ar", "es", "ar"),
        ("", "es", "es"),
        ("xx", "fr", "fr"),
        ("", "", "en"),
        ("../", "", "en"),
    ],
)
async def test_the_frame_asks_in_its_language(site: Site, asked: str, of_site: str, language: str) -> None:
    """docs/protocol.md: what the `hello` names, else the site's language, else English."""
    await sync_to_async(Site.objects.filter(pk=site.pk).update)(language=of_site)
    for _ in range(2):
        async with frame_of(site, language=asked) as line:
            shown = line.welcome["site"]["notice"]
        assert shown["text"] == notices.text_for(site.account, language)
    assert await sync_to_async(Notice.objects.count)() == 1


def test_each_site_has_notices_of_its_own(site: Site, rival_site: Site) -> None:
    """R-112: the hash of another firm's notice is no consent to this one."""
    other = notices.current(rival_site)
    assert other.sha256 != notices.current(site).sha256
    with pytest.raises(NoticeRequired):
        notices.shown(site, other.sha256)
