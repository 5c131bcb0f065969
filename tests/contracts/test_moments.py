"""Times of the account's pages as the server writes them, before a script says them in the reader's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from chatlead.templatetags.moments import moment

AT = datetime(2026, 11, 12, 2, 5, 9, 512_000, tzinfo=UTC)


def test_olga_without_scripts_reads_that_a_time_is_utc() -> None:
    """Issue 4 E: each time says so itself, and holds the moment for whoever can put it into a zone."""
    said = '<time datetime="2026-11-12T02:05:09+00:00" data-moment="minute">12 Nov 2026, 02:05 UTC</time>'
    assert moment(AT) == said
    assert moment(AT.astimezone(timezone(timedelta(hours=-5)))) == said
    assert moment("2026-11-12T02:05:09+00:00") == said
    assert ">12 Nov 2026 UTC<" in moment(AT, "day")
    assert ">02:05 UTC<" in moment(AT, "clock") and ">12 Nov 2026, 02:05:09 UTC<" in moment(AT, "second")


def test_what_has_not_happened_has_no_time() -> None:
    """Issue 4 E."""
    assert moment(None) == "" and moment("") == ""
