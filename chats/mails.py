"""Mail about chats: a message that was left goes to its department (R-034), a transcript to its visitor."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.template.loader import render_to_string

from accounts import outbox
from chats import beside, transcript
from chats.models import Chat, Message, TranscriptRequest
from visitors import languages

MESSAGE_LEFT = "message_left"
TRANSCRIPT = "transcript"
LINE_MAX = 80  # of a name in a subject


@outbox.handler(MESSAGE_LEFT)
def mail_message_left(subject: dict[str, Any], key: str) -> None:
    """Sends the text of a left message to its department; the answer goes to the address left with it.

    A repetition carries the same Message-ID, so that mail programs show it once. A chat that was erased
    or restricted since, or a department that has no address any more, wants no mail.
    """
    chat = Chat.objects.select_related("department", "site", "visitor").filter(pk=subject["chat"]).first()
    if chat is None or not chat.department.email or chat.visitor.restricted_at is not None:
        return
    texts = Message.objects.filter(chat=chat, author="visitor", kind="text").order_by("seq")
    left = {each["name"]: each["value"] for each in chat.answers}
    name = in_one_line(left.get("name", "")) or f"Visitor {chat.visitor.number}"
    email = left.get("email")
    if not email:
        return
    site, department = in_one_line(chat.site.name), in_one_line(chat.department.name)
    body = "\n\n".join(
        [
            f"{name} left a message on {site} for {department}:",
            *texts.values_list("text", flat=True),
            f"Answer to: {email}",
        ]
    )
    EmailMessage(
        subject=f"Message from {name}",
        body=body,
        to=[chat.department.email],
        reply_to=[email],
        headers=_headers(key),
    ).send()


@outbox.handler(TRANSCRIPT)
def mail_transcript(subject: dict[str, Any], key: str) -> None:
    """Sends what was said in one chat to the address that asked for it, which is forgotten then.

    In the language and on the clock of the reader, as text and as HTML. A chat that was erased since wants
    no mail, and one that was sent is not sent again.
    """
    wanted = TranscriptRequest.objects.select_related("chat__site", "chat__department", "chat__visitor")
    request = wanted.filter(pk=subject["request"]).first()
    if request is None or not request.email or request.chat.visitor.restricted_at is not None:
        return
    chat, words = request.chat, languages.words(request.language)["mail"]
    site = in_one_line(chat.site.name)
    zone = ZoneInfo(request.zone or "UTC")
    title = words["subject"].replace("{}", site)
    told = {
        "title": title,
        "words": words,
        "language": request.language,
        "dir": languages.direction(request.language),
        "days": transcript.days(chat, words, request.language, zone),
        "invitations": _invitations(chat, words["survey"], request.language, zone),
        "zone": words["zone"].replace("{}", zone.key.replace("_", " ")),
    }
    mail = EmailMultiAlternatives(
        subject=title,
        body=render_to_string("emails/transcript.txt", told),
        to=[request.email],
        headers=_headers(key) | {"Content-Language": request.language},
    )
    mail.attach_alternative(render_to_string("emails/transcript.html", told), "text/html")
    mail.send()
    TranscriptRequest.objects.filter(pk=request.pk).update(email="", zone="")


def _invitations(chat: Chat, said: str, language: str, zone: ZoneInfo) -> list[dict[str, str]]:
    """Words and address of each; none where nobody has said under which address this server is known."""
    found = [each(chat) for each in beside.INVITATIONS] if settings.PUBLIC_URL else []
    return [
        {
            "said": said.replace("{}", transcript.day_of(each.until, language, zone)),
            "url": f"{settings.PUBLIC_URL}{each.path}",
        }
        for each in found
        if each is not None
    ]


def _headers(key: str) -> dict[str, str]:
    """A repetition under the same key carries the same Message-ID."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    number = hashlib.sha256(key.encode()).hexdigest()[:32]
    return {"Message-ID": f"<{number}@{domain}>", "Auto-Submitted": "auto-generated"}


def in_one_line(text: str) -> str:
    """A name as it may stand in a header or a line: controls and turns of direction are blanks (P-18)."""
    plain = "".join(" " if unicodedata.category(each) in _UNSEEN else each for each in text)
    return " ".join(plain.split())[:LINE_MAX]


_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
