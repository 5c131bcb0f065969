"""What keeps the service going: this database as a whole, and what is still to be done for somebody."""

from __future__ import annotations

from django.db import models

from accounts.models.ids import new_uid
from accounts.models.people import Account, User
from chatlead.personal import impersonal


class Installation(models.Model):
    """This database, one row. `epoch` changes when it is restored: clients then start afresh (V-3)."""

    epoch = impersonal(models.CharField(max_length=32, default=new_uid), "a random id")
    # when a process last looked who is there, and since when that has been done without a break (V-14)
    watched_at = models.DateTimeField(null=True, blank=True)
    watched_since = models.DateTimeField(null=True, blank=True)
    # set while a restore is not finished: erasures are not applied again yet, so nobody is served (B2-6)
    restoring_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)


class OutboxItem(models.Model):
    """A side effect that must not be lost, written in the transaction that wants it (V-7).

    `subject` holds ids, never text. Claimed by lease, carried out at least once under `key`.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        DEAD = "dead"

    account = models.ForeignKey(Account, models.CASCADE, null=True, blank=True)
    key = impersonal(models.CharField(max_length=100, unique=True), "an idempotency key made of ids")
    kind = impersonal(models.CharField(max_length=40), "a word from a fixed list")
    subject = impersonal(models.JSONField(default=dict), "ids only")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True, blank=True)
    last_error = impersonal(models.CharField(max_length=200, blank=True), "the class of an exception")
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("due_at",), condition=models.Q(state="pending"), name="outbox_pending"),
        )


class Backup(models.Model):
    """One attempt to keep everything (R-116). DONE: every store that is set up has it."""

    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    name = impersonal(models.CharField(max_length=100, blank=True), "a time and a random number")
    size = models.BigIntegerField(default=0)  # bytes
    row_count = models.BigIntegerField(default=0)
    file_count = models.BigIntegerField(default=0)  # of archived chats, beside it
    problem = impersonal(models.CharField(max_length=300, blank=True), "words of ours and of programs")
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=("state", "started_at"), name="backup_newest"),)

    @property
    def seconds(self) -> float:
        """How long it took; 0 while it goes on."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else 0.0


class BackupCopy(models.Model):
    """What one store has of a backup."""

    class Place(models.TextChoices):
        PRIMARY = "primary"
        OFFSITE = "offsite"

    class State(models.TextChoices):
        KEPT = "kept"
        FAILED = "failed"
        EXPIRED = "expired"

    backup = models.ForeignKey(Backup, models.CASCADE, related_name="copies")
    place = models.CharField(max_length=10, choices=Place.choices)
    state = models.CharField(max_length=10, choices=State.choices)
    problem = impersonal(models.CharField(max_length=300, blank=True), "words of ours")
    at = models.DateTimeField()  # of the state

    class Meta:
        constraints = (models.UniqueConstraint(fields=("backup", "place"), name="one_copy_a_place"),)


class BackupProof(models.Model):
    """A backup that was restored into a scratch database, and what was found there (V-12)."""

    class State(models.TextChoices):
        RUNNING = "running"
        PASSED = "passed"
        FAILED = "failed"

    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    name = impersonal(models.CharField(max_length=100, blank=True), "of the backup")
    place = models.CharField(max_length=10, choices=BackupCopy.Place.choices)
    backup_made_at = models.DateTimeField(null=True, blank=True)
    table_count = models.PositiveIntegerField(default=0)
    row_count = models.BigIntegerField(default=0)
    seal_count = models.BigIntegerField(default=0)
    file_count = models.BigIntegerField(default=0)
    problem = impersonal(models.CharField(max_length=300, blank=True), "words of ours and of programs")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=("state", "started_at"), name="proof_newest"),)

    @property
    def seconds(self) -> float:
        """How long it took; 0 while it goes on."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else 0.0
