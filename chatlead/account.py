"""The first page of `/account/` and what an account sets for itself; the other pages belong to the apps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actions import set_answer_target
from accounts.forms import AnsweringForm
from accounts.members import ADMINS, EVERYBODY, member_page

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Operator


@require_safe
@member_page(EVERYBODY)
def overview(request: HttpRequest, operator: Operator) -> HttpResponse:
    """What there is to do, by the role of who looks."""
    return render(request, "account/overview.html", {"section": "overview"})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(ADMINS)
def answering(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Within how many seconds a visitor is to be answered; after them a wait looks urgent in the console."""
    form = AnsweringForm(
        request.POST if request.method == "POST" else None,
        initial={"seconds": operator.account.target_seconds},
    )
    if request.method == "POST" and form.is_valid():
        changed = set_answer_target(by=operator, seconds=form.cleaned_data["seconds"])
        messages.success(request, "Saved." if changed else "Nothing has changed.", extra_tags="good")
        return redirect("answering")
    told = {"section": "answering", "form": form, "field": form["seconds"]}
    return render(request, "account/answering.html", told, status=400 if form.errors else 200)
