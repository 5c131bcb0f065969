"""The words of a person go from the file of an archived chat (R-118, R-151)."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from chatlead.errors import ArchiveDamaged, ArchiveUnavailable
from chatlead.stores import StoreUnavailable
from chats import archive, seals
from chats.models import ArchivedChat

if TYPE_CHECKING:
    from chats.models import Chat

logger = logging.getLogger(__name__)


def erase(chat: Chat) -> bool:
    """Nothing that a person said or filled in is left in the file of an archived chat, nor a salt to test a
    guess with; the digests stay, so the seal still fits. True where there was something to erase.

    Outside of any transaction, and safe to repeat after it was killed anywhere:
    1 the next file's name is noted, 2 it is written and read back, 3 the row names it in one statement, 4 the
    file before is deleted and forgotten. A file that is not in the store says nothing any more: after a
    restore the row names the one that an erasure has replaced since. One that nobody can read, we neither,
    goes whole, and with it the proof of its seal: what was asked for is that the words are gone. Raises
    StoreUnavailable, ArchiveDamaged, age.BadKey.
    """
    archive.identities()  # where there is no key, nothing can be said of a file
    try:
        try:
            file, data = archive.file_of(chat)
        except archive.FileGone:
            if not archive.adopt(chat):
                return _note_gone(chat)
            file, data = archive.file_of(chat)
        content = archive.opened(data)
    except archive.FileGone:
        raise
    except ArchiveDamaged:
        return _drop_damaged(chat)
    if file.other_name:  # somebody was killed between 1 and 2, or 3 and 4
        archive.drop_other(file)
    if not _emptied(content):
        ArchivedChat.objects.filter(pk=file.pk, erased_at=None).update(erased_at=timezone.now())
        return False
    kept = ArchivedChat.objects.filter(pk=file.pk, state=ArchivedChat.State.KEPT, name=file.name)
    account = file.name.partition("/")[0]
    name = archive.new_name(chat, account)
    if not kept.filter(other_name="").update(other_name=name, touched_at=timezone.now()):
        raise ArchiveUnavailable("This conversation is being rewritten. Please try again.")  # 1
    data = archive.encrypted(content)
    place = archive.store()
    place.put(name, data)
    if place.get(name) != data:  # 2
        raise ArchiveDamaged
    digest = hashlib.sha256(data).hexdigest()
    swap = {"name": name, "other_name": file.name, "sha256": digest, "size": len(data)}
    now = timezone.now()
    if not kept.filter(other_name=name).update(**swap, touched_at=now, erased_at=now):  # 3
        raise ArchiveUnavailable("This conversation is being rewritten. Please try again.")
    archive.drop_other(ArchivedChat.objects.get(pk=file.pk))  # 4
    return True


def _note_gone(chat: Chat) -> bool:
    """There is no file to empty; where a second one was begun, that goes as well. Whether this is news.
    Raises StoreUnavailable for a store that has nothing of that month: a disk that was not mounted, say."""
    file = ArchivedChat.objects.get(chat=chat)
    if not any(archive.store().list(file.name.rpartition("/")[0])):
        raise StoreUnavailable("the store of the archive is empty: is it the right one?")
    archive.drop_other(file)
    gone = ArchivedChat.objects.filter(pk=file.pk, name=file.name)
    gone.update(size=0)  # nobody looks for it any more
    return bool(gone.filter(erased_at=None).update(erased_at=timezone.now()))


def _drop_damaged(chat: Chat) -> bool:
    """Removes a file that cannot be read, and a second one that was begun. The row says so before the file
    goes: whoever is killed in between finds the file again, not a store without it. Raises StoreUnavailable,
    ArchiveDamaged where there is no such file."""
    file = ArchivedChat.objects.filter(chat=chat, state=ArchivedChat.State.KEPT).first()
    if file is None:
        raise ArchiveDamaged
    logger.error("archive: the file of chat %s cannot be read; it is erased whole", chat.uid)
    ArchivedChat.objects.filter(pk=file.pk).update(erased_at=file.erased_at or timezone.now(), size=0)
    archive.drop_other(file)
    archive.store().delete(file.name)
    return True


def _emptied(content: dict[str, Any]) -> bool:
    """Empties the rows of a file's content in place; whether anything was in them."""
    is_changed = False
    for each in content["rows"]:
        row = seals.emptied(each["row"])
        salt = "" if seals.is_empty(row) else each["salt"]
        if (row, salt) != (each["row"], each["salt"]):
            is_changed = True
            each["row"], each["salt"] = row, salt
    return is_changed
