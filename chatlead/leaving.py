"""An account goes, with everything that is kept of it: rows, files of the archive, copies that were exported.

What stays is the audit and the ledger of consents to text messages, which the database refuses to change and
in which nobody is named; and backups, which expire by age.
"""

from __future__ import annotations

from collections import Counter
from graphlib import TopologicalSorter

from django.apps import apps
from django.db import models, transaction

from accounts import audit, holds, outbox
from accounts.models import Account, User
from chatlead.errors import UnderLegalHold
from chats.archived import DROP_FILES
from privacy.tombstones import OF_ACCOUNT

AT_ONCE = 500  # rows that are held in memory together, with what hangs on them


def delete_account(account: Account) -> dict[str, int]:
    """Deletes it in one transaction; returns {table: rows} of what went. Raises UnderLegalHold while a hold
    keeps anything: then nothing is deleted.

    Two items of the outbox are part of it: a stone, so that a restore brings back nothing that its visitors
    said, and the files of its archive. An account that could not be deleted has neither. Who worked for it
    and for nobody else goes too, staff of the service stays.
    """
    if holds.active(account.pk):
        raise UnderLegalHold("A legal hold keeps conversations of this account. Lift it first.")
    gone: Counter[str] = Counter()
    with transaction.atomic():
        audit.note(
            "account.deleted", account=account, by=None, facts={"subscriber_id": account.subscriber_id}
        )
        folder = account.subscriber_id  # the items are of no account: it is gone
        outbox.add(OF_ACCOUNT, {"account": account.uid}, f"{OF_ACCOUNT}:{account.uid}")
        outbox.add(DROP_FILES, {"folder": folder}, f"{DROP_FILES}:{folder}")
        people = list(account.operators.filter(user__is_staff=False).values_list("user_id", flat=True))
        for table in _tables():
            _empty(table, account, gone)
        gone.update(account.delete()[1])
        for start in range(0, len(people), AT_ONCE):
            part = User.objects.filter(pk__in=people[start : start + AT_ONCE], operators=None)
            gone.update(part.delete()[1])
    return dict(gone)


def _tables() -> list[type[models.Model]]:
    """Those whose rows belong to an account by a key that the database keeps; whatever points to a table
    stands before it."""
    found = []
    for table in apps.get_models():
        for field in table._meta.fields:
            key = field.remote_field
            if key is None or (field.name, field.related_model) != ("account", Account):
                continue
            if key.on_delete is not models.DO_NOTHING:
                found.append(table)
    order: TopologicalSorter[type[models.Model]] = TopologicalSorter(dict.fromkeys(found, ()))
    for table in found:
        for field in table._meta.fields:
            to, key = field.related_model, field.remote_field
            # a key that is emptied when its row goes holds nothing back, and two of them may make a ring
            if key and to in found and to is not table and key.on_delete is not models.SET_NULL:
                order.add(to, table)
    return list(order.static_order())


def _empty(table: type[models.Model], account: Account, gone: Counter[str]) -> None:
    """In parts, because rows on which others may hang are read before they are deleted."""
    theirs = table._base_manager.filter(account=account)
    while part := list(theirs.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        gone.update(theirs.filter(pk__in=part).delete()[1])
