"""The privacy notice of a form, its versions, and the proof that it was shown (R-032, R-033)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from accounts.models import Consent, Language, Notice, Site
from chatlead.addresses import truncated
from chatlead.errors import NoticeRequired

if TYPE_CHECKING:
    from accounts.models import Account


# By language: {firm} is the controller, {vendor} its processor.
TEXTS = {
    Language.ENGLISH: "What you enter and write here goes to {firm}, who uses it to answer you and keeps it. "
    "{vendor} runs this chat on behalf of {firm}.",
    Language.SPANISH: "Lo que introduzca y escriba aquí llega a {firm}, que lo usa para responderle y lo "
    "conserva. {vendor} gestiona este chat por encargo de {firm}.",
    Language.FRENCH: "Ce que vous saisissez et écrivez ici est transmis à {firm}, qui s’en sert pour vous "
    "répondre et le conserve. {vendor} gère ce chat pour le compte de {firm}.",
    Language.GERMAN: "Was Sie hier eingeben und schreiben, geht an {firm}. Dort wird es verwendet, um Ihnen "
    "zu antworten, und aufbewahrt. {vendor} betreibt diesen Chat im Auftrag von {firm}.",
    Language.PORTUGUESE: "O que você informar e escrever aqui vai para {firm}, que usa isso para responder e "
    "o guarda. {vendor} opera este chat em nome de {firm}.",
    Language.ARABIC: "ما تدخله وتكتبه هنا يصل إلى {firm}، التي تستخدمه للرد عليك وتحتفظ به. "
    "وتدير {vendor} هذه المحادثة نيابةً عن {firm}.",
}


def text_for(account: Account, language: str) -> str:
    """The text beside the button: names the firm, who is the controller, and us, its processor (R-033)."""
    firm = account.legal_name or account.name
    return TEXTS[Language(language)].format(firm=firm, vendor=settings.VENDOR_NAME)


def current(site: Site, language: str = Language.ENGLISH) -> Notice:
    """The notice in force in a language of ours. A changed text (the firm has another name, we do) becomes a
    new version."""
    text = text_for(site.account, language)
    newest = _newest(site, language)
    if newest is not None and newest.text == text:
        return newest
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=site.pk)
        newest = _newest(site, language)
        if newest is not None and newest.text == text:
            return newest
        last = site.notices.aggregate(last=Max("version"))["last"] or 0
        return Notice.objects.create(
            account_id=site.account_id,
            site=site,
            version=last + 1,
            language=language,
            text=text,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
        )


def _newest(site: Site, language: str) -> Notice | None:
    return site.notices.filter(language=language).order_by("-version").first()


def shown(site: Site, sha256: str) -> Notice:
    """The notice that was shown, if it is in force, whatever its language; else NoticeRequired: show it
    again."""
    notice = site.notices.filter(sha256=sha256).order_by("-version").first()
    if notice is None or notice.text != text_for(site.account, notice.language):
        raise NoticeRequired
    return notice


def record_consent(*, notice: Notice, purpose: str, visitor_uid: str, ip: str, user_agent: str) -> Consent:
    """The proof that goes with a submitted form: what was shown, in which language, whose, when, from where
    (address truncated).

    `purpose` is `chat`, `message` or `transcript`. To be called in the transaction that stores the form, and
    only when the form brought something of the person.
    """
    return Consent.objects.create(
        account_id=notice.account_id,
        site_id=notice.site_id,
        notice=notice,
        purpose=purpose,
        language=notice.language,
        visitor_uid=visitor_uid,
        ip=truncated(ip),
        user_agent=user_agent.replace("\x00", "")[:400],
    )
