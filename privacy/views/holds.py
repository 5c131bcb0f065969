"""Legal holds: what a firm has to keep, why, and what waits for their end (R-071)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import holds
from accounts.members import ADMINS, member_page
from accounts.models import LegalHold, Operator, is_uid
from chatlead.errors import ChatLeadError, NotFound
from chatlead.stores import StoreUnavailable
from chats.models import Chat
from privacy import holding, selectors
from privacy.models import PrivacyRequest
from visitors.models import Visitor

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.http import HttpRequest, HttpResponse

PAGE = 50
LIFT_WORD = "lift"
NO_STORE = "Nothing was changed: where legal holds are written down does not answer. Please try again."


@require_safe
@member_page(ADMINS)
def every(request: HttpRequest, operator: Operator) -> HttpResponse:
    """All of the account, those that stand first."""
    mine = LegalHold.objects.filter(account_id=operator.account_id).select_related("placed_by")
    standing_first = (F("lifted_at").desc(nulls_first=True), "-placed_at", "-id")
    page = Paginator(mine.order_by(*standing_first), PAGE).get_page(request.GET.get("page"))
    rows = [(each, _numbers(operator.account_id, each.visitors)) for each in page]
    return render(request, "account/privacy/holds.html", {"section": "privacy", "page": page, "rows": rows})


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@member_page(ADMINS)
def new(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Places one on whoever talked in a chat (`chat`) or is meant by a request (`request`); where one stands
    already, that is shown."""
    given = request.POST if request.method == "POST" else request.GET
    chat, asked = given.get("chat", ""), given.get("request", "")
    ids = _meant(operator, chat, asked)
    standing = holds.on(operator.account_id, ids)
    if standing is not None:
        return redirect("privacy_hold", uid=standing.uid)
    back = ("conversation", chat) if chat else ("privacy_request", asked)
    known: dict[str, Any] = {"section": "privacy", "chat": chat, "asked": asked, "reason": "", "error": ""}
    known |= {"people": _numbers(operator.account_id, ids), "most": holding.REASON_MAX, "back": back}
    status = 200
    if request.method == "POST":
        known["reason"] = given.get("reason", "").replace("\x00", "")
        try:
            hold = holding.place(by=operator, visitor_ids=ids, reason=known["reason"])
        except ChatLeadError as error:
            known["error"], status = error.message, error.status
        except StoreUnavailable:
            known["error"], status = NO_STORE, 503
        else:
            messages.success(request, "Under legal hold. Nothing of it is erased now.", extra_tags="good")
            return redirect("privacy_hold", uid=hold.uid)
    return render(request, "account/privacy/hold_new.html", known, status=status)


def _meant(operator: Operator, chat: str, asked: str) -> frozenset[int]:
    """Raises NotFound."""
    if chat:
        mine = Chat.objects.filter(account_id=operator.account_id, uid=chat if is_uid(chat) else None)
        ids = frozenset(mine.values_list("visitor_id", flat=True))
        if not ids:
            raise NotFound
        return ids
    return selectors.person_of(selectors.access_request(operator, asked)).visitor_ids


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(ADMINS)
def one(request: HttpRequest, operator: Operator, uid: str) -> HttpResponse:
    """One of them: whom it keeps and why, what waits; and how it is lifted, which asks for a word."""
    mine = LegalHold.objects.filter(account_id=operator.account_id, uid=uid)
    hold = mine.select_related("account", "placed_by", "lifted_by").first()
    if hold is None:
        raise NotFound
    error, status = "", 200
    if request.method == "POST":
        if request.POST.get("word", "").strip().lower() != LIFT_WORD:
            error, status = f"The hold stands: type the word {LIFT_WORD} to confirm.", 400
        else:
            try:
                count = holding.lift(by=operator, hold=hold)
            except StoreUnavailable:
                error, status = NO_STORE, 503
            else:
                said = "What waited for it is being erased now." if count else "Nothing waited for it."
                messages.success(request, f"The legal hold is lifted. {said}", extra_tags="good")
                return redirect("privacy_hold", uid=uid)
    asked = [errand["request"] for errand in hold.waiting if "request" in errand]
    known = {
        "section": "privacy",
        "hold": hold,
        "people": _numbers(operator.account_id, hold.visitors),
        "requests": PrivacyRequest.objects.filter(account_id=operator.account_id, pk__in=asked),
        "others": len(hold.waiting) - len(asked),
        "lift_word": LIFT_WORD,
        "error": error,
    }
    return render(request, "account/privacy/hold.html", known, status=status)


def _numbers(account_id: int, visitor_ids: Collection[int]) -> list[Visitor]:
    """The visitors, with their sites, by whom a hold is told on a page."""
    found = Visitor.objects.filter(account_id=account_id, pk__in=visitor_ids)
    return list(found.select_related("site").order_by("site_id", "number"))


def beside_transcript(chat: Chat) -> str:
    """What is said of it at a conversation: nothing where there is no hold."""
    hold = holds.on(chat.account_id, [chat.visitor_id])
    return render_to_string("account/privacy/held.html", {"hold": hold}) if hold else ""
