"""Celery tasks of the installation as a whole: safe to run twice, as each is done one at a time."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts.models import User
from chatlead.backups import making, proving
from chatlead.backups.alone import AtWork


@shared_task
def back_up() -> str:
    """The day's backup, and the week's proof, where they are due. Returns what was done."""
    done = []
    making.come_back_from_the_future(timezone.now())
    try:
        making.notice_the_killed()
        if places := making.lacking(timezone.now()):
            done.append(f"backup {making.make_backup(places=places).state}")
        if proving.is_due(timezone.now()):
            done.append(f"proof {proving.prove_newest().state}")
    except AtWork:
        done.append("another is at work")
    return ", ".join(done)


@shared_task
def back_up_now(user_id: int) -> str:
    """One that somebody has asked for. Returns its state."""
    try:
        return str(making.make_backup(User.objects.filter(pk=user_id).first()).state)
    except AtWork:
        return "another is at work"


@shared_task
def prove_now() -> str:
    """A proof that somebody has asked for. Returns its state."""
    try:
        return str(proving.prove_newest().state)
    except AtWork:
        return "another is at work"
