"""What is kept of a visitor beside the chats: a name, an address, a browser; and where somebody agreed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.models import Consent
from visitors import actions
from visitors.models import Visitor

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.erasure import Person

KEPT = {
    "accounts.Consent.visitor_uid": "the random number of a visitor of whom nothing else is left: says that "
    "two proofs are of the same person, and not of which",
}


class Visitors:
    """Visitors by name. Their rows stay as numbers, because chats are counted by them."""

    name = "visitors"
    columns = frozenset({"visitors.Visitor.name", "visitors.Visitor.email", "visitors.Visitor.browser_key"})
    is_internal = False

    def count(self, person: Person) -> int:
        return self._of(person).exclude(browser_key=None, name="", email="").count()

    def export(self, person: Person) -> list[dict[str, Any]]:
        return [
            {
                "visitor": each.uid,
                "site": each.site.name,
                "number": each.number,
                "name": each.name,
                "email": each.email,
                "browser": each.browser_key or "",
                "since": each.created_at.isoformat(),
            }
            for each in self._of(person).select_related("site").order_by("created_at", "id")
        ]

    def erase(self, person: Person) -> int:
        return actions.erase_visitors(account_id=person.account_id, visitor_ids=person.visitor_ids)

    def _of(self, person: Person) -> QuerySet[Visitor]:
        return Visitor.objects.filter(account_id=person.account_id, pk__in=person.visitor_ids)


class Consents:
    """From which network and with which browser somebody agreed. That somebody did, to which text and when,
    stays as the proof."""

    name = "consents"
    columns = frozenset({"accounts.Consent.ip", "accounts.Consent.user_agent"})
    is_internal = False

    def count(self, person: Person) -> int:
        return self._of(person).exclude(ip=None, user_agent="").count()

    def export(self, person: Person) -> list[dict[str, Any]]:
        return [
            {
                "at": each.created_at.isoformat(),
                "visitor": each.visitor_uid,
                "site": each.site.name,
                "purpose": each.purpose,
                "language": each.language,
                "version": each.notice.version,
                "text": each.notice.text,
                "sha256": each.notice.sha256,
                "network": each.ip or "",
                "browser": each.user_agent,
            }
            for each in self._of(person).select_related("site", "notice").order_by("created_at", "id")
        ]

    def erase(self, person: Person) -> int:
        told = self._of(person).exclude(ip=None, user_agent="")
        return told.update(ip=None, user_agent="")

    def _of(self, person: Person) -> QuerySet[Consent]:
        theirs = Visitor.objects.filter(account_id=person.account_id, pk__in=person.visitor_ids)
        return Consent.objects.filter(account_id=person.account_id, visitor_uid__in=theirs.values("uid"))
