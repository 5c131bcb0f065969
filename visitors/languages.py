"""Which language the widget speaks on a page, and the words of it that are not in the built scripts."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings

from accounts.models import Language
from chatlead import speech

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS = settings.BASE_DIR / "static" / "dist" / "words.json"
PUBLIC = Path(__file__).with_name("public.json")
RIGHT_TO_LEFT = frozenset({Language.ARABIC.value})


def chosen(*, page: str, site: str, browser: str) -> str:
    """One of the six: what the page's snippet says, else what the site says, else what the browser asks for.

    `page` and `site` may be empty or no language of ours, `browser` is an `Accept-Language` as it came.
    """
    for named in (page, site):
        if named in Language.values:
            return named
    return accepted(browser)


def accepted(header: str) -> str:
    """The language of ours that an `Accept-Language` likes best (RFC 9110, 12.5.4), whatever its region.

    English where it names none of ours, and where it makes no sense: a visitor is never refused for it.
    """
    return speech.accepted(header, Language.values)


def direction(language: str) -> str:
    """`dir` of a document."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def words(language: str) -> Mapping[str, Mapping[str, str]]:
    """`{"loader": …, "page": …, "mail": …}` in one of the six, as frontend/src/words/en.ts describes it."""
    return cast("Mapping[str, Mapping[str, str]]", _words(WORDS.stat().st_mtime_ns)[language])


def public(language: str) -> Mapping[str, str]:
    """What stands around every public page in one of the six: where it is skipped to, the foot, a button
    that works."""
    return _public()[language]


@cache
def _public() -> dict[str, dict[str, str]]:
    return cast("dict[str, dict[str, str]]", json.loads(PUBLIC.read_text(encoding="utf-8")))


@lru_cache(maxsize=2)
def _words(modified: int) -> dict[str, Any]:
    """Read again when it was built anew."""
    return cast("dict[str, Any]", json.loads(WORDS.read_text(encoding="utf-8")))
