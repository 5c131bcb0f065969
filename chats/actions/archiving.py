"""Chats that have ended: sealed, and after their site's limit moved into the archive (R-111, R-118).

A chat is in one place at any time: in the database until the statement that marks it as kept and removes
its rows, in its file from then on. Whatever a task that was killed leaves behind is removed by the next run.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from chatlead import age
from chatlead.errors import ArchiveDamaged, ArchiveLocked
from chatlead.stores import NotInStore, StoreUnavailable
from chats import answered, archive, keeping, sealing, seals, selectors
from chats.models import ArchivedChat, Chat, ChatSeal, KeepingRun, Message, Note

logger = logging.getLogger(__name__)

BATCH = 50  # chats between two looks at what is due, and two lines of the log
SEALS = 1000  # in one go
FAILURES = 20  # then a run gives up: it is not the chats
LEFT_SECONDS = 3600  # a second file older than this is nobody's work any more


def seal_ended() -> int:
    """Seals the chats that ended SEAL_MINUTES ago or earlier; returns how many."""
    before = timezone.now() - timedelta(minutes=settings.SEAL_MINUTES)
    ended = Chat.objects.filter(sealed_at=None, archived_at=None, closed_at__lt=before)
    return sum(map(sealing.seal, list(ended.order_by("closed_at").values_list("pk", flat=True)[:SEALS])))


def extend_seals() -> int:
    """Seals the rows that came after a seal; returns of how many chats."""
    return sum(map(sealing.seal, keeping.chats_grown()[:SEALS]))


def archive_chat(chat_id: int) -> bool:
    """Moves one chat into its file; False where there is nothing to move.

    1 it is sealed to its end; 2 the file's name is noted; 3 the file is written, 4 read back, opened and
    proved against the seal; 5 in one transaction, if nothing has changed meanwhile, the file is marked as
    kept and the rows are removed. Raises StoreUnavailable, ArchiveDamaged, ArchiveLocked, age.BadKey.
    """
    sealing.seal(chat_id)  # 1
    chat = Chat.objects.select_related("account", "site", "department").filter(pk=chat_id).first()
    seal = ChatSeal.objects.filter(chat_id=chat_id).first()
    if chat is None or seal is None or chat.archived_at is not None:
        return False
    rows = sealing.rows_of(chat)
    links = sealing.links_of(seal)
    if sealing.verify_chain(chat):
        raise ArchiveDamaged  # what does not fit is looked at by somebody, not moved
    name = archive.new_name(chat, chat.account.subscriber_id)
    file, is_mine = ArchivedChat.objects.get_or_create(
        chat=chat, defaults={"account": chat.account, "name": name, "touched_at": timezone.now()}
    )  # 2
    if not is_mine:
        return False  # left behind a moment ago, or somebody else's
    operators = selectors.operator_names({row["author_id"] for row in rows.values() if row.get("author_id")})
    data = archive.written(
        account=chat.account.subscriber_id,
        # of a row that an erasure has removed only its place is known
        rows=[rows.get(link.key) or {"log": link.log, "number": link.number} for link in links],
        operators=operators,
        seal=seal,
    )
    store = archive.store()
    store.put(file.name, data)  # 3
    _prove(chat, seal, store.get(file.name), data)  # 4
    with transaction.atomic():  # 5
        held = sealing.locked(chat_id)
        links_now = ChatSeal.objects.values_list("links", flat=True).get(pk=seal.pk)
        is_same = (
            held is not None
            and held.archived_at is None
            and links_now == seal.links
            and sealing.rows_of(held) == rows
        )
        mine = ArchivedChat.objects.filter(pk=file.pk, state=ArchivedChat.State.WRITING)
        if is_same and mine.update(
            state=ArchivedChat.State.KEPT,
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
            message_count=sum(log == "public" for log, _ in rows),
            note_count=sum(log == "staff" for log, _ in rows),
            touched_at=timezone.now(),
        ):
            answered.keep(file, chat.answers)  # as the rows, the same as now
            Chat.objects.filter(pk=chat_id).update(archived_at=timezone.now(), answers=[], page_url="")
            Message.objects.filter(chat_id=chat_id).delete()
            Note.objects.filter(chat_id=chat_id).delete()
            ChatSeal.objects.filter(pk=seal.pk).update(links=[])
            return True
    archive.drop(file)
    store.delete(file.name)  # nobody else writes by this name: the row may have gone before the file came
    return False


def _prove(chat: Chat, seal: ChatSeal, data: bytes, written: bytes) -> None:
    """What is in the store is what was written, can be opened, and fits the seal."""
    if data != written:
        raise StoreUnavailable("the archive does not give back what it was given")
    contents = archive.contents_of(archive.opened(data), chat)
    if seals.faults(chat.uid, seal.digest, contents.links, contents.rows):
        raise ArchiveDamaged


def sweep_left_behind(account_id: int) -> int:
    """Removes what a run that was killed has left in the store; returns how many files. Under the account's
    lease. Raises StoreUnavailable."""
    count = 0
    theirs = ArchivedChat.objects.filter(account_id=account_id)
    for file in list(theirs.exclude(state=ArchivedChat.State.KEPT)):
        archive.drop(file)
        count += 1
    old = timezone.now() - timedelta(seconds=LEFT_SECONDS)
    for file in list(theirs.exclude(other_name="").filter(touched_at__lt=old)):
        archive.drop_other(file)
        count += 1
    return count


def reconcile(account_id: int) -> int:
    """What the store and the database say of each other after one of them was restored; returns how many
    files that concerned. Under the account's lease. Raises StoreUnavailable.

    A row whose file was replaced since takes the newer one; a file that no row names goes if its chat is
    here, in the database or in another file, so that no erasure misses it. Files of unknown chats stay.
    """
    account = Account.objects.get(pk=account_id)
    stored = {each.name: each for each in archive.store().list(account.subscriber_id)}
    files = ArchivedChat.objects.filter(account_id=account_id, state=ArchivedChat.State.KEPT)
    # of what an erasure has taken whole no other file is taken
    lost = [file for file in files.exclude(size=0).select_related("chat") if file.name not in stored]
    count = sum(archive.adopt(file.chat) for file in lost)
    # read after the store was: a name is in its row before the file is written
    rows = ArchivedChat.objects.filter(account_id=account_id).values_list("name", "other_name")
    known = {name for names in rows for name in names}
    old = timezone.now() - timedelta(seconds=LEFT_SECONDS)
    unknown = 0
    for each in stored.values():
        if each.name in known or each.modified_at > old:
            continue
        chat = Chat.objects.filter(account_id=account_id, uid=archive.uid_in(each.name)).first()
        kept = files.filter(chat=chat).first() if chat is not None else None
        is_elsewhere = kept is not None and (kept.name in stored or not kept.size)
        if chat is not None and (chat.archived_at is None or is_elsewhere):
            archive.store().delete(each.name)
            count += 1
        else:
            unknown += 1
    if unknown:
        logger.warning("archive: account %s has %s files of chats that are not here", account_id, unknown)
    return count


def archive_due() -> int:
    """Moves what is due in every account that has a limit; returns how many chats."""
    extend_seals()
    return sum(map(_archive_account, keeping.accounts_with_work()))


def _archive_account(account_id: int) -> int:
    """Whatever is wrong in one account, the others have their turn."""
    try:
        return archive_account(account_id)
    except Exception:
        logger.exception("archive: account %s is left for the next time", account_id)
        return 0


def archive_account(account_id: int) -> int:
    """One run over an account; returns how many chats it moved. Does nothing while another run goes on."""
    run = keeping.open_run(account_id, KeepingRun.Kind.ARCHIVE)
    lease = keeping.claim(run)
    if lease is None:
        return 0
    failed: set[int] = set()
    try:
        archive.claim()
        sweep_left_behind(account_id)
        reconcile(account_id)
        while len(failed) < FAILURES and (due := keeping.due(account_id, failed, BATCH)):
            for pk, uid in due:
                lease.renew()
                _archive_one(pk, uid, lease, failed)
                if len(failed) >= FAILURES:
                    break
            logger.info("archive: account %s, %s chats moved, %s failed", account_id, lease.done, len(failed))
    except keeping.LeaseLost:
        logger.warning("archive: account %s is somebody else's now", account_id)
        return lease.done
    except (StoreUnavailable, NotInStore) as error:
        # what was just written and is not there is a store that cannot be relied upon
        logger.error("archive: the store does not answer (account %s): %s", account_id, type(error).__name__)
        lease.fail("", "store")
    except archive.OfAnother:
        logger.error("archive: the store is another installation's; see docs/running.md")
        lease.fail("", "claim")
    except age.BadKey:
        logger.error("archive: there is no key to write with (account %s)", account_id)
        lease.fail("", "key")
    except ArchiveLocked:  # the chat is where it was; what was written for it goes with the next run
        logger.error("archive: what is written cannot be opened with the keys here (account %s)", account_id)
        lease.fail("", "locked")
    _end(lease)
    return lease.done


def _end(lease: keeping.Lease) -> bool:
    """False where the run is somebody else's by now, who writes down how it ended."""
    try:
        lease.end()
    except keeping.LeaseLost:
        logger.warning("archive: a run of account %s is somebody else's now", lease.run.account_id)
        return False
    return True


def _archive_one(pk: int, uid: str, lease: keeping.Lease, failed: set[int]) -> None:
    try:
        if archive_chat(pk):
            lease.done += 1
        else:
            failed.add(pk)  # somebody is at it: not again in this run
    except ArchiveLocked:
        raise
    except ArchiveDamaged:
        logger.error("archive: chat %s does not fit its seal or its file", uid)
        failed.add(pk)
        lease.fail(uid, "damaged")


def verify_asked() -> int:
    """Carries out the verifications that somebody asked for; returns of how many accounts."""
    runs = keeping.asked(KeepingRun.Kind.VERIFY)
    return sum(map(verify_account, runs))


def verify_account(run: KeepingRun) -> bool:
    """One run over all sealed chats of an account, wherever they lie; False while another one goes on."""
    lease = keeping.claim(run)
    if lease is None:
        return False
    try:
        for chat in keeping.sealed_chats(run.account_id):
            lease.renew()
            try:
                faults = sealing.verify_chain(chat)
            except ArchiveLocked:
                lease.fail("", "locked")
                continue
            if faults:
                lease.fail(chat.uid, "damaged")
            else:
                lease.done += 1
    except keeping.LeaseLost:
        return False
    except StoreUnavailable:
        lease.fail("", "store")
    if not _end(lease):
        return False
    logger.info("seals: account %s, %s chats fit, %s do not", run.account_id, lease.done, lease.failed)
    return True
