"""What must stay erased, kept where no backup of the database goes (B2-6).

A stone is a small file in a store of its own (`CHATLEAD_TOMBSTONES`): keyed digests of ids, which tell nobody
who it was. It is written before the first row goes. After a backup was restored, `reapply` compares every
visitor that came back with the stones and erases again. The visitors of an account that was deleted have one
stone together, written once the account is gone for good.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from accounts import erasure, outbox
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
    from collections.abc import Iterable

FOLDER = "stones"
OF_ACCOUNT: Final = "keep_stone_of_account"
AT_ONCE = 5000  # visitors that are erased together


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
    return _keep(told)


@outbox.handler(OF_ACCOUNT)
def write_of_account(subject: dict[str, Any], key: str) -> None:
    """The stone of all visitors of an account that was deleted. Nothing is written where it is there (again):
    a restore has brought it back, and it lives. Raises StoreUnavailable."""
    account = str(subject["account"])
    if account and not Account.objects.filter(uid=account).exists():
        at = datetime.now(UTC).isoformat(timespec="seconds")
        _keep({"at": at, "account": digest(keys()[0], account), "is_of_all": True})


def _keep(told: dict[str, Any]) -> str:
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
    people = _come_back(stones)
    counts["requests_closed"] = _close(stones)  # after their addresses were read
    for person in people:
        counts["people"] += 1
        counts.update(erasure.erase(held.without(person)))
    return dict(counts)


def _come_back(stones: list[dict[str, Any]]) -> list[Person]:
    """Who has a stone and is here again: one for each account that has somebody, more where they are many."""
    visitors = _named(stones, "visitors")
    here: dict[int, set[int]] = defaultdict(set)
    for pk, uid, account_id in Visitor.objects.values_list("pk", "uid", "account_id").iterator():
        if is_among(uid, visitors):
            here[account_id].add(pk)
    # what one firm has erased says nothing of what another one keeps of the same person
    laid: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for stone in stones:
        laid[stone["account"]].append(stone)
    known, people = keys(), list[Person]()  # of ids alone: erasing them changes what was read
    for account_id, uid in Account.objects.order_by("pk").values_list("pk", "uid"):
        theirs = [stone for key in known for stone in laid.get(digest(key, uid), ())]
        found, emails, phones = here.get(account_id, set()), set[str](), set[str]()
        if theirs:
            emails, phones = _named_alone(account_id, theirs)
            found = found.union(*(texted(account_id, number) for number in phones))
            found |= answered.visitors_of(account_id, _named(theirs, "answers"))
            if any(stone.get("is_of_all") for stone in theirs):
                found |= set(Visitor.objects.filter(account_id=account_id).values_list("pk", flat=True))
        ids = sorted(found)
        if found or emails or phones:
            first = frozenset(ids[:AT_ONCE])
            people.append(Person(account_id, first, frozenset(emails), frozenset(phones)))
        for start in range(AT_ONCE, len(ids), AT_ONCE):
            people.append(Person(account_id, frozenset(ids[start : start + AT_ONCE])))
    return people


def _named_alone(account_id: int, stones: list[dict[str, Any]]) -> tuple[set[str], set[str]]:
    """Addresses and telephone numbers of an account that have a stone of their own: those of earlier requests
    and of kinds that keep some, to which no visitor leads."""
    of_emails, of_phones = _named(stones, "emails"), _named(stones, "phones")
    emails, phones = set[str](), set[str]()
    for kind in erasure.kinds():
        if of_emails and isinstance(kind, erasure.KeepsAddresses):
            emails |= {each.strip().lower() for each in kind.emails(account_id)}
        if of_phones and isinstance(kind, erasure.KeepsPhones):
            phones |= {spoken_number(plain_number(each)) for each in kind.phones(account_id)}
    if of_emails:
        asked = PrivacyRequest.objects.filter(account_id=account_id).exclude(email="")
        emails |= set(asked.values_list("email", flat=True))
    return (
        {each for each in emails if is_among(each, of_emails)},
        {each for each in phones - {""} if is_among(each, of_phones)},
    )


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
