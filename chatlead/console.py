"""The console's shell, and what makes it an app: manifest, service worker, the page without a network."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import selectors
from chatlead import speech
from chatlead.templatetags.assets import asset
from chatlead.views import refused

if TYPE_CHECKING:
    from accounts.models import User

DIST = settings.BASE_DIR / "static" / "dist"
IMAGES = f"{settings.STATIC_URL}img/"
SURFACE, ACCENT = "#fbfaf8", "#0f5f5c"  # frontend/src/design/tokens.css


def script_of(language: str) -> str:
    """The built console that speaks a language: a name in static/dist/."""
    return "console.js" if language == speech.ENGLISH else f"console.{language}.js"


def tools_of(language: str) -> str:
    """What that one fetches when it is asked for: the palette and the like."""
    return script_of(language).replace("console", "tools")


@require_safe
@login_required
def shell(request: HttpRequest) -> HttpResponse:
    """The shell of the operators' console; everything in it comes through the socket."""
    user: User = request.user  # type: ignore[assignment]
    operator = selectors.first_membership(user)
    if operator is None:
        return refused(request, 403, "forbidden", "noConsole")
    known = speech.speaking(request)
    known |= {"operator": operator, "script": script_of(known["language"])}
    return render(request, "console/shell.html", known)


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """What a browser needs to install the console (R-006). It asks for no permission and no place (R-076)."""
    language = speech.language_of(request)
    words = speech.words(language)
    start = reverse("console")
    icons = [
        {"src": f"{IMAGES}app.svg", "sizes": "any", "type": "image/svg+xml"},
        {"src": f"{IMAGES}app-192.png", "sizes": "192x192", "type": "image/png"},
        {"src": f"{IMAGES}app-512.png", "sizes": "512x512", "type": "image/png"},
        {
            "src": f"{IMAGES}app-maskable-512.png",
            "sizes": "512x512",
            "type": "image/png",
            "purpose": "maskable",
        },
    ]
    said = {
        "id": start,
        "name": words["app"],
        "short_name": "ChatLead",
        "description": words["appText"],
        "lang": language,
        "dir": "ltr",
        "start_url": start,
        "scope": start,
        "display": "standalone",
        "background_color": SURFACE,
        "theme_color": ACCENT,
        "icons": icons,
    }
    body = json.dumps(said, ensure_ascii=False)
    return HttpResponse(body, content_type="application/manifest+json; charset=utf-8")


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, with the files that it keeps. One byte of them changed, and browsers take the new
    one at the next page; its address is in its scope, so that it needs no header to say so."""
    language = speech.language_of(request)
    names = ("console.css", script_of(language), tools_of(language), "poll.js", "pages.css", "offline.js")
    files = [asset(name) for name in names]
    offline = f"{reverse('console_offline')}?lang={language}"
    page = _offline_page(language)
    version = hashlib.sha256("\n".join([*files, page]).encode()).hexdigest()[:12]
    kept = json.dumps({"version": version, "files": files, "offline": offline})
    body = f"const SHELL={kept};\n{(DIST / 'worker.js').read_text(encoding='utf-8')}"
    return HttpResponse(body, content_type="text/javascript; charset=utf-8")


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """What an installed console shows without a network: no datum of anybody's, and no log-in is needed."""
    return HttpResponse(_offline_page(speech.language_of(request)))


def _offline_page(language: str) -> str:
    return render_to_string("console/offline.html", {"language": language, "t": speech.words(language)})
