"""A visitor wants the transcript of her chat by mail."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from accounts import notices, outbox
from chatlead.errors import ChatNotOver, MissingField, NotFound, RateLimited
from chats import prechat, selectors
from chats.actions.bounds import bound, prove, site_of
from chats.mails import TRANSCRIPT
from chats.models import Chat, TranscriptRequest
from visitors import closed, languages

if TYPE_CHECKING:
    from uuid import UUID

    from visitors.sessions import VisitorPrincipal


def mail_transcript(
    *,
    principal: VisitorPrincipal,
    uid: str,
    ref: UUID,
    email: str,
    notice: str,
    language: str = "",
    zone: str = "",
    answer: str = "",
) -> None:
    """A mail with what was said in an ended chat of the visitor's own is on its way to `email` (R-036, V-7).

    Only of a chat that somebody has accepted: what nobody has read would make of us a sender of anybody's
    words to anybody. The same `ref` again sends nothing new. Raises NotFound, ChatNotOver, MissingField,
    BadField, NoticeRequired, and RateLimited, on every plan, by person, network, site and mailbox, with
    `work` as `leave_message`, and without a time where the chat was mailed often enough for ever (D-8);
    UnderAge (R-070).
    """
    closed.check(principal.session_key, principal.browser_key)
    site = site_of(principal)
    chat = selectors.access_chat(principal, uid)
    if TranscriptRequest.objects.filter(chat=chat, ref=ref).exists():
        return
    _check_chat(chat)
    if not email.strip():
        raise MissingField(field="email")
    email = prechat.check_email(email, "email")
    shown = notices.shown(site, notice)
    _check_count(chat)
    bound(principal, "transcript", settings.TRANSCRIPTS, f"{ref}|{uid}", answer, to=email)
    wanted = TranscriptRequest(
        account_id=chat.account_id,
        chat=chat,
        ref=ref,
        email=email,
        language=languages.chosen(page=language, site=site.language, browser=""),
        zone=_known_zone(zone),
    )
    with transaction.atomic():
        locked = selectors.access_chat(principal, uid, lock=True)  # one at a time of each chat
        if TranscriptRequest.objects.filter(chat=chat, ref=ref).exists():
            return  # a twin on another socket was faster
        _check_count(locked)
        wanted.save()
        prove(shown, "transcript", chat, principal)
        key = f"{TRANSCRIPT}:{chat.uid}:{ref}"
        outbox.add(TRANSCRIPT, {"request": wanted.pk}, key, chat.account_id)


def _check_chat(chat: Chat) -> None:
    """A transcript is of a chat that has ended and that somebody has accepted."""
    if chat.state in selectors.OPEN:
        raise ChatNotOver
    if chat.accepted_at is None:
        raise NotFound("Nobody has answered in this chat: there is no transcript.")


def _check_count(chat: Chat) -> None:
    if chat.transcript_requests.count() >= settings.TRANSCRIPTS_PER_CHAT:
        raise RateLimited("This transcript was sent often enough.")


def _known_zone(name: str) -> str:
    """The same, or "" for what this machine has no clock for."""
    try:
        return ZoneInfo(name).key if name else ""
    except (KeyError, ValueError, OSError):  # no such file, or no name of one
        return ""
