"""An account goes, with everything that is kept of it: rows, files of the archive, copies that were exported.

What stays is the audit and the ledger of consents to text messages, which the database refuses to change and
in which nobody is named; and backups, which expire by age.
"""

from __future__ import annotations

from collections import Counter

from django.apps import apps
from django.db import models, transaction
from django.db.models import ProtectedError, RestrictedError

from accounts import audit, holds, outbox
from accounts.erasure import Person
from accounts.models import Account
from chatlead.errors import UnderLegalHold
from chats.archived import DROP_FILES
from privacy import tombstones
from visitors.models import Visitor

STONE = 5000  # visitors in one


def delete_account(account: Account) -> dict[str, int]:
    """Deletes it in one transaction; returns {table: rows} of what went. Raises StoreUnavailable where the
    stones cannot be written, and UnderLegalHold while a hold keeps anything: then nothing is deleted.

    1 whoever talked with it has a stone, so that a restore brings back nothing that they said; 2 its files
    are an item of the outbox, in the transaction in which 3 the rows go.
    """
    if holds.active(account.pk):
        raise UnderLegalHold("A legal hold keeps conversations of this account. Lift it first.")
    visitors = list(Visitor.objects.filter(account=account).values_list("pk", flat=True))
    for start in range(0, len(visitors), STONE):
        part = frozenset(visitors[start : start + STONE])
        tombstones.write(Person(account.pk, visitor_ids=part))  # 1
    gone: Counter[str] = Counter()
    with transaction.atomic():
        audit.note(
            "account.deleted", account=account, by=None, facts={"subscriber_id": account.subscriber_id}
        )
        folder = account.subscriber_id
        outbox.add(DROP_FILES, {"folder": folder}, f"{DROP_FILES}:{folder}")  # 2, of no account: it is gone
        waiting = _tables()
        while waiting:  # 3
            held = [table for table in waiting if not _emptied(table, account, gone)]
            if len(held) == len(waiting):
                held[0]._base_manager.filter(account=account).delete()  # says what holds it
            waiting = held
        gone.update(account.delete()[1])
    return dict(gone)


def _tables() -> list[type[models.Model]]:
    """Those whose rows belong to an account by a key that the database keeps."""
    found = []
    for table in apps.get_models():
        for field in table._meta.fields:
            key = field.remote_field
            if key is None or (field.name, field.related_model) != ("account", Account):
                continue
            if key.on_delete is not models.DO_NOTHING:
                found.append(table)
    return found


def _emptied(table: type[models.Model], account: Account, gone: Counter[str]) -> bool:
    try:
        gone.update(table._base_manager.filter(account=account).delete()[1])
    except (ProtectedError, RestrictedError):  # by rows that go in a moment
        return False
    return True
