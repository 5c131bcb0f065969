"""Writes about chats. Each is one transaction, names the state it starts from, and tells after the commit.

What is said in a chat, its edits, deletions and notes go by the journal (chats/journal.py).
"""

from chats.actions.beginning import leave_message, start_chat
from chats.actions.handling import accept_chat, close_idle, end_chat, transfer_chat
from chats.actions.signs import Progress, set_marks, set_typing
from chats.actions.telling import move_line

__all__ = [
    "Progress",
    "accept_chat",
    "close_idle",
    "end_chat",
    "leave_message",
    "move_line",
    "set_marks",
    "set_typing",
    "start_chat",
    "transfer_chat",
]
