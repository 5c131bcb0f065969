"""What visitors read of their requests, on pages and in mails, in each of the six languages (words.json)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import cast

from accounts.models import Language

WORDS = Path(__file__).with_name("words.json")


def words(language: str) -> dict[str, str]:
    """{name: sentence}; English for what is no language of ours. Blanks to be filled stand in braces."""
    return _words()[language if language in Language.values else Language.ENGLISH.value]


@cache
def _words() -> dict[str, dict[str, str]]:
    return cast("dict[str, dict[str, str]]", json.loads(WORDS.read_text(encoding="utf-8")))
