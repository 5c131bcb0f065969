"""/admin/backups/: how it stands with the backups, and a button for one more. For staff."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views.decorators.http import require_http_methods

from accounts import audit
from accounts.models import Backup, BackupProof
from chatlead.backups import keep, making, state
from chatlead.stores import StoreUnavailable

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

ROWS = 40
TASKS = {"backup": "chatlead.tasks.back_up_now", "proof": "chatlead.tasks.prove_now"}


@require_http_methods(["GET", "HEAD", "POST"])
def backups(request: HttpRequest) -> HttpResponse:
    """The page; a POST with `wanted` "backup" or "proof" asks a worker for one."""
    if request.method == "POST":
        _ask(request, request.POST.get("wanted", ""))
        return redirect("backups")
    now = timezone.now()
    running = Backup.objects.filter(state=Backup.State.RUNNING).first()
    proving = BackupProof.objects.filter(state=BackupProof.State.RUNNING).first()
    known = {
        **admin.site.each_context(request),
        "title": "Backups",
        "problems": state.problems(now),
        "stores": [(place, _label(url), state.newest_good(place)) for place, url in keep.stores().items()],
        "newest_proof": state.newest_proof(),
        "next_at": making.next_hour(now),
        "keep_count": settings.BACKUP_KEEP_COUNT,
        "keep_days": settings.BACKUP_KEEP_DAYS,
        "running": running,
        "proving": proving,
        "is_busy": running is not None or proving is not None,
        "backups": Backup.objects.select_related("asked_by")
        .prefetch_related("copies")
        .order_by("-pk")[:ROWS],
        "proofs": BackupProof.objects.order_by("-pk")[:ROWS],
    }
    return render(request, "admin/backups.html", known)


def _label(url: str) -> str:
    """Which store it is, without its keys; what is wrong with its address where it is none."""
    try:
        return keep.opened(url).label
    except StoreUnavailable as fault:
        return str(fault)


def _ask(request: HttpRequest, wanted: str) -> None:
    if wanted not in TASKS:
        return
    user = cast("User", request.user)
    with transaction.atomic():
        audit.note(f"{wanted}.asked", account=None, by=user)
    try:
        app = import_string(settings.CELERY_APP)
        arguments = [user.pk] if wanted == "backup" else []
        app.send_task(TASKS[wanted], args=arguments, retry=False)
    except Exception as fault:  # kombu raises what its transport raises
        logger.warning("no broker (%s): nobody was asked for a %s", type(fault).__name__, wanted)
        messages.error(request, "No worker could be asked: the broker does not answer.")
        return
    messages.success(request, "A worker has been asked. Reload this page to see it begin.")
