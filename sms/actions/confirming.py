"""A consent that was ticked somewhere counts when the phone itself has said YES (B1-8, B1-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sms import ledger, selectors, wordings
from sms.actions.sending import queue
from sms.models import SmsConsent, SmsMessage

if TYPE_CHECKING:
    from sms.models import SmsContact, SmsSender

Kind = SmsMessage.Kind


def ask(*, sender: SmsSender, contact: SmsContact, key: str) -> None:
    """The question, in the caller's transaction; the same `key` again is the same question."""
    text = wordings.question(sender.programme)
    queue(sender=sender, contact=contact, kind=Kind.QUESTION, text=text, key=f"question:{key}")


def confirm(*, sender: SmsSender, contact: SmsContact, provider_sid: str) -> bool:
    """The phone has said YES, or START, in the text `provider_sid`: what was ticked for its number is agreed
    to from now on, in new entries with the very texts that were ticked. Under the lock of the contact, in the
    caller's transaction.

    False where nothing was asked, or something else was said since: then a YES is a word like any other, and
    nobody has agreed to anything.
    """
    programme = sender.programme
    if not selectors.is_question_open(sender, contact):
        return False
    pending = selectors.pending(programme, contact.number_key)
    for each in pending:
        ledger.append(
            programme,
            contact.number_key,
            each.purpose,
            SmsConsent.Deed.GRANTED,
            source="yes",
            text=each.text,
            text_sha256=each.text_sha256,
            text_version=each.text_version,
            provider_sid=provider_sid,
        )
    if pending:
        welcome(sender=sender, contact=contact, key=provider_sid)
    return bool(pending)


def welcome(*, sender: SmsSender, contact: SmsContact, key: str) -> None:
    """The text that confirms a consent, where none has yet (R-182); the same `key` again is the same text."""
    if not selectors.is_confirmed(sender.programme, contact):
        text = wordings.welcome(sender.programme)
        queue(sender=sender, contact=contact, kind=Kind.WELCOME, text=text, key=f"welcome:{key}")
