"""What must stay erased, kept where no backup of the database goes (B2-6).

A stone is a small file in a store of its own (`CHATLEAD_TOMBSTONES`): keyed digests of ids, which tell nobody
who it was. It is written before the first row goes. After a backup was restored, `reapply` compares every
visitor that came back with the stones and erases again.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from accounts import erasure
from accounts.erasure import Person
from accounts.models import Account
from chats import answered
from chats.answered import plain_number
from privacy import held
from privacy.models import PrivacyRequest
from privacy.outside import digest, is_among, keys, store
from privacy.selectors import OPEN, requests_of, spoken_number, texted
from visitors.models import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDER = "stones"


def write(person: Person, *, request_uid: str = "") -> str:
    """Keeps the digests of a person who is about to be erased; returns the stone's name. Raises
    StoreUnavailable: then nothing may be erased yet, because a restore would bring it back."""
    uids = Visitor.objects.filter(account_id=person.account_id, pk__in=person.visitor_ids)
    waiting = requests_of(person).filter(state__in=OPEN).exclude(uid=request_uid)
    account = Account.objects.values_list("uid", flat=True).get(pk=person.account_id)
    key = keys()[0]
    told = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "account": digest(key, account),
        "visitors": sorted(digest(key, uid) for uid in uids.values_list("uid", flat=True)),
        "emails": sorted(digest(key, email) for email in person.emails),
        "phones": sorted(digest(key, phone) for phone in person.phones),
        # with every key, because a form in the archive has its digests alone
        "answers": sorted(answered.digests_of(emails=person.emails, numbers=person.phones)),
        "request": digest(key, request_uid) if request_uid else "",
        # these still wait for an answer; whatever else was asked before has ended, whatever a backup says
        "open": sorted(digest(key, uid) for uid in waiting.values_list("uid", flat=True)),
    }
    name = f"{FOLDER}/{told['at'][:10]}-{secrets.token_hex(12)}.json"
    store().put(name, json.dumps(told, sort_keys=True).encode())
    return name


def reapply() -> dict[str, int]:
    """Erases again whoever has a stone, before anything of a restored database is served.

    {kind: rows}, with `people`, the number of accounts in which somebody came back, and what became of legal
    holds (privacy/held.py): whoever is held now stays. With older keys of CHATLEAD_FIELD_KEYS, too. Raises
    StoreUnavailable, and what an erasure raises: then it must be run again. Twice is as once.
    """
    kept = store()
    stones = [json.loads(kept.get(each.name)) for each in kept.list(FOLDER)]
    counts: Counter[str] = Counter(people=0, **held.bring_back())
    if not stones:
        return dict(counts)
    visitors = _named(stones, "visitors")
    came_back: dict[int, set[int]] = defaultdict(set)
    for pk, uid, account_id in Visitor.objects.values_list("pk", "uid", "account_id").iterator():
        if is_among(uid, visitors):
            came_back[account_id].add(pk)
    # what one firm has erased says nothing of what another one keeps of the same person
    by_account = {
        account_id: [stone for stone in stones if is_among(uid, {stone["account"]})]
        for account_id, uid in Account.objects.values_list("pk", "uid")
    }
    phones, emails = _numbers(by_account), _addresses(by_account)
    counts["requests_closed"] = _close(stones)  # after their addresses were read
    for account_id, numbers in phones.items():
        for number in numbers:
            came_back[account_id] |= texted(account_id, number)
    for account_id, theirs in by_account.items():
        if in_archive := answered.visitors_of(account_id, _named(theirs, "answers")):
            came_back[account_id] |= in_archive
    for account_id in sorted(came_back.keys() | phones.keys() | emails.keys()):
        person = Person(
            account_id,
            visitor_ids=frozenset(came_back.get(account_id, ())),
            emails=frozenset(emails.get(account_id, ())),
            phones=frozenset(phones.get(account_id, ())),
        )
        counts["people"] += 1
        counts.update(erasure.erase(held.without(person)))
    return dict(counts)


def _numbers(stones: Mapping[int, list[dict[str, Any]]]) -> dict[int, set[str]]:
    """{account: its telephone numbers that have a stone of its own}, of the kinds that keep numbers."""
    found: dict[int, set[str]] = defaultdict(set)
    for account_id, theirs in stones.items():
        digests = _named(theirs, "phones")
        for kind in erasure.kinds() if digests else ():
            if isinstance(kind, erasure.KeepsPhones):
                kept = {spoken_number(plain_number(each)) for each in kind.phones(account_id)} - {""}
                found[account_id] |= {each for each in kept if is_among(each, digests)}
    return {account_id: numbers for account_id, numbers in found.items() if numbers}


def _addresses(stones: Mapping[int, list[dict[str, Any]]]) -> dict[int, set[str]]:
    """{account: addresses that have a stone of its own}, of earlier requests and of kinds that keep
    addresses, which no visitor leads to."""
    found: dict[int, set[str]] = defaultdict(set)
    for account_id, theirs in stones.items():
        digests = _named(theirs, "emails")
        for kind in erasure.kinds() if digests else ():
            if isinstance(kind, erasure.KeepsAddresses):
                kept = {each.strip().lower() for each in kind.emails(account_id)}
                found[account_id] |= {each for each in kept if is_among(each, digests)}
        asked = PrivacyRequest.objects.filter(account_id=account_id).exclude(email="") if digests else ()
        found[account_id] |= {each.email for each in asked if is_among(each.email, digests)}
    return {account_id: addresses for account_id, addresses in found.items() if addresses}


def _close(stones: list[dict[str, Any]]) -> int:
    """Requests that had ended by the time of a stone, after the backup was made: their person is told nothing
    twice, and who it was is forgotten again."""
    S = PrivacyRequest.State
    count = 0
    for each in PrivacyRequest.objects.filter(state__in=OPEN):
        if any(_had_ended(each, stone) for stone in stones):
            count += PrivacyRequest.objects.filter(pk=each.pk).update(
                state=S.DONE, job="", closed_at=timezone.now(), email="", phone="", details="", reason=""
            )
    return count


def _had_ended(request: PrivacyRequest, stone: dict[str, Any]) -> bool:
    """Whether it was carried out with the stone, or is of its person and did not wait any more then."""
    own = {digest(key, request.uid) for key in keys()}
    if stone.get("request") in own:
        return True
    if "open" not in stone or own & {*stone["open"]}:
        return False
    account = request.account.uid if request.account else ""
    if stone["account"] not in {digest(key, account) for key in keys()}:
        return False
    of_person = {*stone["visitors"], *stone["emails"], *stone["phones"]}
    named = [request.email, spoken_number(request.phone), *request.visitor_uids]
    return request.received_at <= datetime.fromisoformat(stone["at"]) + timedelta(seconds=1) and any(
        is_among(value, of_person) for value in named if value
    )


def _named(stones: Iterable[dict[str, Any]], part: str) -> set[str]:
    named: set[str] = set()
    for stone in stones:
        value = stone.get(part, "")
        named |= {value} if isinstance(value, str) else set(value)
    return named - {""}
