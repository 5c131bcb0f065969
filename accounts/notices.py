"""The privacy notice of a form, its versions, and the proof that it was shown (R-032, R-033)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from accounts.models import Consent, Notice, Site
from chatlead.addresses import truncated
from chatlead.errors import NoticeRequired

if TYPE_CHECKING:
    from accounts.models import Account


def text_for(account: Account) -> str:
    """The text beside the button: names the firm, who is the controller, and us, its processor (R-033)."""
    firm = account.legal_name or account.name
    return (
        f"What you enter and write here goes to {firm}, who uses it to answer you and keeps it. "
        f"{settings.VENDOR_NAME} runs this chat on behalf of {firm}."
    )


def current(site: Site) -> Notice:
    """The notice in force. A changed text (the firm has another name, we do) becomes a new version."""
    text = text_for(site.account)
    newest = site.notices.order_by("-version").first()
    if newest is not None and newest.text == text:
        return newest
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=site.pk)
        newest = site.notices.order_by("-version").first()
        if newest is not None and newest.text == text:
            return newest
        last = site.notices.aggregate(last=Max("version"))["last"] or 0
        return Notice.objects.create(
            account_id=site.account_id,
            site=site,
            version=last + 1,
            text=text,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
        )


def shown(site: Site, sha256: str) -> Notice:
    """The notice in force, if it is the one that was shown; else NoticeRequired: show it again."""
    notice = current(site)
    if notice.sha256 != sha256:
        raise NoticeRequired
    return notice


def record_consent(*, notice: Notice, purpose: str, visitor_uid: str, ip: str, user_agent: str) -> Consent:
    """The proof that goes with a submitted form: what was shown, whose, when, from where (address truncated).

    `purpose` is `chat` or `message`. To be called in the transaction that stores the form, and only when the
    form brought something of the person.
    """
    return Consent.objects.create(
        account_id=notice.account_id,
        site_id=notice.site_id,
        notice=notice,
        purpose=purpose,
        visitor_uid=visitor_uid,
        ip=truncated(ip),
        user_agent=user_agent.replace("\x00", "")[:400],
    )
