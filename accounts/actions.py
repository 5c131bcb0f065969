"""Writes about operators, whether they are there and what they may, and about how sites look and ask.

The only place that tells who is there.
"""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.utils import timezone

from accounts import audit, pictures, presence, selectors, sites
from accounts.models import (
    SHORTCUT_ROOM,
    Account,
    Department,
    DepartmentMember,
    Installation,
    Language,
    Operator,
    Picture,
    Site,
)
from accounts.signals import operator_withdrawn
from chatlead.errors import BadField, NotFound, TooMany, UnknownField
from chatlead.prepared import Among, Prepared
from chatlead.realtime import topics
from chatlead.realtime.events import (
    AvailabilityChanged,
    CannedReplyDeleted,
    CannedReplySaved,
    OperatorChanged,
    TargetChanged,
)
from chatlead.realtime.publish import publish
from chatlead.realtime.shapes import CannedReplyView

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from django.db.models import Field, QuerySet

    from accounts.selectors import OperatorPrincipal
    from chatlead.realtime.shapes import FieldSpec

LOOK = (
    "color",
    "corner",
    "offset_side",
    "offset_bottom",
    "welcome",
    "offline",
    "greeting",
    "greeting_after",
)
TARGET_LEAST, TARGET_MOST = 10, 3600  # seconds
CANNED_MAX = 200  # of one operator; every welcome of theirs holds them all


def set_availability(*, account_id: int, operator_id: int, online: bool) -> None:
    """The operator's intent. Told to the team, and to the sites which departments are open now.

    Raises NotFound for an operator who is not of the account or is suspended.
    """
    intent = Operator.Availability.ONLINE if online else Operator.Availability.AWAY
    with transaction.atomic():
        mine = Operator.objects.filter(pk=operator_id, account_id=account_id, suspended_at=None)
        if mine.exclude(availability=intent).update(availability=intent, gone_at=None):
            _tell(account_id, [operator_id])
        elif not mine.exists():
            raise NotFound


def renew_leases(operator_ids: Iterable[int], *, heard_ago: float = 0.0) -> None:
    """A console of theirs gave a sign of life `heard_ago` seconds ago; a lease is only ever made longer.

    Tells of those who had been gone and have now come back. Their intent still holds, unless they were gone
    for more than AWAY_SECONDS: then it is Away, so that nobody is offered chats who has forgotten about them.
    """
    ids = list(operator_ids)
    until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS - heard_ago)
    live = Operator.objects.filter(pk__in=ids, suspended_at=None)
    live.filter(lease_until__lt=until).update(lease_until=until)
    if heard_ago >= settings.LEASE_SECONDS or not _gone(operators=ids):
        return
    with transaction.atomic():
        gone = live.filter(lease_until=None).order_by("id").select_for_update(no_key=True)
        back = list(gone.values_list("account_id", "pk"))
        mine = Operator.objects.filter(pk__in=[pk for _, pk in back])
        for_long = Q(availability=Operator.Availability.ONLINE, gone_at__lt=presence.long_ago())
        mine.exclude(for_long).update(gone_at=None)  # the others keep it, so that they can be told why
        mine.filter(for_long).update(availability=Operator.Availability.AWAY)
        mine.update(lease_until=until)
        _tell_each_account(back)


_gone = Prepared(
    lambda operators: Operator.objects.filter(
        Among("pk", operators), suspended_at=None, lease_until=None
    ).values_list("pk", flat=True)
)


def expire_leases(now: datetime | None = None) -> int:
    """Of whom nothing was heard for a lease's time, as of `now`, is gone. Returns how many were noticed.

    Only for whoever holds the watch (`keep_watch`), or an outage of ours would be taken for theirs.
    """
    lease = timedelta(seconds=settings.LEASE_SECONDS)
    stale = Operator.objects.filter(lease_until__lte=now or timezone.now())
    if not stale.exists():
        return 0
    with transaction.atomic():
        locked = stale.order_by("id").select_for_update(no_key=True)
        gone = list(locked.values_list("account_id", "pk"))
        theirs = Operator.objects.filter(pk__in=[pk for _, pk in gone])
        theirs.update(gone_at=F("lease_until") - lease, lease_until=None)
        _tell_each_account(gone)
    return len(gone)


def come_back_from_the_future(now: datetime) -> None:
    """The clock was set back: nobody is there for longer than a lease without a sign, nor gone only later."""
    lease = timedelta(seconds=settings.LEASE_SECONDS)
    Operator.objects.filter(lease_until__gt=now + 2 * lease).update(lease_until=now + lease)
    Operator.objects.filter(gone_at__gt=now + lease).update(gone_at=now)


def keep_watch(*, began_at: datetime) -> presence.Turn | None:
    """Says that a web process looks who is there. None where it is the turn of another one.

    Called by every web process each `watch_seconds()`. The turn is one at a time over all processes: the row
    decides. Nobody may judge for SETTLE_SECONDS after the watch began or after a break in it: while nobody
    could hear a sign of life, its absence says nothing. `began_at` is when this process began, or found the
    clock set; if nobody has kept watch since, that was a break (V-14).
    """
    selectors.epoch()  # makes the row
    now = timezone.now()
    turn = presence.watch_turn()
    latest = max(began_at, now - presence.WATCH_TURNS * turn)
    broken = Q(watched_at=None) | Q(watched_at__lt=latest) | Q(watched_at__gt=now + turn)
    due = Q(watched_at=None) | Q(watched_at__lte=now - turn) | Q(watched_at__gt=now + turn)
    since = Case(When(broken, then=Value(now)), default=F("watched_since"), output_field=DateTimeField())
    if not Installation.objects.filter(due, pk=1).update(watched_since=since, watched_at=now):
        return None
    begun = presence.watched_since()
    settled = now - timedelta(seconds=settings.SETTLE_SECONDS)
    return presence.Turn(at=now, may_judge=begun is not None and begun <= settled)


def suspend_operator(*, account_id: int, operator_id: int) -> None:
    """From now on the operator may nothing: writes are refused at once, open sockets close within seconds.

    Their chats wait again, in the same transaction.
    """
    with transaction.atomic():
        mine = Operator.objects.filter(pk=operator_id, account_id=account_id, suspended_at=None)
        if not mine.update(suspended_at=timezone.now(), rights_epoch=F("rights_epoch") + 1):
            raise NotFound
        operator_withdrawn.send(Operator, operator_id=operator_id, department_ids=None)
        _tell(account_id, [operator_id])


def set_departments(*, account_id: int, operator_id: int, department_uids: Iterable[str]) -> None:
    """All departments of an operator. Raises NotFound for anything of another account.

    Their chats of a department that they are taken off wait there again, in the same transaction.
    """
    wanted = set(department_uids)
    with transaction.atomic():
        mine = Operator.objects.filter(pk=operator_id, account_id=account_id, suspended_at=None)
        found = list(Department.objects.filter(account_id=account_id, uid__in=wanted))
        if len(found) != len(wanted) or not mine.update(rights_epoch=F("rights_epoch") + 1):
            raise NotFound
        lost = DepartmentMember.objects.filter(operator_id=operator_id).exclude(department__in=found)
        left = frozenset(lost.values_list("department_id", flat=True))
        lost.delete()
        for department in found:
            DepartmentMember.objects.get_or_create(
                account_id=account_id, department=department, operator_id=operator_id
            )
        if left:
            operator_withdrawn.send(Operator, operator_id=operator_id, department_ids=left)
        _tell(account_id, [operator_id])


def save_canned_reply(*, principal: OperatorPrincipal, uid: str, shortcut: str, text: str) -> str:
    """A prepared reply of the caller's own, new where `uid` is "". Returns its uid; told to their consoles.

    The shortcut is kept in lower case. Raises NotFound, BadField where a text is no text or the shortcut is
    that of another one or too long as it is kept, TooMany above CANNED_MAX.
    """
    shortcut = unicodedata.normalize("NFC", shortcut).lower()
    if len(shortcut) > SHORTCUT_ROOM:
        raise BadField("This shortcut is too long.", field="shortcut")
    for field, value in (("shortcut", shortcut), ("text", text)):
        if "\x00" in value or not value.strip():
            raise BadField(field=field)
    with transaction.atomic():
        mine = selectors.access_membership(principal, lock=True).canned_replies  # one at a time of each
        if uid and not mine.filter(uid=uid).exists():
            raise NotFound
        if mine.filter(shortcut=shortcut).exclude(uid=uid).exists():
            raise BadField("You have another prepared reply with this shortcut.", field="shortcut")
        if uid:
            mine.filter(uid=uid).update(shortcut=shortcut, text=text)
        elif mine.count() >= CANNED_MAX:
            raise TooMany(f"You have {CANNED_MAX} prepared replies. Delete one to make room.")
        else:
            uid = mine.create(account_id=principal.account_id, shortcut=shortcut, text=text).uid
        view = CannedReplyView(uid=uid, shortcut=shortcut, text=text)
        event = CannedReplySaved(reply=view, version=_next_canned_version(principal))
        publish(event, topics.operator(principal.operator_id))
    return uid


def delete_canned_reply(*, principal: OperatorPrincipal, uid: str) -> None:
    """One of the caller's own. Told to their consoles. Raises NotFound."""
    with transaction.atomic():
        mine = selectors.access_membership(principal, lock=True).canned_replies
        if not mine.filter(uid=uid).delete()[0]:
            raise NotFound
        event = CannedReplyDeleted(canned=uid, version=_next_canned_version(principal))
        publish(event, topics.operator(principal.operator_id))


def _next_canned_version(principal: OperatorPrincipal) -> int:
    """Under the lock of the caller's own row."""
    me = Operator.objects.filter(pk=principal.operator_id)
    me.update(canned_version=F("canned_version") + 1)
    return me.values_list("canned_version", flat=True).get()


def set_answer_target(*, by: Operator, seconds: int) -> bool:
    """Within how many seconds a visitor of the account of `by` is to be answered. False where it was so
    already; else it is audited, and told to all of its consoles.

    Raises BadField `seconds` outside of TARGET_LEAST to TARGET_MOST.
    """
    if not TARGET_LEAST <= seconds <= TARGET_MOST:
        raise BadField(field="seconds")
    with transaction.atomic():
        mine = Account.objects.filter(pk=by.account_id)
        if not mine.exclude(target_seconds=seconds).update(target_seconds=seconds):
            return False
        audit.note(
            "account.target_set",
            account=by.account_id,
            by=by,
            subject=f"account:{mine.values_list('uid', flat=True).get()}",
            facts={"seconds": seconds},
        )
        version = next_version(by.account_id)
        publish(TargetChanged(seconds=seconds, version=version), topics.team(by.account_id))
    return True


def set_hosted_page(*, site_id: int, on: bool) -> bool:
    """Whether the site may be talked to at /chat/KEY/. False where it was so already.

    Who is on that page while it is switched off is shown out within seconds (`visitors.sessions`).
    """
    return Site.objects.filter(pk=site_id, hosted_page=not on).update(hosted_page=on) == 1


def set_site_language(*, site_id: int, language: str) -> None:
    """What the widget of a site speaks, to whoever opens a page from now on; "" is the visitor's choice.

    For staff. Raises BadField for a language that there are no words in, NotFound.
    """
    if language and language not in Language.values:
        raise BadField(field="language")
    if not Site.objects.filter(pk=site_id).update(language=language):
        raise NotFound


def set_site_look(*, site_id: int, look: Mapping[str, str | int]) -> None:
    """How the widget of a site looks and what it says, to whoever opens a page from now on.

    `look` is some of the columns LOOK of Site, by name. For staff. Raises UnknownField for another column,
    BadField with the `field` for a value that it cannot have, NotFound; nothing is changed then.
    """
    values: dict[str, Any] = {}
    for name, value in look.items():
        if name not in LOOK:
            raise UnknownField(field=name)
        kept = value.strip() if isinstance(value, str) else value
        try:
            values[name] = cast("Field[Any, Any]", Site._meta.get_field(name)).clean(kept, None)
        except ValidationError as wrong:
            raise BadField(" ".join(wrong.messages), field=name) from None
    if not Site.objects.filter(pk=site_id).update(**values):
        raise NotFound


def set_site_fields(*, site_id: int, fields: Sequence[FieldSpec]) -> None:
    """What the form in front of a chat asks for; nothing at all: there is no form. For staff.

    Raises BadField with the `field` (`accounts.sites.check_fields`), NotFound.
    """
    sites.check_fields(fields)
    if not Site.objects.filter(pk=site_id).update(fields=msgspec.to_builtins(list(fields))):
        raise NotFound


def set_site_picture(*, site_id: int, png: bytes | None) -> None:
    """The firm's picture in the chat of a site; None: initials of its name. For staff.

    Raises BadField `picture` (`accounts.pictures`), NotFound. The one before is gone for good.
    """
    _set_picture(Site.objects.filter(pk=site_id), png)


def set_operator_picture(*, account_id: int, operator_id: int, png: bytes | None) -> None:
    """The operator's picture for visitors whose chats they take on from now on; None: initials. For staff.

    Raises BadField `picture`, NotFound for an operator who is not of the account. The one before is gone for
    good, from chats that it was shown in as well.
    """
    _set_picture(Operator.objects.filter(pk=operator_id, account_id=account_id), png)


def _set_picture(whose: QuerySet[Site] | QuerySet[Operator], png: bytes | None) -> None:
    body = None if png is None else pictures.rewritten(png)
    with transaction.atomic():
        owner = whose.select_for_update().first()
        if owner is None:
            raise NotFound
        before = owner.picture_id
        made = None if body is None else Picture.objects.create(account_id=owner.account_id, png=body)
        whose.update(picture=made)
        if before is not None:
            Picture.objects.filter(pk=before).delete()


def next_version(account_id: int) -> int:
    """One more thing that every console of the account must know (`version` in docs/protocol.md), said with
    this number. In the caller's transaction, after its other locks: with this one nothing else is locked."""
    Account.objects.filter(pk=account_id).update(team_version=F("team_version") + 1)
    return selectors.team_version(account_id)


def _tell_each_account(pairs: Iterable[tuple[int, int]]) -> None:
    by_account: dict[int, list[int]] = {}
    for account_id, operator_id in pairs:
        by_account.setdefault(account_id, []).append(operator_id)
    for account_id in sorted(by_account):
        _tell(account_id, by_account[account_id])


def _tell(account_id: int, operator_ids: list[int]) -> None:
    """Publishes how these operators are now, and what is open.

    Each is a version of the team list of its own: who has a version already has heard that piece of news.
    """
    Account.objects.filter(pk=account_id).update(team_version=F("team_version") + len(operator_ids))
    version = selectors.team_version(account_id) - len(operator_ids)
    departments: dict[int, list[str]] = {pk: [] for pk in operator_ids}
    members = DepartmentMember.objects.filter(operator_id__in=operator_ids)
    for operator_id, uid in members.values_list("operator_id", "department__uid"):
        departments[operator_id].append(uid)
    operators = Operator.objects.filter(pk__in=operator_ids).order_by("id")
    for number, operator in enumerate(operators, start=version + 1):
        view = selectors.operator_view(operator, departments[operator.pk])
        gone = operator.suspended_at is not None
        publish(OperatorChanged(operator=view, version=number, gone=gone), topics.team(account_id))
    for site_id in Site.objects.filter(account_id=account_id).order_by("id").values_list("id", flat=True):
        online = selectors.online_departments(site_id=site_id)
        publish(AvailabilityChanged(online=online), topics.site(site_id))
