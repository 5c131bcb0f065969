"""Chats in the archive, as something that is kept of a person (R-175, R-176), and the seals of all theirs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from accounts import outbox
from accounts.models import Account
from chatlead.errors import ArchiveDamaged, ArchiveLocked
from chatlead.stores import StoreUnavailable
from chats import answered, archive, emptying, erasure, sealing
from chats.models import ArchivedChat, Chat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from accounts.erasure import Person

logger = logging.getLogger(__name__)

DROP_FILES: Final = "drop_archive"
UNREADABLE: Final = "The file of this conversation in the archive is lost or damaged and cannot be read."


@outbox.handler(DROP_FILES)
def drop_files(subject: dict[str, Any], key: str) -> None:
    """The files of an account that was deleted go. Nothing is done where it is there (again): a restore has
    brought it back. Raises StoreUnavailable, archive.OfAnother."""
    folder = str(subject["folder"])
    if not folder or Account.objects.filter(subscriber_id=folder).exists():
        return
    archive.claim()
    store = archive.store()
    for file in store.list(folder):
        store.delete(file.name)


class ArchivedChats:
    """The files; their rows hold nothing personal. The name is behind that of the chats in the database: they
    are erased first, under the locks of their rows, so that one that is moved meanwhile is found here."""

    name = "chats_archived"
    columns: frozenset[str] = frozenset()
    is_internal = False

    def count(self, person: Person) -> int:
        """Files that have something to lose."""
        kept = self._of(person).filter(archived_file__erased_at=None)
        return kept.count() + _unfinished(person).count()

    def export(self, person: Person) -> Iterator[dict[str, Any]]:
        """As chats in the database are exported, without notes; of a file that is lost or broken when it was
        and that it cannot be read (`unreadable`). Raises StoreUnavailable."""
        return map(_read, files_of(person))

    def erase(self, person: Person) -> int:
        """Raises StoreUnavailable, ArchiveUnavailable, ArchiveDamaged, age.BadKey: some are erased then."""
        theirs = Chat.objects.filter(account_id=person.account_id, visitor_id__in=person.visitor_ids)
        sealed = theirs.filter(sealed_at__isnull=False, archived_at=None)
        for chat_id in list(sealed.order_by("id").values_list("pk", flat=True)):
            with transaction.atomic():
                sealing.forget([chat_id])
        unfinished = list(_unfinished(person))
        for file in unfinished:  # what a task was writing, or had when it was killed: it comes to nothing
            archive.drop(file)
        count = len(unfinished)
        for chat in list(self._of(person)):
            count += emptying.erase(chat)
            answered.forget(chat)
        return count

    def _of(self, person: Person) -> QuerySet[Chat]:
        return _archived(person)


class ArchivedNotes:
    """What operators wrote to each other, in the same files: the firm's own words, told where it chooses.
    Counted and erased with the chat that they are about."""

    name = "notes_archived"
    columns: frozenset[str] = frozenset()
    is_internal = True

    def count(self, person: Person) -> int:
        return 0

    def export(self, person: Person) -> Iterator[dict[str, Any]]:
        """As notes in the database are; nothing of a file that cannot be read. Raises StoreUnavailable."""
        for chat in files_of(person):
            if (kept := _contents(chat)) is not None:
                for note in kept.notes:
                    yield erasure.noted(note, chat, kept.operators.get(note.author_id, ("", ""))[1])

    def erase(self, person: Person) -> int:
        return 0


def _archived(person: Person) -> QuerySet[Chat]:
    chats = Chat.objects.filter(account_id=person.account_id, visitor_id__in=person.visitor_ids)
    return chats.filter(archived_at__isnull=False, archived_file__state=ArchivedChat.State.KEPT)


def files_of(person: Person) -> Iterator[Chat]:
    """Their archived chats, with all that the database knows of them."""
    found = _archived(person).select_related("site", "department", "visitor", "operator")
    return found.order_by("started_at", "id").iterator(chunk_size=100)


def _unfinished(person: Person) -> QuerySet[ArchivedChat]:
    theirs = ArchivedChat.objects.filter(
        account_id=person.account_id, chat__visitor_id__in=person.visitor_ids
    )
    return theirs.exclude(state=ArchivedChat.State.KEPT)


def _read(chat: Chat) -> dict[str, Any]:
    kept = _contents(chat)
    if kept is None:
        logger.error("archive: chat %s cannot be read for a copy", chat.uid)
        return {**erasure.stub(chat), "unreadable": UNREADABLE}
    names = {pk: name for pk, (_, name) in kept.operators.items()}
    return erasure.told(chat, kept.page_url, kept.answers, kept.messages, names)


def _contents(chat: Chat) -> archive.Contents | None:
    """None for a file that is lost or broken. Raises StoreUnavailable, also where its key is not here."""
    try:
        return archive.read(chat)
    except ArchiveLocked as error:  # a copy is late where the key is missing, not poorer
        raise StoreUnavailable("the key of the archive is not here") from error
    except ArchiveDamaged as error:
        # without the file at its top it is a disk that was not mounted: then all is only late
        if isinstance(error, archive.FileGone) and not archive.store().has(archive.CLAIM):
            raise StoreUnavailable("the store of the archive is empty: is it the right one?") from error
        return None
