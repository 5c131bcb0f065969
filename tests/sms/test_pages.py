"""Admins set texts up, see what became of them, and can stop them; nobody else comes in."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Operator
from sms import ledger, wordings
from sms.models import SmsConsent, SmsContact, SmsLedger, SmsMessage, SmsProgramme, SmsSender, SmsSuppression
from sms.numbers import key_of
from tests.fake_twilio import ACCOUNT, FakeTwilio
from tests.sms.conftest import ACME, VERA, all_is_done, states
from tests.sms.consents import agrees

pytestmark = pytest.mark.django_db(transaction=True)
LoggedIn = Callable[[Operator], Client]
JSON = {"Accept": "application/json"}
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
    named = {"name": "Acme texts", "contact": "call us", "frequency": "Rarely"}
    wrong = posts(client, "/account/sms/programme/", **named)
    assert wrong.status_code == 422, "whoever agrees must be told where the terms stand"
    posts(client, "/account/sms/programme/", **named, terms_url="https://acme.test/terms")
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
        client.get("/account/chats/")
        data = {"csrfmiddlewaretoken": client.cookies["cl_csrf"].value, "programme": sender.programme.uid}
        deeds = ["switch/", "yes/", "form/", "number/", "blocked/", f"senders/{sender.uid}/prove/"]
        told = [client.post(f"/account/sms/{deed}", data, headers=JSON) for deed in deeds]
        assert {each.json()["error"]["code"] for each in told} == {"forbidden"}
    client = logged_in(eve)
    assert [client.get(path).status_code for path in paths[-2:]] == [404, 404]
    assert VERA not in "".join(client.get(path, follow=True).text for path in paths[:-2])
    token = client.cookies["cl_csrf"].value
    data = {"csrfmiddlewaretoken": token, "programme": sender.programme.uid, "on": "no"}
    assert client.post("/account/sms/switch/", data).status_code == 404
    assert client.post(f"/account/sms/senders/{sender.uid}/prove/", data).status_code == 404
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
    rows = list(csv.reader(io.StringIO(b"".join(client.get(f"{path}?as=csv")).decode("utf-8-sig"))))
    assert len(rows) == len(found["events"]) + 1
    assert any(cell.startswith("'=HYPERLINK") for row in rows for cell in row)
    assert not any(cell.startswith(("=", "@", "-")) for row in rows for cell in row)
    nothing = posts(client, "/account/sms/number/", phone="813-555-0111")
    assert "Nothing is known of this number." in nothing.text


def test_the_ledger_is_read_page_by_page_and_says_when_it_was_changed(
    logged_in: LoggedIn, owen: Operator, sender: SmsSender, programme: SmsProgramme
) -> None:
    """B1-11: by places, so that a page reads its own entries however many there are; each is held against its
    neighbours, and all on demand."""
    for number in range(60):
        agrees(programme, f"+18135550{number:03}", service=True, marketing=False)
    client = logged_in(owen)

    def shown(query: str = "") -> tuple[str, list[int]]:
        text = client.get(f"/account/sms/consents/{query}").text
        return text, [int(each) for each in re.findall(r'<td class="number">(\d+)</td>', text)]

    text, places = shown()
    assert places == list(range(120, 70, -1))
    assert "none is missing among them" in text and "Newer" not in text and "?before=71" in text
    text, places = shown("?before=71")
    assert (places, "?after=70" in text, "?before=21" in text) == (list(range(70, 20, -1)), True, True)
    text, places = shown("?before=21")
    assert (places, "Older" in text) == (list(range(20, 0, -1)), False)
    assert shown("?after=20")[1] == list(range(70, 20, -1))
    assert shown("?after=70")[1] == list(range(120, 70, -1))
    assert "All 120 entries are as they were written" in shown("?whole=yes")[0]
    for odd in ("?before=x", "?after=-1", "?before=\u0663", f"?before={'9' * 40}"):
        assert shown(odd)[1] == list(range(120, 70, -1))
    SmsLedger.objects.update(entry_count=121)
    assert "entry 121 is missing" in shown()[0] and "entry 121 is missing" in shown("?whole=yes")[0]
    SmsLedger.objects.update(entry_count=120)
    with tampering():
        SmsConsent.objects.filter(position=70).update(text="Something else")
    assert ["entry 70 is changed" in shown(each)[0] for each in ("", "?before=71", "?whole=yes")] == [
        False, True, True,
    ]  # fmt: skip
    with tampering():
        SmsConsent.objects.filter(position=50).delete()
    assert "entry 50 is missing" in shown("?before=60")[0]


@contextmanager
def tampering() -> Iterator[None]:
    """Somebody who may do anything in the database takes its triggers away."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE sms_smsconsent DISABLE TRIGGER USER")
            yield
            cursor.execute("ALTER TABLE sms_smsconsent ENABLE TRIGGER USER")
            return
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type='trigger' AND tbl_name='sms_smsconsent'"
        )
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        yield
        for _, sql in triggers:
            cursor.execute(sql)


def test_a_page_of_the_ledger_reads_no_more_than_itself(
    logged_in: LoggedIn, owen: Operator, sender: SmsSender, programme: SmsProgramme
) -> None:
    """B1-11: by the index of the places, never the whole."""
    for number in range(30):
        agrees(programme, f"+18135550{number:03}", service=True, marketing=False)
    client = logged_in(owen)
    client.get("/account/sms/consents/")
    with CaptureQueriesContext(connection) as asked:
        client.get("/account/sms/consents/?before=60")
    of_ledger = [each["sql"] for each in asked if 'FROM "sms_smsconsent"' in each["sql"]]
    assert 0 < len(of_ledger) <= 2
    assert all("LIMIT" in each for each in of_ledger)


def test_the_whole_ledger_is_a_file_that_is_sent_as_it_is_read(
    logged_in: LoggedIn,
    owen: Operator,
    olga: Operator,
    eve: Operator,
    programme: SmsProgramme,
    sender: SmsSender,
) -> None:
    """B1-11, R-191: what each entry says and what proves it, for admins of the firm alone."""
    agrees(programme, VERA, service=True, marketing=False)
    answer = logged_in(owen).get("/account/sms/consents.csv")
    assert answer.streaming
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert [(row["phone"], row["deed"], row["purpose"]) for row in rows] == [
        (VERA, "no_consent", "marketing"), (VERA, "granted", "service"),
    ]  # fmt: skip
    assert rows[1]["text"] == wordings.consent_text(programme, "service")
    assert rows[1]["previous"] == rows[0]["sha256"]
    assert logged_in(olga).get("/account/sms/consents.csv").status_code == 403
    empty = b"".join(logged_in(eve).get("/account/sms/consents.csv")).decode()
    assert len(empty.splitlines()) == 1


async def test_the_file_is_sent_by_the_server_of_sockets_too(
    programme: SmsProgramme, sender: SmsSender, owen: Operator, async_client: AsyncClient
) -> None:
    """B1-11: on its loop, where nobody may wait for a database."""
    await sync_to_async(agrees)(programme, VERA, service=True)
    await async_client.aforce_login(owen.user)
    answer: Any = await async_client.get("/account/sms/consents.csv")
    parts = [part.decode() async for part in answer]
    assert len(parts) == 2 and VERA in parts[1]


def test_lists_have_pages_and_say_errors_in_words(
    logged_in: LoggedIn, owen: Operator, sender: SmsSender, programme: SmsProgramme
) -> None:
    """B1-18."""
    for number in range(60):
        agrees(programme, f"+18135550{number:03}", service=True)
    client = logged_in(owen)
    assert "Page 1 of 2" in client.get("/account/sms/messages/").text
    assert "Page 2 of 2" in client.get("/account/sms/messages/?page=99").text
    SmsMessage.objects.update(state="undelivered", error="30005")
    assert wordings.REASONS["30005"] in client.get("/account/sms/messages/").text


def test_people_agree_on_a_page_of_their_own_box_by_box(
    provider: FakeTwilio, sender: SmsSender, programme: SmsProgramme
) -> None:
    """R-180, B1-11: no box is ticked beforehand; the exact text, its hash, place and time are kept."""
    client = Client(HTTP_USER_AGENT="Firefox", REMOTE_ADDR="203.0.113.77")
    path = f"/sms/{programme.uid}/"
    page = client.get(path).text
    assert " checked" not in page and page.count('type="checkbox"') == 2
    told = ["Acme Law LLP", "Acme Law texts", "Message frequency varies", "Message and data rates may apply"]
    told += ["Reply STOP", "HELP for help", "not a condition", 'href="https://acme.test/terms"']
    for wanted in told:
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
