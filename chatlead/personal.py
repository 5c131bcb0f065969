"""The registry of personal fields (R-014).

Every text, JSON, address or file column of a model says what it is: `personal(...)` with purpose, legal
basis, retention class and our role, or `impersonal(...)` with the reason. A column that says neither
fails the build (tests/contracts/test_personal.py). Export, erasure and retention read this registry.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from django.db.models import Field

    AnyField = TypeVar("AnyField", bound=Field[Any, Any])
else:
    AnyField = TypeVar("AnyField")


class Basis(StrEnum):
    """Legal basis of the processing (GDPR Art. 6)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGITIMATE_INTEREST = "legitimate_interest"
    LEGAL_OBLIGATION = "legal_obligation"


class Retention(StrEnum):
    """How long a value is kept; the days of each class are settings of the tenant."""

    ACCOUNT = "account"  # as long as the account lives
    CHAT = "chat"  # with the chat it belongs to
    VISIT = "visit"  # with the visit
    PROOF = "proof"  # as long as a claim could be raised
    QUEUE = "queue"  # until the work is done


class Role(StrEnum):
    """R-021: processor for a tenant's data, controller for our own."""

    PROCESSOR = "processor"
    CONTROLLER = "controller"


@dataclass(frozen=True)
class Declaration:
    """What a column holds. `purpose` is None for what is not personal; `why` then gives the reason."""

    purpose: str | None = None
    basis: Basis | None = None
    retention: Retention | None = None
    role: Role | None = None
    why: str | None = None


def personal(field: AnyField, *, purpose: str, basis: Basis, retention: Retention, role: Role) -> AnyField:
    """Declares a model field as personal data and returns it."""
    field.declaration = Declaration(purpose, basis, retention, role)  # type: ignore[attr-defined]
    return field


def impersonal(field: AnyField, why: str) -> AnyField:
    """Declares that a text-like column holds no personal data, and why."""
    field.declaration = Declaration(why=why)  # type: ignore[attr-defined]
    return field


def declaration_of(field: object) -> Declaration | None:
    """The declaration of a model field, or None where nothing was declared."""
    return getattr(field, "declaration", None)
