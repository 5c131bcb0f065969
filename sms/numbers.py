"""Telephone numbers: one spelling, one keyed name, and a form in which they may be shown."""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from chatlead.errors import BadField


def e164(text: str, *, region: str = "US", field: str = "phone") -> str:
    """The number as +18135550100. Raises BadField for what cannot be one."""
    import phonenumbers  # slow to import, and rarely needed

    try:
        found = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise BadField("This is not a phone number.", field=field) from None
    if not phonenumbers.is_possible_number(found):
        raise BadField("This is not a phone number.", field=field)
    return str(phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164))


def key_of(number: str) -> str:
    """The keyed hash by which a number is known when it may be known no longer (R-192). The key is never
    changed: with another one nobody who was blocked would be."""
    if not settings.SMS_HASH_KEY:
        raise ImproperlyConfigured("Set CHATLEAD_SMS_HASH_KEY: numbers are kept under it.")
    return hmac.new(settings.SMS_HASH_KEY.encode(), number.encode(), hashlib.sha256).hexdigest()


def masked(number: str) -> str:
    """What everybody in the console may see of it: its last four digits."""
    return f"Phone ending in {number[-4:]}" if number else "Erased number"
