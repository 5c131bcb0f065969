"""Our built files travel packed and are kept for good: on a bad line that is what takes the time."""

from __future__ import annotations

import gzip
import re
from functools import lru_cache
from typing import TYPE_CHECKING

import brotli
from django.conf import settings
from django.http import HttpResponse
from django.utils.cache import patch_vary_headers

from chatlead.templatetags.assets import version_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

DIST = f"{settings.STATIC_URL}dist/"
LOADER = "/widget/v1/loader"
# Smallest first: Brotli is a tenth smaller. Browsers ask for it over TLS and on this machine only.
CODINGS = ("br", "gzip")
_offered = {
    coding: re.compile(rf"(?<![\w-]){coding}(?![\w-])(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))") for coding in CODINGS
}


@lru_cache(maxsize=64)
def packed(body: bytes, coding: str) -> bytes:
    """The same bytes for the same file, made once: Brotli takes a tenth of a second for the largest."""
    return bytes(brotli.compress(body)) if coding == "br" else gzip.compress(body, mtime=0)


def best_coding(accepted: str) -> str:
    """Of CODINGS, by the `Accept-Encoding` of a request; "" where the browser knows neither."""
    return next((coding for coding in CODINGS if _offered[coding].search(accepted)), "")


class Packing:
    """Packs what is public and the same for everybody; nothing else, because the length of a packed answer
    tells of secrets in it. A file asked for by the version that it has never changes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not request.path.startswith((DIST, LOADER)) or not isinstance(response, HttpResponse):
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        version = request.GET.get("v")
        if version and version == version_of(request.path.removeprefix(DIST)):
            response["Cache-Control"] = "public, max-age=31536000, immutable"
        coding = best_coding(request.headers.get("Accept-Encoding", ""))
        if request.method == "GET" and response.status_code == 200 and coding:
            response.content = packed(response.content, coding)
            response["Content-Encoding"] = coding
            response["Content-Length"] = str(len(response.content))
        return response
