"""Who may open the pages of an account, and what a dump of the database does not show."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from accounts.members import ADMINS, EVERYBODY, member_page
from accounts.models import Account, Operator
from chatlead.errors import Forbidden
from chatlead.keys import EncryptedTextField, Unreadable, decrypted, encrypted
from tests.conftest import PASSWORD


@member_page(ADMINS)
def plans(request: HttpRequest, operator: Operator) -> HttpResponse:
    return HttpResponse(operator.account.name)


def asks(operator: Operator) -> HttpRequest:
    request = RequestFactory().get("/account/plans/")
    request.user = operator.user
    return request


def test_an_owner_sees_what_an_operator_does_not(owen: Operator, olga: Operator, nina: Operator) -> None:
    """R-191: a page is open to the roles it names."""
    assert plans(asks(owen)).getvalue() == b"Acme Law"
    for other in (olga, nina):
        with pytest.raises(Forbidden):
            plans(asks(other))


def test_a_suspended_owner_sees_nothing(owen: Operator) -> None:
    """R-112: rights that ended have ended here, too."""
    Operator.objects.filter(pk=owen.pk).update(suspended_at=timezone.now())
    with pytest.raises(Forbidden):
        plans(asks(owen))


def test_olga_finds_her_account_and_a_stranger_the_log_in(
    client: Client, acme: Account, olga: Operator
) -> None:
    """ui.md: the pages of a subscriber begin at `/account/`; nothing of them is kept in a cache."""
    away = client.get("/account/")
    assert (away.status_code, away["Location"]) == (302, "/console/login/?next=/account/")
    client.login(username=olga.user.email, password=PASSWORD)
    page = client.get("/account/")
    assert "no-store" in page["Cache-Control"]
    assert "Acme Law" in page.text and "You are here as Olga, operator." in page.text
    assert olga.role in EVERYBODY


@pytest.mark.once
def test_a_column_is_read_with_an_older_key_and_not_without(settings: Settings) -> None:
    """R-118: keys can be changed; what was encrypted with one that is gone stays shut."""
    settings.FIELD_KEYS = ["first"]
    token = encrypted("+1 813 555 0100")
    assert "813" not in token and encrypted("+1 813 555 0100") != token
    settings.FIELD_KEYS = ["second", "first"]
    assert decrypted(token) == "+1 813 555 0100"
    settings.FIELD_KEYS = ["second"]
    with pytest.raises(Unreadable):
        decrypted(token)
    settings.FIELD_KEYS = []
    with pytest.raises(ImproperlyConfigured):
        encrypted("x")


@pytest.mark.once
def test_an_encrypted_column_holds_no_plain_text_and_cannot_be_searched() -> None:
    """R-118."""
    field = EncryptedTextField()
    stored = field.get_prep_value("canary")
    assert "canary" not in stored
    assert field.from_db_value(stored) == "canary"
    assert (field.get_prep_value(""), field.from_db_value(None)) == ("", None)
    assert field.get_lookup("exact") is None
    assert field.get_lookup("isnull") is models.TextField().get_lookup("isnull")
