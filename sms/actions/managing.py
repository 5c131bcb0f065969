"""What admins set up: programmes, senders, and the switch that stops all texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts import audit
from chatlead.errors import BadField, TooMany
from sms.actions import claiming
from sms.models import SmsMessage, SmsPause, SmsProgramme, SmsSender
from sms.numbers import e164
from sms.selectors import ANSWERS

if TYPE_CHECKING:
    from accounts.models import Account, Department, Operator, Site

SENDERS_MAX = 50
_sid = re.compile(r"[A-Za-z0-9]{10,40}")
SECRETS = ("auth_token", "shared_key")
CHANGED = "Somebody has changed this sender meanwhile. Open it again."


def add_programme(
    *, account: Account, name: str, contact: str, terms_url: str, by: Operator | None = None, **more: str
) -> SmsProgramme:
    """Raises BadField where name, contact or the address of the terms is blank: HELP needs the first two
    (R-187), and whoever agrees is shown the third (R-180)."""
    said = {"name": name, "contact": contact, "terms_url": terms_url, **more}
    for field, value in said.items():
        if field in ("name", "contact", "terms_url") and not value.strip():
            raise BadField("This is required.", field=field)
    try:
        with transaction.atomic():
            programme = SmsProgramme.objects.create(
                account=account, **{key: each.strip() for key, each in said.items()}
            )
            subject = f"sms_programme:{programme.uid}"
            audit.note("sms.programme_added", account=account, by=by, subject=subject)
    except IntegrityError:  # two clicks are one programme, too
        raise BadField("There is a programme of this name.", field="name") from None
    return programme


def add_sender(
    *,
    account: Account,
    programme: SmsProgramme,
    site: Site,
    department: Department,
    by: Operator | None = None,
    **facts: Any,
) -> SmsSender:
    """A number or service to send from. The provider is asked whose number it is, so never inside a
    transaction; where it does not say that it is the account's, the sender is kept, but does nothing yet
    (`SmsSender.fault`). Raises BadField, TooMany."""
    if SmsSender.objects.filter(account=account).count() >= SENDERS_MAX:
        raise TooMany
    sender = SmsSender(account=account, programme=programme, site=site, department=department)
    return _write(sender, facts, "sms.sender_added", by)


def change_sender(*, sender: SmsSender, by: Operator | None = None, **facts: Any) -> SmsSender:
    """A secret that is "" stays as it was; a webhook key goes with its name. Another number or other
    credentials are proved anew, as in `add_sender`. Raises BadField."""
    kept = {key: each for key, each in facts.items() if each != "" or key not in SECRETS}
    if not kept.get("shared_key_id", sender.shared_key_id):
        kept["shared_key"] = ""
    return _write(sender, kept, "sms.sender_changed", by)


def _write(sender: SmsSender, facts: dict[str, Any], deed: str, by: Operator | None) -> SmsSender:
    before = claiming.claim_of(sender)
    kept = (sender.gateway, sender.number, sender.account_sid), sender.proved_at
    for name, value in facts.items():
        setattr(sender, name, value.strip() if isinstance(value, str) else value)
    if sender.number:
        sender.number = e164(sender.number, field="number")
    is_twilio = sender.gateway == SmsSender.Gateway.TWILIO
    if sender.kind == SmsSender.Kind.SERVICE and not sender.service_sid:
        raise BadField("A messaging service has an id that begins with MG.", field="service_sid")
    if sender.kind != SmsSender.Kind.SERVICE and not sender.number:
        raise BadField("This is required.", field="number")
    if is_twilio and (_sid.fullmatch(sender.account_sid) is None or not sender.auth_token):
        raise BadField("Twilio shows the account's id and token on its first page.", field="account_sid")
    if bool(sender.shared_key) != bool(sender.shared_key_id):
        raise BadField("A shared key has a name and a secret.", field="shared_key_id")
    is_proved_anew = claiming.claim_of(sender) != before or not sender.is_live
    if is_proved_anew:
        is_same = kept[0] == (sender.gateway, sender.number, sender.account_sid)
        claiming.prove(sender, kept=kept[1] if is_same else None)
    try:
        with transaction.atomic():
            if sender._state.adding:
                sender.save()
            else:
                mine = SmsSender.objects.select_for_update().get(pk=sender.pk)
                if claiming.claim_of(mine) != before:
                    raise BadField(CHANGED, field="number")
                claiming.unless_released(sender, mine)
                told = ["proved_at", "fault"] if is_proved_anew else []
                sender.save(update_fields=[*facts, *told])  # staff may have released the number meanwhile
            audit.note(deed, account=sender.account_id, by=by, subject=f"sms_sender:{sender.uid}")
            claiming.ask_again(sender)
    except IntegrityError:  # between our look and our write
        raise BadField(claiming.TAKEN, field="number") from None
    return sender


def ask_for_yes(*, operator: Operator, programme: SmsProgramme, on: bool) -> bool:
    """From now on a consent to this programme counts when the phone has said YES (B1-8), or at once. What was
    agreed to before stays so. False where it was so already."""
    with transaction.atomic():
        mine = SmsProgramme.objects.filter(account=operator.account_id, pk=programme.pk, asks_yes=not on)
        if not mine.update(asks_yes=on):
            return False
        subject, facts = _subject(programme), {"on": on}
        audit.note("sms.yes_changed", account=operator.account_id, by=operator, subject=subject, facts=facts)
    return True


def pause(*, operator: Operator, programme: SmsProgramme | None = None) -> int:
    """Nothing is sent any more, but for answers to STOP and HELP; what waits is cancelled (R-186). Returns
    how many were cancelled. Again: nothing happens."""
    account_id = operator.account_id
    with transaction.atomic():
        on = SmsPause.objects.filter(account=account_id, programme=programme, ended_at=None)
        if not on.exists():
            SmsPause.objects.create(account_id=account_id, programme=programme, operator=operator)
        waiting = SmsMessage.objects.filter(account=account_id, state=SmsMessage.State.QUEUED)
        waiting = waiting.exclude(kind__in=ANSWERS)
        if programme is not None:
            waiting = waiting.filter(sender__programme=programme)
        cancelled = waiting.update(state=SmsMessage.State.CANCELLED, error="paused")
        facts = {"cancelled": cancelled}
        audit.note("sms.paused", account=account_id, by=operator, subject=_subject(programme), facts=facts)
        return cancelled


def resume(*, operator: Operator, programme: SmsProgramme | None = None) -> None:
    """The switch is off again; what was cancelled stays so."""
    with transaction.atomic():
        on = SmsPause.objects.filter(account=operator.account_id, programme=programme, ended_at=None)
        if on.update(ended_at=timezone.now()):
            audit.note("sms.resumed", account=operator.account_id, by=operator, subject=_subject(programme))


def after_restore() -> int:
    """A backup was restored, and is as old as it is: who has texted STOP since is not known here, and what
    waits may have gone long ago. So every account that has a provider is paused until an admin has compared
    the numbers; and of what waits the provider is asked first whether it has it. Returns how many accounts.
    Again: nothing happens."""
    State = SmsMessage.State
    with transaction.atomic():
        waiting = SmsMessage.objects.filter(state=State.QUEUED, direction=SmsMessage.Direction.OUT)
        waiting.update(state=State.SENDING, handed_over_at=F("created_at"))
        senders = SmsSender.objects.exclude(gateway=SmsSender.Gateway.CONSOLE)
        paused = SmsPause.objects.filter(programme=None, ended_at=None)
        theirs = senders.exclude(account__in=paused.values("account")).order_by("account")
        account_ids = list(theirs.values_list("account", flat=True).distinct())
        for account_id in account_ids:
            SmsPause.objects.create(account_id=account_id)
            audit.note("sms.paused", account=account_id, by=None, facts={"reason": "restored"})
    return len(account_ids)


def _subject(programme: SmsProgramme | None) -> str:
    return f"sms_programme:{programme.uid}" if programme else ""
