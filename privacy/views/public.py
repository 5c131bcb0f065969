"""The form on the public site: no account, no telling whether anything is kept (R-150, R-151)."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import formats, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import limits
from accounts.models import Site, is_uid
from chatlead.addresses import ip_of
from chatlead.errors import NotFound, RateLimited
from chatlead.realtime.crowd import place_of
from chatlead.realtime.files import sent
from privacy import actions, exports, links, selectors
from privacy.languages import words
from privacy.models import PrivacyRequest
from visitors import languages
from visitors.sessions import COOKIE, is_token, session_key_of

if TYPE_CHECKING:
    from django.http import HttpRequest, StreamingHttpResponse

    from privacy.models import PrivacyExport
    from visitors.models import Visitor

PROVED_SECONDS = 15 * 60
EMAIL_MAX = 254
FROM_NOWHERE = 10  # times as many as from one network
State = PrivacyRequest.State


def _language(request: HttpRequest) -> str:
    return languages.chosen(
        page=request.GET.get("lang", "") or request.POST.get("lang", ""),
        site="",
        browser=request.headers.get("Accept-Language", ""),
    )


def _shown(
    request: HttpRequest, template: str, language: str, known: dict[str, Any], status: int = 200
) -> HttpResponse:
    told = {
        "language": language,
        "dir": languages.direction(language),
        "public": languages.public(language),
        "w": words(language),
        **known,
    }
    return render(request, template, told, status=status)


def _site(key: str) -> Site | None:
    """The site that the widget's link names; None for none, or for one that is not there."""
    return Site.objects.select_related("account").filter(key=key).first() if is_uid(key) else None


def _bound(request: HttpRequest, email: str = "") -> None:
    """Raises RateLimited: for whoever sends forms, and for whom they send mail to."""
    ip, most = ip_of(request), settings.PRIVACY_FORMS["address"]
    if place_of(ip):
        limits.take("privacy:place", limits.network(ip), most)
    else:  # behind a proxy that has no name here everybody comes from one place: the form stays open
        limits.take("privacy:nowhere", "", most * FROM_NOWHERE)
    if email:
        mailbox = email.strip().lower()
        limits.take("privacy:mailbox", mailbox, settings.PRIVACY_FORMS["mailbox"])
        # each is a mail; counted whether anything is kept of the address or not, so it tells nobody which
        most = settings.PRIVACY_CODES
        if place_of(ip):
            limits.take("privacy:place:day", limits.network(ip), most["address"], seconds=limits.DAY_SECONDS)
        limits.take("privacy:mailbox:day", mailbox, most["mailbox"], seconds=limits.DAY_SECONDS)


def _too_often(
    request: HttpRequest, template: str, language: str, known: dict[str, Any], error: RateLimited
) -> HttpResponse:
    """The same page with the refusal, which programs read in `Retry-After` and `X-Error-Code`."""
    seconds = math.ceil((error.retry_after_ms or 0) / 1000)
    text = words(language)["too_often_today" if seconds > limits.WINDOW_SECONDS else "too_often"]
    response = _shown(request, template, language, known | {"error": text, "errors": {"form": text}}, 429)
    response["X-Error-Code"], response["Retry-After"] = error.code, str(seconds)
    return response


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """The form, for a site's firm (`?site=KEY`) or for the whole service. What is sent leads to the page that
    asks for the code, whether anything is kept or not."""
    language = _language(request)
    site = _site(request.GET.get("site", "") or request.POST.get("site", ""))
    given = {name: request.POST.get(name, "") for name in ("kind", "email", "details")}
    kinds = [(value, words(language)[value]) for value in PrivacyRequest.Kind.values]
    w = words(language)
    to = w["to_firm"].replace("{}", site.account.name) if site else w["to_all"]
    visitor = _visitor(request, site)
    known: dict[str, Any] = {"site": site, "given": given, "kinds": kinds, "errors": {}, "to": to}
    known["session"] = visitor is not None
    if request.method != "POST":
        return _shown(request, "public/privacy/ask.html", language, known)
    known["errors"] = errors = _errors(given, language, needs_email=visitor is None)
    if not errors:
        try:
            _bound(request, given["email"])
        except RateLimited as error:
            return _too_often(request, "public/privacy/ask.html", language, known, error)
        if visitor is not None:
            proved = actions.receive_proved(**given, visitor=visitor, language=language)
            request.session[f"privacy:{proved.uid}"] = time.time() + PROVED_SECONDS
            return redirect(f"/privacy/requests/{proved.uid}/?lang={language}")
        account = site.account if site else None
        asked = actions.receive(**given, language=language, account=account)
        return redirect(f"/privacy/requests/{asked.uid}/?lang={language}")
    return _shown(request, "public/privacy/ask.html", language, known, 400)


def _visitor(request: HttpRequest, site: Site | None) -> Visitor | None:
    """Whose live chat it is that is open in this browser, on the site's page here: that proves who asks. The
    cookie of a chat within another website does not come here; there it is the link that its window opens."""
    if site is None:
        return None
    link = request.session.get(f"privacy:link:{site.key}")
    if isinstance(link, list) and link[1] > time.time():
        return links.visitor_of(site.key, link[0])
    token = request.COOKIES.get(COOKIE, "")
    return links.visitor_of(site.key, session_key_of(site.key, token)) if is_token(token) else None


@never_cache
@require_GET
def prove_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """From the chat in another website's page, in a tab of its own: for a quarter of an hour this browser has
    proved whose chat it is. A link that is no good any more leads to the form, where a mailed code proves it.
    """
    try:
        _bound(request)
        link = links.use(token)
    except (NotFound, RateLimited):
        return redirect(f"/privacy/requests/?lang={_language(request)}")
    request.session[f"privacy:link:{link.site.key}"] = [link.session_key, time.time() + PROVED_SECONDS]
    return redirect(f"/privacy/requests/?site={link.site.key}&lang={_language(request)}")


def _errors(given: dict[str, str], language: str, *, needs_email: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    if given["kind"] not in PrivacyRequest.Kind.values:
        found["kind"] = words(language)["choose"]
    try:
        email = given["email"] = given["email"].strip()
        if email or needs_email:
            validate_email(email)
        if len(email) > EMAIL_MAX or not email.isprintable():
            raise ValidationError(email)
    except ValidationError:
        found["email"] = words(language)["bad_email"]
    given["details"] = given["details"].replace("\x00", "")
    return found


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def asked(request: HttpRequest, uid: str) -> HttpResponse:
    """Asks for the mailed code; then, for a quarter of an hour in this browser, how the request stands.

    An address of a request that is not there looks like one whose code has not been typed in.
    """
    language = _language(request)
    known: dict[str, Any] = {"uid": uid, "error": "", "sent": "sent" in request.GET}
    if request.method == "POST":
        try:
            _bound(request)
            actions.prove(uid=uid if is_uid(uid) else "-", code=request.POST.get("code", ""))
        except RateLimited as error:
            return _too_often(request, "public/privacy/code.html", language, known, error)
        except actions.WrongCode:
            known["error"] = words(language)["wrong_code"]
            return _shown(request, "public/privacy/code.html", language, known, 403)
        request.session[f"privacy:{uid}"] = time.time() + PROVED_SECONDS
        return redirect(f"/privacy/requests/{uid}/?lang={language}")
    found = _proved(request, uid)
    if found is None:
        return _shown(request, "public/privacy/code.html", language, known)
    return _shown(request, "public/privacy/stands.html", language, known | _standing(found, language))


def _proved(request: HttpRequest, uid: str) -> PrivacyRequest | None:
    """The request, where this browser has proved lately whose it is."""
    until = request.session.get(f"privacy:{uid}", 0)
    if not isinstance(until, int | float) or until < time.time():
        return None
    return PrivacyRequest.objects.select_related("account").filter(uid=uid).first()


def _standing(found: PrivacyRequest, language: str) -> dict[str, Any]:
    w = words(language)
    with translation.override(language):
        day = formats.date_format(found.due_at, "DATE_FORMAT")
        copy = selectors.copy_of(found)
        until = formats.date_format(copy.expires_at, "DATE_FORMAT") if copy else ""
    name = "state_passed" if found.account_id is None else f"state_{found.state}"
    if found.account_id is not None and found.pk in selectors.waiting_for_holds(found.account_id):
        name = "held"
    firm = found.account.name if found.account else ""
    text = w.get(name, "").replace("{firm}", firm).replace("{day}", day)
    return {"text": text, "until": w["until"].replace("{}", until) if copy else ""}


@require_POST
def another_code(request: HttpRequest, uid: str) -> HttpResponse:
    """Mails another code, where there is somebody to mail it to; says the same in any case."""
    language = _language(request)
    try:
        known_uid = uid if is_uid(uid) else "-"
        _bound(request, actions.mailbox_of(uid=known_uid))
        actions.resend_code(uid=known_uid)
    except RateLimited as error:
        return _too_often(request, "public/privacy/code.html", language, {"uid": uid}, error)
    return redirect(f"/privacy/requests/{uid}/?lang={language}&sent=1")


@never_cache
@require_POST
def fetch(request: HttpRequest, uid: str) -> StreamingHttpResponse:
    """The copy, for a browser in which a code was typed in lately. Raises NotFound."""
    found = _proved(request, uid)
    copy = selectors.copy_of(found) if found else None
    if copy is None:
        raise NotFound
    return as_file(request, copy)


def as_file(request: HttpRequest, copy: PrivacyExport) -> StreamingHttpResponse:
    """The ZIP as a download, a piece at a time."""
    name = f"your-data-{copy.created_at:%Y-%m-%d}.zip"
    response = sent(request, name, "application/zip", exports.kept(copy))
    response["Content-Length"] = str(copy.byte_count)
    return response
