"""How a line of the log is written: one line for each record, and never a datum of a person (R-109).

What our own code logs holds none. What libraries log may: the message of an exception quotes a row, a header
or a value. So of an exception only its class and its places in the code are written, and where a library puts
somebody's words into the line itself, something else is said instead.
"""

from __future__ import annotations

import logging
import traceback
from types import TracebackType

OURS = frozenset({"accounts", "chatlead", "chats", "privacy", "sms", "surveys", "visitors"})
# By logger, from warnings upwards: what is said instead, and whether the places in the code help.
INSTEAD = {
    "django.security.DisallowedHost": ("a request named a host that is not in ALLOWED_HOSTS", False),
    "celery.app.trace": ("a task failed", True),
}

Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Discreet(logging.Formatter):
    """The only formatter. A stranger's control characters are spelled out: nobody forges a second line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with the places and the class of an exception below it."""
        bare = logging.makeLogRecord(
            record.__dict__ | {"exc_info": None, "exc_text": None, "stack_info": None}
        )
        raised = record.exc_info
        if record.levelno >= logging.WARNING and record.name in INSTEAD:
            bare.msg, places_help = INSTEAD[record.name]
            bare.args = ()
            raised = raised if places_help else None
        line = super().format(bare)
        if record.name.partition(".")[0] not in OURS:
            line = "".join(each if each.isprintable() else repr(each)[1:-1] for each in line)
        return f"{line}\n{self.formatException(raised)}" if raised else line

    def formatException(self, ei: Raised) -> str:
        """Places and class; what the exception says is left out."""
        if ei[0] is None:
            return ""
        return "".join(traceback.format_tb(ei[2])) + ei[0].__qualname__
