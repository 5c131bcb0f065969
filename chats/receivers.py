"""What follows here from what happens below: rows only, in the transaction of the one who sends."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from accounts.models import Operator
from accounts.signals import operator_withdrawn
from chats.actions import return_chats


@receiver(operator_withdrawn, dispatch_uid="chats of the withdrawn wait again")
def chats_wait_again(operator_id: int, department_ids: frozenset[int] | None, **_: Any) -> None:
    operator = Operator.objects.get(pk=operator_id)
    return_chats(operator=operator, reason="withdrawn", department_ids=department_ids)
