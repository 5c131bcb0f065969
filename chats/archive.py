"""Chats that have ended, one encrypted file each (R-118): how such a file is made, read and replaced.

The file is age over canonical JSON, docs/archive.md; it holds the rows with their salts and digests, so that
it proves itself against the seal in the database. What is read comes back as rows that were never saved, so
that the rest of the program need not know where a chat lies. Only `chats/actions/` moves one.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.selectors import epoch
from chatlead import age
from chatlead.errors import ArchiveDamaged, ArchiveLocked, ArchiveUnavailable
from chatlead.stores import NotInStore, Store, StoreUnavailable, open_store
from chats import seals
from chats.models import ArchivedChat, Chat, ChatSeal, Message, Note
from chats.rows import EPOCH
from chats.seals import Link

if TYPE_CHECKING:
    from datetime import datetime

CLAIM: Final = "installation"  # a file at the top of the store: the epoch of whose it is
FORMAT: Final = "chatlead.chat"
VERSION: Final = 1
READERS = 2  # at a time in a process: a store that hangs must not hold every thread
WAIT_SECONDS = 1.0
REST_SECONDS = 15.0  # after a store did not answer, nobody else is made to wait for it

Operators = dict[int, tuple[str, str]]  # uid and name, by the number in a row


class FileGone(ArchiveDamaged):
    """The row names a file that the store, which answers, does not have."""


class Contents(NamedTuple):
    """A chat as it lies in its file. `messages` and `notes` are unsaved rows in order; `links` the chain."""

    answers: list[dict[str, str]]
    page_url: str
    messages: list[Message]
    notes: list[Note]
    links: list[Link]
    rows: dict[seals.Key, dict[str, Any]]
    operators: Operators
    digest: str

    def unread(self, read: int) -> int:
        """How many texts of the visitor's follow a mark."""
        texts = [row for row in self.messages if (row.author, row.kind) == ("visitor", "text")]
        return sum(row.seq > read for row in texts)


# --- keys and store -----------------------------------------------------------------------------------


def store() -> Store:
    """Where archived chats are kept. Raises StoreUnavailable for a wrong setting."""
    return open_store(settings.ARCHIVE_STORE)


class OfAnother(RuntimeError):
    """The store is in use by another installation, or by this one before its database was restored."""


def claim() -> None:
    """Makes sure that the store is this installation's, by the epoch of its database, before anything is
    deleted there: of a copy that was restored for a trial, files that the real one has written since would
    look left behind. Raises OfAnother, StoreUnavailable."""
    place, ours = store(), epoch().encode()
    try:
        theirs = place.get(CLAIM)
    except NotInStore:
        place.put(CLAIM, ours)
        theirs = place.get(CLAIM)
    if theirs != ours:
        raise OfAnother


def take_over() -> None:
    """The store is this installation's from now on: somebody has decided it. Raises StoreUnavailable."""
    store().put(CLAIM, epoch().encode())


def identities() -> list[str]:
    """Who can read the archive. In development it is made at first need. Raises age.BadKey."""
    file: Path = settings.ARCHIVE_IDENTITY_FILE
    if not file.is_file():
        if settings.PRODUCTION:
            raise age.BadKey("set CHATLEAD_ARCHIVE_IDENTITY_FILE to a file of age identities")
        _make_identity(file)
    return age.identities_in(file.read_text())


def _make_identity(file: Path) -> None:
    identity, recipient = age.new_identity()
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        file.touch(mode=0o600, exist_ok=False)
    except FileExistsError:  # another process was faster
        return
    file.write_text(f"# public key: {recipient}\n{identity}\n")


def recipients() -> list[str]:
    """For whom files are encrypted. Raises age.BadKey."""
    given: list[str] = settings.ARCHIVE_RECIPIENTS
    return given or [age.recipient_of(each) for each in identities()]


# --- the file -----------------------------------------------------------------------------------------


def written(*, account: str, rows: list[seals.Fields], operators: Operators, seal: ChatSeal) -> bytes:
    """A chat as the bytes of its file, encrypted. `rows` in the order of the seal's links. Raises
    age.BadKey, ValueError where there are more or fewer of them."""
    return encrypted(
        {
            "format": FORMAT,
            "version": VERSION,
            "account": account,
            "operators": {str(pk): list(who) for pk, who in operators.items()},
            "rows": [
                {"salt": salt, "digest": digest, "row": row}
                for (_, _, salt, digest), row in zip(seal.links, rows, strict=True)
            ],
            "seal": {"version": seal.version, "count": seal.count, "digest": seal.digest},
        }
    )


def encrypted(content: Mapping[str, Any]) -> bytes:
    """The bytes of a file. Raises age.BadKey."""
    return age.encrypt(seals.canonical(content), recipients())


def opened(data: bytes) -> dict[str, Any]:
    """What is in the bytes of a file, which are known to be those that were written. Raises ArchiveDamaged,
    ArchiveLocked."""
    try:
        content = json.loads(age.decrypt(data, identities()))
    except (age.NoKeyFits, age.BadKey, OSError) as error:
        raise ArchiveLocked from error
    except ValueError as error:  # age.Undecryptable is one
        raise ArchiveDamaged from error
    if content.get("format") != FORMAT or content.get("version") != VERSION:
        raise ArchiveDamaged
    found: dict[str, Any] = content
    return found


def contents_of(content: Mapping[str, Any], chat: Chat) -> Contents:
    """The same as rows of `chat`. Raises ArchiveDamaged where it is another chat's."""
    links = [Link(each["row"]["log"], each["row"]["number"], each["salt"], each["digest"])
             for each in content["rows"]]  # fmt: skip
    rows: dict[seals.Key, dict[str, Any]] = {
        link.key: each["row"] for link, each in zip(links, content["rows"], strict=True)
    }
    if rows["chat", 0]["uid"] != chat.uid:
        raise ArchiveDamaged
    return Contents(
        answers=rows["form", 0]["answers"],
        page_url=rows["form", 0]["page_url"],
        messages=[_message(row, chat) for row in _of_log(rows, "public")],
        notes=[_note(row, chat) for row in _of_log(rows, "staff")],
        links=links,
        rows=rows,
        operators={int(pk): (who[0], who[1]) for pk, who in content["operators"].items()},
        digest=content["seal"]["digest"],
    )


def _of_log(rows: Mapping[seals.Key, dict[str, Any]], log: str) -> list[dict[str, Any]]:
    # of a row that an erasure has removed only its place is known
    return [row for (which, _), row in sorted(rows.items()) if which == log and "created_at" in row]


def _message(row: Mapping[str, Any], chat: Chat) -> Message:
    return Message(
        account_id=chat.account_id,
        chat_id=chat.pk,
        seq=row["number"],
        ref=UUID(row["ref"]),
        author=row["author"],
        author_id=row["author_id"],
        kind=row["kind"],
        text=row["text"],
        text_state=row["text_state"],
        target=row["target"],
        facts=row["facts"],
        created_at=_moment(row["created_at"]),
    )


def _note(row: Mapping[str, Any], chat: Chat) -> Note:
    return Note(
        account_id=chat.account_id,
        chat_id=chat.pk,
        staff_seq=row["number"],
        ref=UUID(row["ref"]),
        author_id=row["author_id"],
        text=row["text"],
        created_at=_moment(row["created_at"]),
    )


def _moment(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)


# --- reading for somebody -----------------------------------------------------------------------------

_readers = threading.BoundedSemaphore(READERS)
_resting_until = 0.0


@contextmanager
def _a_turn() -> Iterator[None]:
    """Some read at a time, and nobody just after the store did not answer."""
    global _resting_until
    if monotonic() < _resting_until or not _readers.acquire(timeout=WAIT_SECONDS):
        raise ArchiveUnavailable
    try:
        yield
    except StoreUnavailable as error:
        _resting_until = monotonic() + REST_SECONDS
        raise ArchiveUnavailable from error
    finally:
        _readers.release()


def contents(chat: Chat) -> Contents:
    """An archived chat, read from its file now. Raises ArchiveUnavailable, ArchiveDamaged where the file is
    not the one that was written, and ArchiveLocked where its key is not here."""
    with _a_turn():
        return read(chat)


def read(chat: Chat) -> Contents:
    """The same without a turn, for tasks and commands. Raises StoreUnavailable, ArchiveDamaged,
    ArchiveLocked."""
    return contents_of(opened(file_of(chat)[1]), chat)


def file_of(chat: Chat) -> tuple[ArchivedChat, bytes]:
    """The row and the bytes; a file that is replaced in this moment is looked up again under its new name.
    Raises StoreUnavailable, ArchiveDamaged."""
    name = ""
    while True:
        file = ArchivedChat.objects.filter(chat=chat, state=ArchivedChat.State.KEPT).first()
        if file is None:
            raise ArchiveDamaged
        if file.name == name:
            raise FileGone
        name = file.name
        try:
            data = store().get(name)
        except NotInStore:
            continue
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise ArchiveDamaged
        return file, data


# --- names, and files that go -------------------------------------------------------------------------


def new_name(chat: Chat, account: str) -> str:
    """Where a chat's next file goes, never the same twice: folders by account and month, so that a person can
    find their way."""
    month = (chat.closed_at or chat.started_at).strftime("%Y/%m")
    return f"{account}/{month}/{chat.uid}.{secrets.token_hex(4)}.age"


def adopt(chat: Chat) -> bool:
    """For a database that was restored: its row may name a file that an erasure has replaced since. Another
    file of this chat that fits its seal takes its place; False where there is none. Raises
    StoreUnavailable."""
    file = ArchivedChat.objects.filter(chat=chat, state=ArchivedChat.State.KEPT).first()
    known = ChatSeal.objects.filter(chat=chat).first()
    if file is None or known is None:
        return False
    place = store()
    if place.has(file.name):  # it is the right one, or damaged: nobody's to replace
        return False
    for each in place.list(file.name.rpartition("/")[0]):
        if uid_in(each.name) != chat.uid or each.name == file.name:
            continue
        data = place.get(each.name)
        try:
            found = contents_of(opened(data), chat)
        except ArchiveDamaged:
            continue
        if seals.faults(chat.uid, known.digest, found.links, found.rows):
            continue
        digest = hashlib.sha256(data).hexdigest()
        changed = {"name": each.name, "sha256": digest, "size": len(data), "touched_at": timezone.now()}
        return bool(ArchivedChat.objects.filter(pk=file.pk, name=file.name).update(**changed))
    return False


def uid_in(name: str) -> str:
    """The uid of the chat that a file is of."""
    return name.rpartition("/")[2].partition(".")[0]


def drop_other(file: ArchivedChat) -> None:
    """Removes the second file of a chat from the store, then forgets its name. Raises StoreUnavailable."""
    if file.other_name:
        store().delete(file.other_name)
        ArchivedChat.objects.filter(pk=file.pk, other_name=file.other_name).update(other_name="")


def drop(file: ArchivedChat) -> None:
    """A file that was never finished is not there any more: its chat lies in the database. Raises
    StoreUnavailable."""
    unkept = ArchivedChat.objects.filter(pk=file.pk).exclude(state=ArchivedChat.State.KEPT)
    if unkept.update(state=ArchivedChat.State.DROPPING):  # from now on nobody can finish it
        store().delete(file.name)
        unkept.delete()
