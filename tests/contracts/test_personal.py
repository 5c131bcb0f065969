"""The registry of personal fields is complete: a column that says nothing of itself fails the build."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.db import models

from chatlead.personal import (
    Basis,
    Declaration,
    Retention,
    Role,
    declaration_of,
    impersonal,
    personal,
)

pytestmark = pytest.mark.once

OURS = {"accounts", "visitors", "chats", "surveys", "privacy", "sms"}
FREE_TEXT = (
    models.CharField,
    models.TextField,
    models.JSONField,
    models.GenericIPAddressField,
    models.BinaryField,
    models.FileField,
)
TELLING_NUMBERS = re.compile(r"birth|(^|_)age($|_)|latitude|longitude|phone|(^|_)ip($|_)")


def columns() -> list[models.Field[object, object]]:
    """Every column of our own that could hold something of a person. A choice of fixed words cannot."""
    return [
        field
        for model in apps.get_models()
        if model._meta.app_label in OURS
        for field in model._meta.concrete_fields
        if (isinstance(field, FREE_TEXT) and not field.choices) or TELLING_NUMBERS.search(field.name)
    ]


def is_complete(declaration: Declaration | None) -> bool:
    """Either why it is not personal, or everything about it."""
    if declaration is None:
        return False
    if declaration.why:
        return declaration.purpose is None
    return bool(declaration.purpose) and None not in (
        declaration.basis,
        declaration.retention,
        declaration.role,
    )


@pytest.mark.parametrize("field", columns(), ids=str)
def test_every_column_says_what_it_holds(field: models.Field[object, object]) -> None:
    """R-014, R-021: purpose, legal basis, retention class and our role; or why it is not personal."""
    assert is_complete(declaration_of(field)), f"{field}: wrap it in personal(...) or impersonal(...)"


def test_the_walk_sees_what_matters() -> None:
    """R-014: a walk over nothing would find nothing missing."""
    names = {str(field) for field in columns()}
    assert {
        "accounts.User.email",
        "accounts.Operator.name",
        "accounts.Consent.ip",
        "visitors.Visitor.name",
        "visitors.Visitor.email",
        "chats.Message.text",
        "chats.Note.text",
        "chats.Chat.answers",
    } <= names
    assert all("created_at" not in name for name in names)


def test_a_column_without_a_declaration_is_found() -> None:
    """R-014: that is what fails the build."""
    bare: models.CharField[str, str] = models.CharField(max_length=10)
    assert not is_complete(declaration_of(bare))
    assert is_complete(declaration_of(impersonal(bare, "a colour")))
    stamped = personal(
        models.CharField(max_length=10),
        purpose="greet",
        basis=Basis.CONSENT,
        retention=Retention.CHAT,
        role=Role.PROCESSOR,
    )
    assert is_complete(declaration_of(stamped))
    assert not is_complete(Declaration(purpose="greet", basis=Basis.CONSENT))


def test_what_a_tenants_visitor_gives_is_never_ours() -> None:
    """R-021: processor for a tenant's visitors, controller for those who work with us."""
    roles: dict[Role, set[str]] = {Role.PROCESSOR: set(), Role.CONTROLLER: set()}
    for field in columns():
        declaration = declaration_of(field)
        if declaration is not None and declaration.role is not None:
            roles[declaration.role].add(field.model._meta.label)
    assert {"visitors.Visitor", "chats.Chat", "chats.Message", "accounts.Consent"} <= roles[Role.PROCESSOR]
    assert roles[Role.CONTROLLER] == {
        "accounts.User",
        "accounts.Operator",
        "accounts.Department",
        "accounts.Picture",
    }
    assert not roles[Role.PROCESSOR] & roles[Role.CONTROLLER]


def test_every_row_of_a_tenant_carries_its_account() -> None:
    """R-112: but for the account itself, people who may work for several, this
    installation, and the one chain over what was done in all accounts."""
    without = {
        model._meta.label
        for model in apps.get_models()
        if model._meta.app_label in OURS and "account" not in {field.name for field in model._meta.fields}
    }
    of_all = {"accounts.Installation", "accounts.Backup", "accounts.BackupCopy", "accounts.BackupProof"}
    assert without == {"accounts.Account", "accounts.AuditLink", "accounts.User", *of_all}
