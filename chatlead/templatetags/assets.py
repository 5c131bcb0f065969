"""`{% asset "chat.js" %}`: the address of a built file, with its version so that caches cannot lie."""

from __future__ import annotations

import json
from functools import lru_cache

from django import template
from django.conf import settings

register = template.Library()
MANIFEST = settings.BASE_DIR / "static" / "dist" / "manifest.json"


@lru_cache(maxsize=4)
def _versions(modified: int) -> dict[str, str]:
    files = json.loads(MANIFEST.read_text())
    return {name: "".join(filter(str.isalnum, facts["integrity"][7:]))[:12] for name, facts in files.items()}


def version_of(name: str) -> str:
    """Made from the content of a file in static/dist/; "" for one that was not built."""
    try:
        return _versions(MANIFEST.stat().st_mtime_ns).get(name, "")
    except FileNotFoundError:
        return ""


@register.simple_tag
def asset(name: str) -> str:
    """The address of a file in static/dist/."""
    version = version_of(name)
    return f"{settings.STATIC_URL}dist/{name}" + (f"?v={version}" if version else "")
