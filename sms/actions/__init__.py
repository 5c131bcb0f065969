"""Writes about texts. What comes in is taken down, answered and blocked in one transaction; what goes out is
a row first, and is handed over by the outbox."""

from sms.actions.asking import ask_in_form, take_boxes
from sms.actions.claiming import prove_sender, release_number
from sms.actions.consenting import PER_NUMBER, PER_PROGRAMME, Shown, give_consent
from sms.actions.handing import hand_over
from sms.actions.managing import (
    add_programme,
    add_sender,
    after_restore,
    ask_for_yes,
    change_sender,
    pause,
    resume,
)
from sms.actions.receiving import receive
from sms.actions.reporting import report
from sms.actions.sending import follow_chat, follow_chats, hint, queue, send
from sms.actions.stopping import opt_out
from sms.actions.withholding import withhold_texts

__all__ = [
    "PER_NUMBER",
    "PER_PROGRAMME",
    "Shown",
    "add_programme",
    "add_sender",
    "after_restore",
    "ask_for_yes",
    "ask_in_form",
    "change_sender",
    "follow_chat",
    "follow_chats",
    "give_consent",
    "hand_over",
    "hint",
    "opt_out",
    "pause",
    "prove_sender",
    "queue",
    "receive",
    "release_number",
    "report",
    "resume",
    "send",
    "take_boxes",
    "withhold_texts",
]
