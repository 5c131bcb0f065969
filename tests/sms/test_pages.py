"""Admins set texts up, see what became of them, and can stop them; nobody else comes in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry, Operator
from sms import ledger, wordings
from sms.models import SmsConsent, SmsContact, SmsLedger, SmsMessage, SmsProgramme, SmsSender, SmsSuppression
from sms.numbers import key_of
from tests.fake_twilio import ACCOUNT, FakeTwilio
from tests.sms.conftest import ACME, VERA, all_is_done, states
from tests.sms.consents import agrees

pytestmark = pytest.mark.django_db(transaction=True)
LoggedIn = Callable[[Operator], Client]
PAGES = ["", "programme/", "senders/new/", "messages/", "consents/", "blocked/"]


def posts(client: Client, path: str, **form: str) -> Any:
    """With the token of the page."""
    client.get("/account/sms/programme/")
    return client.post(path, form | {"csrfmiddlewaretoken": client.cookies["cl_csrf"].value}, follow=True)


def test_an_owner_sets_up_a_programme_and_a_number(
    logged_in: LoggedIn, owen: Operator, intake: Any, site: Any, provider: FakeTwilio
) -> None:
    """R-186, R-187: from the empty page to the address that the provider is told."""
    client = logged_in(owen)
    assert "Set up a programme" in client.get("/account/sms/").text
    assert client.get("/account/sms/senders/new/")["Location"] == "/account/sms/programme/"
    wrong = posts(client, "/account/sms/programme/", name="Acme texts", contact="", frequency="Rarely")
    assert wrong.status_code == 422 and 'aria-invalid="true"' in wrong.text
    posts(client, "/account/sms/programme/", name="Acme texts", contact="call us", frequency="Rarely")
    programme = SmsProgramme.objects.get()
    facts = {
        "programme": programme.uid, "site": site.uid, "department": intake.uid, "gateway": "twilio",
        "kind": "long_code", "number": "(813) 555-0199", "account_sid": ACCOUNT, "answers_stop": "app",
        "is_registered": "on",
    }  # fmt: skip
    assert posts(client, "/account/sms/senders/new/", **facts).status_code == 422
    shown = posts(client, "/account/sms/senders/new/", **facts, auth_token="a secret token")
    sender = SmsSender.objects.get()
    assert (sender.number, sender.auth_token) == (ACME, "a secret token")
    assert f"/webhooks/twilio/{sender.uid}/inbound/" in shown.text
    assert "a secret token" not in shown.text
    posts(client, f"/account/sms/senders/{sender.uid}/", **facts | {"answers_stop": "gateway"})
    sender.refresh_from_db()
    assert (sender.auth_token, sender.answers_stop) == ("a secret token", "gateway")
    deeds = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"sms.programme_added", "sms.sender_added", "sms.sender_changed"} <= deeds


def test_only_admins_see_any_of_it(
    logged_in: LoggedIn, olga: Operator, nina: Operator, eve: Operator, sender: SmsSender
) -> None:
    """R-191, R-112: no operator, no supervisor, and nothing of another firm."""
    agrees(sender.programme, VERA, service=True)
    contact = SmsContact.objects.get()
    paths = [f"/account/sms/{page}" for page in PAGES]
    paths += [f"/account/sms/senders/{sender.uid}/", f"/account/sms/numbers/{contact.uid}/"]
    for operator in (olga, nina):
        client = logged_in(operator)
        assert {client.get(path).status_code for path in paths} == {403}
        assert "Text messages" not in client.get("/account/").text
    client = logged_in(eve)
    assert [client.get(path).status_code for path in paths[-2:]] == [404, 404]
    assert VERA not in "".join(client.get(path, follow=True).text for path in paths[:-2])
    token = client.cookies["cl_csrf"].value
    data = {"csrfmiddlewaretoken": token, "programme": sender.programme.uid, "on": "no"}
    assert client.post("/account/sms/switch/", data).status_code == 404
    data |= {"phone": VERA, "source": "phone"}
    assert client.post("/account/sms/blocked/", data).status_code in (302, 422)
    assert not SmsSuppression.objects.exists()


def test_the_switch_says_what_it_has_cancelled(
    logged_in: LoggedIn, owen: Operator, sender: SmsSender, programme: SmsProgramme
) -> None:
    """R-186."""
    agrees(programme, VERA, service=True)
    client = logged_in(owen)
    assert "1 message that waited was cancelled" in posts(client, "/account/sms/switch/", on="no").text
    assert states() == [("welcome", "cancelled", "paused")]
    assert "Turn text messages on" in client.get("/account/sms/").text
    assert "Text messages are on" in posts(client, "/account/sms/switch/", on="yes").text


def test_an_opt_out_by_phone_is_entered_and_shown_with_its_proof(
    logged_in: LoggedIn, owen: Operator, sender: SmsSender, programme: SmsProgramme
) -> None:
    """R-196: source and note; the ledger says so as well."""
    agrees(programme, VERA, marketing=True)
    client = logged_in(owen)
    wrong = posts(
        client, "/account/sms/blocked/", phone="hello", programme=programme.uid, source="phone", note=""
    )
    assert wrong.status_code == 422 and "This is not a phone number." in wrong.text
    facts = {"programme": programme.uid, "source": "phone", "note": "called at noon"}
    shown = posts(client, "/account/sms/blocked/", phone="813-555-0100", **facts).text
    assert VERA in shown and "phone: called at noon" in shown
    newest = ledger.standing(programme.pk, key_of(VERA), "marketing")
    assert newest is not None and (newest.deed, newest.source) == ("withdrawn", "phone")
    assert "was blocked already" in posts(client, "/account/sms/blocked/", phone=VERA, **facts).text


def test_one_number_has_its_whole_history_in_one_view_and_as_files(
    logged_in: LoggedIn, owen: Operator, texts: Callable[..., Any], sender: SmsSender, programme: SmsProgramme
) -> None:
    """B1-11: consent, block and texts in their order, with what proves each; no formula in a spreadsheet."""
    agrees(programme, VERA, service=True, marketing=False)
    texts('=HYPERLINK("http://evil.test")')
    texts("STOP")
    all_is_done()
    client = logged_in(owen)
    shown = posts(client, "/account/sms/number/", phone="813-555-0100")
    for wanted in ("Agreed: service", "Did not agree: marketing", "Withdrew: service", "Blocked", "SHA-256"):
        assert wanted in shown.text
    path = shown.redirect_chain[-1][0]
    found = json.loads(client.get(f"{path}?as=json").text)
    assert found["phone"] == VERA and len(found["events"]) >= 6
    rows = list(csv.reader(io.StringIO(client.get(f"{path}?as=csv").text)))
    assert len(rows) == len(found["events"]) + 1
    assert any(cell.startswith("'=HYPERLINK") for row in rows for cell in row)
    assert not any(cell.startswith(("=", "@", "-")) for row in rows for cell in row)
    nothing = posts(client, "/account/sms/number/", phone="813-555-0111")
    assert "Nothing is known of this number." in nothing.text


def test_lists_have_pages_and_say_when_the_ledger_was_changed(
    logged_in: LoggedIn, owen: Operator, sender: SmsSender, programme: SmsProgramme
) -> None:
    """B1-11, B1-18: states and errors in words."""
    for number in range(30):
        agrees(programme, f"+18135550{number:03}", service=True, marketing=False)
    client = logged_in(owen)
    page = client.get("/account/sms/consents/").text
    assert "All 60 entries are as they were written" in page and "Page 1 of 2" in page
    assert "Page 2 of 2" in client.get("/account/sms/consents/?page=99").text
    SmsMessage.objects.update(state="undelivered", error="30005")
    assert wordings.REASONS["30005"] in client.get("/account/sms/messages/").text
    SmsLedger.objects.update(entry_count=61)
    assert "entry 61 is missing" in client.get("/account/sms/consents/").text


def test_people_agree_on_a_page_of_their_own_box_by_box(
    provider: FakeTwilio, sender: SmsSender, programme: SmsProgramme
) -> None:
    """R-180, B1-11: no box is ticked beforehand; the exact text, its hash, place and time are kept."""
    client = Client(HTTP_USER_AGENT="Firefox", REMOTE_ADDR="203.0.113.77")
    path = f"/sms/{programme.uid}/"
    page = client.get(path).text
    assert " checked" not in page and page.count('type="checkbox"') == 2
    for wanted in ("Acme Law LLP", "Message and data rates may apply", "Reply STOP", "not a condition"):
        assert wanted in page
    hashes = {
        f"sha256_{each}": wordings.sha256(wordings.consent_text(programme, each))
        for each in ("service", "marketing")
    }
    nothing = client.post(path, hashes | {"phone": "813-555-0100"})
    assert "no text message will be sent" in nothing.text
    assert set(SmsConsent.objects.values_list("deed", flat=True)) == {"no_consent"}
    done = client.post(path, hashes | {"phone": "(813) 555-0100", "sms_service": "yes"})
    assert "A text message will confirm it" in done.text
    entry = SmsConsent.objects.get(deed="granted")
    assert entry.text == wordings.consent_text(programme, "service")
    assert (entry.text_sha256, entry.form_field, entry.default_ticked, entry.user_agent, entry.ip) == (
        hashes["sha256_service"], "sms_service", False, "Firefox", "203.0.113.0",
    )  # fmt: skip
    assert entry.page_url == f"http://testserver{path}"
    assert SmsConsent.objects.filter(purpose="marketing", deed="granted").count() == 0
    all_is_done()
    assert provider.bodies() == [wordings.welcome(programme)]
    old = client.post(
        path, {"phone": VERA, "sha256_service": "x", "sha256_marketing": "x", "sms_service": "yes"}
    )
    assert "The text has changed" in old.text
    assert client.post(path, hashes | {"phone": "nonsense"}).status_code == 422
    assert client.get("/sms/nowhere/").status_code == 404
    refused = [client.post(path, hashes | {"phone": VERA}).status_code for _ in range(4)]
    assert 429 in refused
