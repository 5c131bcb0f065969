"""Links from a live chat to the form about one's own data: each proves once, within ten minutes, whose chat
it is (R-151). They are for chats in other websites, whose cookies do not come into a tab of its own."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from accounts import limits
from chatlead.errors import Forbidden, NotFound
from privacy.models import PrivacyLink
from visitors.models import Visitor

if TYPE_CHECKING:
    from visitors.sessions import VisitorPrincipal

LIFETIME = timedelta(minutes=10)
MOST = 10  # of one live session in ten minutes


def visitor_of(site_key: str, session_key: str) -> Visitor | None:
    """Who has chatted on this site in this live session, with the account; None for nobody, and after an
    erasure."""
    mine = Visitor.objects.filter(site__key=site_key, sessions__key=session_key)
    return mine.select_related("account").first()


def issue(principal: VisitorPrincipal) -> str:
    """A path on our server for whoever holds this live session, in their language; its token is not stored.

    Without a chat there is nobody yet: the form alone. Raises Forbidden for a page, RateLimited.
    """
    if principal.role != "chat":
        raise Forbidden
    limits.take("privacy:link", principal.session_key, MOST)
    if visitor_of(principal.site_key, principal.session_key) is None:
        return f"/privacy/requests/?site={principal.site_key}&lang={principal.language}"
    token, now = secrets.token_urlsafe(32), timezone.now()
    PrivacyLink.objects.filter(expires_at__lt=now).delete()
    PrivacyLink.objects.create(
        account_id=principal.account_id,
        site_id=principal.site_id,
        key=_hashed(token),
        session_key=principal.session_key,
        expires_at=now + LIFETIME,
    )
    return f"/privacy/proof/{token}/?lang={principal.language}"


def use(token: str) -> PrivacyLink:
    """The link of this token, with its site, used up: of twins one gets it. Raises NotFound where it was
    used, is too old, or its chat was erased."""
    link = PrivacyLink.objects.select_related("site").filter(key=_hashed(token)).first()
    if link is None or not PrivacyLink.objects.filter(pk=link.pk).delete()[0]:
        raise NotFound
    if link.expires_at <= timezone.now() or visitor_of(link.site.key, link.session_key) is None:
        raise NotFound
    return link


def _hashed(token: str) -> str:
    return hashlib.sha256(f"privacy link|{token}".encode()).hexdigest()
