"""Legal holds as they are kept outside of the database (B2-6): a restore of an older backup would forget
those that were placed since, and would keep those that were lifted since.

One small file a hold, `holds/<uid>.json`: keyed digests of account and visitors, the reason encrypted with
the key of the columns, when it was placed and lifted, and whether an erasure waits for its end.
"""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from accounts import erasure, holds
from accounts.models import Account, LegalHold, Operator
from chatlead.keys import decrypted, encrypted
from privacy import outside
from visitors.models import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.erasure import Person

logger = logging.getLogger(__name__)

FOLDER = "holds"
RESTORED = "restored"  # the reason of an erasure of which nothing but that it waits is known any more


def keep(hold: LegalHold) -> None:
    """Writes down how it stands. Raises StoreUnavailable."""
    key = outside.keys()[0]
    uids = Visitor.objects.filter(account_id=hold.account_id, pk__in=hold.visitors)
    told = {
        "account": outside.digest(key, hold.account.uid),
        "visitors": sorted(outside.digest(key, uid) for uid in uids.values_list("uid", flat=True)),
        # once it is lifted nobody needs it here, and an erasure would not reach it
        "reason": encrypted(hold.reason) if hold.reason and not hold.lifted_at else "",
        "by": hold.placed_by.uid if hold.placed_by else "",
        "placed_at": hold.placed_at.isoformat(),
        "lifted_at": hold.lifted_at.isoformat() if hold.lifted_at else "",
        "waits": bool(hold.waiting),
    }
    outside.store().put(f"{FOLDER}/{hold.uid}.json", json.dumps(told, sort_keys=True).encode())


def without(person: Person) -> Person:
    """The person without what is under legal hold: the visitors, and every address or number that leads to
    one of them."""
    held = holds.held_visitors(person.account_id)
    if not held:
        return person
    nobody = replace(person, visitor_ids=frozenset(), emails=frozenset(), phones=frozenset())

    def is_free(each: Person) -> bool:
        return erasure.hold_on(each) is None

    return replace(
        nobody,
        visitor_ids=person.visitor_ids - held,
        emails=frozenset(
            each for each in person.emails if is_free(replace(nobody, emails=frozenset({each})))
        ),
        phones=frozenset(
            each for each in person.phones if is_free(replace(nobody, phones=frozenset({each})))
        ),
    )


def bring_back() -> dict[str, int]:
    """After a restore: a hold that the backup did not know yet is placed again, one that was lifted since is
    lifted again; {"holds_placed", "holds_lifted"}. Twice is as once. Raises StoreUnavailable."""
    store = outside.store()
    files = {each.name: json.loads(store.get(each.name)) for each in store.list(FOLDER)}
    counts: Counter[str] = Counter(holds_placed=0, holds_lifted=0)
    if not files:
        return dict(counts)
    visitors = _visitors_of(files.values())
    accounts = {uid: pk for pk, uid in Account.objects.values_list("pk", "uid")}
    for name, told in sorted(files.items()):
        uid = name.rpartition("/")[2].removesuffix(".json")
        mine = LegalHold.objects.filter(uid=uid)
        if told["lifted_at"]:
            lifted_at = datetime.fromisoformat(told["lifted_at"])
            counts["holds_lifted"] += mine.filter(lifted_at=None).update(lifted_at=lifted_at, waiting=[])
            continue
        account_id = next(
            (pk for each, pk in accounts.items() if outside.is_among(each, {told["account"]})), 0
        )
        ids = sorted({pk for each in told["visitors"] for pk in visitors.get(each, ())})
        if not account_id or not ids:
            continue
        waiting = [{"visitors": ids, "reason": RESTORED}] if told["waits"] else []
        if hold := mine.filter(lifted_at=None).first():
            if waiting and not hold.waiting:
                mine.update(waiting=waiting)
            continue
        LegalHold.objects.create(
            account_id=account_id,
            uid=uid,
            visitors=ids,
            reason=decrypted(told["reason"]) if told["reason"] else "",
            placed_by=Operator.objects.filter(account_id=account_id, uid=told["by"]).first(),
            placed_at=datetime.fromisoformat(told["placed_at"]),
            waiting=waiting,
        )
        counts["holds_placed"] += 1
    if counts["holds_placed"] or counts["holds_lifted"]:
        logger.info("legal holds: %s placed and %s lifted as before the restore", *counts.values())
    return dict(counts)


def _visitors_of(files: Iterable[dict[str, Any]]) -> dict[str, list[int]]:
    """{digest in a file: the visitors whose it is}."""
    wanted = {each for told in files for each in told["visitors"]}
    found: dict[str, list[int]] = defaultdict(list)
    keys = outside.keys()
    for pk, uid in Visitor.objects.values_list("pk", "uid").iterator() if wanted else ():
        for key in keys:
            if (name := outside.digest(key, uid)) in wanted:
                found[name].append(pk)
    return found
