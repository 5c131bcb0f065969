"""Server -> one socket: answers to commands and the socket's own news. Never published to a topic."""

from __future__ import annotations

from typing import Literal

import msgspec

from chatlead.realtime.events import ChatView, NoteAdded, PublicRow, VisitorChatView, wire_name
from chatlead.realtime.shapes import (
    CannedReplyView,
    DepartmentView,
    OperatorView,
    Shape,
    SiteView,
    SurveyView,
)

TARGET_SECONDS = 60  # where an account has not set its own


class Reply(Shape, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag=wire_name):
    """`id` repeats the command's."""

    id: int = 0


class Ack(Reply, frozen=True, kw_only=True):
    """Committed. `seq` is the place in the log (`staff_seq` for notes); again the same for the same `ref`."""

    ref: str
    chat: str
    seq: int
    at: int


class Done(Reply, frozen=True, kw_only=True):
    """Carried out."""


class Failed(Reply, frozen=True, kw_only=True):
    """Not carried out, nothing stored. `code` is for machines (docs/protocol.md lists them), `message`
    for people; `field` names the culprit; `ref` and `chat` are set when the command could be read; `work` is
    a task whose answer, sent along, gets the same command through (docs/protocol.md)."""

    code: str
    message: str
    field: str = ""
    ref: str = ""
    chat: str = ""
    retry_after_ms: int = 0
    work: str = ""


class Pong(Reply, frozen=True, kw_only=True):
    """Somebody is there. `at` is the server's time."""

    at: int


class Started(Reply, frozen=True, kw_only=True):
    """The chat of `start_chat`."""

    ref: str
    chat: VisitorChatView


class Resumed(Reply, frozen=True, kw_only=True):
    """All rows after the positions given, in order; none is missing."""

    chat: str
    log: list[PublicRow]
    notes: list[NoteAdded] = []


class Reset(Reply, frozen=True, kw_only=True):
    """Too far behind, or another epoch: forget the chat and take this one. An operator gets `view`, a
    visitor `own`; neither is there when the chat is not theirs any more."""

    chat: str
    epoch: str
    view: ChatView | None = None
    own: VisitorChatView | None = None


class Messages(Reply, frozen=True, kw_only=True):
    """A page of older rows, oldest first. `more` says that there are older ones still."""

    chat: str
    log: list[PublicRow]
    more: bool = False


class EarlierChat(Shape, frozen=True, kw_only=True):
    """A chat that has ended, in one line. `words` are the visitor's first, cut; "" where she wrote nothing,
    and of chats in the archive. `erased`: nothing is left of what was said. `message`: it was left while
    nobody was there; otherwise without `operator_name` nobody answered."""

    uid: str
    started_at: int
    department: str
    operator_name: str = ""
    words: str = ""
    message: bool = False
    archived: bool = False
    erased: bool = False


class Earlier(Reply, frozen=True, kw_only=True):
    """A page of the visitor's earlier chats, the latest first. `more` says that there are older ones still;
    `hidden` counts, on the first page, those that the caller may not read."""

    chat: str
    chats: list[EarlierChat]
    more: bool = False
    hidden: int = 0


class SurveyOffered(Reply, frozen=True, kw_only=True):
    """What may be asked after this chat; without `survey` there is nothing, or it was offered already."""

    chat: str
    survey: SurveyView | None = None


class PrivacyLink(Reply, frozen=True, kw_only=True):
    """A path of this server, for a tab of its own: good once and for ten minutes, it proves who asks. Without
    a chat there is nobody to be proved, and it is the page alone."""

    path: str


class PageWelcome(Reply, frozen=True, kw_only=True):
    """The loader's socket is in. `online` names the departments with somebody online; `color` is the
    launcher's, which may have changed since the page was loaded."""

    protocol: int
    online: list[str]
    color: str


class VisitorWelcome(Reply, frozen=True, kw_only=True):
    """The chat frame's snapshot. `chat` is the open (or just ended) chat of the live session, if any.
    `reply_minutes` says by the uid of a department after about how many minutes its visitors were answered
    lately; without those of which too little is known.

    `session` is set only where no cookie came back (`cookie` false): keep it in the frame's sessionStorage
    and send it in the next `hello`; where that cannot be kept either, say that the history will not be
    kept (R-125).
    """

    protocol: int
    epoch: str
    site: SiteView
    chat: VisitorChatView | None = None
    reply_minutes: dict[str, int] = {}
    session: str = ""
    cookie: bool = False


class ReturnedChat(Shape, frozen=True, kw_only=True):
    """A chat that went back to the line while its operator was lost. `name` as in VisitorView."""

    chat: str
    at: int
    number: int
    name: str = ""


class OperatorWelcome(Reply, frozen=True, kw_only=True):
    """The console's snapshot. `chats` are all waiting and own active chats; `missed` the newest 20 of
    the last 7 days. `version` is that of the team list. `returned` are the chats that this operator lost
    in the last hour, newest first. `away_since` is there when the operator was gone for so long, since
    then, that the intent is Away now until they say otherwise. `canned` are their prepared replies; an older
    server, which knows none, does not say it. `canned_version` counts their changes. `target_seconds`: within
    so many the account wants a visitor answered."""

    protocol: int
    epoch: str
    account: DepartmentView
    me: OperatorView
    departments: list[DepartmentView]
    team: list[OperatorView]
    version: int
    chats: list[ChatView]
    missed: list[ChatView]
    returned: list[ReturnedChat] = []
    away_since: int = 0
    canned: list[CannedReplyView] | None = None
    canned_version: int = 0
    target_seconds: int = TARGET_SECONDS
    digest: str


class GoneVisitor(Shape, frozen=True, kw_only=True):
    """The visitor of this chat is not there, and since when (`presence_changed` says the same)."""

    chat: str
    presence: Literal["left", "lost"]
    at: int


class Position(Reply, frozen=True, kw_only=True):
    """Where the server stands, every 15-25 s. To a visitor with an open chat: `chat`, `seq`, `marks` (the
    sum of the four). To an operator: `digest` (docs/protocol.md), `version` of the team list,
    `canned_version`, and `gone`: of all chats that the digest covers those whose visitor is not there."""

    chat: str = ""
    seq: int = 0
    marks: int = 0
    digest: str = ""
    version: int = 0
    canned_version: int = 0
    epoch: str = ""
    gone: list[GoneVisitor] | None = None


class ChatMarks(Shape, frozen=True, kw_only=True):
    """The four marks of one chat."""

    chat: str
    visitor_delivered: int
    visitor_read: int
    operator_delivered: int
    operator_read: int


class Synced(Reply, frozen=True, kw_only=True):
    """The differences: `chats` are new or changed beyond a replay, `gone` are no longer yours, `log`
    and `notes` are the rows after the positions given; apply in this order: gone, chats, rows. Of those
    whose positions were given, the `erased` are to be forgotten. `returned`, `canned` and `target_seconds`
    are as in the welcome."""

    chats: list[ChatView]
    gone: list[str]
    erased: list[str] = []
    log: list[PublicRow]
    notes: list[NoteAdded]
    marks: list[ChatMarks] = []
    missed: list[ChatView]
    returned: list[ReturnedChat] = []
    canned: list[CannedReplyView] | None = None
    canned_version: int = 0
    target_seconds: int = TARGET_SECONDS
    team: list[OperatorView]
    version: int
    digest: str
    epoch: str


REPLIES: tuple[type[Reply], ...] = (
    Ack,
    Done,
    Failed,
    Pong,
    Started,
    Resumed,
    Reset,
    Messages,
    Earlier,
    SurveyOffered,
    PrivacyLink,
    PageWelcome,
    VisitorWelcome,
    OperatorWelcome,
    Position,
    Synced,
)

encode = msgspec.json.Encoder().encode
