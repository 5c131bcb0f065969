"""Reads of surveys and of what was answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, Prefetch, Q
from django.utils import timezone

from accounts.models import Department, Operator, OperatorRole, OutboxItem, Site
from chatlead.errors import NotFound
from chats.beside import Invitation
from chats.models import Chat
from chats.selectors import access_chat
from surveys import links
from surveys.models import Question, Response, Survey, SurveyVersion, VendorBlock
from visitors import closed
from visitors.models import Visitor

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from visitors.sessions import VisitorPrincipal


# --- what is asked ------------------------------------------------------------------------------------


def version_for(site_id: int, department_id: int) -> SurveyVersion | None:
    """What is asked after a chat of this department on this site: by the department's own survey, else by
    that of the site; None where nobody is to be asked (R-044)."""
    enabled = Survey.objects.filter(Q(department=None) | Q(department_id=department_id), site_id=site_id)
    found = enabled.filter(is_enabled=True, current__isnull=False).select_related("current")
    chosen = sorted(found, key=lambda each: each.department_id is None)
    return chosen[0].current if chosen else None


def response_of(principal: VisitorPrincipal, chat: str, *, lock: bool = False) -> Response | None:
    """The offer to the visitor of an own chat; None where there is none. Raises NotFound for a chat that is
    not theirs."""
    found = Response.objects.filter(chat=access_chat(principal, chat)).select_related("version")
    return (found.select_for_update(of=("self",)) if lock else found).first()


def response_by_link(token: str, *, lock: bool = False) -> Response:
    """The offer that a signed link names, for as long as the link is good. Raises NotFound."""
    uid = links.uid_of(token)
    recent = Response.objects.filter(uid=uid, offered_at__gt=timezone.now() - links.LIFETIME)
    found = recent.select_related("version", "site__account")
    response = (found.select_for_update(of=("self",)) if lock else found).first()
    if uid is None or response is None:
        raise NotFound
    return response


def restricted(account_id: int) -> QuerySet[Visitor, int]:
    """The numbers of visitors of whose data nothing but storing may be done (B2-7)."""
    found = Visitor.objects.filter(account_id=account_id, restricted_at__isnull=False)
    return found.values_list("pk", flat=True)


def may_ask(response: Response) -> bool:
    """Whether its visitor may be asked anything still: not once she is erased, nor from when she has said
    after any chat that she is under 18, or an operator has (R-070, R-071). Whoever erases her may come later,
    or never."""
    if response.visitor_number is None or response.visitor_number in restricted(response.account_id):
        return False
    if closed.is_visitor_closed(response.account_id, response.visitor_number):
        return False
    # of whose browser nothing is known: the errand is named by what was answered, or by the chat
    theirs = Response.objects.filter(visitor_number=response.visitor_number)
    chats = Chat.objects.filter(account_id=response.account_id, visitor_id=response.visitor_number)
    uids = [*theirs.values_list("uid", flat=True), *chats.values_list("uid", flat=True)]
    return not OutboxItem.objects.filter(key__in=[links.minor_key(uid) for uid in uids]).exists()


def invitation_of(chat: Chat) -> Invitation | None:
    """Where the visitor of a chat may still say how it was, for the mail with its transcript (R-040): only
    where the survey was neither answered nor put away (R-041: nobody is reminded), while the link is good,
    and never to somebody who has said after any chat that she is under 18 (R-071)."""
    found = Response.objects.filter(chat=chat, state=Response.State.OFFERED, visitor_number__isnull=False)
    response = found.first()
    if response is None or response.offered_at <= timezone.now() - links.LIFETIME:
        return None
    if not may_ask(response):
        return None
    return Invitation(links.path_of(response.uid), response.offered_at + links.LIFETIME)


# --- for the pages of an account ----------------------------------------------------------------------


def sites_with_surveys(operator: Operator) -> QuerySet[Site]:
    """The sites of the account with the surveys of each, their present version and how often each was offered
    and answered."""
    counted = Survey.objects.select_related("department", "current").annotate(
        offered_count=Count("versions__responses", distinct=True),
        answered_count=Count(
            "versions__responses",
            filter=Q(versions__responses__state=Response.State.ANSWERED),
            distinct=True,
        ),
    )
    surveys = Prefetch("surveys", counted.order_by("department__position", "id"))
    return (
        Site.objects.filter(account_id=operator.account_id).prefetch_related(surveys).order_by("name", "id")
    )


def access_survey(operator: Operator, uid: str) -> Survey:
    """A survey of the operator's account, with site, department and present version, else NotFound."""
    mine = Survey.objects.filter(account_id=operator.account_id, uid=uid)
    found = mine.select_related("site", "department", "current").first()
    if found is None:
        raise NotFound
    return found


def access_site(operator: Operator, uid: str) -> Site:
    """A site of the operator's account, else NotFound."""
    found = Site.objects.filter(account_id=operator.account_id, uid=uid).first()
    if found is None:
        raise NotFound
    return found


def unrestricted(account_id: int) -> QuerySet[Response]:
    """What was offered in an account, but to whom nothing may be done with (B2-7)."""
    held = Q(visitor_number__in=restricted(account_id))
    return Response.objects.filter(Q(visitor_number=None) | ~held, account_id=account_id)


def access_response(operator: Operator, uid: str) -> Response:
    """What was answered after a chat, for who may see the chat: a supervisor of its department, or an admin.
    Else NotFound."""
    mine = unrestricted(operator.account_id).filter(uid=uid)
    if operator.role == OperatorRole.SUPERVISOR:
        mine = mine.filter(department__operators=operator)
    whole = mine.select_related("chat__visitor", "site", "department", "operator", "version__survey")
    found = whole.prefetch_related("answers__question").first()
    if found is None:
        raise NotFound
    return found


def departments_without(site: Site) -> list[Department]:
    """Departments of a site that have no survey of their own."""
    return list(site.departments.exclude(surveys__site=site).order_by("position", "id"))


def questions_of(version: SurveyVersion | None, *, vendor: bool = True) -> list[Question]:
    """In their order; without `vendor` only the firm's own."""
    if version is None:
        return []
    found = version.questions.order_by("position")
    return list(found if vendor else found.filter(is_vendor=False))


def asks_for_vendor(account_id: int) -> bool:
    """Whether the surveys of an account also hold our own questions (R-045)."""
    return VendorBlock.objects.filter(account_id=account_id, is_on=True).exists()
