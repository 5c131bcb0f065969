"""Twilio's Programmable Messaging, by plain REST. Redirects are not followed, bodies are bounded by time."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
from django.conf import settings

from sms.gateways.base import Busy, Handed, Refused, Unclear

if TYPE_CHECKING:
    from collections.abc import Collection, Generator
    from contextlib import AbstractContextManager
    from datetime import datetime

    from sms.models import SmsSender

TIMEOUT = httpx.Timeout(8.0, connect=4.0)
# the connection never stood, so nothing was sent
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
LATER = frozenset({429, 503})  # said before anything was done
SECONDS_APART = 5  # our clock and the provider's


class Twilio:
    """One short-lived connection a call: texts are rare, and a worker forks."""

    def send(
        self,
        sender: SmsSender,
        *,
        to: str,
        text: str,
        key: str,
        callback: str,
        leaving: AbstractContextManager[None],
    ) -> Handed:
        """POST Messages. The head of the request goes first, and says how long its body is; without that body
        the provider has nothing to act on."""
        form = {"To": to, "Body": text, "StatusCallback": callback}
        if sender.kind == sender.Kind.SERVICE:
            form["MessagingServiceSid"] = sender.service_sid
        else:
            form["From"] = sender.number
        body = urlencode(form).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
        pieces = _left(body, leaving)
        try:
            answer = self._ask("POST", "Messages", sender, headers=headers, content=pieces)
        finally:
            pieces.close()  # where the line broke over it
        return Handed(str(answer["sid"]), str(answer.get("status") or "accepted"))

    def find(
        self, sender: SmsSender, *, to: str, text: str, key: str, since: datetime, known: Collection[str]
    ) -> Handed | None:
        """GET Messages to this number of that day and later; the first with this very text, made since then,
        that is not known as another one. The provider's list begins with the newest."""
        day = since.astimezone(UTC).date().isoformat()
        answer = self._ask("GET", "Messages", sender, params={"To": to, "DateSent>": day, "PageSize": "100"})
        for each in reversed(answer.get("messages", [])):
            made = parsedate_to_datetime(each["date_created"])
            is_later = made.timestamp() >= since.timestamp() - SECONDS_APART
            is_ours = each.get("direction", "").startswith("outbound") and each["sid"] not in known
            if each.get("body") == text and is_ours and is_later:
                return Handed(str(each["sid"]), str(each["status"]))
        return None

    def owns(self, sender: SmsSender) -> bool:
        """GET IncomingPhoneNumbers, the numbers of an account. Its filter finds parts of numbers too, so what
        comes back is compared whole.

        https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
        """
        answer = self._ask("GET", "IncomingPhoneNumbers", sender, params={"PhoneNumber": sender.number})
        return any(
            each.get("phone_number") == sender.number for each in answer.get("incoming_phone_numbers", [])
        )

    def _ask(self, method: str, resource: str, sender: SmsSender, **what: Any) -> dict[str, Any]:
        url = f"{settings.TWILIO_URL}/2010-04-01/Accounts/{sender.account_sid}/{resource}.json"
        try:
            with httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client:
                answer = client.request(method, url, auth=(sender.account_sid, sender.auth_token), **what)
        except NEVER_SENT as error:
            raise Busy(type(error).__name__) from None
        except httpx.HTTPError as error:
            raise Unclear(type(error).__name__) from None
        if answer.status_code in LATER:
            raise Busy(str(answer.status_code))
        if answer.status_code >= 500:
            raise Unclear(str(answer.status_code))
        try:
            found = answer.json()
        except ValueError:
            raise Unclear("no JSON") from None
        if not isinstance(found, dict):
            raise Unclear("no object")
        if answer.status_code >= 300:
            raise Refused(str(found.get("code") or answer.status_code))
        return found


def _left(body: bytes, leaving: AbstractContextManager[None]) -> Generator[bytes]:
    """The body in one piece. The client asks for it when the head was written, and for the next one, of which
    there is none, when it has given the whole piece to the system."""
    with leaving:
        yield body
