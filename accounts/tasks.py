"""Celery tasks of the accounts app: fetch by id, call one function, safe to run twice."""

from __future__ import annotations

from celery import shared_task

from accounts import audit, outbox


@shared_task
def deliver(item_id: int) -> None:
    """Carries out one outbox item, if nobody else does or has."""
    outbox.carry_out(item_id)


@shared_task
def sweep_outbox() -> int:
    """Carries out whatever is due and was forgotten by a broker or a worker. Returns how many were done."""
    return sum(outbox.carry_out(item_id) for item_id in outbox.due_ids())


@shared_task
def chain_audit() -> int:
    """Links what was noted since. Returns how many entries."""
    return audit.chain()
