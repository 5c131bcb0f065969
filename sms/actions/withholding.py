"""Nothing more is sent to somebody whose data are restricted (B2-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from sms import locks
from sms.models import SmsContact, SmsMessage, SmsThread

if TYPE_CHECKING:
    from collections.abc import Collection


def withhold_texts(*, account_id: int, visitor_ids: Collection[int]) -> int:
    """What still waits in the chats of these visitors, or for their numbers, is not sent; how many texts."""
    threads = SmsThread.objects.filter(account=account_id, chat__visitor__in=visitor_ids)
    count = 0
    for contact in SmsContact.objects.filter(account=account_id, threads__in=threads).distinct():
        with locks.held(contact.pk), transaction.atomic():
            waiting = SmsMessage.objects.filter(contact=contact, state=SmsMessage.State.QUEUED)
            count += waiting.update(state=SmsMessage.State.CANCELLED, error="restricted")
            threads.filter(contact=contact).update(is_over=True)
    return count
