"""The page where people agree to a programme (R-180). Linked from wherever a firm asks for a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from accounts import limits
from chatlead.addresses import ip_of
from chatlead.errors import BadField, NoticeRequired
from chatlead.realtime.crowd import place_of
from sms import actions, selectors, wordings
from sms.models import SmsConsent
from sms.numbers import e164, key_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

PER_NETWORK = 20  # in ten minutes


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def consent(request: HttpRequest, key: str) -> HttpResponse:
    """Shows a box for each purpose, with its text; nothing is ticked, nothing has to be."""
    programme = selectors.access_programme(key)
    wrong = done = phone = ""
    if request.method == "POST":
        phone = request.POST.get("phone", "")[:40]
        try:
            done = _agree(request, key, phone)
        except BadField:
            wrong = "Enter a phone number, as 813-555-0100."
        except NoticeRequired:
            wrong = "The text has changed. Please read it again."
    boxes = [
        {
            "purpose": purpose,
            "text": wordings.consent_text(programme, purpose),
            "sha256": wordings.sha256(wordings.consent_text(programme, purpose)),
        }
        for purpose in SmsConsent.Purpose.values
    ]
    told = {"programme": programme, "boxes": boxes, "wrong": wrong, "done": done, "phone": phone}
    return render(request, "public/sms_consent.html", told, status=422 if wrong else 200)


def _agree(request: HttpRequest, key: str, phone: str) -> str:
    """What is said to the person afterwards: the same for a number that is blocked, known or new."""
    programme = selectors.access_programme(key)
    if place_of(ip_of(request)):  # an unnamed proxy on this machine is nobody's network
        limits.take("sms consent", limits.network(ip_of(request)), PER_NETWORK)
    limits.take("sms consent number", key_of(e164(phone)), actions.PER_NUMBER)
    limits.take("sms consent programme", programme.uid, actions.PER_PROGRAMME)
    boxes = {
        purpose: (request.POST.get(f"sha256_{purpose}", ""), request.POST.get(f"sms_{purpose}") == "yes")
        for purpose in SmsConsent.Purpose.values
    }
    shown = actions.Shown(
        page_url=request.build_absolute_uri(request.path),
        ip=ip_of(request),
        user_agent=request.headers.get("User-Agent", ""),
    )
    actions.give_consent(programme=programme, phone=phone, boxes=boxes, shown=shown)
    if any(is_ticked for _, is_ticked in boxes.values()):
        if programme.asks_yes:
            return "Thank you. Please answer YES to the text message that comes now. Nothing counts before."
        return "Thank you. A text message will confirm it. Reply STOP at any time to end it."
    return "Nothing was ticked, so no text message will be sent."
