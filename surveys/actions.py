"""Writes about surveys. None of them is needed for anything else: a chat ends, whatever becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts import audit, outbox
from accounts.models import Account, Department, Operator, Site
from chatlead.errors import ChatNotOver, NotFound, SurveyOver
from chats.models import Chat
from chats.selectors import access_chat
from surveys import answers, links, selectors
from surveys.models import Answer, Question, Response, Survey, SurveyVersion, VendorBlock
from visitors.actions import close_browsers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from surveys.forms import Asked
    from visitors.sessions import VisitorPrincipal

State = Response.State

# What we ask of our own accord where an account wants it: scores only, so that it is told in numbers.
VENDOR_QUESTIONS = ("How well did the chat window work for you?",)


# --- after a chat -------------------------------------------------------------------------------------


def offer_survey(*, chat: Chat, state: str, at: datetime) -> Response | None:
    """In the transaction in which a chat ends: its visitor may be asked, once. Only about a chat in which
    somebody has answered; None where there is nothing to ask (R-040)."""
    if state != Chat.State.CLOSED:
        return None
    version = selectors.version_for(chat.site_id, chat.department_id)
    if version is None:
        return None
    return Response.objects.create(
        account_id=chat.account_id,
        version=version,
        chat=chat,
        site_id=chat.site_id,
        department_id=chat.department_id,
        operator_id=chat.operator_id,
        visitor_number=chat.visitor_id,
        offered_at=at,
    )


def show_survey(*, principal: VisitorPrincipal, uid: str, ref: UUID) -> Response | None:
    """The offer, where it is to stand in the frame that has made this `ref` up: the first that asks has it,
    any other and everybody afterwards gets None. Raises NotFound, ChatNotOver."""
    response = selectors.response_of(principal, uid)
    if response is None:
        if access_chat(principal, uid).closed_at is None:
            raise ChatNotOver
        return None
    if response.state != State.OFFERED or not selectors.may_ask(response):
        return None
    if response.shown_ref is None:
        free = Response.objects.filter(pk=response.pk, shown_ref=None, state=State.OFFERED)
        if free.update(shown_ref=ref, language=principal.language):
            return response
        response.refresh_from_db(fields=["shown_ref"])
    return response if response.shown_ref == ref else None


def send_survey(*, principal: VisitorPrincipal, uid: str, ref: UUID, values: Mapping[str, str]) -> None:
    """Keeps the answers of a visitor; the same `ref` again changes nothing. Without any it was skipped.

    An answer under 18 is not kept, nor is any other beside it: see `_close_for_minor`. Raises NotFound,
    SurveyOver, UnknownField, BadField.
    """
    with transaction.atomic():
        response = selectors.response_of(principal, uid, lock=True)
        if response is None:
            raise NotFound
        _answer(response, ref, values)


def send_by_link(*, token: str, values: Mapping[str, str]) -> None:
    """The same by the signed link, which is good once. Raises as `send_survey`."""
    with transaction.atomic():
        _answer(selectors.response_by_link(token, lock=True), None, values)


def skip_survey(*, principal: VisitorPrincipal, uid: str) -> None:
    """She does not want to, or has put it away; what was answered before stays. Raises NotFound."""
    response = selectors.response_of(principal, uid)
    if response is None:
        raise NotFound
    Response.objects.filter(pk=response.pk, state=State.OFFERED).update(
        state=State.SKIPPED, done_at=timezone.now()
    )


def _answer(response: Response, ref: UUID | None, values: Mapping[str, str]) -> None:
    """In the caller's transaction, which holds the response."""
    if ref is not None and response.ref == ref:
        return
    if response.state == State.ANSWERED or not selectors.may_ask(response):
        raise SurveyOver
    if ref is not None and response.state == State.SKIPPED:
        raise SurveyOver  # by its link it may still be answered
    given = answers.check(selectors.questions_of(response.version), values)
    if answers.is_minor(given):
        _close_for_minor(response)
        given = []
    response.ref, response.done_at = ref, timezone.now()
    response.state = State.ANSWERED if given else State.SKIPPED
    response.save(update_fields=["ref", "done_at", "state"])
    Answer.objects.bulk_create(
        Answer(
            account_id=response.account_id,
            response=response,
            question=each.question,
            score=each.score,
            value=each.value,
            text=each.text,
        )
        for each in given
    )


def _close_for_minor(response: Response) -> None:
    """She says that she is under 18 (R-071): none of her answers is kept, and all that is known of her is
    erased by whoever keeps the requests of visitors. What stays is that it happened; and nothing is collected
    from her browser any more (R-070)."""
    subject = {"account": response.account_id, "visitors": [response.visitor_number], "reason": "under_age"}
    outbox.add("erase_visitors", subject, links.minor_key(response.uid), response.account_id)
    if response.visitor_number is not None:
        close_browsers(account_id=response.account_id, visitor_ids=[response.visitor_number])
    it = f"survey_response:{response.uid}"
    audit.note("survey.closed_under_18", account=response.account_id, by=None, subject=it)


# --- building -----------------------------------------------------------------------------------------


def publish_survey(
    *,
    site: Site,
    department: Department | None,
    title: str,
    intro: str,
    asked: Sequence[Asked],
    by: Operator | None = None,
) -> Survey:
    """What is asked from now on, as a new version; where nothing has changed there is none. Chats that ended
    before are still asked what was offered then (R-044)."""
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=site.pk)  # one at a time
        survey, _ = Survey.objects.select_related("current").get_or_create(
            site=site, department=department, defaults={"account_id": site.account_id}
        )
        wanted = [(each.kind, each.label, list(each.options), False) for each in asked]
        if selectors.asks_for_vendor(site.account_id):
            wanted += [(Question.Kind.SCORE, label, [], True) for label in VENDOR_QUESTIONS]
        if survey.current is not None and _content(survey.current) == (title, intro, wanted):
            return survey
        newest: dict[str, Any] = survey.versions.aggregate(newest=Max("number"))
        version = SurveyVersion.objects.create(
            account_id=site.account_id,
            survey=survey,
            number=(newest["newest"] or 0) + 1,
            title=title,
            intro=intro,
        )
        Question.objects.bulk_create(
            Question(
                account_id=site.account_id,
                version=version,
                position=position,
                kind=kind,
                label=label,
                options=options,
                is_vendor=is_vendor,
            )
            for position, (kind, label, options, is_vendor) in enumerate(wanted)
        )
        Survey.objects.filter(pk=survey.pk).update(current=version)
        survey.current = version
        facts = {"version": version.number, "questions": len(wanted)}
        audit.note(
            "survey.published", account=site.account_id, by=by, subject=f"survey:{survey.uid}", facts=facts
        )
    return survey


def _content(version: SurveyVersion) -> tuple[str, str, list[tuple[str, str, list[str], bool]]]:
    questions = selectors.questions_of(version)
    asked = [(each.kind, each.label, list(each.options), each.is_vendor) for each in questions]
    return version.title, version.intro, asked


def switch_survey(*, survey: Survey, on: bool, by: Operator | None = None) -> bool:
    """Nobody new is asked while it is off. Returns whether that changed anything."""
    with transaction.atomic():
        if not Survey.objects.filter(pk=survey.pk, is_enabled=not on).update(is_enabled=on):
            return False
        action = "survey.switched_on" if on else "survey.switched_off"
        audit.note(action, account=survey.account_id, by=by, subject=f"survey:{survey.uid}")
    return True


def switch_vendor_block(*, account: Account, on: bool, by: Operator | None = None) -> None:
    """Whether the versions that are published from now on hold our own questions, too (R-045)."""
    with transaction.atomic():
        VendorBlock.objects.update_or_create(account=account, defaults={"is_on": on})
        action = "survey.vendor_switched_on" if on else "survey.vendor_switched_off"
        audit.note(action, account=account, by=by, subject=f"account:{account.uid}")
