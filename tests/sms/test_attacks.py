"""eve has an account of her own, with a number and keys that she knows; a stranger has neither."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, Department, Operator, Site
from chatlead.errors import BadField
from sms import actions, selectors, signatures, wordings
from sms.actions.receiving import TEXT_MAX
from sms.models import SmsContact, SmsMessage, SmsProgramme, SmsSender
from tests.conftest import PASSWORD
from tests.fake_twilio import ACCOUNT, FakeTwilio
from tests.sms.conftest import ACME, VERA, all_is_done

pytestmark = pytest.mark.django_db(transaction=True)
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def eves(
    rival: Account, rival_site: Site, rival_sales: Department, eve: Operator, provider: FakeTwilio
) -> dict[str, Any]:
    """What eve fills in for a sender of her own."""
    theirs = actions.add_programme(
        account=rival, name="Rival texts", contact="call", terms_url="https://acme.test/terms"
    )
    return {
        "account": rival, "programme": theirs, "site": rival_site, "department": rival_sales,
        "gateway": "twilio", "kind": "long_code", "account_sid": ACCOUNT, "auth_token": provider.token,
        "is_registered": True, "by": eve,
    }  # fmt: skip


def test_eve_cannot_enter_the_number_of_another_firm_as_hers(sender: SmsSender, eves: dict[str, Any]) -> None:
    """R-192, R-112: by texts that she signs herself she would block acme's people, or lift their STOP."""
    with pytest.raises(BadField) as refused:
        actions.add_sender(**eves, number=ACME)
    assert refused.value.field == "number"
    hers = actions.add_sender(**eves, number="+18135550122")
    with pytest.raises(BadField):
        actions.change_sender(sender=hers, number="(813) 555-0199")
    assert not SmsSender.objects.filter(account=eves["account"], number=ACME).exists()
    actions.change_sender(sender=sender, number=ACME)  # for acme it is hers still


def test_a_start_at_another_firm_leaves_the_stop_of_the_first(
    texts: Any, sender: SmsSender, programme: SmsProgramme, eves: dict[str, Any], provider: FakeTwilio
) -> None:
    """R-192, R-198: a number of acme's has moved to another firm; vera, who comes back there, has not come
    back to acme."""
    texts("STOP")
    actions.change_sender(sender=sender, number="+18135550133")
    hers = actions.add_sender(**eves, number=ACME)
    key = SmsContact.objects.get(account=programme.account_id).number_key
    assert selectors.is_suppressed(key, eves["programme"], ACME)
    answer = provider.post(f"/webhooks/twilio/{hers.uid}/inbound/", provider.form(VERA, "START"))
    assert answer.status_code == 200
    assert not selectors.is_suppressed(key, eves["programme"], ACME)
    assert selectors.is_suppressed(key, programme)


@pytest.mark.parametrize(
    ("query", "host", "signature", "kind"),
    [
        ("", "testserver", "sign\u00e9", FORM),
        ("", "testserver:99999", "x", FORM),
        ("?bodySHA256=%C3%A9", "testserver", "x", "application/json"),
        ("?bodySHA256=%00", "testserver", "x", "application/json"),
        ("?x=%ff%fe", "testserver", "x", FORM),
    ],
)
def test_a_webhook_that_is_no_webhook_is_forbidden(
    sender: SmsSender, query: str, host: str, signature: str, kind: str
) -> None:
    """B1-13: whatever stands in headers and address, and never 500."""
    path = f"/webhooks/twilio/{sender.uid}/inbound/{query}"
    answer = Client(raise_request_exception=False).post(
        path, b"Body=x", content_type=kind, headers={"X-Twilio-Signature": signature, "Host": host}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "odd",
    [
        {"NumMedia": "9" * 5000},
        {"MessageSid": "SM\x00"},
        {"Body": "[" * 200_000 + "ж"},
        {"From": "+1813555\x00"},
    ],
    ids=lambda odd: next(iter(odd)),
)
def test_what_no_provider_says_is_refused_or_taken_but_never_breaks(
    sender: SmsSender, provider: FakeTwilio, odd: dict[str, str]
) -> None:
    """B1-15: eve signs for her own sender whatever she likes."""
    answer = provider.post(f"/webhooks/twilio/{sender.uid}/inbound/", provider.form(VERA, "Hello") | odd)
    assert answer.status_code in (200, 400)
    assert all(len(each.text) <= TEXT_MAX for each in SmsMessage.objects.all())


@pytest.mark.parametrize("uid", ["%00", "x", "A" * 22])
def test_a_state_of_nothing_is_not_found(sender: SmsSender, provider: FakeTwilio, uid: str) -> None:
    """B1-17."""
    path = f"/webhooks/twilio/{sender.uid}/status/{uid}/"
    form = {"MessageSid": "SM\x00" * 40, "MessageStatus": "sent", "AccountSid": ACCOUNT, "ErrorCode": "\x00"}
    assert provider.post(path, form).status_code == 404


@pytest.mark.parametrize("sid", ["SM" + "0" * 100, "SM\x00"])
def test_a_state_under_a_name_that_is_none_is_not_found(
    texts: Any, sender: SmsSender, provider: FakeTwilio, sid: str
) -> None:
    """B1-17: the text was not answered by the provider yet, so any name would fit."""
    texts("HELP")
    waiting = SmsMessage.objects.get(direction="out")
    form = {"MessageSid": sid, "MessageStatus": "sent", "AccountSid": ACCOUNT}
    answer = provider.post(f"/webhooks/twilio/{sender.uid}/status/{waiting.uid}/", form)
    assert answer.status_code == 404
    waiting.refresh_from_db()
    assert waiting.provider_sid is None


def test_a_signed_body_that_is_no_object_says_nothing() -> None:
    """B1-13."""
    for body in (b"{", b"[]", b"\xff", b"[" * 100_000):
        signed = signatures.Signed("", "", "application/json", body)
        assert signatures.fields_of(signed) == {}
    halves = signatures.Signed("", "", "application/json", b'{"Body": "a\\ud800b"}')
    assert signatures.fields_of(halves) == {"Body": "ab"}


@pytest.mark.parametrize("body", ["+1+HYPERLINK(1)", " =1+1", "\n=1+1", "\uff1d1+1"])
def test_no_text_is_a_formula_in_a_file(
    client: Client, owen: Operator, texts: Any, sender: SmsSender, body: str
) -> None:
    """CWE-1236: a stranger's text in the firm's spreadsheet."""
    texts(body)
    all_is_done()
    client.login(username=owen.user.email, password=PASSWORD)
    contact = SmsContact.objects.get()
    rows = list(
        csv.reader(
            io.StringIO(
                b"".join(client.get(f"/account/sms/numbers/{contact.uid}/?as=csv")).decode("utf-8-sig")
            )
        )
    )
    [detail] = [row[2] for row in rows if body in row[2]]
    assert detail.startswith("'")


def test_strangers_make_the_firm_pay_for_so_many_texts(
    programme: SmsProgramme, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D-2: each number is another and each comes from elsewhere, and there is an end to it; an unnamed proxy
    is nobody's network."""
    monkeypatch.setattr(actions, "PER_PROGRAMME", 25)
    path = f"/sms/{programme.uid}/"
    given = {
        f"sha256_{each}": wordings.sha256(wordings.consent_text(programme, each))
        for each in ("service", "marketing")
    }
    told = [Client().post(path, given | {"phone": f"+1813555{n:04}"}).status_code for n in range(24)]
    assert set(told) == {200}
    there = [
        Client(REMOTE_ADDR=f"203.0.{n}.1").post(path, given | {"phone": f"+1813556{n:04}"}).status_code
        for n in range(4)
    ]
    assert there == [200, 429, 429, 429]
