"""What somebody could name in each command that is not theirs. A command without a line here fails the tests.

Each attack is a frame made for a target; `t` gives the uids to name: all of acme's, or all invented ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from chatlead.realtime import commands
from chatlead.realtime.commands import Command
from tests.identifiers import new_ref


class Things(NamedTuple):
    """Uids of one tenant's things. `own_chat` is the attacker's own, "" where they have none."""

    chat: str
    department: str
    operator: str
    account: str
    epoch: str
    notice: str
    own_chat: str = ""
    canned: str = ""


Attack = Callable[[Things], dict[str, Any]]


def _said(t: Things) -> dict[str, Any]:
    return {"chat": t.chat, "ref": new_ref(), "text": "mine now"}


ATTACKS: dict[type[Command], list[Attack]] = {
    commands.Ping: [],  # names nothing
    commands.StillHere: [],  # names nothing
    commands.LeavePage: [],  # names nothing
    commands.SetAvailability: [],  # names nothing
    commands.Hello: [],  # a second one is refused; the first is tested by the handshake
    commands.OperatorHello: [],  # the same
    commands.Resume: [
        lambda t: {"chat": t.chat, "after": 0, "epoch": t.epoch},
        lambda t: {"chat": t.chat, "after": 0, "epoch": "another"},
        lambda t: {"chat": t.chat, "after": 2**40, "staff_after": 2**40, "epoch": t.epoch},
    ],
    commands.SendMessage: [_said],
    commands.EditMessage: [lambda t: _said(t) | {"target": 3}, lambda t: _said(t) | {"target": 0}],
    commands.DeleteMessage: [lambda t: {"chat": t.chat, "ref": new_ref(), "target": 3}],
    commands.SetTyping: [lambda t: {"chat": t.chat, "on": True}],
    commands.Mark: [lambda t: {"chat": t.chat, "delivered": 3, "read": 3}],
    commands.EndChat: [lambda t: {"chat": t.chat}],
    commands.LoadMessages: [lambda t: {"chat": t.chat}, lambda t: {"chat": t.chat, "before": 3}],
    commands.StartChat: [
        lambda t: {
            "ref": new_ref(), "department": t.department, "fields": {"name": "Mallory"}, "notice": t.notice
        },
    ],
    commands.LeaveMessage: [
        lambda t: {
            "ref": new_ref(), "department": t.department, "email": "m@evil.test", "text": "x",
            "notice": t.notice,
        },
        lambda t: {
            "ref": new_ref(), "chat": t.chat, "email": "m@evil.test", "text": "x", "notice": t.notice,
        },
    ],
    commands.MailTranscript: [
        lambda t: {"chat": t.chat, "ref": new_ref(), "email": "m@evil.test", "notice": t.notice},
    ],
    commands.AskSurvey: [lambda t: {"chat": t.chat, "ref": new_ref()}],
    commands.SendSurvey: [
        lambda t: {"chat": t.chat, "ref": new_ref(), "answers": {}},
        lambda t: {"chat": t.chat, "ref": new_ref(), "answers": {t.operator: "1"}},
    ],
    commands.SkipSurvey: [lambda t: {"chat": t.chat}],
    commands.AskPrivacyLink: [],  # names nothing
    commands.Sync: [
        lambda t: {"positions": {t.chat: (0, 0, 0)}, "epoch": t.epoch},
        lambda t: {"positions": {t.chat: (3, 1, 0)}, "epoch": "another"},
    ],
    commands.AcceptChat: [lambda t: {"chat": t.chat}],
    commands.TransferChat: [
        lambda t: {"chat": t.chat, "department": t.department},
        lambda t: {"chat": t.chat, "operator": t.operator},
        lambda t: {"chat": t.own_chat, "department": t.department},
        lambda t: {"chat": t.own_chat, "operator": t.operator},
    ],
    commands.ReportMinor: [lambda t: {"chat": t.chat}],
    commands.LoadEarlier: [
        lambda t: {"chat": t.chat},
        lambda t: {"chat": t.own_chat or t.chat, "older_than": t.chat},
    ],
    commands.AddNote: [_said],
    commands.SaveCannedReply: [lambda t: {"canned": t.canned, "shortcut": "mine", "text": "mine now"}],
    commands.DeleteCannedReply: [lambda t: {"canned": t.canned}],
}  # fmt: skip
