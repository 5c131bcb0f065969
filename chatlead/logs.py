"""How a line of the log is written: one line for each record, and never a datum of a person (R-109).

What our own code logs holds none. What libraries log may: their messages quote headers, values, addresses,
and the message of an exception quotes a row. So of an exception only its class and its places in the code are
written, and of a library's record only the text that stands in its source, without what was put into it.

In production a line is a JSON object, `{"at", "level", "logger", "message", "id", …}`; `id` is that of the
request, socket, poll or task in hand. What a record has as `extra={"facts": {…}}` stands beside these.

Lines that come thick are written together: each write lets go of the interpreter's lock, and in a storm (V-9)
the loop waits for milliseconds until it has it again, a line of each of ten thousand sockets.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import logging
import os
import secrets
import sys
import threading
import time
import traceback
from collections import deque
from itertools import count
from types import TracebackType
from typing import Any, TextIO

OURS = frozenset({"accounts", "chatlead", "chats", "privacy", "sms", "surveys", "visitors"})
# Said instead of what stands in a library's source, by logger, from warnings upwards. And whether the places
# in the code help.
INSTEAD = {
    "django.security.DisallowedHost": ("a request named a host that is not in ALLOWED_HOSTS", False),
    "django.request": ("a request failed", True),
    "celery.app.trace": ("a task failed", True),
}

Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

# --- ids ----------------------------------------------------------------------------------------------

request_id: contextvars.ContextVar[str | int] = contextvars.ContextVar("request_id", default="")
_process = secrets.token_hex(4)
_numbers = count(1)


def next_number() -> int:
    """An id that costs next to nothing, for something that lives long. Never told to anybody."""
    return next(_numbers)


def current_id() -> str:
    """The id of what is in hand, as it is logged; "" outside of everything."""
    found = request_id.get()
    return found if isinstance(found, str) else f"{_process}-{found:x}"


# --- lines --------------------------------------------------------------------------------------------


class Discreet(logging.Formatter):
    """For people. A stranger's control characters are spelled out: nobody forges a second line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with the places and the class of an exception below it."""
        message, raised = told(record)
        at = self.formatTime(record)
        line = f"{at} {record.levelname} {record.name} {message}"
        if facts := facts_of(record):
            line = " ".join([line, *(f"{name}={value}" for name, value in facts.items())])
        if record.name.partition(".")[0] not in OURS:
            line = "".join(each if each.isprintable() else repr(each)[1:-1] for each in line)
        return f"{line}\n{self.formatException(raised)}" if raised else line

    def formatException(self, ei: Raised) -> str:
        """Places and class; what the exception says is left out."""
        if ei[0] is None:
            return ""
        return "".join(traceback.format_tb(ei[2])) + ei[0].__qualname__


class JsonLines(logging.Formatter):
    """For programs: an object a line, all in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        message, raised = told(record)
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "at": f"{at}.{int(record.msecs):03}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": message,
            **facts_of(record),
        }
        if raised and raised[0] is not None:
            line["error"] = raised[0].__qualname__
            line["places"] = [
                f"{each.filename}:{each.lineno} {each.name}" for each in traceback.extract_tb(raised[2])
            ]
        return json.dumps(line, default=str)


def told(record: logging.LogRecord) -> tuple[str, Raised | None]:
    """What may be said of a record: a message, and the exception where its places help."""
    if record.name.partition(".")[0] in OURS:
        return record.getMessage(), record.exc_info
    if record.levelno >= logging.WARNING and record.name in INSTEAD:
        message, places_help = INSTEAD[record.name]
        return message, record.exc_info if places_help else None
    # the first line: what follows may be an exception that was written out before
    return str(record.msg).strip().partition("\n")[0], record.exc_info


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """What stands beside the message: the id, and what our code has added."""
    found = current_id()
    named = {"id": found} if found else {}
    return named | getattr(record, "facts", {})


# --- writing ------------------------------------------------------------------------------------------


class Gathering(logging.StreamHandler[TextIO]):
    """Writes a line at once when it is quiet; those that come within GATHER_SECONDS of each other are written
    many in one piece, by a thread, so that nobody waits for the stream. A warning takes along all that wait,
    and so does the end of the process; kill -9 loses lines of the last moment, but no warning.
    """

    GATHER_SECONDS = 0.02
    MOST_LINES = 10_000  # beyond them whoever logs waits for the stream, as usual

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._lines: deque[str] = deque()
        self._writing = threading.Lock()
        self._come = threading.Event()
        self._thread: threading.Thread | None = None
        self._came_at = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """As stock; an error while the line is made is told and raises nothing."""
        try:
            self._lines.append(self.format(record) + self.terminator)
            before, self._came_at = self._came_at, time.monotonic()
            if record.levelno >= logging.WARNING or len(self._lines) > self.MOST_LINES:
                self.flush()
            elif self._came_at - before < self.GATHER_SECONDS:
                self._leave_to_thread()
            elif self._writing.acquire(blocking=False):
                try:
                    self._write()
                finally:
                    self._writing.release()
            else:
                self._leave_to_thread()
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """All lines are with the stream when this returns."""
        with self._writing:
            self._write()

    def _write(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if lines:
            self.stream.write("".join(lines))
        self.stream.flush()

    def _leave_to_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._gather, name="log", daemon=True)
            self._thread.start()
        self._come.set()

    def _gather(self) -> None:
        while True:
            self._come.wait()
            time.sleep(self.GATHER_SECONDS)
            self._come.clear()
            with contextlib.suppress(OSError, ValueError):  # a stream that is gone
                self.flush()


# --- what would go past the log -----------------------------------------------------------------------


def catch_the_rest() -> None:
    """Have what Python prints itself, message and all, written by the log: the end of a thread or of the
    process by an exception, and exceptions that nobody can raise."""
    logger = logging.getLogger("chatlead.process")

    def of_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            logger.error("a thread ended", exc_info=args.exc_value)

    def of_nobody(args: Any) -> None:
        logger.error("an exception was ignored", exc_info=args.exc_value)

    def of_process(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
        logger.error("the process ends", exc_info=error)

    threading.excepthook = of_thread
    sys.unraisablehook = of_nobody
    sys.excepthook = of_process
