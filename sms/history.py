"""Everything that is known of one number, in the order of time, and the pages of lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sms.models import SmsConsent, SmsMessage, SmsSuppression
from sms.wordings import reason

if TYPE_CHECKING:
    from datetime import datetime

    from sms.models import SmsContact

SOURCES = {
    "form": "a form",
    "widget": "the form of a chat",
    "sms": "a text message",
    "start": "START",
    "yes": "YES",
    "gateway": "the provider",
    "phone": "phone",
    "email": "e-mail",
    "chat": "a chat",
    "letter": "a letter",
}


class Event(NamedTuple):
    """One thing that happened. `proof` is what shows that it did."""

    at: datetime
    what: str
    detail: str
    proof: str


def of_contact(contact: SmsContact) -> list[Event]:
    """Consents, blocks and texts of a number of the account, the oldest first."""
    return sorted([*_consents(contact), *_blocks(contact), *_texts(contact)], key=lambda each: each.at)


def _consents(contact: SmsContact) -> list[Event]:
    entries = SmsConsent.objects.filter(account=contact.account_id, number_key=contact.number_key)
    found = []
    for each in entries.select_related("programme"):
        what = f"{each.get_deed_display()}: {each.get_purpose_display().lower()}, {each.programme.name}"
        parts = [f"by {SOURCES.get(each.source, each.source)}", each.page_url, each.note]
        detail = ", ".join(part for part in parts if part)
        box = "" if not each.form_field else f", box {each.form_field}, not ticked beforehand"
        found.append(Event(each.at, what, detail, f"Entry {each.position}, SHA-256 {each.sha256}{box}"))
    return found


def _blocks(contact: SmsContact) -> list[Event]:
    mine = SmsSuppression.objects.filter(account=contact.account_id, number_key=contact.number_key)
    found = []
    for each in mine:
        source = SOURCES.get(each.source, each.source)
        word = f" ({each.word.upper()})" if each.word else ""
        proof = f"Block {each.uid}" + (f", message {each.provider_sid}" if each.provider_sid else "")
        found.append(Event(each.created_at, "Blocked", f"by {source}{word} {each.note}".strip(), proof))
        if each.lifted_at is not None:
            found.append(Event(each.lifted_at, "Block ended", "", f"Block {each.uid}"))
    return found


def _texts(contact: SmsContact) -> list[Event]:
    found = []
    for each in SmsMessage.objects.filter(contact=contact):
        is_in = each.direction == SmsMessage.Direction.IN
        what = "Text received" if is_in else f"Text: {each.get_state_display().lower()}"
        detail = " ".join(part for part in (each.text, reason(each.error)) if part)
        found.append(Event(each.created_at, what, detail, each.provider_sid or each.uid))
    return found


def as_rows(events: list[Event]) -> list[dict[str, Any]]:
    """The same for a file."""
    return [
        {"at": each.at.isoformat(), "what": each.what, "detail": each.detail, "proof": each.proof}
        for each in events
    ]
