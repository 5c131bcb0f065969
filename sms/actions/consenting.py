"""Somebody agrees, or does not, to get texts (R-180)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from chatlead.addresses import truncated
from chatlead.errors import BadField, NoticeRequired
from sms import ledger, locks, selectors, wordings
from sms.actions import confirming
from sms.actions.sending import contact_of
from sms.models import SmsConsent
from sms.numbers import e164

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sms.models import SmsProgramme


Deed = SmsConsent.Deed
PER_NUMBER = 3  # in ten minutes
PER_PROGRAMME = 300  # each may be a text that the firm pays for, wherever strangers come from


@dataclass(frozen=True, slots=True)
class Shown:
    """Where and how somebody was asked: what proves it (B1-11). `default_ticked` is for the record; a box of
    ours never is. `form` is the key of the site in whose form it was, "" on the programme's own page."""

    page_url: str = ""
    ip: str = ""
    user_agent: str = ""
    source: str = "form"
    form: str = ""
    default_ticked: bool = False


def give_consent(
    *, programme: SmsProgramme, phone: str, boxes: Mapping[str, tuple[str, bool]], shown: Shown
) -> list[SmsConsent]:
    """What was ticked for a number, an entry of the ledger for each box: {purpose: (SHA-256 of its text as it
    was shown, ticked)}. A box that was not ticked is `no_consent`, unless there was a consent before, which
    an empty box does not take back. A text confirms the first consent to a programme (R-182); one
    that failed is sent anew with the next.

    Where the programme asks for a YES, what was ticked is `pending` until the phone has said it; it is asked
    at once, and not again for a day.

    Consent does not end a STOP: that takes a START from the phone itself. Raises BadField for what is no
    number, NoticeRequired where another text was shown than the one in force.
    """
    if not boxes or not set(boxes) <= set(SmsConsent.Purpose.values):
        raise BadField(field="purpose")
    number = e164(phone)
    for purpose, (sha256, _) in boxes.items():
        if sha256 != wordings.sha256(wordings.consent_text(programme, purpose)):
            raise NoticeRequired
    contact = contact_of(programme.account_id, number)
    with locks.held(contact.pk), transaction.atomic():
        entries = []
        given = Deed.PENDING if programme.asks_yes else Deed.GRANTED
        for purpose, (sha256, is_ticked) in sorted(boxes.items()):
            standing = ledger.standing(programme.pk, contact.number_key, purpose)
            before = standing.deed if standing else ""
            is_waited_for = before == Deed.PENDING and (
                not is_ticked or selectors.is_asking(programme, contact)
            )
            if before == Deed.GRANTED or is_waited_for:
                continue
            deed = given if is_ticked else Deed.NO_CONSENT
            entries.append(
                ledger.append(
                    programme,
                    contact.number_key,
                    purpose,
                    deed,
                    source=shown.source,
                    text=wordings.consent_text(programme, purpose),
                    text_sha256=sha256,
                    text_version=wordings.CONSENT_VERSION,
                    form_field=f"{shown.form}:sms_{purpose}" if shown.form else f"sms_{purpose}",
                    default_ticked=shown.default_ticked,
                    page_url=shown.page_url.replace("\x00", "")[:500],
                    ip=truncated(shown.ip),
                    user_agent=shown.user_agent.replace("\x00", "")[:400],
                )
            )
        agreed = [each for each in entries if each.deed == given]
        sender = programme.senders.order_by("id").first()
        if agreed and sender is not None:
            begin = confirming.ask if programme.asks_yes else confirming.welcome
            begin(sender=sender, contact=contact, key=agreed[0].uid)
        return entries
