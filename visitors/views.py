"""What the widget fetches over HTTP: the loader, the facts of a site, a ticket, the chat frame."""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache, wraps
from http import cookies
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.http import http_date, parse_etags
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Language
from accounts.selectors import online_departments, picture_png, site_by_key
from accounts.sites import adult_field, site_fields
from chatlead.answers import error_json
from chatlead.errors import BadField, BadFrame, ChatLeadError, MissingField, NotFound, OriginRefused
from chatlead.policies import frame_policy
from visitors import closed, languages, looks, tickets
from visitors.origins import frame_ancestors, origin_allowed
from visitors.sessions import COOKIE, is_token, new_token, session_key_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from django.http import HttpRequest

    from accounts.models import Site

# Python 3.11 cannot write a `Partitioned` cookie; the name is all it lacks.
cookies.Morsel._reserved.setdefault("partitioned", "Partitioned")  # type: ignore[attr-defined]
cookies.Morsel._flags.add("partitioned")  # type: ignore[attr-defined]

DIST = settings.BASE_DIR / "static" / "dist"
TICKET_BODY_MAX = 1024
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class BodyTooLarge(ChatLeadError):
    code, status, message = "too_large", 413, "The request is too large."


# --- the loader ---------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _script(path: Path, modified: int) -> tuple[bytes, str]:
    """The file and its ETag; read again when it was built anew. A weak one, since the same file travels in
    several codings (RFC 9110 8.8.1)."""
    body = path.read_bytes()
    return body, f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'


@require_safe
def loader(request: HttpRequest, version: str = "") -> HttpResponse:
    """The loader for any host page, also under COEP and with an integrity hash (trials.md C).

    The plain address is the newest and is kept five minutes; the one with a version never changes.
    """
    path = DIST / (f"loader.{version}.js" if version else "loader.js")
    try:
        body, etag = _script(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        raise NotFound from None
    known = parse_etags(request.headers.get("If-None-Match", ""))
    response = HttpResponse(status=304) if etag in known or "*" in known else HttpResponse(body)
    response["Content-Type"] = "text/javascript; charset=utf-8"
    response["ETag"] = etag
    response["Last-Modified"] = http_date(path.stat().st_mtime)
    response["Cache-Control"] = "public, max-age=31536000, immutable" if version else "public, max-age=300"
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


# --- facts and tickets: for pages on the site's domains ---------------------------------------------------


def _own(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def _page_origin(request: HttpRequest) -> str | None:
    """The page that asks. A browser leaves `Origin` out of a GET to the page's own server and says so."""
    origin = request.headers.get("Origin")
    own = _own(request)
    if origin is None and request.method in ("GET", "HEAD"):
        same = request.headers.get("Sec-Fetch-Site")
        referrer = request.headers.get("Referer", "")
        if same == "same-origin" or (same is None and referrer.startswith(f"{own}/")):
            return own
    return origin


def _language(request: HttpRequest, site: Site) -> str:
    """`lang` is what the page's snippet says (`data-language`)."""
    return languages.chosen(
        page=request.GET.get("lang", ""),
        site=site.language,
        browser=request.headers.get("Accept-Language", ""),
    )


def _for_page(response: HttpResponse, origin: str) -> HttpResponse:
    response["Access-Control-Allow-Origin"] = origin
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    patch_vary_headers(response, ["Origin"])
    return response


def _says_why(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page that is refused may read that: else it could not tell it from a server that is away, and would
    ask for ever. It learns no more than any program does that asks."""

    @wraps(view)
    def answered(request: HttpRequest, **named: str) -> HttpResponse:
        try:
            return view(request, **named)
        except (NotFound, OriginRefused) as refusal:
            response = error_json(refusal)
            response["Access-Control-Allow-Origin"] = "*"
            return response

    return answered


@require_safe
@_says_why
def site_facts(request: HttpRequest, key: str) -> HttpResponse:
    """What a launcher is drawn from, for pages on the site's domains: `{"color", "online": [uid, …]}`.

    No more than that: it is part of what every page of the site loads. Where the language is not English,
    which the loader has in it, also `"lang"` and its `"words"`; where the site has looks of its own, `"css"`
    and `"greeting"` (`visitors.looks`). Raises NotFound, OriginRefused.
    """
    site = site_by_key(key)
    origin = _page_origin(request)
    if origin is None or not origin_allowed(origin, site.allowed_domains):
        raise OriginRefused
    facts: dict[str, object] = {"color": site.color, "online": online_departments(site_id=site.pk)}
    language = _language(request, site)
    if language != Language.ENGLISH:
        facts |= {"lang": language, "words": languages.words(language)["loader"]}
    facts |= looks.look_of(site, language)
    response = JsonResponse(facts, json_dumps_params={"ensure_ascii": False})
    response["Cache-Control"] = "public, max-age=60"
    _for_page(response, origin)
    patch_vary_headers(response, ["Accept-Language"])
    return response


def _asked_site(body: bytes) -> str:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise BadFrame("The body is not a JSON object.") from None
    if not isinstance(asked, dict):
        raise BadFrame("The body is not a JSON object.")
    if "site" not in asked:
        raise MissingField(field="site")
    key = asked["site"]
    if not isinstance(key, str) or not re.fullmatch(r"[A-Za-z0-9_-]{16,32}", key):
        raise BadField(field="site")
    return key


@csrf_exempt  # carries no cookie: the Origin is what is checked
@require_POST
@_says_why
def ticket(request: HttpRequest) -> HttpResponse:
    """`{"site": KEY}` from a page on one of its domains → `{"ticket"}` for the frame in that page.

    From the site's hosted page too, for itself.
    """
    if int(request.META.get("CONTENT_LENGTH") or 0) > TICKET_BODY_MAX:
        raise BodyTooLarge
    body = request.read(TICKET_BODY_MAX + 1)
    if len(body) > TICKET_BODY_MAX:
        raise BodyTooLarge
    site = site_by_key(_asked_site(body))
    origin = request.headers.get("Origin")
    hosted = site.hosted_page and origin == _own(request)
    if origin is None or not (hosted or origin_allowed(origin, site.allowed_domains)):
        raise OriginRefused
    return _for_page(JsonResponse({"ticket": tickets.issue(site, origin)}), origin)


@require_safe
def picture(request: HttpRequest, uid: str) -> HttpResponse:
    """A firm's picture or an operator's, for the chat's document. Never another one at the same address.

    It is a file that we wrote ourselves (`accounts.pictures`); even opened by itself it may do nothing.
    Raises NotFound.
    """
    response = HttpResponse(picture_png(uid), content_type="image/png")
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    response["Content-Disposition"] = "inline"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


# --- the chat frame ---------------------------------------------------------------------------------------


def _keeps_secure_cookies(request: HttpRequest) -> bool:
    """Browsers take `Secure` cookies over https and, of plain http, only from this machine itself."""
    return request.is_secure() or urlsplit(f"//{request.get_host()}").hostname in LOOPBACK


def _said(request: HttpRequest, site: Site) -> dict[str, object]:
    """What the chat's document is made of, in the language of whoever reads it."""
    language = _language(request, site)
    words = languages.words(language)
    return {
        "site": site,
        "language": language,
        "dir": languages.direction(language),
        "words": words,
        "title": words["page"]["title"].replace("{}", site.name),
        "adult": adult_field(site_fields(site)),
        "script": "chat.js" if language == Language.ENGLISH else f"chat.{language}.js",
    }


def _is_closed(request: HttpRequest, site: Site) -> bool:
    """Whether nothing may be collected from this browser (R-070): known by its live session, or said by the
    widget itself (`closed`), which was refused by what only the page knows of it."""
    token = request.COOKIES.get(COOKIE, "")
    if "closed" in request.GET or not is_token(token):
        return "closed" in request.GET
    return bool(closed.among([session_key_of(site.key, token)]))


@require_safe
def frame(request: HttpRequest) -> HttpResponse:
    """The chat's document. Only the site's domains may embed it; it carries the session's cookie (R-120).
    Where nothing may be collected it says so, and asks for nothing (R-070)."""
    site = site_by_key(request.GET.get("site", ""))
    told = _said(request, site)
    if _is_closed(request, site):
        told |= {"style": "chat.css", "has_way_out": "inline" not in request.GET}
        response = render(request, "widget/closed.html", told)
    else:
        response = render(request, "widget/frame.html", told)
    response["Content-Security-Policy"] = frame_policy(request, frame_ancestors(site.allowed_domains))
    response["Cache-Control"] = "no-store"
    # a host page under COEP shows no frame without these two
    response["Cross-Origin-Embedder-Policy"] = "require-corp"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    # `fresh` is the page logging its visitor out; only a page of the site may ask for that
    page = request.headers.get("Referer", "").rstrip("/")
    fresh = "fresh" in request.GET and origin_allowed(page, site.allowed_domains)
    _keep_session(request, response, fresh=fresh)
    return response


def _keep_session(request: HttpRequest, response: HttpResponse, *, fresh: bool) -> None:
    if _keeps_secure_cookies(request) and (fresh or not is_token(request.COOKIES.get(COOKIE, ""))):
        response.set_cookie(COOKIE, new_token(), path="/", secure=True, httponly=True, samesite="None")
        response.cookies[COOKIE]["partitioned"] = True


@require_safe
def hosted(request: HttpRequest, key: str) -> HttpResponse:
    """The chat as a page of its own, for firms without a website: whoever has the link may talk, whatever
    domains the site lists, and no page may embed it (docs/decisions/0015). NotFound where it is switched off.
    """
    site = site_by_key(key)
    if not site.hosted_page:
        raise NotFound
    told = _said(request, site)
    if _is_closed(request, site):
        response = render(request, "widget/closed.html", told | {"style": "hosted.css"})
    else:
        response = render(request, "widget/hosted.html", told)
    response["Content-Security-Policy"] = frame_policy(request, "'none'")
    response["X-Frame-Options"] = "DENY"
    response["Cache-Control"] = "no-store"
    _keep_session(request, response, fresh=False)
    return response
