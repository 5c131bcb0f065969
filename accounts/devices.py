"""Browsers in which somebody has logged in before: they keep a signed cookie for half a year, and it opens
nothing.

Strangers can use up what unknown browsers may: wrong passwords for a person's address (P-22), sockets from an
office's (D-2). So a browser that is known here, in every process and after a restart, is counted by its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing
from django.utils.crypto import constant_time_compare, get_random_string, salted_hmac

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpResponse

SECONDS = 180 * 86_400
SALT = "accounts.device"


def remember(response: HttpResponse, email: str) -> None:
    """This person has just logged in."""
    value = signing.dumps([_trace_of(email), get_random_string(22)], salt=SALT)
    name, secure = settings.DEVICE_COOKIE_NAME, settings.SECURE_COOKIES
    response.set_cookie(name, value, SECONDS, secure=secure, httponly=True, samesite="Lax")


def number_of(cookies: Mapping[str, str], email: str) -> str:
    """The browser's number where this person has logged in there, else ""."""
    trace, number = _read(cookies)
    return number if constant_time_compare(trace, _trace_of(email)) else ""


def person_of(cookies: Mapping[str, str]) -> str:
    """A name for whoever has logged in there last, the same in all of their browsers; "" for nobody."""
    return _read(cookies)[0]


def _read(cookies: Mapping[str, str]) -> tuple[str, str]:
    try:
        trace, number = signing.loads(
            cookies.get(settings.DEVICE_COOKIE_NAME, ""), salt=SALT, max_age=SECONDS
        )
    except signing.BadSignature:
        return "", ""
    return str(trace), str(number)


def _trace_of(email: str) -> str:
    return salted_hmac(SALT, email.strip().lower(), algorithm="sha256").hexdigest()
