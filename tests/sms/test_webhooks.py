"""Only what the provider signed is heard."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from chats.models import Chat
from sms import actions, signatures
from sms.models import SmsMessage, SmsSender
from tests.fake_twilio import HOST, FakeTwilio
from tests.sms.conftest import VERA, all_is_done

pytestmark = pytest.mark.django_db(transaction=True)
SECRETS = signatures.Secrets("12345", "key-1", "67890")
EVES = "AC" + "e" * 32
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def path(sender: SmsSender) -> str:
    return f"/webhooks/twilio/{sender.uid}/inbound/"


def is_genuine(url: str, body: str, signature: str, settings: str = "", kind: str = FORM) -> bool:
    return signatures.is_genuine(signatures.Signed(signature, settings, kind, body.encode()), [url], SECRETS)


def test_the_signature_is_the_one_that_the_provider_documents() -> None:
    """B1-13: its own published example."""
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    form = {
        "CallSid": "CA1234567890ABCDE", "Caller": "+14158675310", "Digits": "1234", "From": "+14158675310",
        "To": "+18005551212",
    }  # fmt: skip
    body = urlencode(form)
    right = signatures.sign(url, signatures.form_of(body.encode()), "12345")
    assert right == "GvWf1cFY/Q7PnoempGyD5oXAezc="
    assert is_genuine(url, body, right)


def test_what_was_changed_on_the_way_is_no_longer_signed(provider: FakeTwilio) -> None:
    """B1-13: over all parameters as they came: nothing is trimmed, left out or joined."""
    url, settings = "https://chat.test/hook", "key=key-1,algorithm=HMAC_SHA256"
    provider.token, provider.shared_key = SECRETS.token, SECRETS.shared_key
    forms: list[list[tuple[str, str]]] = [
        [("From", "+18135550100"), ("Body", "Hello")],
        [("From", "+18135550100"), ("Body", "")],
        [("From", "+18135550100"), ("Body", "  two blanks ")],
        [("Body", "a"), ("Body", "b"), ("Body", "a")],
        [("Body", "“Grüße” 🙂 & = %"), ("New", "field")],
    ]
    for form in forms:
        for newer in (False, True):
            said = settings if newer else ""
            right = provider.signature(url, form, newer)
            assert is_genuine(url, urlencode(form), right, said)
            assert not is_genuine(url, urlencode([*form, ("More", "1")]), right, said)
            assert not is_genuine(url, urlencode([(name, value + " ") for name, value in form]), right, said)
            assert not is_genuine(url + "?a=1", urlencode(form), right, said)
            assert not is_genuine(url, urlencode(form), right[:-4] + "AAA=", said)
            assert not is_genuine(url, urlencode(form), "", said)
            assert not is_genuine(url, urlencode(form), right, said, kind="multipart/form-data")
        older = provider.signature(url, form)
        newest = provider.signature(url, form, True)
        assert not is_genuine(url, urlencode(form), newest)
        for wrong in (
            "key=key-1,algorithm=NONE", "key=key-1,algorithm=HMAC_SHA1", "key=key-1", "algorithm=HMAC_SHA256",
            "key=key-2,algorithm=HMAC_SHA256", "key=key-1,algorithm=hmac_sha256", "x", ",",
        ):  # fmt: skip
            assert not is_genuine(url, urlencode(form), older, wrong)
            assert not is_genuine(url, urlencode(form), newest, wrong)


@pytest.mark.parametrize(
    ("signed", "asked"),
    [
        ("https://chat.test/hook?x=1", "https://chat.test:443/hook?x=1"),
        ("https://chat.test:443/hook?x=1", "https://chat.test/hook?x=1"),
        ("http://chat.test:80/hook", "http://chat.test/hook"),
        ("https://chat.test/hook", "https://chat.test:8443/hook"),
        ("https://chat.test:8443/hook", "https://chat.test:8443/hook"),
    ],
)
def test_the_port_may_be_written_or_not(provider: FakeTwilio, signed: str, asked: str) -> None:
    """B1-13."""
    provider.token = SECRETS.token
    right = provider.signature(signed, {"Body": "Hello"})
    assert is_genuine(asked, "Body=Hello", right)


def test_a_json_body_is_bound_by_its_hash(provider: FakeTwilio) -> None:
    """B1-13: `bodySHA256` in the address, which is signed."""
    provider.token = SECRETS.token
    body = json.dumps({"Body": "Hello"})
    url = f"https://chat.test/hook?bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    right = provider.signature(url, {})
    assert is_genuine(url, body, right, kind="application/json")
    assert not is_genuine(url, body + " ", right, kind="application/json")
    bare = "https://chat.test/hook"
    assert not is_genuine(bare, body, provider.signature(bare, {}), kind="application/json")


def test_without_a_key_nothing_is_genuine() -> None:
    """B1-13: an empty secret signs nothing."""
    none = signatures.Secrets("", "", "")
    for settings, algorithm in (("", "sha1"), ("key=,algorithm=HMAC_SHA256", "sha256")):
        signature = signatures.sign("https://chat.test/hook", [("Body", "x")], "", algorithm)
        signed = signatures.Signed(signature, settings, FORM, b"Body=x")
        assert not signatures.is_genuine(signed, ["https://chat.test/hook"], none)


@pytest.mark.parametrize("production", [False, True])
def test_whatever_is_not_signed_is_refused_in_every_environment(
    provider: FakeTwilio, sender: SmsSender, path: str, settings: Settings, production: bool
) -> None:
    """B1-13, B1-14, B1-19: 403, no row, no answer by text, and nothing fetched."""
    settings.PRODUCTION = production
    settings.DEBUG = not production
    form = provider.form(VERA, "STOP", NumMedia="1", MediaUrl0=f"{provider.url}/169.254.169.254/")
    url = f"http://{HOST}{path}"
    newer = provider.headers(url, form, newer=True)
    forged: list[dict[str, str]] = [
        {},
        {"X-Twilio-Signature": ""},
        {"X-Twilio-Signature": "x"},
        {"X-Twilio-Signature": newer["X-Twilio-Signature"]},
        newer | {"X-Twilio-Webhooks-Signature-Settings": "key=key-1,algorithm=NONE"},
        provider.headers(url + "x", form),
    ]
    for headers in forged:
        assert provider.post(path, form, headers=headers).status_code == 403
    other = form | {"AccountSid": "AC" + "1" * 32}
    assert provider.post(path, other).status_code == 403
    assert provider.post(path.replace(sender.uid, "x" * 22), form).status_code == 403
    assert Client().get(path).status_code == 405
    all_is_done()
    assert (SmsMessage.objects.count(), Chat.objects.count(), provider.calls, provider.sent) == (0, 0, 0, [])


def test_both_schemes_and_both_addresses_are_heard(
    provider: FakeTwilio, path: str, settings: Settings
) -> None:
    """B1-13: also behind a proxy, where the provider knows this server by another name."""
    settings.PUBLIC_URL = "https://chat.acme.test"
    for newer in (False, True):
        assert provider.post(path, provider.form(VERA, "Hello"), newer=newer).status_code == 200
        at = f"https://chat.acme.test{path}"
        assert provider.post(path, provider.form(VERA, "Hello"), newer=newer, at=at).status_code == 200
    assert SmsMessage.objects.count() == 4


def test_unknown_fields_are_no_reason_to_refuse(texts: Callable[..., Any], provider: FakeTwilio) -> None:
    """B1-14: parameters are added without notice."""
    texts("Hello", Brand="new", ChannelMetadata='{"type":"sms"}', Empty="")
    assert SmsMessage.objects.get().text == "Hello"


def test_pictures_are_counted_and_never_fetched(texts: Callable[..., Any], provider: FakeTwilio) -> None:
    """B1-19."""
    texts("Look", NumMedia="2", MediaUrl0=f"{provider.url}/a", MediaUrl1="http://169.254.169.254/")
    assert SmsMessage.objects.get().media_count == 2
    assert "[2 files not shown]" in Chat.objects.get().messages.get(kind="text").text
    assert provider.calls == 0


def test_without_a_commit_there_is_no_200(provider: FakeTwilio, sender: SmsSender, path: str) -> None:
    """B1-15: while the database refuses, the provider is told to come back, and then nothing is lost."""
    form = provider.form(VERA, "Hello")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE sms_smsmessage RENAME TO sms_elsewhere")
    try:
        assert provider.post(path, form).status_code >= 500
        assert Chat.objects.count() == 0
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE sms_elsewhere RENAME TO sms_smsmessage")
    assert provider.post(path, form).status_code == 200
    assert Chat.objects.count() == 1


def test_eve_cannot_speak_for_acme(
    provider: FakeTwilio, sender: SmsSender, rival: Any, rival_site: Any
) -> None:
    """R-112: a sender of hers has a key of its own, and what it signs counts at its own address only."""
    provider.others[EVES] = ("evil" * 8, {"+18135550122"})
    programme = actions.add_programme(
        account=rival, name="Rival", contact="eve", terms_url="https://acme.test/terms"
    )
    theirs = actions.add_sender(
        account=rival, programme=programme, site=rival_site, department=rival_site.departments.get(),
        gateway="twilio", kind="long_code", number="+18135550122", account_sid=EVES,
        auth_token="evil" * 8, is_registered=True,
    )  # fmt: skip
    evil = FakeTwilio(token="evil" * 8)
    form = evil.form(VERA, "Hello", AccountSid=EVES)
    assert evil.post(f"/webhooks/twilio/{sender.uid}/inbound/", form).status_code == 403
    assert evil.post(f"/webhooks/twilio/{theirs.uid}/inbound/", form).status_code == 200
    form = provider.form(VERA, "Hello")
    assert provider.post(f"/webhooks/twilio/{sender.uid}/inbound/", form).status_code == 200
    assert {each.account_id for each in Chat.objects.all()} == {sender.account_id, rival.pk}
