"""A visitor begins a chat, or leaves a message where nobody is there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid5

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts import notices, outbox
from accounts import selectors as accounts
from accounts.sites import boxes_of, site_fields
from chatlead.errors import (
    ChatAlreadyOpen,
    ChatClosed,
    MissingField,
)
from chatlead.realtime import topics
from chatlead.realtime.events import ChatStarted
from chatlead.realtime.publish import publish
from chats import journal, prechat, selectors, snapshot
from chats.actions import handling, telling
from chats.actions.bounds import bound, prove, site_of
from chats.actions.minors import refuse_minor
from chats.mails import MESSAGE_LEFT
from chats.models import Chat, Message
from chats.signals import chat_begun
from visitors.actions import engage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from accounts.models import Department
    from visitors.sessions import VisitorPrincipal


def start_chat(
    *,
    principal: VisitorPrincipal,
    ref: UUID,
    fields: Mapping[str, str],
    department: str = "",
    notice: str = "",
    text: str = "",
    answer: str = "",
) -> Chat:
    """The chat that `ref` has begun, at the first call or any later one; row 1 is `opened`, `text` row 2.

    Who says that she is under 18, where the site asks that, is refused before anything of her is kept, from
    now on (R-070): UnderAge. Raises MissingField, UnknownField, BadField (R-031), NoticeRequired (R-032),
    NobodyOnline (R-034), ChatAlreadyOpen where the session has another open chat, and RateLimited, whose
    `work` `answer` is the answer to (plans without limits excepted).
    """
    known = _known_start(principal, ref)
    if known is not None:
        return known
    site = site_of(principal)
    asked = site_fields(site)
    if prechat.says_minor(asked, fields):
        refuse_minor(principal)
    boxes = boxes_of([site]).get(site.pk, [])
    filled, ticked = prechat.check_form([*asked, *boxes], fields).apart({each.name for each in boxes})
    text = prechat.check_text(text)
    shown = notices.shown(site, notice) if filled.is_personal else None
    chosen = selectors.department_for(site, department, accounts.online_departments(site_id=site.pk))
    if not principal.is_unlimited:
        bound(principal, "start", settings.STARTS, f"{ref}", answer)

    def begin() -> Chat:
        chat = begin_waiting(principal, chosen, ref, filled, text)
        if shown is not None:
            prove(shown, "chat", chat, principal)
        if boxes:
            chat_begun.send(Chat, chat=chat, boxes=[each.name for each in boxes], ticked=ticked)
        telling.list_later(chat)
        transaction.on_commit(partial(_tell_tabs, chat.pk), robust=True)
        return chat

    return _once(principal, ref, begin)


def leave_message(
    *,
    principal: VisitorPrincipal,
    ref: UUID,
    email: str,
    notice: str,
    text: str = "",
    name: str = "",
    department: str = "",
    chat: str = "",
    answer: str = "",
) -> Chat:
    """A chat that was missed from the start, and a mail to the department, in one transaction (R-034, V-7).

    `chat` is the visitor's own that waits in vain: it becomes the missed one, with all that was written in
    it, `department` does not matter, and `text` may be empty where she has written something already.

    The same `ref` again leaves nothing new. Raises MissingField, BadField, NoticeRequired, ChatAlreadyOpen
    while another chat is open or `chat` was accepted meanwhile, ChatClosed where it has ended, NotFound, and
    RateLimited, whose `work` `answer` is the answer to, on every plan, because each one is a mail.
    """
    known = _known_leave(principal, chat, ref) if chat else _known_start(principal, ref)
    if known is not None:
        return known
    waiting = selectors.access_chat(principal, chat) if chat else None
    site = site_of(principal)
    filled = _sender(name, email)
    text = prechat.check_text(text)
    if not text and not (waiting and _has_written(waiting)):
        raise MissingField(field="text")
    shown = notices.shown(site, notice)
    chosen = None if waiting else selectors.department_for(site, department, None)
    bound(principal, "leave", settings.LEFT_MESSAGES, f"{ref}|{chat}", answer)

    def leave() -> Chat:
        if chosen is None:
            left = _leave_line(principal, chat, ref, filled, text)
        else:
            left = _leave_anew(principal, chosen, ref, filled, text)
        prove(shown, "message", left, principal)
        _mail_later(left)
        return left

    try:
        return _once(principal, ref, leave)
    except ChatClosed:  # by a twin of this command?
        known = _known_leave(principal, chat, ref)
        if known is None:
            raise
        return known


def _sender(name: str, email: str) -> prechat.Filled:
    """Who can be answered: with an address in any case."""
    if not email.strip():
        raise MissingField(field="email")
    return prechat.contact(prechat.check_name(name, "name"), prechat.check_email(email, "email"))


def _mail_later(left: Chat) -> None:
    """The department hears of it, where it has an address."""
    if left.department.email:
        outbox.add(MESSAGE_LEFT, {"chat": left.pk}, f"{MESSAGE_LEFT}:{left.uid}", left.account_id)


def _leave_anew(
    principal: VisitorPrincipal, department: Department, ref: UUID, filled: prechat.Filled, text: str
) -> Chat:
    """A chat that begins as a missed one, in the caller's transaction."""
    chat = begin_waiting(principal, department, ref, filled, text)
    begun = Chat.objects.filter(pk=chat.pk, state=Chat.State.WAITING)
    begun.update(state=Chat.State.MISSED, closed_at=chat.started_at)
    telling.list_later(chat)
    return chat


def _leave_line(principal: VisitorPrincipal, uid: str, ref: UUID, filled: prechat.Filled, text: str) -> Chat:
    """A waiting chat ends with a message that is left in it, in the caller's transaction."""
    chat = selectors.access_chat(principal, uid, lock=True)
    if chat.state == Chat.State.ACTIVE:
        raise ChatAlreadyOpen
    if chat.state != Chat.State.WAITING:
        raise ChatClosed
    engage(principal, filled.name, filled.email)
    given = {each.name for each in filled.answers}
    chat.answers = [each for each in chat.answers if each["name"] not in given] + _answers(filled)
    chat.save(update_fields=["answers"])
    if text:
        journal.append([said(chat, uuid5(ref, "text"), text)])  # the end has `ref` itself
    handling.close(chat, "message", principal, ref)
    return chat


def _has_written(chat: Chat) -> bool:
    return Message.objects.filter(chat=chat, author="visitor", kind="text").exclude(text="").exists()


def _known_leave(principal: VisitorPrincipal, uid: str, ref: UUID) -> Chat | None:
    """The chat, where this very message has ended it."""
    mine = selectors.chats_of_session(principal.session_key).filter(uid=uid)
    ended = mine.filter(messages__ref=ref, messages__kind=Message.Kind.CLOSED)
    return ended.select_related(*selectors.VIEWED).first()


def _once(principal: VisitorPrincipal, ref: UUID, begin: Callable[[], Chat]) -> Chat:
    """What `begin` makes in a transaction, unless a twin was faster: the same `ref` on another socket."""
    try:
        with transaction.atomic():
            chat = begin()
        return telling.fresh(chat.pk)
    except IntegrityError:  # of the session's one start by `ref`, or of its one open chat
        known = _known_start(principal, ref)
        if known is not None:
            return known
        if selectors.chats_of_session(principal.session_key).filter(state__in=selectors.OPEN).exists():
            raise ChatAlreadyOpen from None
        raise


def _known_start(principal: VisitorPrincipal, ref: UUID) -> Chat | None:
    mine = selectors.chats_of_session(principal.session_key).filter(start_ref=ref)
    return mine.select_related(*selectors.VIEWED).first()


def begin_waiting(
    principal: VisitorPrincipal, department: Department, ref: UUID, filled: prechat.Filled, text: str
) -> Chat:
    """A waiting chat with its first rows, in the caller's transaction."""
    visitor, session = engage(principal, filled.name, filled.email)
    now = telling.now()
    chat = Chat.objects.create(
        account_id=principal.account_id,
        site_id=principal.site_id,
        department=department,
        visitor=visitor,
        session=session,
        session_key=session.key,
        start_ref=ref,
        answers=_answers(filled),
        page_url=principal.page_url,
        started_at=now,
        last_message_at=now,
        visitor_seen_at=now,
    )
    entries = [telling.row_of(chat, "opened", {"department": department.name}, ref=ref)]
    if text:
        entries.append(said(chat, ref, text))
    journal.append(entries)
    return chat


def _answers(filled: prechat.Filled) -> list[dict[str, str]]:
    return [{"name": each.name, "label": each.label, "value": each.value} for each in filled.answers]


def said(chat: Chat, ref: UUID, text: str) -> journal.Entry:
    """A row of what the visitor has written."""
    return journal.Entry(
        chat_id=chat.pk,
        account_id=chat.account_id,
        author="visitor",
        session_key=chat.session_key,
        ref=ref,
        kind="text",
        text=text,
    )


def _tell_tabs(chat_id: int) -> None:
    """The visitor's other tabs hear that the chat has begun."""
    chat = telling.fresh(chat_id)
    publish(ChatStarted(chat=snapshot.visitor_view(chat)), topics.session(chat.session_key))
