"""Writes about visitors."""

from __future__ import annotations

import secrets
import unicodedata
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.models import Site
from chatlead.errors import BadField
from visitors import closed
from visitors.models import ClosedBrowser, Visitor, VisitorSession

if TYPE_CHECKING:
    from collections.abc import Collection

    from visitors.sessions import VisitorPrincipal


def engage(principal: VisitorPrincipal, name: str = "", email: str = "") -> tuple[Visitor, VisitorSession]:
    """The rows of a visitor who engages (a chat, a message left), made at the first time (R-110).

    A live session keeps its visitor; a browser that is known keeps its own. `name` (verbatim but for NFC,
    R-030) and `email` replace what was known where they are not blank. Call it in the transaction that
    stores what was sent. Two sockets of one session get the same rows. Raises UnderAge for a browser that was
    closed (R-070).
    """
    closed.check(principal.session_key, principal.browser_key)
    name, email = one_line(name, "name"), one_line(email, "email")
    with transaction.atomic():
        session = _session(principal)
        if session is None:
            # 1 the site's row is locked: it gives the numbers, and twins wait here; 2 so look again
            site = Site.objects.select_for_update().get(pk=principal.site_id)
            session = _session(principal) or _begin(site, principal)
        visitor = session.visitor
        changed = [field for field, value in (("name", name), ("email", email)) if value]
        if changed:
            visitor.name, visitor.email = name or visitor.name, email or visitor.email
            visitor.save(update_fields=changed)
        return visitor, session


def cut_off(*, account_id: int, visitor_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Nobody is these visitors any more: no browser is known as one of them, and their live sessions have
    other names, so that no cookie opens what was theirs. {database id of the session: (old key, new key)};
    whoever keeps the key elsewhere changes it there, in the caller's transaction.
    """
    Visitor.objects.filter(account_id=account_id, pk__in=visitor_ids).update(browser_key=None)
    return rename_sessions(account_id=account_id, visitor_ids=visitor_ids)


def rename_sessions(*, account_id: int, visitor_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """The live sessions of these visitors end: as `cut_off`, but their browsers stay known."""
    keys: dict[int, tuple[str, str]] = {}
    for session in VisitorSession.objects.filter(account_id=account_id, visitor_id__in=visitor_ids):
        keys[session.pk] = (session.key, secrets.token_hex(32))
        VisitorSession.objects.filter(pk=session.pk).update(key=keys[session.pk][1])
    return keys


def close_browsers(*, account_id: int, visitor_ids: Collection[int]) -> None:
    """Nothing is collected any more from the browsers of these visitors of an account, for DAYS (R-070). In
    the caller's transaction, before anything of them is erased. Again: nothing happens."""
    keys = closed.keys_of(account_id, visitor_ids)
    ClosedBrowser.objects.bulk_create(
        [ClosedBrowser(account_id=account_id, key=key) for key in sorted(keys)], ignore_conflicts=True
    )


def close_browser(principal: VisitorPrincipal) -> list[int]:
    """The same for the browser of somebody of whom nothing need be known. In the caller's transaction;
    returns the visitors, as numbers of rows, that were known by it."""
    known_as = [each for each in (principal.session_key, principal.browser_key) if each]
    ClosedBrowser.objects.bulk_create(
        [
            ClosedBrowser(account_id=principal.account_id, key=closed.key_of(each))
            for each in sorted(known_as)
        ],
        ignore_conflicts=True,
    )
    mine = Visitor.objects.filter(account_id=principal.account_id, site_id=principal.site_id)
    sessions = VisitorSession.objects.filter(key=principal.session_key).values("visitor_id")
    ids = set(mine.filter(pk__in=sessions).values_list("pk", flat=True))
    if principal.browser_key:
        ids.update(mine.filter(browser_key=principal.browser_key).values_list("pk", flat=True))
    return sorted(ids)


def forget_closed() -> int:
    """Browsers that were closed DAYS ago are strangers again; returns how many keys that were."""
    before = timezone.now() - timedelta(days=closed.DAYS)
    return ClosedBrowser.objects.filter(closed_at__lt=before).delete()[0]


def restrict_visitors(*, account_id: int, visitor_ids: Collection[int]) -> int:
    """From now on these visitors' data are kept and nothing else (B2-7); returns for how many that is new.
    Whoever comes with one of their browsers is a stranger."""
    mine = Visitor.objects.filter(account_id=account_id, pk__in=visitor_ids, restricted_at=None)
    return mine.update(restricted_at=timezone.now())


def release_visitors(*, account_id: int, visitor_ids: Collection[int]) -> int:
    """The end of that; returns for how many."""
    mine = Visitor.objects.filter(account_id=account_id, pk__in=visitor_ids).exclude(restricted_at=None)
    return mine.update(restricted_at=None)


def erase_visitors(*, account_id: int, visitor_ids: Collection[int]) -> int:
    """Takes away names and addresses of these visitors of an account; returns how many had something. Their
    rows stay as numbers, because chats are counted by them."""
    known = Visitor.objects.filter(account_id=account_id, pk__in=visitor_ids)
    named = known.exclude(browser_key=None, name="", email="")
    return named.update(browser_key=None, name="", email="")


def one_line(text: str, field: str) -> str:
    """In NFC, "" when blank; BadField for a NUL or a line break, which no name or address has (P-23)."""
    if any(each in text for each in "\x00\r\n"):
        raise BadField("This may not contain line breaks.", field=field)
    return unicodedata.normalize("NFC", text) if text.strip() else ""


def _session(principal: VisitorPrincipal) -> VisitorSession | None:
    mine = VisitorSession.objects.select_related("visitor")
    return mine.filter(key=principal.session_key, site_id=principal.site_id).first()


def _begin(site: Site, principal: VisitorPrincipal) -> VisitorSession:
    visitor, browser_key = None, principal.browser_key or None
    if browser_key:
        visitor = Visitor.objects.filter(site=site, browser_key=browser_key).first()
    if visitor is not None and visitor.restricted_at is not None:
        visitor, browser_key = None, None  # whose browser it is, is not to be known
    if visitor is None:
        site.visitor_count += 1
        site.save(update_fields=["visitor_count"])
        visitor = Visitor.objects.create(
            account_id=site.account_id,
            site=site,
            number=site.visitor_count,
            browser_key=browser_key,
        )
    return VisitorSession.objects.create(
        account_id=site.account_id, site=site, visitor=visitor, key=principal.session_key
    )
