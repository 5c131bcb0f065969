"""How it stands with the backups: what is wrong, in words, and figures for /metrics."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from accounts.models import Backup, BackupCopy, BackupProof, Installation
from chatlead.backups import keep
from chatlead.backups.sources import SourceFailed
from chatlead.metrics import Reading

TOO_OLD = timedelta(hours=26)
PROOF_TOO_OLD = timedelta(days=8)


class Problem(NamedTuple):
    """What is wrong and what to do about it, for an administrator."""

    what: str
    todo: str


def newest_good(place: str) -> datetime | None:
    """When the newest backup was begun that this place has."""
    copies = BackupCopy.objects.filter(place=place, state=BackupCopy.State.KEPT)
    newest = copies.order_by("-backup__started_at").values_list("backup__started_at", flat=True).first()
    return newest


def newest_proof() -> BackupProof | None:
    """The newest one that passed."""
    return BackupProof.objects.filter(state=BackupProof.State.PASSED).order_by("-started_at").first()


def failures() -> int:
    """How many have failed, or lacked files, since the last one that did not."""
    whole = Backup.objects.filter(state=Backup.State.DONE, problem="")
    good = whole.exclude(copies__in=BackupCopy.objects.exclude(problem="")).order_by("-started_at").first()
    failed = Backup.objects.exclude(state=Backup.State.RUNNING)
    return (failed.filter(started_at__gt=good.started_at) if good else failed).count()


def proof_failures() -> int:
    """How many proofs have failed since the last one that passed."""
    failed = BackupProof.objects.filter(state=BackupProof.State.FAILED)
    passed = newest_proof()
    return (failed.filter(started_at__gt=passed.started_at) if passed else failed).count()


def problems(now: datetime) -> list[Problem]:
    """The worst first; [] when all is well."""
    found: list[Problem] = []
    try:
        keep.recipients()
    except SourceFailed as fault:
        found.append(
            Problem("Backups are not made: no key is set.", f"{str(fault)[:1].upper()}{str(fault)[1:]}.")
        )
    made = Installation.objects.filter(pk=1).values_list("created_at", flat=True).first() or now
    for place in keep.stores():
        newest = newest_good(place)
        name = BackupCopy.Place(place).label.lower()
        if now - (newest or made) > TOO_OLD:
            said = (
                f"The newest backup in the {name} store is {_age(now - newest)} old."
                if newest
                else (f"There is no backup in the {name} store.")
            )
            found.append(
                Problem(said, "See below why the last ones failed; is the worker running, and beat?")
            )
    last = Backup.objects.exclude(state=Backup.State.RUNNING).order_by("-started_at").first()
    if last is not None and last.state == Backup.State.FAILED:
        found.append(Problem(f"The last backup has failed: {last.problem}.", "Mend that, then back up now."))
    if last is not None and last.state == Backup.State.DONE:
        lacking = [copy.problem for copy in last.copies.exclude(problem="").order_by("pk")]
        found += [
            Problem(f"The last backup lacks files: {said}.", "Mend that; the next backup copies them.")
            for said in (last.problem, *lacking)
            if said
        ]
    if not settings.BACKUP_OFFSITE:
        found.append(
            Problem("No off-site store is set: a fire takes the backups too.", "Set CHATLEAD_BACKUP_OFFSITE.")
        )
    proof = BackupProof.objects.exclude(state=BackupProof.State.RUNNING).order_by("-started_at").first()
    passed = newest_proof()
    if proof is not None and proof.state == BackupProof.State.FAILED:
        found.append(
            Problem(
                f"The last proof has failed: {proof.problem}.",
                "Mend that, then prove it by `manage.py prove_backup`.",
            )
        )
    elif now - (passed.started_at if passed else made) > PROOF_TOO_OLD:
        found.append(
            Problem(
                "No backup was restored for more than a week.",
                "Set CHATLEAD_BACKUP_IDENTITY_FILE on the worker.",
            )
        )
    return found


def _age(span: timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    return f"{hours} hours" if hours < 72 else f"{hours // 24} days"


# --- figures ------------------------------------------------------------------------------------------


def ages() -> list[Reading]:
    """Seconds since the newest good backup of each store was begun; since the installation where there is
    none."""
    now = timezone.now()
    made = Installation.objects.filter(pk=1).values_list("created_at", flat=True).first()
    found = []
    for place in keep.stores():
        at = newest_good(place) or made
        if at is not None:
            found.append(Reading((now - at).total_seconds(), place))
    return found


def proof_age() -> list[Reading]:
    """Seconds since the last proof that passed was begun; none before the first."""
    proof = newest_proof()
    return [Reading((timezone.now() - proof.started_at).total_seconds())] if proof else []


def failure_count() -> list[Reading]:
    return [Reading(failures())]


def proof_failure_count() -> list[Reading]:
    return [Reading(proof_failures())]
