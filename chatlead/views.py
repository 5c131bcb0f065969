"""Pages that belong to no app: the public page, the demo firm, errors."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.views.decorators.http import require_safe

from accounts import selectors
from chatlead.answers import error_json
from chatlead.errors import ChatLeadError, Forbidden, NotFound
from chatlead.middleware import wants_json

DEMO_SITE_OWNER = "owner@demo.test"
TITLES = {
    400: "That request made no sense",
    403: "This is not for you",
    404: "There is nothing here",
    405: "That cannot be done here",
    500: "Something broke on our side",
}


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
    return render(request, "public/styleguide.html")


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


def error_page(request: HttpRequest, status: int, message: str) -> HttpResponse:
    """A page that says what happened and what to do; needs neither database nor log-in."""
    title = TITLES.get(status, "That did not work")
    body = get_template("errors/error.html").render({"status": status, "title": title, "message": message})
    return HttpResponse(body, status=status)


def _refused(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    if not wants_json(request):
        return error_page(request, status, message)
    error = ChatLeadError(message)
    error.code, error.status = code, status
    return error_json(error)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: what Django refused before a view saw it."""
    return _refused(request, 400, "bad_request", "The request could not be read. Please try again.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _refused(request, 403, "forbidden", Forbidden.message)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form is too old, came from another website, or cookies are off."""
    message = "This form is too old or its cookie is missing. Allow cookies, reload the page and try again."
    return _refused(request, 403, "csrf_failed", message)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return _refused(request, 404, "not_found", "The address may be mistyped, or the page has moved.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500: logged with the request's id, never with what was sent."""
    return _refused(request, 500, "internal", "It has been noted. Nothing that was confirmed to you is lost.")
