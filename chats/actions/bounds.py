"""What a visitor's command needs before it begins something: a site, a bound, a proof of the notice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts import limits, notices, work
from accounts.models import Site
from chatlead.errors import Forbidden, NotFound, RateLimited
from chatlead.realtime.crowd import place_of

if TYPE_CHECKING:
    from accounts.models import Notice
    from chats.models import Chat
    from visitors.sessions import VisitorPrincipal


def site_of(principal: VisitorPrincipal) -> Site:
    """The site that the chat frame is on, with its account. Raises Forbidden for a page, NotFound."""
    if principal.role != "chat":
        raise Forbidden
    site = Site.objects.select_related("account").filter(pk=principal.site_id, is_enabled=True).first()
    if site is None:
        raise NotFound
    return site


def bound(
    principal: VisitorPrincipal, what: str, most: dict[str, int], which: str, answer: str, *, to: str = ""
) -> None:
    """Counts what is about to begin; raises RateLimited beyond what one session may, and with work beyond
    what one address (its network) or one site may, where the work is not done that lets some more in (D-2).
    So strangers can fill neither against everybody. Whoever is refused takes nothing of any of them; and a
    session, which costs nothing, is counted last, so that no crowd of them fills the cache. `to` is the
    address that a mail would go to: nobody's mailbox is filled by many either.
    """
    name = f"{what}|{principal.session_key}|{which}"
    is_worked = work.is_done(answer, name)
    counted: list[tuple[str, str]] = []

    def count(of: str, who: str, free: int, worked: int) -> None:
        taken = f"{what}:{of}"
        try:
            limits.take(taken, who, free)
        except RateLimited as full:
            if not worked:
                raise
            taken = f"{what}:{of} worked"
            if not is_worked:
                more = 4 * limits.so_far(taken, who) // worked  # the fuller it is, the more of it
                task = work.wanted(name, more=min(more, 3))
                raise RateLimited(full.message, retry_after_ms=full.retry_after_ms, work=task) from None
            limits.take(taken, who, worked)
        counted.append((taken, who))

    address = limits.network(principal.ip)
    try:
        if address and place_of(principal.ip):  # an unnamed proxy on this machine is nobody's address
            count("address", f"{principal.site_id}|{address}", most["address"], most["address"])
        count("site", str(principal.site_id), most["site"], most["worked"])
        count("session", principal.session_key, most["session"], 0)
        if to:
            count("mailbox", f"{principal.site_id}|{to.casefold()}", most["mailbox"], 0)
    except RateLimited:
        for each in counted:
            limits.count(*each, -1)
        raise


def prove(notice: Notice, purpose: str, chat: Chat, principal: VisitorPrincipal) -> None:
    """Keeps that this notice was shown, in the caller's transaction (R-032)."""
    notices.record_consent(
        notice=notice,
        purpose=purpose,
        visitor_uid=chat.visitor.uid,
        ip=principal.ip,
        user_agent=principal.user_agent,
    )
