"""Which language the console speaks, and the words of its pages that are not in the built scripts."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from django.http import HttpRequest

WORDS = settings.BASE_DIR / "static" / "dist" / "console.words.json"
ENGLISH = "en"
SPOKEN = (ENGLISH, "es")  # frontend/src/words/console/ and console-pages/ have a file for each
COOKIE = "cl_lang"  # set by the console's settings (frontend/src/console/language.ts)
ACCEPT_MAX = 1000
_wanted = re.compile(r"([a-z]{1,8})(?:-[a-z0-9]{1,8})*(?:\s*;\s*q=([01](?:\.[0-9]{0,3})?))?", re.IGNORECASE)


def accepted(header: str, spoken: Collection[str]) -> str:
    """The language of `spoken` that an `Accept-Language` likes best (RFC 9110, 12.5.4), whatever its region.

    English where it names none of them, and where it makes no sense: nobody is ever refused for it.
    """
    best, weight = ENGLISH, 0.0
    for part in header[:ACCEPT_MAX].split(","):
        if (found := _wanted.fullmatch(part.strip())) is None:
            continue
        language, q = found[1].lower(), float(found[2] or 1)
        if language in spoken and weight < q <= 1:
            best, weight = language, q
    return best


def language_of(request: HttpRequest) -> str:
    """What the console speaks to this browser: what was chosen in it, else what it asks for."""
    named = request.GET.get("lang", "")
    return named if named in SPOKEN else asked_of(request)


def asked_of(request: HttpRequest) -> str:
    """The same by headers alone: for the answer to a request of which nothing else may be read any more."""
    chosen = request.COOKIES.get(COOKIE, "")
    return chosen if chosen in SPOKEN else accepted(request.headers.get("Accept-Language", ""), SPOKEN)


def words(language: str) -> Mapping[str, str]:
    """What pages say in one of SPOKEN, by the names of `pages` in frontend/src/words/console-pages/en.ts."""
    return cast("Mapping[str, str]", _words(WORDS.stat().st_mtime_ns)[language])


def speaking(request: HttpRequest) -> dict[str, Any]:
    """For a template of the console: `language`, and `t` with its words."""
    language = language_of(request)
    return {"language": language, "t": words(language)}


@lru_cache(maxsize=2)
def _words(modified: int) -> dict[str, Any]:
    """Read again when it was built anew."""
    return cast("dict[str, Any]", json.loads(WORDS.read_text(encoding="utf-8")))
