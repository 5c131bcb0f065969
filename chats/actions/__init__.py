"""Writes about chats. Each is one transaction, names the state it starts from, and tells after the commit.

What is said in a chat, its edits, deletions and notes go by the journal (chats/journal.py).
"""

from chats.actions.archiving import (
    archive_account,
    archive_chat,
    archive_due,
    extend_seals,
    reconcile,
    seal_ended,
    sweep_left_behind,
    verify_asked,
)
from chats.actions.arriving import Arrived, take_text, tell_in_chat
from chats.actions.beginning import leave_message, start_chat
from chats.actions.erasing import end_chats, erase_chats
from chats.actions.handling import accept_chat, close_idle, end_chat, transfer_chat
from chats.actions.limits import ask_verification, set_retention_limits
from chats.actions.mailing import mail_transcript
from chats.actions.minors import report_minor
from chats.actions.presence import (
    come_back_from_the_future,
    is_to_be_noted,
    leave_page,
    lose_visitors,
    note_visitors,
)
from chats.actions.returning import return_chats, return_lost_chats
from chats.actions.signs import Progress, set_marks, set_typing
from chats.actions.telling import move_line
from chats.actions.withholding import withhold_chats

__all__ = [
    "Arrived",
    "Progress",
    "accept_chat",
    "archive_account",
    "archive_chat",
    "archive_due",
    "ask_verification",
    "close_idle",
    "come_back_from_the_future",
    "end_chat",
    "end_chats",
    "erase_chats",
    "extend_seals",
    "is_to_be_noted",
    "leave_message",
    "leave_page",
    "lose_visitors",
    "mail_transcript",
    "move_line",
    "note_visitors",
    "reconcile",
    "report_minor",
    "return_chats",
    "return_lost_chats",
    "seal_ended",
    "set_marks",
    "set_retention_limits",
    "set_typing",
    "start_chat",
    "sweep_left_behind",
    "take_text",
    "tell_in_chat",
    "transfer_chat",
    "verify_asked",
    "withhold_chats",
]
