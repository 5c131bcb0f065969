"""An operator learns that a visitor is under 18 (R-071), or she says so before a chat (R-070)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from django.db import transaction

from accounts import audit, outbox
from accounts import selectors as accounts
from chatlead.errors import UnderAge, UnderLegalHold
from chats import selectors
from chats.actions import erasing, handling
from visitors.actions import close_browser, close_browsers

if TYPE_CHECKING:
    from accounts.selectors import OperatorPrincipal
    from visitors.sessions import VisitorPrincipal

HELD = "The chat has ended. A legal hold keeps what was said: it is erased as soon as the hold is lifted."


def report_minor(*, principal: OperatorPrincipal, uid: str) -> None:
    """Ends the chat and erases all that is known of its visitor, as her own answer "under 18" to a survey
    does; what stays is that it happened. Again: nothing happens. Not inside `atomic()`.

    Her texts are gone and her session opens nothing any more when this returns; the rest (her name, where
    she was, files, other apps) follows by the outbox, which also survives a crash in between. Nothing
    is collected from her browser any more (R-070). Raises NotFound; and UnderLegalHold where a hold keeps
    what is known of her: the chat has ended then, and the rest waits for the end of the hold.
    """
    with transaction.atomic():
        chat = selectors.access_chat(principal, uid, lock=True)
        # whatever happens afterwards, it will be erased: by whoever keeps the requests of visitors
        subject = {"account": chat.account_id, "visitors": [chat.visitor_id], "reason": "under_age"}
        if not outbox.add("erase_visitors", subject, f"under_age:{chat.uid}", chat.account_id):
            return
        close_browsers(account_id=chat.account_id, visitor_ids=[chat.visitor_id])
        if chat.state in selectors.OPEN:
            handling.close(chat, "ended", principal)
        by = accounts.access_membership(principal)
        audit.note("chat.closed_under_18", account=chat.account_id, by=by, subject=f"chat:{chat.uid}")
    try:
        erasing.erase_chats(account_id=chat.account_id, visitor_ids=[chat.visitor_id])
    except UnderLegalHold:
        raise UnderLegalHold(HELD) from None


def refuse_minor(principal: VisitorPrincipal) -> NoReturn:
    """Somebody has said before a chat that she is under 18: nothing of what she sent is kept, and nothing is
    collected from her browser any more. What was known of her from before is erased by the outbox. That it
    happened is one more in `chatlead_refused_frames_total`, and nowhere else. Raises UnderAge, always."""
    with transaction.atomic():
        for visitor_id in close_browser(principal):
            subject = {"account": principal.account_id, "visitors": [visitor_id], "reason": "under_age"}
            outbox.add("erase_visitors", subject, f"under_age:visitor:{visitor_id}", principal.account_id)
    raise UnderAge
