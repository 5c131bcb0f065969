"""How long the chats of a site stay in the database, and whether their seals still fit."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from accounts import audit
from accounts.models import Operator, Site
from chatlead.errors import BadField, NotFound
from chats import keeping
from chats.models import KeepingRun, RetentionLimit

logger = logging.getLogger(__name__)


def set_retention_limits(*, by: Operator, days: Mapping[str, int]) -> int:
    """{site uid: days} of sites of the account that `by` belongs to; 0 is never. Returns how many changed.

    What is in the archive stays there. Raises NotFound, BadField.
    """
    if any(each and not keeping.LEAST_DAYS <= each <= keeping.MOST_DAYS for each in days.values()):
        raise BadField(f"From {keeping.LEAST_DAYS} to {keeping.MOST_DAYS} days.", field="days")
    changed = 0
    with transaction.atomic():
        sites = {site.uid: site for site in Site.objects.filter(account_id=by.account_id, uid__in=days)}
        if len(sites) < len(days):
            raise NotFound
        known = dict(RetentionLimit.objects.filter(account_id=by.account_id).values_list("site__uid", "days"))
        for uid, wanted in days.items():
            before = known.get(uid, 0)
            if wanted == before:
                continue
            changed += 1
            if wanted:
                RetentionLimit.objects.update_or_create(
                    site=sites[uid], defaults={"account_id": by.account_id, "days": wanted}
                )
            else:
                RetentionLimit.objects.filter(site=sites[uid]).delete()
            facts = {"before": before, "days": wanted}
            audit.note("retention.changed", account=by.account_id, by=by, subject=f"site:{uid}", facts=facts)
    return changed


def ask_verification(*, by: Operator) -> None:
    """The seals of the account are proved as soon as a worker is free; asked twice it is done once."""
    with transaction.atomic():
        keeping.open_run(by.account_id, KeepingRun.Kind.VERIFY)
        audit.note("seals.verified", account=by.account_id, by=by)
        transaction.on_commit(_hint, robust=True)


def _hint() -> None:
    """Tells a worker at once; where the broker does not answer, the timer is soon enough."""
    try:
        import_string(settings.CELERY_APP).send_task("chats.tasks.verify_asked", retry=False)
    except Exception as error:  # kombu raises what its transport raises
        logger.warning("no broker (%s); the timer will find what is to be verified", type(error).__name__)
