"""What the provider tells us. The signature comes first: before it is right nothing is read, looked up by
what was sent, or fetched from anywhere (B1-13, B1-19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from chatlead.errors import BadField, Forbidden, NotFound
from sms import actions, selectors, signatures

if TYPE_CHECKING:
    from django.http import HttpRequest

    from sms.models import SmsSender

EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


@csrf_exempt
@require_POST
def inbound(request: HttpRequest, key: str) -> HttpResponse:
    """A text has come in, to the sender of this uid. The answer follows the commit; where there is none (the
    database is away), it is a 5xx, and the provider tries again (B1-15)."""
    sender, form = _genuine(request, key)
    try:
        actions.receive(sender=sender, form=form)
    except BadField:
        return HttpResponse(status=400)
    return HttpResponse(EMPTY, content_type="text/xml; charset=utf-8")


@csrf_exempt
@require_POST
def status(request: HttpRequest, key: str, uid: str) -> HttpResponse:
    """What became of the text `uid`."""
    sender, form = _genuine(request, key)
    sid = form.get("MessageSid") or form.get("SmsSid") or ""
    told = form.get("MessageStatus") or form.get("SmsStatus") or ""
    actions.report(sender=sender, uid=uid, sid=sid, status=told, error=form.get("ErrorCode", ""))
    return HttpResponse(EMPTY, content_type="text/xml; charset=utf-8")


def _genuine(request: HttpRequest, key: str) -> tuple[SmsSender, dict[str, str]]:
    """The sender and the form, where the provider signed it with the sender's key and means the sender's
    account. Raises Forbidden for everything else, a sender that is not there or whose number is not proved
    included."""
    try:
        sender = selectors.access_sender(key)
    except NotFound:
        raise Forbidden from None
    secrets = signatures.Secrets(sender.auth_token, sender.shared_key_id, sender.shared_key)
    signed = signatures.Signed(
        request.headers.get("X-Twilio-Signature", ""),
        request.headers.get("X-Twilio-Webhooks-Signature-Settings", ""),
        request.headers.get("Content-Type", ""),
        request.body,
    )
    is_heard = sender.gateway == sender.Gateway.TWILIO and sender.is_live
    if not is_heard or not signatures.is_genuine(signed, _urls(request), secrets):
        raise Forbidden
    form = signatures.fields_of(signed)
    if form.get("AccountSid") != sender.account_sid:
        raise Forbidden
    return sender, form


def _urls(request: HttpRequest) -> list[str]:
    """The address as the provider may have written it: as it was asked for, and as this server is known."""
    urls = [request.build_absolute_uri()]
    if settings.PUBLIC_URL:
        urls.append(settings.PUBLIC_URL + request.get_full_path())
    return urls
