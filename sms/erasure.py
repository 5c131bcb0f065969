"""What texts know of a person, given out and erased. The number goes, and every word; the proof of consent
and the block stay under the keyed hash of the number (R-192, B1-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from sms import locks
from sms.models import SmsConsent, SmsContact, SmsMessage, SmsThread
from sms.numbers import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from accounts.erasure import Person

PROOF = "proof of what was agreed to and withdrawn, under a keyed hash of a number that is erased (B1-11)"
KEPT = {
    "sms.SmsConsent.note": PROOF,
    "sms.SmsConsent.page_url": PROOF,
    "sms.SmsConsent.ip": PROOF,
    "sms.SmsConsent.user_agent": PROOF,
    "sms.SmsSuppression.note": "why this number is never written to again, under a keyed hash (R-192)",
}


def contacts_of(person: Person) -> QuerySet[SmsContact]:
    """The numbers of a person: those that are named, and those of chats of theirs."""
    # without the key there are none
    keys = [key_of(number) for number in person.phones] if settings.SMS_HASH_KEY else []
    theirs = Q(number_key__in=keys) | Q(threads__chat__visitor__in=person.visitor_ids)
    return SmsContact.objects.filter(theirs, account=person.account_id).distinct()


class Texts:
    """Numbers and what was texted."""

    name = "text messages"
    columns = frozenset({"sms.SmsContact.number", "sms.SmsMessage.text"})
    is_internal = False

    def count(self, person: Person) -> int:
        """Numbers and texts in which something stands."""
        return self._numbers(person).count() + self._texts(person).count()

    def export(self, person: Person) -> list[dict[str, Any]]:
        """The texts, then what was agreed to, in the order of time."""
        numbers = {each.pk: each.number for each in contacts_of(person)}
        texts = [
            {
                "phone": numbers[each.contact_id],
                "direction": "received" if each.direction == SmsMessage.Direction.IN else "sent",
                "text": each.text,
                "state": str(each.state),
                "at": each.created_at.isoformat(),
            }
            for each in self._texts(person).order_by("id")
        ]
        keys = {each.number_key: each.number for each in contacts_of(person)}
        entries = SmsConsent.objects.filter(account=person.account_id, number_key__in=keys)
        consents = [
            {
                "phone": keys[each.number_key],
                "consent": str(each.deed),
                "purpose": str(each.purpose),
                "text": each.text,
                "source": each.source,
                "page": each.page_url,
                "at": each.at.isoformat(),
            }
            for each in entries.order_by("position")
        ]
        return texts + consents

    def erase(self, person: Person) -> int:
        """The texts first, as the number finds them; what waits to be sent has no number to go to any
        more."""
        erased = 0
        for contact in contacts_of(person):
            with locks.held(contact.pk), transaction.atomic():
                texts = SmsMessage.objects.filter(contact=contact)
                erased += texts.exclude(text="").update(text="")
                waiting = texts.filter(state=SmsMessage.State.QUEUED)
                waiting.update(state=SmsMessage.State.CANCELLED, error="erased")
                mine = SmsContact.objects.filter(pk=contact.pk).exclude(number="")
                erased += mine.update(number="", help_at=None)
        return erased

    def visitors(self, person: Person) -> Iterable[int]:
        """Of all chats that are held with one of their numbers."""
        threads = SmsThread.objects.filter(account_id=person.account_id, contact__in=contacts_of(person))
        return set(threads.values_list("chat__visitor_id", flat=True))

    def phones(self, account_id: int) -> Iterable[str]:
        """Every number that is kept, in E.164."""
        kept = SmsContact.objects.filter(account=account_id).exclude(number="")
        return kept.values_list("number", flat=True).iterator()

    def _numbers(self, person: Person) -> QuerySet[SmsContact]:
        return contacts_of(person).exclude(number="")

    def _texts(self, person: Person) -> QuerySet[SmsMessage]:
        return SmsMessage.objects.filter(contact__in=contacts_of(person)).exclude(text="")
