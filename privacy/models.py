"""What somebody asks of a firm about their own data, and the file that answers them."""

from __future__ import annotations

from django.db import models

from accounts.models import Account, Language, Site, uid_field
from chatlead.personal import Basis, Retention, Role, impersonal, personal


class PrivacyRequest(models.Model):
    """received -> verified -> in work -> done or refused; refused also from the states before (R-151).

    Without an account it is one to the whole service, and becomes one for each firm that keeps something
    (R-150). `visitor_uids` are the visitors that were found when the work began: afterwards no name or
    address leads to them. The code is not stored: it is made of `uid` and `code_number` with a secret.
    """

    class Kind(models.TextChoices):
        CONFIRM = "confirm", "Is anything kept?"
        ACCESS = "access", "A copy of everything"
        ERASE = "erase", "Erase everything"
        CORRECT = "correct", "Correct something"
        RESTRICT = "restrict", "Keep everything, and do nothing with it"

    class State(models.TextChoices):
        RECEIVED = "received", "Not proved yet"
        VERIFIED = "verified", "Waiting"
        IN_WORK = "in_work", "In work"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"

    class Origin(models.TextChoices):
        FORM = "form", "The form on the website"
        CHAT = "chat", "The chat window"
        STAFF = "staff", "Phone, mail or letter"

    class Proof(models.TextChoices):
        NONE = "", "None yet"
        CODE = "code", "A code that was mailed to the address"
        SESSION = "session", "The live chat"
        STAFF = "staff", "Checked by the firm"

    class Job(models.TextChoices):
        NONE = "", "Nothing"
        EXPORT = "export", "Making the copy"
        ERASE = "erase", "Erasing"

    account = models.ForeignKey(Account, models.CASCADE, null=True, blank=True, related_name="+")
    uid = uid_field()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVED)
    origin = models.CharField(max_length=10, choices=Origin.choices)
    proof = models.CharField(max_length=10, choices=Proof.choices, default=Proof.NONE, blank=True)
    email = personal(
        models.CharField(max_length=254, blank=True),  # in lower case
        purpose="prove who asks, and answer",
        basis=Basis.LEGAL_OBLIGATION,
        retention=Retention.QUEUE,
        role=Role.PROCESSOR,
    )
    phone = personal(
        models.CharField(max_length=40, blank=True),
        purpose="find what is kept of who asks",
        basis=Basis.LEGAL_OBLIGATION,
        retention=Retention.QUEUE,
        role=Role.PROCESSOR,
    )
    details = personal(
        models.TextField(blank=True),
        purpose="what is to be corrected or found",
        basis=Basis.LEGAL_OBLIGATION,
        retention=Retention.QUEUE,
        role=Role.PROCESSOR,
    )
    reason = personal(
        models.TextField(blank=True),  # of a refusal or an extension, as the person reads it
        purpose="say why something was refused, or takes longer",
        basis=Basis.LEGAL_OBLIGATION,
        retention=Retention.QUEUE,
        role=Role.PROCESSOR,
    )
    language = models.CharField(max_length=2, choices=Language.choices, default=Language.ENGLISH)
    visitor_uids = impersonal(models.JSONField(default=list, blank=True), "random ids")
    code_number = models.PositiveIntegerField(default=0)
    code_until = models.DateTimeField(null=True, blank=True)
    code_tries = models.PositiveSmallIntegerField(default=0)
    job = models.CharField(max_length=10, choices=Job.choices, default=Job.NONE, blank=True)
    job_done = models.PositiveSmallIntegerField(
        default=0
    )  # kinds of data, of job_total; 0 of 0 while it waits
    job_total = models.PositiveSmallIntegerField(default=0)
    with_internal = models.BooleanField(default=False)  # the firm's notes are part of the copy
    found = impersonal(models.JSONField(null=True, blank=True), "numbers of rows by kind")
    certificate = impersonal(models.JSONField(null=True, blank=True), "numbers of rows by kind, and times")
    received_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField()
    extended_at = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    # of a restriction (B2-7): in force from then until it was lifted
    restricted_at = models.DateTimeField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("account", "due_at"), name="privacy_queue"),
            models.Index(
                fields=("due_at",),
                condition=models.Q(state__in=("received", "verified", "in_work")),
                name="privacy_open",
            ),
        )


class PrivacyLink(models.Model):
    """A link from the live chat to the form, which proves whose chat it is: once, until `expires_at`. `key`
    is a hash of its token; `session_key` the name of the live session, which an erasure changes."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False, related_name="+")
    site = models.ForeignKey(Site, models.CASCADE, db_index=False, related_name="+")
    key = impersonal(models.CharField(max_length=64, unique=True), "a hash of a random token")
    session_key = impersonal(models.CharField(max_length=64), "a hash of a random token")
    expires_at = models.DateTimeField(db_index=True)


class PrivacyExport(models.Model):
    """The copy that answers a request, until `expires_at`: a ZIP of so many bytes, in parts."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    request = models.OneToOneField(PrivacyRequest, models.CASCADE, related_name="export")
    uid = uid_field()
    byte_count = models.BigIntegerField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)


class PrivacyExportPart(models.Model):
    """A piece of such a ZIP, `number` from 0, encrypted with the key of the columns (privacy/exports.py)."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False, related_name="+")
    export = models.ForeignKey(PrivacyExport, models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    content = personal(
        models.BinaryField(),
        purpose="the copy that somebody has asked for",
        basis=Basis.LEGAL_OBLIGATION,
        retention=Retention.QUEUE,
        role=Role.PROCESSOR,
    )

    class Meta:
        constraints = (models.UniqueConstraint(fields=("export", "number"), name="privacy_export_part_once"),)
