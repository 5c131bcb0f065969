"""What texts know of a person, given out and erased. The number goes, and every word; the proof of consent
and the block stay under the keyed hash of the number (R-192, B1-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from sms import locks
from sms.models import SmsConsent, SmsContact, SmsMessage, SmsSuppression, SmsThread
from sms.numbers import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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

    def export(self, person: Person) -> Iterator[dict[str, Any]]:
        """The texts, then what was agreed to, then what is blocked, each in the order of time."""
        found = contacts_of(person)
        numbers = {each.pk: each.number for each in found}
        texts = self._texts(person).select_related("sender__programme", "chat").order_by("id")
        for text in texts.iterator(chunk_size=500):
            yield _text(text, numbers[text.contact_id])
        keys = {each.number_key: each.number for each in found}
        mine = SmsConsent.objects.filter(account=person.account_id, number_key__in=keys)
        for entry in mine.select_related("programme").order_by("position").iterator(chunk_size=500):
            yield _entry(entry, keys[entry.number_key])
        blocks = SmsSuppression.objects.filter(account=person.account_id, number_key__in=keys)
        for block in blocks.select_related("programme").order_by("id"):
            yield _block(block, keys[block.number_key])

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


def _text(text: SmsMessage, phone: str) -> dict[str, Any]:
    return {
        "what": "text",
        "phone": phone,
        "ours": text.sender.number or text.sender.service_sid,
        "programme": text.sender.programme.name,
        "chat": text.chat.uid if text.chat else None,
        "direction": "received" if text.direction == SmsMessage.Direction.IN else "sent",
        "kind": str(text.kind),
        "text": text.text,
        "state": str(text.state),
        "at": text.created_at.isoformat(),
    }


def _entry(entry: SmsConsent, phone: str) -> dict[str, Any]:
    return {
        "what": "consent",
        "phone": phone,
        "programme": entry.programme.name,
        "consent": str(entry.deed),
        "purpose": str(entry.purpose),
        "text": entry.text,
        "sha256": entry.text_sha256,
        "source": entry.source,
        "page": entry.page_url,
        "network": entry.ip or "",
        "browser": entry.user_agent,
        "note": entry.note,
        "at": entry.at.isoformat(),
    }


def _block(block: SmsSuppression, phone: str) -> dict[str, Any]:
    return {
        "what": "block",
        "phone": phone,
        "programme": block.programme.name if block.programme else "",
        "source": block.source,
        "word": block.word,
        "note": block.note,
        "at": block.created_at.isoformat(),
        "lifted_at": block.lifted_at.isoformat() if block.lifted_at else None,
    }
