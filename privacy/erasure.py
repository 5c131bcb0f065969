"""What is kept of those who ask: their requests, and the copies made for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.models import LegalHold
from privacy.models import PrivacyExport, PrivacyRequest
from privacy.selectors import OPEN, requests_of
from visitors.models import Visitor

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.erasure import Person

EMPTY = {"email": "", "phone": "", "details": "", "reason": ""}


class Requests:
    """Requests that have ended. That somebody asked, and when it was done, stays; who it was goes. One that
    is in work keeps its address until the answer is on its way (privacy/mails.py)."""

    name = "privacy_requests"
    columns = frozenset(f"privacy.PrivacyRequest.{column}" for column in EMPTY)
    is_internal = False

    def count(self, person: Person) -> int:
        return self._ended(person).count()

    def export(self, person: Person) -> list[dict[str, Any]]:
        return [
            {
                "kind": each.kind,
                "state": each.state,
                "email": each.email,
                "phone": each.phone,
                "details": each.details,
                "reason": each.reason,
                "received_at": each.received_at.isoformat(),
                "closed_at": each.closed_at.isoformat() if each.closed_at else None,
                "visitors": each.visitor_uids,
            }
            for each in requests_of(person).order_by("received_at", "id")
        ]

    def erase(self, person: Person) -> int:
        return self._ended(person).update(**EMPTY)

    def _ended(self, person: Person) -> QuerySet[PrivacyRequest]:
        return requests_of(person).exclude(state__in=OPEN).exclude(**EMPTY)


class Exports:
    """Copies that were made and have not expired."""

    name = "privacy_exports"
    columns = frozenset({"privacy.PrivacyExportPart.content"})
    is_internal = False

    def count(self, person: Person) -> int:
        return self._of(person).count()

    def export(self, person: Person) -> list[dict[str, Any]]:
        return []  # a copy of the rest: that there was one, the request says

    def erase(self, person: Person) -> int:
        return self._of(person).delete()[0]

    def _of(self, person: Person) -> QuerySet[PrivacyExport]:
        return PrivacyExport.objects.filter(request__in=requests_of(person))


class LegalHolds:
    """Why somebody was kept, in the firm's words, once that is over. That somebody was, and for how long,
    stays; while a hold stands nothing is erased."""

    name = "legal_holds"
    columns = frozenset({"accounts.LegalHold.reason"})
    is_internal = True

    def count(self, person: Person) -> int:
        return len(self._of(person))

    def export(self, person: Person) -> list[dict[str, Any]]:
        theirs = Visitor.objects.filter(account_id=person.account_id, pk__in=person.visitor_ids)
        uids = dict(theirs.values_list("pk", "uid"))
        return [
            {
                "visitors": sorted(uids[pk] for pk in each.visitors if pk in uids),
                "reason": each.reason,
                "from": each.placed_at.isoformat(),
                "until": each.lifted_at.isoformat() if each.lifted_at else None,
            }
            for each in _holds_on(person)
        ]

    def erase(self, person: Person) -> int:
        ids = [each.pk for each in self._of(person)]
        return LegalHold.objects.filter(pk__in=ids, lifted_at__isnull=False).update(reason="")

    def _of(self, person: Person) -> list[LegalHold]:
        return [each for each in _holds_on(person) if each.reason and each.lifted_at is not None]


def _holds_on(person: Person) -> list[LegalHold]:
    """All of the account on one of these visitors, the oldest first."""
    mine = LegalHold.objects.filter(account_id=person.account_id).order_by("placed_at", "id")
    return [each for each in mine if person.visitor_ids & {*each.visitors}]
