"""What operators' commands about themselves do. Composed in chatlead/routing.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts import actions
from chatlead.realtime import commands
from chatlead.realtime.endpoint import Commands

if TYPE_CHECKING:
    from accounts.selectors import OperatorPrincipal

operators = Commands()


@operators.slow(commands.SaveCannedReply)
def save_canned_reply(principal: OperatorPrincipal, command: commands.SaveCannedReply) -> None:
    actions.save_canned_reply(
        principal=principal, uid=command.canned, shortcut=command.shortcut, text=command.text
    )


@operators.slow(commands.DeleteCannedReply)
def delete_canned_reply(principal: OperatorPrincipal, command: commands.DeleteCannedReply) -> None:
    actions.delete_canned_reply(principal=principal, uid=command.canned)
