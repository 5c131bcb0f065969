"""Who is meant by an address, a number or an id, within one account; and the queue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from accounts import erasure
from accounts.erasure import Person
from accounts.models import Account, LegalHold, OutboxItem, Site, is_uid
from chatlead.errors import BadField, NotFound
from chats import answered
from chats.answered import is_same_number, plain_number
from chats.models import Chat
from privacy.models import PrivacyExport, PrivacyRequest
from sms.models import SmsThread
from sms.numbers import e164, key_of
from surveys.erasure import theirs
from visitors.models import Visitor
from visitors.sessions import browser_key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet

    from accounts.models import Operator

State = PrivacyRequest.State
OPEN = (State.RECEIVED, State.VERIFIED, State.IN_WORK)


def find(account_id: int, *, email: str = "", phone: str = "", visitor: str = "") -> Person:
    """Whoever in this account is known by the address, the number, or the id of a visitor: the public one, or
    that of the browser's cookie (R-175). What is asked for in vain adds nobody."""
    ids: set[int] = set()
    email, number = email.strip().lower(), plain_number(phone)
    mine = Visitor.objects.filter(account_id=account_id)
    if email:
        ids |= set(mine.filter(email__iexact=email).values_list("pk", flat=True))
        ids |= _answered(account_id, email, lambda value: value.strip().lower() == email)
    spoken = spoken_number(number)
    if number:
        ids |= texted(account_id, spoken)
        ids |= _answered(account_id, "", lambda value: is_same_number(plain_number(value), number))
    in_archive = answered.digests_of(emails=[email], numbers=[number])
    ids |= answered.visitors_of(account_id, in_archive)
    if visitor:
        keys = [
            browser_key_of(key, visitor)
            for key in Site.objects.filter(account_id=account_id).values_list("key", flat=True)
        ]
        known = Q(uid=visitor) | Q(browser_key__in=[key for key in keys if key])
        ids |= set(mine.filter(known).values_list("pk", flat=True))
    emails = frozenset({email}) if email else frozenset()
    phones = frozenset({spoken}) if spoken else frozenset()
    return Person(account_id, visitor_ids=frozenset(ids), emails=emails, phones=phones)


def spoken_number(number: str) -> str:
    """The number with its country, for which texts take ours where none was said; "" for what is none."""
    try:
        return e164(number)
    except BadField:
        return ""


def texted(account_id: int, number: str) -> set[int]:
    """Visitors of the chats that are held by text message with this number."""
    if not number or not settings.SMS_HASH_KEY:  # without the key there are none
        return set()
    threads = SmsThread.objects.filter(account_id=account_id, contact__number_key=key_of(number))
    return set(threads.values_list("chat__visitor_id", flat=True))


def _answered(account_id: int, needle: str, fits: Callable[[str], bool]) -> set[int]:
    """Visitors who have filled a form in with a value that fits."""
    chats = _with_answers(needle).filter(account_id=account_id)
    return {
        visitor_id
        for visitor_id, answers in chats.values_list("visitor_id", "answers").iterator()
        if any(fits(value) for value in answered.told_in(answers))
    }


def _with_answers(needle: str) -> QuerySet[Chat]:
    """Chats whose form may hold a text that fits. The database narrows it down where it can, the rest is
    compared by who asks: what is no ASCII, a quote and a backslash are escaped within a JSON column."""
    chats = Chat.objects.exclude(answers=[])
    if not needle or not needle.isascii() or {*needle} & {*'"\\'}:
        return chats
    return chats.annotate(said=Cast("answers", TextField())).filter(said__icontains=needle)


def person_of(request: PrivacyRequest) -> Person:
    """Whom a verified request of an account is about: who is found now, and who was when the work began."""
    if request.account_id is None:
        raise NotFound
    person = Person(request.account_id)
    if request.proof != PrivacyRequest.Proof.SESSION:  # whose address nobody has proved: it is for the answer
        person = find(request.account_id, email=request.email, phone=request.phone)
    named = Visitor.objects.filter(account_id=request.account_id, uid__in=request.visitor_uids)
    return replace(person, visitor_ids=person.visitor_ids | frozenset(named.values_list("pk", flat=True)))


def counts(person: Person) -> dict[str, int]:
    """{kind: how many rows hold something of the person}, all kinds."""
    return {kind.name: kind.count(person) for kind in erasure.kinds()}


def accounts_with(email: str) -> list[Account]:
    """Every account that keeps something of who has this address, by id (R-150)."""
    with_profile = Visitor.objects.filter(email__iexact=email).values("account")
    with_answer = _with_answers(email.strip().lower()).values("account")
    in_archive = answered.accounts_of(answered.digests_of(emails=[email]))
    is_likely = Q(pk__in=with_profile) | Q(pk__in=with_answer) | Q(pk__in=in_archive)
    likely = Account.objects.filter(is_likely).order_by("pk")
    return [each for each in likely if find(each.pk, email=email).visitor_ids]


def queue(account: Account, shown: str = "open") -> QuerySet[PrivacyRequest]:
    """An account's requests, the most urgent first. What nobody has proved on our form yet is nobody's
    business; what the firm itself has entered is."""
    found = PrivacyRequest.objects.filter(account=account)
    found = found.exclude(state=State.RECEIVED, origin=PrivacyRequest.Origin.FORM)
    if shown == "open":
        found = found.filter(state__in=OPEN)
    elif shown == "closed":
        found = found.exclude(state__in=OPEN)
    return found.order_by("due_at", "id") if shown == "open" else found.order_by("-received_at", "-id")


def requests_of(person: Person) -> QuerySet[PrivacyRequest]:
    """By the address, the number, or the visitors that were found for it."""
    mine = PrivacyRequest.objects.filter(account_id=person.account_id)
    uids = set(Visitor.objects.filter(pk__in=person.visitor_ids).values_list("uid", flat=True))
    named = [
        pk for pk, found in mine.exclude(visitor_uids=[]).values_list("pk", "visitor_uids") if uids & {*found}
    ]
    return mine.filter(Q(email__in=person.emails) | Q(phone__in=person.phones) | Q(pk__in=named))


def access_request(operator: Operator, uid: str, *, lock: bool = False) -> PrivacyRequest:
    """A request to the operator's account, else NotFound."""
    found = queue(operator.account, "all").filter(uid=uid if is_uid(uid) else None)
    request = (found.select_for_update(of=("self",)) if lock else found).first()
    if request is None:
        raise NotFound
    return request


# a restriction whose person is still to be told of its end
IN_FORCE = Q(kind=PrivacyRequest.Kind.RESTRICT, restricted_at__isnull=False, lifted_at=None)


def is_restricting(request: PrivacyRequest) -> bool:
    """Whether it restricts somebody now (B2-7)."""
    return request.restricted_at is not None and request.lifted_at is None


def uids_restricted(account_id: int) -> set[str]:
    """Of the visitors that some request restricts now."""
    named = PrivacyRequest.objects.filter(IN_FORCE, account_id=account_id)
    return {uid for uids in named.values_list("visitor_uids", flat=True) for uid in uids}


def visitors_of_surveys(person: Person) -> set[int]:
    """Visitors who have answered a survey with an address or a number of the person."""
    numbers = theirs(person).values_list("visitor_number", flat=True)
    return {number for number in numbers if number is not None}


def copy_of(request: PrivacyRequest) -> PrivacyExport | None:
    """The copy that answers it, until its time is over, whether it was cleared away or not."""
    return PrivacyExport.objects.filter(request=request, expires_at__gt=timezone.now()).first()


def waiting_for_holds(account_id: int | None = None) -> set[int]:
    """Requests, of an account or of all, whose erasure waits until a legal hold is lifted."""
    holds = LegalHold.objects.filter(lifted_at=None).exclude(waiting=[])
    if account_id is not None:
        holds = holds.filter(account_id=account_id)
    return {
        errand["request"]
        for waiting in holds.values_list("waiting", flat=True)
        for errand in waiting
        if "request" in errand
    }


def is_under_way(request: PrivacyRequest) -> bool:
    """Whether a worker is at it, or will be: not where the outbox has given it up."""
    if not request.job:
        return False
    items = OutboxItem.objects.filter(key__startswith=f"privacy_{request.job}:{request.uid}:")
    return items.filter(state=OutboxItem.State.PENDING).exists()


def days_left(request: PrivacyRequest) -> int:
    """Whole days until an answer is due; negative once it is late."""
    return (request.due_at - timezone.now()).days
