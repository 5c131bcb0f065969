"""Lists of `/account/` go on in one way, and tell nobody a number of the database."""

from __future__ import annotations

import re

import pytest
from django.core.signing import b64_decode
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts import audit, paging
from accounts.models import Account, AuditEntry, Operator
from privacy.models import PrivacyRequest
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owens(client: Client, owen: Operator) -> Client:
    client.login(username=owen.user.email, password=PASSWORD)
    return client


def test_what_was_chosen_is_kept_from_page_to_page(owens: Client, acme: Account) -> None:
    """R-151: the queue of answered requests, two pages of it."""
    now = timezone.now()
    PrivacyRequest.objects.bulk_create(
        PrivacyRequest(
            account=acme, kind="correct", origin="staff", state="done", email=f"{number}@post.test",
            received_at=now, due_at=now,
        )
        for number in range(60)
    )  # fmt: skip
    first = owens.get("/account/privacy/?show=closed").text
    [following] = re.findall(r'rel="next" href="\?([^"]+)"', first)
    assert "Page 1 of 2" in first and 'rel="prev"' not in first
    second = owens.get(f"/account/privacy/?{following.replace('&amp;', '&')}").text
    assert "Page 2 of 2" in second and 'rel="next"' not in second
    assert [len(re.findall(r"\d+@post\.test", page)) for page in (first, second)] == [50, 10]
    assert "Page 2 of 2" in owens.get("/account/privacy/?show=closed&page=99").text
    assert "Page 1 of 2" in owens.get("/account/privacy/?show=closed&page=x").text


def test_a_way_on_names_one_place_and_all_else_that_was_asked() -> None:
    """R-112: of two places in an address none stays but the new one."""
    request = RequestFactory().get("/", {"kind": "a&b", "page": "3", "before": "x"})
    pager = paging.between(request, after=7, before=9)
    assert (pager.newer, pager.older) == ("kind=a%26b&after=7", "kind=a%26b&before=9")
    assert paging.between(request) == ("", "", 0, 0)


def test_a_place_says_no_number_and_is_good_in_its_account_alone(acme: Account, rival: Account) -> None:
    """design.md 2: the database id never leaves the server, hidden in Base64 neither."""
    token = paging.place(acme.pk, 123456)
    assert b"123456" not in token.encode() + b64_decode(token.rstrip("=").encode())
    assert paging.place_in(acme.pk, token) == 123456
    assert paging.place_in(rival.pk, token) is None
    for odd in ("", "123456", "\u0663", token[:-4], "x" * 500):
        assert paging.place_in(acme.pk, odd) is None


def test_the_next_page_of_the_audit_is_the_same_whatever_was_added(owens: Client, owen: Operator) -> None:
    """R-111: entries that come while owen reads move nothing under his eyes."""
    for number in range(60):
        audit.note("privacy.searched", account=owen.account, by=owen, facts={"found": number})
    [older] = re.findall(r'href="\?([^"]+)">Older', owens.get("/account/audit/").text)
    before = re.findall(r"found: (\d+)", owens.get(f"/account/audit/?{older}").text)
    audit.note("privacy.searched", account=owen.account, by=owen, facts={"found": 99})
    after = re.findall(r"found: (\d+)", owens.get(f"/account/audit/?{older}").text)
    assert before == after == [str(number) for number in range(9, -1, -1)]
    ids = AuditEntry.objects.values_list("pk", flat=True)
    assert not {str(pk) for pk in ids} & {*older.partition("=")[2].split("&")}
