"""`{% moment at %}`: a time of ours in UTC, which pages/times.ts says in the reader's own zone."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html

register = template.Library()
SHOWN = {"day": "j M Y", "minute": "j M Y, H:i", "second": "j M Y, H:i:s", "clock": "H:i"}


@register.simple_tag
def moment(at: datetime | str | None, shown: str = "minute") -> str:
    """A `<time>`, which says "UTC" as long as no script has put it into another zone; "" for None. `shown` is
    what of it: a day, a minute, a second, or a clock's time alone. `at` may be text in ISO 8601."""
    if at is None or at == "":
        return ""
    known = datetime.fromisoformat(at) if isinstance(at, str) else at
    known = known.astimezone(UTC)
    words = date_format(known, SHOWN[shown])
    iso = known.isoformat(timespec="seconds")
    return format_html('<time datetime="{}" data-moment="{}">{} UTC</time>', iso, shown, words)
