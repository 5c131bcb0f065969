"""A chat's form asks for a phone number, and whether the firm may text it; nobody has to say yes (R-180)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from accounts import notices
from accounts.actions import set_site_fields
from accounts.models import Account, AuditEntry, Operator, Site
from accounts.sites import shown_sites
from chatlead.errors import UnknownField
from chatlead.realtime.shapes import FieldSpec
from chats.actions import start_chat
from chats.models import Chat
from sms import actions, ledger, wordings
from sms.actions.asking import take_down
from sms.models import SmsConsent, SmsForm, SmsProgramme, SmsSender
from sms.numbers import key_of
from tests.identifiers import new_ref
from tests.sms.conftest import VERA, all_is_done, states
from tests.sms.test_pages import posts
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)
LoggedIn = Callable[[Operator], Client]
ASKED = [
    FieldSpec(name="name", label="Name", kind="text"),
    FieldSpec(name="phone", label="Phone", kind="phone"),
]


@pytest.fixture
def form(site: Site, programme: SmsProgramme, owen: Operator) -> Site:
    """acme's form asks for a phone number and has the boxes of the programme."""
    set_site_fields(site_id=site.pk, fields=ASKED)
    assert actions.ask_in_form(operator=owen, site=site, programme=programme)
    site.refresh_from_db()
    return site


def boxes(site: Site, language: str = "en") -> list[FieldSpec]:
    """As a widget is told of them."""
    return list(shown_sites([(site.pk, language)])[site.pk, language].view.fields)[2:]


def starts(vera: VisitorPrincipal, site: Site, **given: str) -> Chat:
    """She fills in the form, and the workers do what follows."""
    notice = notices.current(Site.objects.select_related("account").get(pk=site.pk)).sha256
    chat = start_chat(principal=vera, ref=new_ref(), fields=given, notice=notice)
    all_is_done()
    return chat


def test_what_vera_ticks_is_taken_down_with_its_proof(
    form: Site, programme: SmsProgramme, sender: SmsSender, on_duty: Operator, vera: VisitorPrincipal
) -> None:
    """R-180, R-189, B1-11: number, purpose, text, hash, network, browser, page, site; a text confirms it."""
    service, marketing = boxes(form)
    assert (service.kind, service.required, marketing.required) == ("checkbox", False, False)
    assert service.label == wordings.consent_text(programme, "service")
    page = "https://www.acme-law.test/contact"
    shown = replace(vera, page_url=page, ip="203.0.113.77", user_agent="Firefox")
    chat = starts(shown, form, phone="(813) 555-0100", **{service.name: "yes"})
    assert chat.state == "waiting"
    assert [each["name"] for each in chat.answers] == ["phone"]  # no operator reads it in the chat
    found = {each.purpose: each for each in SmsConsent.objects.all()}
    assert {purpose: each.deed for purpose, each in found.items()} == {
        "service": "granted", "marketing": "no_consent",
    }  # fmt: skip
    entry = found["service"]
    assert (entry.number_key, entry.text) == (key_of(VERA), service.label)
    assert entry.text_sha256 == wordings.sha256(service.label)
    assert (entry.page_url, str(entry.ip), entry.user_agent) == (page, "203.0.113.0", "Firefox")
    assert (entry.source, entry.form_field) == ("widget", f"{form.key}:sms_service")
    assert not entry.default_ticked
    assert ledger.check(form.account_id) is None
    assert [kind for kind, _, _ in states()] == ["welcome"]


def test_nobody_has_to_tick_anything(
    form: Site, sender: SmsSender, on_duty: Operator, vera: VisitorPrincipal
) -> None:
    """R-180: a number alone is `no_consent`, once, and nothing is sent; without a number nothing is."""
    starts(vera, form, name="Vera")
    assert not SmsConsent.objects.exists()
    other = replace(vera, session_key="b" * 64, browser_key="c" * 64)
    chat = starts(other, form, phone="813-555-0100")
    assert chat.state == "waiting"
    assert list(SmsConsent.objects.values_list("deed", flat=True)) == ["no_consent", "no_consent"]
    again = {"chat": chat.pk, "boxes": [each.name for each in boxes(form)], "ticked": []}
    take_down(again, "sms_boxes:again")
    assert SmsConsent.objects.count() == 2
    assert states() == []


def test_a_number_that_no_text_reaches_begins_a_chat_all_the_same(
    form: Site, sender: SmsSender, on_duty: Operator, vera: VisitorPrincipal
) -> None:
    """R-180: the chat is not the worse for it, and nothing is taken down for another number."""
    service, _ = boxes(form)
    assert starts(vera, form, phone="12345", **{service.name: "yes"}).state == "waiting"
    assert not SmsConsent.objects.exists()


def test_a_text_that_was_changed_is_read_again(
    form: Site, acme: Account, sender: SmsSender, on_duty: Operator, vera: VisitorPrincipal
) -> None:
    """R-180, B1-11: nobody has agreed to a text that they were not shown."""
    service, _ = boxes(form)
    acme.legal_name = "Acme Law and Sons LLP"
    acme.save(update_fields=["legal_name"])
    with pytest.raises(UnknownField):
        starts(vera, form, phone="813-555-0100", **{service.name: "yes"})
    assert not Chat.objects.exists()
    assert "Acme Law and Sons LLP" in boxes(form)[0].label


def test_boxes_stand_only_where_owen_wants_them(
    logged_in: LoggedIn, owen: Operator, eve: Operator, site: Site, rival_site: Site, programme: SmsProgramme,
) -> None:  # fmt: skip
    """R-180, R-191: chosen for each website by an admin of its account, and audited; nobody else's."""
    path = "/account/sms/form/"
    client = logged_in(owen)
    shown = posts(client, path, site=site.uid, programme=programme.uid)
    assert f"asks for consent to {programme.name}" in shown.text and "so no box is shown" in shown.text
    assert boxes(site) == []  # the form asks for no phone number
    set_site_fields(site_id=site.pk, fields=ASKED)
    assert [each.name.rsplit("_", 1)[0] for each in boxes(site, "ar")] == ["sms_service", "sms_marketing"]
    wrong: list[Any] = [
        posts(client, path, site=rival_site.uid, programme=programme.uid),
        posts(logged_in(eve), path, site=rival_site.uid, programme=programme.uid),
        posts(logged_in(eve), path, site=site.uid, programme=""),
    ]
    assert [each.status_code for each in wrong] == [404, 404, 404]
    assert list(SmsForm.objects.values_list("site", flat=True)) == [site.pk]
    posts(client, path, site=site.uid, programme="")
    assert boxes(site) == []
    deeds = AuditEntry.objects.filter(action="sms.form_changed").order_by("id")
    assert [each.facts["programme"] for each in deeds] == [programme.uid, ""]
