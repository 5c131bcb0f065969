"""A stranger who knows vera's address, and eve, who owns another firm's account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accounts.models import Account, Operator, Site
from chats.models import Chat
from privacy import actions, exports
from privacy.models import PrivacyExport, PrivacyRequest
from tests.conftest import PASSWORD
from tests.privacy.conftest import EMAIL, mailed_code

pytestmark = pytest.mark.django_db(transaction=True)
Work = Callable[[], None]
Proved = Callable[[str], PrivacyRequest]


@pytest.mark.parametrize(
    "code", ["\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668", "\u00e9", "\x00", "9" * 5000, ""]
)
def test_a_code_that_is_none_is_wrong_for_everybody(client: Client, acme: Account, code: str) -> None:
    """B2-2: whatever is typed, and whether there is such a request or not; and it counts as a try."""
    asked = actions.receive(kind="access", email=EMAIL, language="en", account=acme)
    told = []
    for uid in (asked.uid, "A" * 22):
        browser = Client(raise_request_exception=False)
        answer = browser.post(f"/privacy/requests/{uid}/", {"code": code})
        told.append((answer.status_code, answer.text.count("field-error"), "alert" in answer.text))
    assert told[0] == told[1] == (403, 0, True)
    asked.refresh_from_db()
    assert asked.code_tries == 1


def test_many_requests_fill_no_mailbox(client: Client, site: Site, deliver: Work) -> None:
    """D-2: another code is a mail as well; the bound is the mailbox's, whichever request asks for it."""
    pages = []
    for _ in range(2):
        sent = client.post("/privacy/requests/", {"site": site.key, "kind": "access", "email": EMAIL})
        pages.append(sent["Location"].partition("?")[0])
    told = [client.post(f"{page}code/").status_code for page in pages * 3]
    assert told == [302, 429, 429, 429, 429, 429]
    deliver()
    assert len([each for each in mail.outbox if each.to == [EMAIL]]) <= 3


def test_a_mailbox_gets_so_many_codes_a_day_and_no_more(
    client: Client, site: Site, known_vera: Chat, settings: Settings
) -> None:
    """D-2: slowly too; an address of which nothing is kept is refused in the same words."""
    settings.PRIVACY_CODES = {"address": 100, "mailbox": 4}
    noon = datetime(2030, 1, 2, 12, tzinfo=UTC)
    told: dict[str, list[tuple[int, str]]] = {EMAIL: [], "nobody@post.test": []}
    for number in range(6):
        with time_machine.travel(noon + timedelta(minutes=30 * number)):
            for email, answers in told.items():
                form = {"site": site.key, "kind": "access", "email": email}
                sent = client.post("/privacy/requests/", form)
                answers.append((sent.status_code, sent.headers.get("X-Error-Code", "")))
                is_late = "Please try again tomorrow" in sent.text
    assert told[EMAIL] == told["nobody@post.test"] == [(302, "")] * 4 + [(429, "rate_limited")] * 2
    assert is_late and int(sent.headers["Retry-After"]) > 3600
    with time_machine.travel(noon + timedelta(days=2)):
        assert client.post("/privacy/requests/", form).status_code == 302


def test_a_network_has_so_many_codes_mailed_a_day(client: Client, site: Site, settings: Settings) -> None:
    """D-2: to whomever they go."""
    settings.PRIVACY_CODES = {"address": 3, "mailbox": 10}
    form = {"site": site.key, "kind": "access"}
    sent = [
        client.post(
            "/privacy/requests/", form | {"email": f"v{n}@post.test"}, REMOTE_ADDR="203.0.113.7"
        ).status_code
        for n in range(5)
    ]
    assert sent == [302, 302, 302, 429, 429]


def test_a_copy_whose_time_is_over_is_not_given_out(
    proved: Proved, owens: Client, deliver: Work, known_vera: Chat
) -> None:
    """B2-4: the day counts, not the task that clears away."""
    request = proved("access")
    page = f"/account/privacy/requests/{request.uid}/"
    public = f"/privacy/requests/{request.uid}/"
    owens.post(f"{page}do/", {"do": "export"})
    deliver()
    hers = Client()
    hers.post(f"{public}code/")
    deliver()
    assert hers.post(public, {"code": mailed_code()}).status_code == 302
    assert hers.post(f"{public}copy/").status_code == 200
    copy = PrivacyExport.objects.get()
    PrivacyExport.objects.update(expires_at=copy.created_at - timedelta(seconds=1))
    assert hers.post(f"{public}copy/").status_code == 404
    assert "Download the copy" not in hers.get(public).text
    assert owens.post(f"{page}copy/", {"password": PASSWORD}).status_code == 404
    assert "copy/" not in owens.get(page).text


LONG = f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.{'f' * 60}.test"


@pytest.mark.parametrize(
    "email",
    [LONG, "vera", "a@b.test\nBcc: x@y.test", '"a\x01b"@c.test'],
    ids=["long", "none", "header", "control"],
)
def test_owen_enters_no_address_that_is_none(owens: Client, owen: Operator, email: str) -> None:
    """R-151: it is said at the form; no mail is tried for ever."""
    sent = owens.post("/account/privacy/search/", {"email": email, "kind": "access", "enter": "1"})
    assert sent.status_code == 400
    assert "This is no e-mail address." in sent.text or "At most 254 characters." in sent.text
    assert not PrivacyRequest.objects.exists()


def test_eve_writes_to_no_mailbox_again_and_again(client: Client, eve: Operator) -> None:
    """D-2: requests that she makes up are answered by mail, in her words."""
    client.force_login(eve.user)
    given = {"email": EMAIL, "kind": "access", "enter": "1"}
    told = [client.post("/account/privacy/search/", given).status_code for _ in range(5)]
    assert told[:3] == [302, 302, 302] and 302 not in told[3:]


@pytest.mark.parametrize("path", ["", "certificate.json"])
def test_an_id_that_is_none_is_not_found(owens: Client, path: str) -> None:
    """P-5."""
    for uid in ("%00", "x" * 5000, "%F0%9F%99%82", "-1"):
        assert owens.get(f"/account/privacy/requests/{uid}/{path}").status_code == 404


@pytest.mark.parametrize("cell", ["\n=1", "\u00a0=1", "\u3000+1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff201"])
def test_blanks_and_wide_signs_make_no_formula_either(cell: str) -> None:
    """CWE-1236."""
    assert exports.harmless(cell) == f"'{cell}"


def test_the_code_of_one_request_opens_no_other(
    client: Client, acme: Account, rival: Account, deliver: Work
) -> None:
    """B2-2: the same mailbox, two firms; and a browser that has proved one has proved nothing else."""
    first = actions.receive(kind="access", email=EMAIL, language="en", account=acme)
    deliver()
    code = mailed_code()
    second = actions.receive(kind="access", email=EMAIL, language="en", account=rival)
    deliver()
    assert client.post(f"/privacy/requests/{second.uid}/", {"code": code}).status_code == 403
    assert client.post(f"/privacy/requests/{first.uid}/", {"code": code}).status_code == 302
    assert "Look into your mail" in client.get(f"/privacy/requests/{second.uid}/").text
    with time_machine.travel(first.received_at + timedelta(minutes=16)):
        assert "Look into your mail" in client.get(f"/privacy/requests/{first.uid}/").text


def test_behind_a_proxy_without_a_name_the_form_stays_open(client: Client, site: Site) -> None:
    """D-2, R-150: nobody is refused for what strangers do who seem to come from the same place."""
    form = {"site": site.key, "kind": "access"}
    told = [
        client.post("/privacy/requests/", form | {"email": f"v{n}@post.test"}).status_code for n in range(25)
    ]
    assert set(told) == {302}
    there = Client(REMOTE_ADDR="203.0.113.7")
    told = [
        there.post("/privacy/requests/", form | {"email": f"w{n}@post.test"}).status_code for n in range(22)
    ]
    assert told == [302] * 20 + [429, 429]
