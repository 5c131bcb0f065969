"""What the commands about people's own data do. Composed in chatlead/routing.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatlead.realtime import commands, replies
from chatlead.realtime.endpoint import Commands
from privacy import links

if TYPE_CHECKING:
    from visitors.sessions import VisitorPrincipal

visitors = Commands()


@visitors.slow(commands.AskPrivacyLink)
def ask_privacy_link(principal: VisitorPrincipal, command: commands.AskPrivacyLink) -> replies.PrivacyLink:
    return replies.PrivacyLink(path=links.issue(principal))
