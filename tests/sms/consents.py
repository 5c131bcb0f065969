"""Somebody fills in a form about texts."""

from __future__ import annotations

from sms import actions, wordings
from sms.models import SmsConsent, SmsProgramme


def agrees(programme: SmsProgramme, phone: str, **boxes: bool) -> list[SmsConsent]:
    """With the texts as they are in force."""
    shown = actions.Shown(page_url="https://acme.test/contact", ip="203.0.113.77", user_agent="Firefox")
    ticked = {
        purpose: (wordings.sha256(wordings.consent_text(programme, purpose)), is_ticked)
        for purpose, is_ticked in boxes.items()
    }
    return actions.give_consent(programme=programme, phone=phone, boxes=ticked, shown=shown)
