"""What a firm has to keep for a legal claim, whoever wants it erased."""

from __future__ import annotations

from django.db import models

from accounts.models.ids import uid_field
from accounts.models.people import Account, Operator
from chatlead.keys import EncryptedTextField
from chatlead.personal import Basis, Retention, Role, impersonal, personal


class LegalHold(models.Model):
    """Nothing of these visitors is erased before it is lifted (R-071).

    `visitors` are database ids, as the outbox has them. `waiting` are the erasures that came meanwhile:
    `{"request": id, "by": uid}` or `{"visitors": [id, …], "reason": word}`, each once; they go on when the
    hold is lifted.
    """

    account = models.ForeignKey(Account, models.CASCADE, db_index=False, related_name="+")
    uid = uid_field()
    visitors = impersonal(models.JSONField(default=list), "database ids")
    reason = personal(
        EncryptedTextField(blank=True),
        purpose="say why something is kept although its erasure was asked for",
        basis=Basis.LEGAL_OBLIGATION,
        retention=Retention.PROOF,
        role=Role.PROCESSOR,
    )
    placed_by = models.ForeignKey(Operator, models.SET_NULL, null=True, blank=True, related_name="+")
    placed_at = models.DateTimeField()
    lifted_by = models.ForeignKey(Operator, models.SET_NULL, null=True, blank=True, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    waiting = impersonal(models.JSONField(default=list, blank=True), "database ids, and words of ours")

    class Meta:
        indexes = (models.Index(fields=("account", "placed_at"), name="legal_hold_placed"),)
