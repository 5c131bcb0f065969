"""Seals of chats in the database: made, extended, proved, and kept whole by an erasure (R-111).

Nothing here rides on a message's transaction: a seal is made some minutes after the end of a chat, under the
lock of its row.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from chatlead.errors import ArchiveDamaged, ArchiveLocked
from chats import archive, seals
from chats.models import ArchivedChat, Chat, ChatSeal, Message, Note
from chats.seals import Link

Rows = dict[seals.Key, dict[str, Any]]


def rows_of(chat: Chat) -> Rows:
    """All rows of a chat in the database, in the order in which a chain takes them: the chat itself, its
    form, the public log, the staff log. `chat` comes with site and department."""
    found = [seals.fields_of_chat(chat), seals.fields_of_form(chat)]
    found += [seals.fields_of_message(row) for row in Message.objects.filter(chat=chat).order_by("seq")]
    found += [seals.fields_of_note(row) for row in Note.objects.filter(chat=chat).order_by("staff_seq")]
    return {(each["log"], each["number"]): each for each in found}


def links_of(seal: ChatSeal) -> list[Link]:
    """The chain of a seal in the database."""
    return [Link(*each) for each in seal.links]


def seal(chat_id: int) -> bool:
    """The chat is sealed to the end of both logs; rows that follow an earlier seal extend its chain. False
    where there is nothing to seal: it is open, in the archive, gone, or sealed already."""
    with transaction.atomic():
        chat = locked(chat_id)
        if chat is None or chat.closed_at is None or chat.archived_at is not None:
            return False
        known = ChatSeal.objects.filter(chat=chat).first()
        if known and (known.last_seq, known.last_staff_seq) == (chat.last_seq, chat.last_staff_seq):
            return False
        links = links_of(known) if known else []
        in_chain = {link.key for link in links}
        links += [seals.linked(row) for key, row in rows_of(chat).items() if key not in in_chain]
        now = timezone.now()
        ChatSeal.objects.update_or_create(
            chat=chat,
            defaults={
                "account_id": chat.account_id,
                "version": seals.VERSION,
                "digest": seals.chain(chat.uid, links),
                "count": len(links),
                "last_seq": chat.last_seq,
                "last_staff_seq": chat.last_staff_seq,
                "links": links,
                "sealed_at": now,
            },
        )
        Chat.objects.filter(pk=chat.pk).update(sealed_at=now)
        return True


def locked(chat_id: int) -> Chat | None:
    """The chat with site and department, its row held until the end of the transaction; None where it is
    gone."""
    held = Chat.objects.select_for_update(of=("self",), no_key=True)
    return held.select_related("site", "department").filter(pk=chat_id).first()


def forget(chat_ids: Collection[int]) -> int:
    """For an erasure, in its transaction and after it has emptied the rows: takes the salts of rows in which
    nothing is left, so that no guess can be tested and the chain still fits. Returns how many.

    Chats that are not sealed, and those in the archive (`emptying.erase`), are left alone.
    """
    count = 0
    for chat_id in sorted(chat_ids):
        chat = locked(chat_id)  # a seal that is being made waits for us, or we for it
        known = ChatSeal.objects.filter(chat_id=chat_id).first()
        if chat is None or known is None or chat.archived_at is not None:
            continue
        rows = rows_of(chat)
        links = links_of(known)
        left = [
            link._replace(salt="") if link.key not in rows or seals.is_empty(rows[link.key]) else link
            for link in links
        ]
        taken = sum(old.salt != new.salt for old, new in zip(links, left, strict=True))
        if taken:
            ChatSeal.objects.filter(pk=known.pk).update(links=left)
        count += taken
    return count


def verify_chain(chat: Chat) -> list[str]:
    """What of a sealed chat does not fit its seal, in words without anything of a person: [] when all is as
    it was, or when it is not sealed yet. Wherever it lies; `chat` comes with site and department.

    Raises StoreUnavailable where it lies in a store that does not answer, and ArchiveLocked where its key is
    not here: then nothing can be said of it.
    """
    if chat.archived_at is not None:
        return _faults_in_archive(chat)
    found = _faults(chat)
    if found and chat.sealed_at is not None:
        # an erasure may have come between two reads: once more, and nothing moves
        with transaction.atomic():
            now = locked(chat.pk)
            if now is None:
                return []
            if now.archived_at is None:
                return _faults(now)
            chat = now
        return _faults_in_archive(chat)
    return found


def _faults(chat: Chat) -> list[str]:
    known = ChatSeal.objects.filter(chat_id=chat.pk).first()
    if known is None:
        return ["the seal is missing"] if chat.sealed_at is not None else []
    rows = rows_of(chat)
    found = _faults_of_seal(chat, known, links_of(known), rows)
    return found + [
        f"{log} row {number} is beyond the end of its log"
        for log, number in rows
        if number > {"chat": 0, "form": 0, "public": chat.last_seq, "staff": chat.last_staff_seq}[log]
    ]


def _faults_of_seal(chat: Chat, known: ChatSeal, links: list[Link], rows: Rows) -> list[str]:
    found = seals.faults(chat.uid, known.digest, links, rows)
    if len(links) != known.count:
        found.append(f"the seal is of {known.count} rows, the chain of {len(links)}")
    return found


def _faults_in_archive(chat: Chat) -> list[str]:
    known = ChatSeal.objects.filter(chat_id=chat.pk).first()
    if known is None:
        return ["the seal is missing"]
    try:
        contents = archive.read(chat)
    except ArchiveLocked:
        raise
    except ArchiveDamaged:
        if ArchivedChat.objects.filter(chat=chat, erased_at__isnull=False, size=0).exists():
            return []  # an erasure has taken the whole file: nothing is left to be proved
        return ["the file in the archive is missing or is not the one that was written"]
    found = _faults_of_seal(chat, known, contents.links, contents.rows)
    stub = seals.fields_of_chat(chat)
    changed = [name for name, value in stub.items() if value != contents.rows["chat", 0][name]]
    return found + [f"the chat's {name} is not what was sealed" for name in changed]
