"""The first page of `/account/`; the others belong to the apps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.members import EVERYBODY, member_page

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Operator


@require_safe
@member_page(EVERYBODY)
def overview(request: HttpRequest, operator: Operator) -> HttpResponse:
    """What there is to do, by the role of who looks."""
    return render(request, "account/overview.html", {"section": "overview"})
