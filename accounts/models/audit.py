"""What was done by whom: rows that are only ever added, and the chain that shows when one was changed."""

from __future__ import annotations

from django.db import models

from accounts.models.people import Account
from chatlead.personal import impersonal


class AuditEntry(models.Model):
    """One deed (R-111, B2-18). The database itself refuses to change or delete a row: triggers of
    migration 0007. So nothing points here or away by a checked key, and no personal datum belongs here.

    `actor` says what `actor_uid` is the uid of; nobody's where the service did it by itself.
    """

    class Actor(models.TextChoices):
        OPERATOR = "operator"
        USER = "user"
        SERVICE = "service"

    account = models.ForeignKey(
        Account, models.DO_NOTHING, null=True, blank=True, db_index=False, db_constraint=False
    )
    action = impersonal(models.CharField(max_length=60), "a word from a fixed list")
    actor = models.CharField(max_length=10, choices=Actor.choices)
    actor_uid = impersonal(models.CharField(max_length=32, blank=True), "a random id")
    subject = impersonal(models.CharField(max_length=100, blank=True), "a kind and a random id")
    facts = impersonal(models.JSONField(default=dict, blank=True), "ids, counts and words of ours")
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("account", "-id"), name="audit_account"),)


class AuditLink(models.Model):
    """A link of the one chain over all entries: `sha256` is that of the link before and of its entry, in the
    order in which the task found them (`accounts.audit.chain`). Only added, as entries are."""

    number = models.BigIntegerField(unique=True)
    entry_id = models.BigIntegerField(unique=True)
    sha256 = impersonal(models.CharField(max_length=64), "a hash over a hash and an entry")
