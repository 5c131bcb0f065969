"""What every plain request goes through: security headers by kind of page, errors in one shape."""

from __future__ import annotations

import contextlib
import json
import logging
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware

from chatlead.access import ROUTE
from chatlead.addresses import is_trusted
from chatlead.answers import error_json
from chatlead.errors import ChatLeadError, NotAuthenticated
from chatlead.policies import page_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http.response import HttpResponseBase
    from whitenoise.responders import StaticFile

    Next = Callable[[HttpRequest], HttpResponseBase]

logger = logging.getLogger(__name__)

# Addresses whose callers are programs: they get errors as JSON.
FOR_PROGRAMS = ("/widget/", "/api/", "/poll/", "/webhooks/")


def wants_json(request: HttpRequest) -> bool:
    """Is the caller a program? The chat frame is a page although it lies under /widget/."""
    if request.path == "/widget/v1/frame":
        return False
    return request.path.startswith(FOR_PROGRAMS) or request.headers.get("Accept") == "application/json"


class RequestContext:
    """Names the route for the log. Takes away what only our proxies may say (ASVS 4.1.3), and cookies that no
    database can look up: a quoted cookie may hold a NUL (P-23)."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_trusted(request.META.get("REMOTE_ADDR", "")):
            for name in ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"):
                request.META.pop(name, None)
        if any("\0" in value for value in request.COOKIES.values()):
            request.COOKIES = {name: value for name, value in request.COOKIES.items() if "\0" not in value}
        response = self.get_response(request)
        if isinstance(request, ASGIRequest):
            cast("dict[str, Any]", request.scope)[ROUTE] = route_of(request, response)
        return response


def route_of(request: HttpRequest, response: HttpResponseBase) -> str:
    """The address as it may be logged: with the names of its arguments, not with their values. "" where it is
    none of ours."""
    match = request.resolver_match
    if match is not None:
        return f"/{match.route}"
    is_file = request.path.startswith(settings.STATIC_URL) and response.status_code in (200, 206, 304)
    return request.path if is_file else ""


class SecurityHeaders:
    """Headers of every answer that a view has not set itself (ASVS 3.4)."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if "Content-Security-Policy" not in response:
            try:
                policy = page_policy(request)
            except DisallowedHost:  # such an answer needs no socket
                policy = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"
            response["Content-Security-Policy"] = policy
            response["X-Frame-Options"] = "DENY"
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.setdefault(
            "Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
        )
        response.setdefault("Cache-Control", "no-store")
        return response


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise, but a file is read whole: under ASGI its streaming answer would cost a thread and a
    warning for each, and ours are small."""

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        """A built file with the headers that WhiteNoise worked out for it."""
        found = static_file.get_response(request.method, request.META)
        with found.file or contextlib.nullcontext(BytesIO()) as file:
            answer = HttpResponse(file.read(), status=int(found.status))
        del answer["Content-Type"]
        for name, value in found.headers:
            answer[name] = value
        return answer


def _say_what_is_possible(request: HttpRequest, response: HttpResponse) -> None:
    """Django leaves the answer to a wrong method empty."""
    if wants_json(request):
        message = "See the Allow header for what is possible."
        response["Content-Type"] = "application/json"
        error = {"code": "method_not_allowed", "message": message}
        response.content = json.dumps({"error": error}).encode()
        return
    from chatlead.views import error_page

    response.content = error_page(request, 405).content


class ErrorAnswers:
    """Turns a `ChatLeadError` into an answer: JSON for programs, a helpful page for people."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == 405 and isinstance(response, HttpResponse) and not response.content:
            _say_what_is_possible(request, response)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Called by Django for what a view raised; None leaves it to Django's own handlers."""
        if not isinstance(exception, ChatLeadError):
            return None
        if wants_json(request):
            return error_json(exception)
        if isinstance(exception, NotAuthenticated):
            from django.contrib.auth.views import redirect_to_login

            return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
        from chatlead.views import SENTENCES, error_page

        return error_page(request, exception.status, SENTENCES.get(exception.code, ""))
