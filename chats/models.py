"""Chats and their two logs. Rows of both logs are only appended, by chats/journal.py."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import Account, Department, Language, Operator, Site, uid_field
from chatlead.personal import Basis, Retention, Role, impersonal, personal
from visitors.models import Visitor, VisitorSession


class Chat(models.Model):
    """waiting -> active -> closed, or waiting -> missed; active -> waiting where the operator was lost.

    `last_seq` and `last_staff_seq` are the ends of the two logs. The four marks only grow. `start_ref`
    makes starting idempotent.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        ACTIVE = "active"
        CLOSED = "closed"
        MISSED = "missed"

    class Presence(models.TextChoices):
        HERE = "here"
        LEFT = "left"
        LOST = "lost"

    # indexes that begin with account and with session stand below
    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    site = models.ForeignKey(Site, models.CASCADE)
    department = models.ForeignKey(Department, models.PROTECT)
    visitor = models.ForeignKey(Visitor, models.CASCADE, related_name="chats")
    session = models.ForeignKey(VisitorSession, models.CASCADE, related_name="chats", db_index=False)
    operator = models.ForeignKey(Operator, models.PROTECT, null=True, blank=True, related_name="chats")
    uid = uid_field()
    # the session's key again, so that the journal can name the visitor's topic without a join
    session_key = impersonal(models.CharField(max_length=64), "a hash of a random token")
    start_ref = models.UUIDField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    last_seq = models.BigIntegerField(default=0)
    last_staff_seq = models.BigIntegerField(default=0)
    visitor_delivered = models.BigIntegerField(default=0)
    visitor_read = models.BigIntegerField(default=0)
    operator_delivered = models.BigIntegerField(default=0)
    operator_read = models.BigIntegerField(default=0)
    answers = personal(
        models.JSONField(default=list, blank=True),  # [{name, label, value}] as the visitor saw them
        purpose="prepare the conversation",
        basis=Basis.CONSENT,
        retention=Retention.CHAT,
        role=Role.PROCESSOR,
    )
    page_url = personal(
        models.CharField(max_length=2048, blank=True),  # without query and fragment
        purpose="see what the question is about",
        basis=Basis.LEGITIMATE_INTEREST,
        retention=Retention.CHAT,
        role=Role.PROCESSOR,
    )
    started_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    last_message_at = models.DateTimeField()
    visitor_seen_at = models.DateTimeField()
    # whether her page is open, as operators are told; and since when not
    visitor_presence = models.CharField(max_length=4, choices=Presence.choices, default=Presence.HERE)
    visitor_gone_at = models.DateTimeField(null=True, blank=True)
    # who answered when it last went back to the line without their doing, and when that was
    returned_from = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="returned_chats", db_index=False
    )
    returned_at = models.DateTimeField(null=True, blank=True)
    # what became of it after its end: both logs sealed, then kept in a file of the archive
    sealed_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)  # its texts are gone for good

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("session", "start_ref"), name="chat_start_once"),
            models.UniqueConstraint(
                fields=("session",), condition=Q(state__in=("waiting", "active")), name="chat_open_once"
            ),
        )
        indexes = (
            models.Index(fields=("department", "id"), condition=Q(state="waiting"), name="chat_waiting"),
            # all that are open, in order: read by every process every few seconds, however many have ended
            models.Index(fields=("id",), condition=Q(state__in=("waiting", "active")), name="chat_open"),
            models.Index(fields=("operator", "id"), condition=Q(state="active"), name="chat_active"),
            models.Index(
                fields=("department", "-closed_at"), condition=Q(state="missed"), name="chat_missed"
            ),
            models.Index(fields=("account", "-id"), name="chat_account"),
            models.Index(
                fields=("returned_from", "-returned_at"),
                condition=Q(returned_from__isnull=False),
                name="chat_returned",
            ),
            models.Index(
                fields=("closed_at",),
                condition=Q(sealed_at=None, closed_at__isnull=False),
                name="chat_unsealed",
            ),
            models.Index(
                fields=("site", "closed_at"),
                condition=Q(archived_at=None, closed_at__isnull=False),
                name="chat_unarchived",
            ),
        )


class Message(models.Model):
    """A row of the public log. Gapless `seq` from 1 in its chat (R-035).

    `author_id` is the operator's database id, 0 for the visitor and the system. `target` names the row
    that an edit or a deletion is about. `facts` holds what a system row says (names as they were then).
    """

    class Author(models.TextChoices):
        VISITOR = "visitor"
        OPERATOR = "operator"
        SYSTEM = "system"

    class Kind(models.TextChoices):
        OPENED = "opened"
        TEXT = "text"
        EDIT = "edit"
        DELETION = "deletion"
        ACCEPTED = "accepted"
        TRANSFERRED = "transferred"
        RETURNED = "returned"
        CLOSED = "closed"

    class TextState(models.TextChoices):
        INTACT = ""
        EDITED = "edited"
        DELETED = "deleted"

    # the chat's own; unchecked, because the check would lock the account's row for every message
    account = models.ForeignKey(Account, models.CASCADE, db_index=False, db_constraint=False)
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="messages", db_index=False)
    seq = models.BigIntegerField()
    ref = models.UUIDField()
    author = models.CharField(max_length=10, choices=Author.choices)
    author_id = models.BigIntegerField(default=0)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    text = personal(
        models.TextField(blank=True),
        purpose="the conversation",
        basis=Basis.CONTRACT,
        retention=Retention.CHAT,
        role=Role.PROCESSOR,
    )
    text_state = models.CharField(max_length=8, choices=TextState.choices, default="", blank=True)
    target = models.BigIntegerField(null=True, blank=True)
    facts = personal(
        models.JSONField(null=True, blank=True),
        purpose="names in system rows",
        basis=Basis.CONTRACT,
        retention=Retention.CHAT,
        role=Role.PROCESSOR,
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("chat", "seq"), name="message_seq_once"),
            models.UniqueConstraint(fields=("chat", "author", "author_id", "ref"), name="message_ref_once"),
        )
        indexes = (
            # finds the edits of a row, whose text changes with it
            models.Index(fields=("chat", "target"), condition=Q(target__isnull=False), name="message_target"),
        )


class Note(models.Model):
    """A row of the staff log: operators only, in its own table. Gapless `staff_seq` from 1 in its chat."""

    # the chat's own; unchecked, because the check would lock the account's row for every message
    account = models.ForeignKey(Account, models.CASCADE, db_index=False, db_constraint=False)
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="notes", db_index=False)
    staff_seq = models.BigIntegerField()
    ref = models.UUIDField()
    author = models.ForeignKey(Operator, models.PROTECT, db_index=False)
    text = personal(
        models.TextField(),
        purpose="work of the operators",
        basis=Basis.LEGITIMATE_INTEREST,
        retention=Retention.CHAT,
        role=Role.PROCESSOR,
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("chat", "staff_seq"), name="note_seq_once"),
            models.UniqueConstraint(fields=("chat", "author", "ref"), name="note_ref_once"),
        )


class TranscriptRequest(models.Model):
    """Somebody wants a copy of a chat by mail (R-036). The row stays, so that the same `ref` sends no second
    mail; whom it went to is forgotten when it is sent."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="transcript_requests", db_index=False)
    ref = models.UUIDField()
    email = personal(
        models.CharField(max_length=254, blank=True),
        purpose="send the copy that was asked for",
        basis=Basis.CONSENT,
        retention=Retention.QUEUE,
        role=Role.PROCESSOR,
    )
    language = models.CharField(max_length=2, choices=Language.choices)
    zone = personal(
        models.CharField(max_length=64, blank=True),  # "" is UTC
        purpose="say the times as on the reader's clock",
        basis=Basis.CONSENT,
        retention=Retention.QUEUE,
        role=Role.PROCESSOR,
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("chat", "ref"), name="transcript_request_once"),)


class ChatSeal(models.Model):
    """The chain of digests over the rows of a chat that has ended (R-111): chats/seals.py.

    `links` are [log, number, salt, digest] in the order of the chain, [] where the chat is in the archive,
    whose file holds them. `digest` is the chain's end, `last_seq` and `last_staff_seq` how far it goes.
    """

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    chat = models.OneToOneField(Chat, models.CASCADE, related_name="seal")
    version = models.PositiveSmallIntegerField()
    digest = impersonal(models.CharField(max_length=64), "a digest of digests over salted rows")
    count = models.PositiveIntegerField()
    last_seq = models.BigIntegerField()
    last_staff_seq = models.BigIntegerField()
    links = impersonal(models.JSONField(default=list), "salts and digests; an erasure takes the salts")
    sealed_at = models.DateTimeField()


class ArchivedChat(models.Model):
    """The file in which an ended chat is kept. Until it is `kept` the chat is still in the database; what is
    `dropping` is on its way out of the store, and then it never was.

    `sha256` is of the encrypted file. `other_name` names a second file of the same chat that may be in the
    store since `touched_at`: the next one, or the one before.
    """

    class State(models.TextChoices):
        WRITING = "writing"
        KEPT = "kept"
        DROPPING = "dropping"

    account = models.ForeignKey(Account, models.CASCADE, related_name="archived_chats")
    chat = models.OneToOneField(Chat, models.CASCADE, related_name="archived_file")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WRITING)
    name = impersonal(models.CharField(max_length=200), "made of random ids and a month")
    other_name = impersonal(models.CharField(max_length=200, blank=True), "made of random ids and a month")
    sha256 = impersonal(models.CharField(max_length=64, blank=True), "a digest of an encrypted file")
    size = models.PositiveBigIntegerField(default=0)  # bytes
    message_count = models.PositiveIntegerField(default=0)
    note_count = models.PositiveIntegerField(default=0)
    touched_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)  # since then it says nothing of its visitor
    # with which key the digests of its form were made; "" for a file from before there were any
    answered_key = impersonal(models.CharField(max_length=16, blank=True, default=""), "names a key")

    class Meta:
        indexes = (
            # what a task that was killed may have left behind
            models.Index(
                fields=("account", "id"),
                condition=~Q(state="kept") | ~Q(other_name=""),
                name="archive_unfinished",
            ),
        )


class ArchivedAnswer(models.Model):
    """An address or a number in the form of an archived chat, as a keyed digest: by chats/answered.py."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    file = models.ForeignKey(ArchivedChat, models.CASCADE, related_name="told")
    digest = impersonal(models.CharField(max_length=64), "a keyed hash of an address or a number")

    class Meta:
        indexes = (models.Index(fields=("digest", "account"), name="archive_answer"),)


class RetentionLimit(models.Model):
    """After how many days an ended chat of a site moves to the archive. No row: never."""

    account = models.ForeignKey(Account, models.CASCADE)
    site = models.OneToOneField(Site, models.CASCADE, related_name="retention_limit")
    days = models.PositiveSmallIntegerField()
    changed_at = models.DateTimeField(auto_now=True)


class KeepingRun(models.Model):
    """One run over an account's chats: into the archive, or over their seals. Claimed by lease.

    `faults` are [chat uid, code], the first of them only. Open runs are those that have not ended: one of
    each kind at a time.
    """

    class Kind(models.TextChoices):
        ARCHIVE = "archive"
        VERIFY = "verify"

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    done_count = models.PositiveIntegerField(default=0)
    failed_count = models.PositiveIntegerField(default=0)
    faults = impersonal(models.JSONField(default=list), "random ids and words from a fixed list")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("account", "kind"), condition=Q(ended_at=None), name="keeping_run_open_once"
            ),
        )
        indexes = (models.Index(fields=("account", "kind", "-id"), name="keeping_run_newest"),)
