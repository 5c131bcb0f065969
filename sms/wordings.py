"""What we say: to people by text, to staff about what failed. Every text to people holds what the law wants
and no offer (R-182, B1-6, B1-9); GSM characters only, so that they stay short."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sms.models import SmsProgramme

CONSENT_VERSION = "2026-11"
PURPOSES = {
    "service": "text messages about what I have asked for",
    "marketing": "marketing text messages",
}
# A reason of ours, or the provider's code -> what staff reads
REASONS = {
    "stopped": "This person has replied STOP. Nothing can be sent until they text START.",
    "consent_missing": "This person has not agreed to these messages.",
    "paused": "Text messages are switched off.",
    "too_late": "It could not be handed over in time.",
    "too_long": "It is longer than 1,600 characters.",
    "sender_unregistered": "The sender is not registered with the carriers yet.",
    "number_unproved": "The provider has not confirmed that this number is yours.",
    "welcome_failed": "The message that confirms the consent could not be delivered.",
    "unclear": "The provider did not say whether it was sent.",
    "erased": "The number was erased.",
    "restricted": "Of this person everything is kept and nothing else done.",
    "landline": "This number cannot receive text messages.",
    "21211": "This is not a valid phone number.",
    "21610": "This person has replied STOP. Nothing can be sent until they text START.",
    "21614": "This number cannot receive text messages.",
    "21617": "It is longer than 1,600 characters.",
    "21635": "This is a landline. It cannot receive text messages.",
    "30003": "The phone is switched off or out of reach.",
    "30004": "The carrier or the person blocks our messages.",
    "30005": "This number does not exist any more.",
    "30006": "This is a landline, or the carrier cannot be reached.",
    "30007": "The carrier took it for spam.",
    "30008": "The carrier gives no reason.",
    "20003": "The provider does not accept the credentials of this sender.",
}


def reason(code: str) -> str:
    """A sentence for any code."""
    return REASONS.get(code, f"The provider says: error {code}." if code else "")


def consent_text(programme: SmsProgramme, purpose: str) -> str:
    """What stands beside the box, word for word (R-180): who, what for, how often, what it costs, how it
    ends."""
    firm = programme.account.legal_name or programme.account.name
    terms = f" Terms and privacy: {programme.terms_url}" if programme.terms_url else ""  # those of before
    return (
        f"I agree to receive {PURPOSES[purpose]} from {firm} ({programme.name}) at this number. "
        f"{programme.frequency}. Message and data rates may apply. Reply STOP to end, HELP for help. "
        f"My consent is not a condition of a chat or of any purchase.{terms}"
    )


def box_of(programme: SmsProgramme, purpose: str) -> str:
    """The name of a box in the chat's form. It is another one when the text beside it is: what was ticked is
    this text, word for word."""
    return f"sms_{purpose}_{sha256(consent_text(programme, purpose))[:16]}"


def sha256(text: str) -> str:
    """The name of a text that was shown."""
    return hashlib.sha256(text.encode()).hexdigest()


def welcome(programme: SmsProgramme) -> str:
    """The first text to anybody who agreed (R-182)."""
    return (
        f"{programme.name}: you agreed to our text messages. {programme.frequency}. "
        "Msg & data rates may apply. Reply HELP for help, STOP to end."
    )


def question(programme: SmsProgramme) -> str:
    """The first text to a number that somebody has entered, where a consent needs a YES (B1-8): whoever has
    the phone need not be who filled the form in. Holds what the first text has to (R-182)."""
    return (
        f"{programme.name}: reply YES to get the text messages that this number was entered for. "
        f"{programme.frequency}. Msg & data rates may apply. Reply HELP for help, STOP to end."
    )


def stopped(programme: SmsProgramme) -> str:
    """The only text after a STOP; no address, no offer (B1-6)."""
    return f"{programme.name}: you will get no more text messages from us. Reply START to come back."


def started(programme: SmsProgramme) -> str:
    """After a START."""
    return (
        f"{programme.name}: you will get our text messages again. {programme.frequency}. "
        "Msg & data rates may apply. Reply HELP for help, STOP to end."
    )


def helping(programme: SmsProgramme) -> str:
    """The answer to HELP, for anybody (R-187, R-197)."""
    return (
        f"{programme.name}: for help {programme.contact}. {programme.frequency}. "
        "Msg & data rates may apply. Reply STOP to end."
    )
