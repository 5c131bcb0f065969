"""Pages that belong to no app: the public page, the demo firm, errors."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.views.decorators.http import require_safe

from accounts import selectors
from chatlead import speech
from chatlead.answers import error_json
from chatlead.errors import ChatLeadError, NotFound
from chatlead.middleware import wants_json
from visitors import looks

DEMO_SITE_OWNER = "owner@demo.test"
# What a page for people says of an error that has words of its own (`pages` in frontend/src/words/console/).
SENTENCES = {"origin_refused": "otherWebsite", "rate_limited": "tooFast", "unavailable": "busy"}


def public_address(request: HttpRequest) -> str:
    """Where this server is reached, as it stands in a snippet: no slash at the end."""
    return settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The public page, with the snippet and what a strict page has to allow (R-003). Its own chat is that of
    CHATLEAD_OWN_SITE, else the demo's; none where there is neither."""
    demo_site = selectors.first_site_of(DEMO_SITE_OWNER)
    own_site = selectors.sites_by_key([settings.OWN_SITE]).get(settings.OWN_SITE)
    address = public_address(request)
    known = {
        "demo_site": demo_site,
        "chat_site": own_site or demo_site,
        "address": address,
        "socket_address": address.replace("http", "ws", 1),
    }
    return render(request, "public/home.html", known)


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component with each of its states (ui.md); 404 unless CHATLEAD_STYLEGUIDE or DEBUG is on."""
    if not settings.STYLEGUIDE:
        raise NotFound
    return render(request, "public/styleguide.html", {"greeting": looks.usual_greeting()})


@require_safe
def demo(request: HttpRequest, page: str = "index") -> HttpResponse:
    """The website of the demo firm with the snippet of its site; 404 where there is no demo."""
    site = selectors.first_site_of(DEMO_SITE_OWNER)
    template = f"public/demo/{page}.html"
    try:
        get_template(template)
    except TemplateDoesNotExist:
        site = None
    if site is None:
        raise NotFound
    known = {"site_key": site.key, "address": public_address(request), "page": page}
    return render(request, template, known)


# --- errors -----------------------------------------------------------------------------------------


def error_page(request: HttpRequest, status: int, sentence: str = "") -> HttpResponse:
    """A page that says what happened and what to do, in the browser's language; needs neither database nor
    log-in. `sentence` names one of the words of `chatlead.speech`; without it the status says all."""
    language = speech.asked_of(request)
    t = speech.words(language)
    known = {
        "status": status,
        "language": language,
        "t": t,
        "title": t.get(f"title{status}", t["titleOther"]),
        "message": t.get(sentence) or t.get(f"text{status}", t["textOther"]),
    }
    return HttpResponse(get_template("errors/error.html").render(known), status=status)


def refused(request: HttpRequest, status: int, code: str, sentence: str = "") -> HttpResponse:
    """The same as a page for people, or as JSON, in English, for programs."""
    if not wants_json(request):
        return error_page(request, status, sentence)
    error = ChatLeadError(speech.words(speech.ENGLISH)[sentence or f"text{status}"])
    error.code, error.status = code, status
    return error_json(error)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: what Django refused before a view saw it."""
    return refused(request, 400, "bad_request")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return refused(request, 403, "forbidden")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form is too old, came from another website, or cookies are off."""
    return refused(request, 403, "csrf_failed", "oldForm")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return refused(request, 404, "not_found")


def server_error(request: HttpRequest) -> HttpResponse:
    """500: logged with the request's id, never with what was sent."""
    return refused(request, 500, "internal")
