"""Visitors and their live sessions. Rows exist only after engagement: a chat or a message left (R-110)."""

from __future__ import annotations

from django.db import models

from accounts.models import Account, Site, uid_field
from chatlead.personal import Basis, Retention, Role, impersonal, personal


class Visitor(models.Model):
    """A browser on a site that has engaged. `browser_key` is a hash of the opaque persistent id."""

    account = models.ForeignKey(Account, models.CASCADE)
    site = models.ForeignKey(Site, models.CASCADE, related_name="visitors")
    uid = uid_field()
    number = models.BigIntegerField()
    browser_key = personal(
        models.CharField(max_length=64, null=True, blank=True),
        purpose="recognise a returning browser",
        basis=Basis.LEGITIMATE_INTEREST,
        retention=Retention.CHAT,
        role=Role.PROCESSOR,
    )
    name = personal(
        models.CharField(max_length=200, blank=True),  # verbatim, NFC
        purpose="address the visitor",
        basis=Basis.CONSENT,
        retention=Retention.CHAT,
        role=Role.PROCESSOR,
    )
    email = personal(
        models.CharField(max_length=254, blank=True),
        purpose="answer the visitor",
        basis=Basis.CONSENT,
        retention=Retention.CHAT,
        role=Role.PROCESSOR,
    )
    # since then all of theirs is kept and nothing done with it (B2-7): set from above, by privacy
    restricted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("site", "browser_key"), name="visitor_browser_once"),
            models.UniqueConstraint(fields=("site", "number"), name="visitor_number_once"),
        )


class VisitorSession(models.Model):
    """The live session that may open its chats: a cookie without expiry, bound to the site (R-120, R-124).

    `key` = sha256 of the site and the token; the token itself is never stored.
    """

    account = models.ForeignKey(Account, models.CASCADE)
    site = models.ForeignKey(Site, models.CASCADE)
    visitor = models.ForeignKey(Visitor, models.CASCADE, related_name="sessions")
    key = impersonal(models.CharField(max_length=64, unique=True), "a hash of a random token")
    created_at = models.DateTimeField(auto_now_add=True)


class ClosedBrowser(models.Model):
    """A browser in which somebody is under 18 (R-070): known again, and nothing else. `key` is a hash of the
    hash by which it was known, or of a live session's; no other row has it, so it leads to nobody."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    key = impersonal(models.CharField(max_length=64, unique=True), "a hash of a random id that is erased")
    closed_at = models.DateTimeField(auto_now_add=True, db_index=True)


class UsedTicket(models.Model):
    """A ticket that was used while the cache did not answer (V-15); of no use for longer than a ticket is."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    nonce = impersonal(models.CharField(max_length=22, unique=True), "a random number")
    used_at = models.DateTimeField(auto_now_add=True, db_index=True)
