"""Pages of `/account/` about chats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.members import ADMINS, EVERYBODY, member_page
from accounts.models import Operator, Site, is_uid
from chatlead.errors import ArchiveDamaged, ArchiveUnavailable, NotFound
from chats import actions, beside, history, keeping, selectors
from chats.forms import LimitsForm, SearchForm
from chats.models import KeepingRun, RetentionLimit

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

FAULTS = {
    "store": "The archive’s store did not answer. Nothing is lost; the next run tries again.",
    "claim": "The archive’s store is in use by another copy of this service. Nothing was moved or deleted. "
    "Tell whoever runs this server.",
    "key": "There is no key for the archive. Set it, see docs/running.md.",
    "locked": "Files of the archive are locked to a key that this server does not have. Nothing is lost or "
    "changed. Tell whoever runs this server: docs/running.md says where the key belongs.",
}


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(ADMINS)
def keep(request: HttpRequest, operator: Operator) -> HttpResponse:
    """How long ended conversations stay in the database, where they are, and what the tasks have done."""
    sites = list(Site.objects.filter(account_id=operator.account_id).order_by("name", "id"))
    limits = RetentionLimit.objects.filter(account_id=operator.account_id)
    days = dict(limits.values_list("site__uid", "days"))
    form = LimitsForm(sites, days, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        changed = actions.set_retention_limits(by=operator, days=form.days)
        messages.success(request, "Saved." if changed else "Nothing has changed.", extra_tags="good")
        return redirect("keeping")
    counts, runs = keeping.counts_of(operator.account_id), keeping.last_runs(operator.account_id)
    none = keeping.Kept(0, 0, 0)
    told = {
        "section": "privacy",
        "form": form,
        "rows": [(site, form[site.uid], counts.get(site.pk, none)) for site in sites],
        "total": [sum(each) for each in zip(*counts.values(), strict=True)] or none,
        "archive": _told(runs.get(KeepingRun.Kind.ARCHIVE)),
        "verify": _told(runs.get(KeepingRun.Kind.VERIFY)),
        "least_days": keeping.LEAST_DAYS,
        "seal_minutes": settings.SEAL_MINUTES,
    }
    return render(request, "account/keeping.html", told, status=400 if form.errors else 200)


def _told(run: KeepingRun | None) -> dict[str, Any] | None:
    """A run as the page says it."""
    if run is None:
        return None
    return {
        "run": run,
        "goes_on": run.ended_at is None,
        "chats": [uid for uid, code in run.faults if uid],
        "faults": [FAULTS[code] for uid, code in run.faults if not uid],
    }


@member_page(ADMINS)
@require_POST
def verify(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Has the seals of the account proved."""
    actions.ask_verification(by=operator)
    words = "The seals are being checked. Reload this page to see the result."
    messages.success(request, words, extra_tags="good")
    return redirect("keeping")


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(EVERYBODY)
def ended(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Conversations that this person may see, open, over or in the archive. What is looked for comes by POST:
    a name or an address is no part of an address."""
    before, visitor = request.POST.get("before", ""), request.GET.get("visitor", "")
    if not all(is_uid(each) for each in (before, visitor) if each):
        raise NotFound
    form = SearchForm(
        operator.account.departments.order_by("name", "pk"),
        operator.account.operators.order_by("name", "pk"),
        request.POST if request.method == "POST" else None,
    )
    principal, found = history.principal_of(operator), history.Found([], "")
    if not form.is_bound or form.is_valid():
        wanted = form.wanted if form.is_bound else history.Wanted()
        found = history.find_chats(principal, wanted, visitor=visitor, before=before)
    told = {"section": "chats", "found": found, "form": form, "visitor": visitor, "is_later": bool(before)}
    return render(request, "account/chats.html", told, status=400 if form.errors else 200)


@require_safe
@member_page(EVERYBODY)
def conversation(request: HttpRequest, operator: Operator, uid: str) -> HttpResponse:
    """One of them from end to end; where the archive does not answer, the page says so."""
    chat = selectors.access_chat(history.principal_of(operator), uid)
    told: dict[str, Any] = {"section": "chats", "chat": chat}
    status = 200
    try:
        told["told"] = history.conversation(chat)
    except (ArchiveUnavailable, ArchiveDamaged) as error:
        told["fault"], status = error.message, error.status
    told["parts"] = [html for html in (part(chat) for part in beside.PARTS) if html]
    return render(request, "account/chat.html", told, status=status)
