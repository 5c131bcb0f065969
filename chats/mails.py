"""Mail about chats: a message that was left goes to the department (R-034)."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage

from accounts import outbox
from chats.models import Chat, Message

MESSAGE_LEFT = "message_left"
LINE_MAX = 80  # of a name in a subject


@outbox.handler(MESSAGE_LEFT)
def mail_message_left(subject: dict[str, Any], key: str) -> None:
    """Sends the text of a left message to its department; the answer goes to the address left with it.

    A repetition carries the same Message-ID, so that mail programs show it once. A chat that was erased
    since, or a department that has no address any more, wants no mail.
    """
    chat = Chat.objects.select_related("department", "site", "visitor").filter(pk=subject["chat"]).first()
    if chat is None or not chat.department.email:
        return
    texts = Message.objects.filter(chat=chat, author="visitor", kind="text").order_by("seq")
    left = {each["name"]: each["value"] for each in chat.answers}
    name = in_one_line(left.get("name", "")) or f"Visitor {chat.visitor.number}"
    email = left["email"]
    site, department = in_one_line(chat.site.name), in_one_line(chat.department.name)
    body = "\n\n".join(
        [
            f"{name} left a message on {site} for {department}:",
            *texts.values_list("text", flat=True),
            f"Answer to: {email}",
        ]
    )
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    number = hashlib.sha256(key.encode()).hexdigest()[:32]
    EmailMessage(
        subject=f"Message from {name}",
        body=body,
        to=[chat.department.email],
        reply_to=[email],
        headers={"Message-ID": f"<{number}@{domain}>", "Auto-Submitted": "auto-generated"},
    ).send()


def in_one_line(text: str) -> str:
    """A name as it may stand in a header or a line: controls and turns of direction are blanks (P-18)."""
    plain = "".join(" " if unicodedata.category(each) in _UNSEEN else each for each in text)
    return " ".join(plain.split())[:LINE_MAX]


_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
