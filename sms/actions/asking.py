"""The form of a chat asks for consents to texts where it asks for a phone number (R-180). None is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts import audit, limits, outbox
from accounts.models import Consent, Site
from accounts.sites import site_fields
from chatlead.errors import BadField
from chats.models import Chat
from sms import ledger, wordings
from sms.actions.consenting import PER_NUMBER, PER_PROGRAMME, Shown, give_consent
from sms.models import SmsConsent, SmsForm, SmsProgramme
from sms.numbers import e164, key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accounts.models import Operator

BOXES = "sms_boxes"  # the kind of its items in the outbox


def ask_in_form(*, operator: Operator, site: Site, programme: SmsProgramme | None) -> bool:
    """From now on this site's form has the boxes of the programme, or none; all of them are of the operator's
    account. False where it was so before."""
    with transaction.atomic():
        known = SmsForm.objects.select_for_update().filter(site=site).first()
        if (known.programme_id if known else None) == (programme.pk if programme else None):
            return False
        if programme is None:
            SmsForm.objects.filter(site=site).delete()
        else:
            SmsForm.objects.update_or_create(
                site=site, defaults={"account_id": operator.account_id, "programme": programme}
            )
        facts = {"programme": programme.uid if programme else ""}
        subject = f"site:{site.uid}"
        audit.note("sms.form_changed", account=operator.account_id, by=operator, subject=subject, facts=facts)
    return True


def take_boxes(*, chat: Chat, boxes: Sequence[str], ticked: Sequence[str]) -> None:
    """In the transaction that begins the chat: what its form showed and what was ticked will be taken down,
    for the number that was entered; without one there is nothing to take down."""
    if _number_of(chat):
        subject = {"chat": chat.pk, "boxes": list(boxes), "ticked": list(ticked)}
        outbox.add(BOXES, subject, f"{BOXES}:{chat.uid}", chat.account_id)


@outbox.handler(BOXES)
def take_down(subject: dict[str, Any], key: str) -> None:
    """Carries out an item of the outbox: the ledger has an entry for each box, as from the programme's own
    page, with the site's page and with the network and browser that began the chat. Again: nothing new.

    A number to which nothing can be sent is not taken down, and neither is a text that was changed in the
    moment between; nothing is ever sent without an entry.
    """
    chat = Chat.objects.select_related("site", "visitor").filter(pk=subject["chat"]).first()
    number = _number_of(chat) if chat else ""
    form = (
        SmsForm.objects.select_related("programme__account").filter(site=chat.site_id if chat else 0).first()
    )
    if chat is None or form is None or not number:
        return
    programme = form.programme
    names = {purpose: wordings.box_of(programme, purpose) for purpose in SmsConsent.Purpose.values}
    boxes = {
        purpose: (wordings.sha256(wordings.consent_text(programme, purpose)), name in subject["ticked"])
        for purpose, name in names.items()
        if name in subject["boxes"] and not _is_said(programme, number, purpose, name in subject["ticked"])
    }
    if boxes:
        limits.take("sms consent number", key_of(number), PER_NUMBER)
        limits.take("sms consent programme", programme.uid, PER_PROGRAMME)
        give_consent(programme=programme, phone=number, boxes=boxes, shown=_shown(chat))


def _number_of(chat: Chat) -> str:
    """The first phone number of the form, as +18135550100; "" where there is none."""
    asked = [each.name for each in site_fields(chat.site) if each.kind == "phone"]
    given = {each["name"]: each["value"] for each in chat.answers}
    for name in asked:
        try:
            return e164(given.get(name, ""))
        except BadField:
            continue
    return ""


def _is_said(programme: SmsProgramme, number: str, purpose: str, is_ticked: bool) -> bool:
    """An empty box says nothing where something was said before."""
    return not is_ticked and ledger.standing(programme.pk, key_of(number), purpose) is not None


def _shown(chat: Chat) -> Shown:
    """Where the form stood and who has sent it, as the proof of its notice has it."""
    proofs = Consent.objects.filter(site=chat.site, visitor_uid=chat.visitor.uid, purpose="chat")
    proof = proofs.filter(created_at__gte=chat.started_at).order_by("id").first()
    return Shown(
        page_url=chat.page_url,
        ip=(proof.ip or "") if proof else "",
        user_agent=proof.user_agent if proof else "",
        source="widget",
        form=chat.site.key,
    )
