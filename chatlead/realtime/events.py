"""THE vocabulary, server -> browser: one frozen class per event, past tense, audience declared.

An event with `seq` is a row of the chat's public log, one with `staff_seq` a row of its staff log: these
are replayed by `resume`. The others are news that a snapshot contains or that nobody misses.
All apply idempotently; what a visitor may hear holds nothing that a visitor may not see.
"""

from __future__ import annotations

import re
from typing import ClassVar, Literal

import msgspec

from chatlead.realtime.shapes import (
    Answer,
    Author,
    CannedReplyView,
    ChatState,
    DepartmentView,
    Marks,
    OperatorView,
    Presence,
    Shape,
    Side,
    VisitorView,
)
from chatlead.realtime.topics import Audience


def wire_name(class_name: str) -> str:
    """`ChatStarted` -> `chat_started`: the value of `type` on the wire."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", class_name).lower()


class Event(Shape, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag=wire_name):
    """Base of all events. `audience` says who may hear it; `publish` refuses any other topic."""

    audience: ClassVar[Audience]


# --- rows of the public log -------------------------------------------------------------------------


class LogEvent(Event, frozen=True, kw_only=True):
    """A row of the chat's public log. `seq` is gapless from 1; `name` is the operator's name then."""

    audience: ClassVar[Audience] = Audience.BOTH
    chat: str
    seq: int
    at: int
    author: Author
    ref: str = ""
    operator: str = ""
    name: str = ""


class ChatOpened(LogEvent, frozen=True, kw_only=True):
    """Row 1 of every chat. `department` is the name the visitor saw."""

    department: str = ""


class MessagePosted(LogEvent, frozen=True, kw_only=True):
    """`text` is verbatim. `state` tells of a later row that edited or deleted it."""

    text: str
    state: Literal["", "edited", "deleted"] = ""


class MessageEdited(LogEvent, frozen=True, kw_only=True):
    """The text of row `target` is now `text`."""

    target: int
    text: str


class MessageDeleted(LogEvent, frozen=True, kw_only=True):
    """Row `target` keeps its place and has no text any more."""

    target: int


class ChatAccepted(LogEvent, frozen=True, kw_only=True):
    """`operator`, `name` now answers; the chat is active. `picture` is the uid of theirs, as it was then."""

    picture: str = ""


class ChatTransferred(LogEvent, frozen=True, kw_only=True):
    """Now with another department (waiting there) or with `to_operator` (active), whose picture is
    `to_picture`."""

    department: str
    department_uid: str
    to_operator: str = ""
    to_name: str = ""
    to_picture: str = ""
    state: ChatState


class ChatReturned(LogEvent, frozen=True, kw_only=True):
    """It waits again, in the place of its first wait: `operator`, `name` is not there any more.

    `reason`: `lost` where nothing was heard of them (V-14), `withdrawn` where their right has ended.
    """

    reason: Literal["lost", "withdrawn"]


class ChatClosed(LogEvent, frozen=True, kw_only=True):
    """The end. `state` is `closed`, or `missed` where nobody had accepted.

    `reason`: somebody `ended` it; its visitor `left` the line, or left a `message` and the line with it, or
    was away so long that it was `abandoned` (waiting) or `idle` (active)."""

    state: ChatState
    reason: Literal["ended", "idle", "left", "message", "abandoned"]


# --- rows of the staff log --------------------------------------------------------------------------


class NoteAdded(Event, frozen=True, kw_only=True):
    """A note among operators. Gapless `staff_seq` from 1 in its own log."""

    audience: ClassVar[Audience] = Audience.STAFF
    chat: str
    staff_seq: int
    at: int
    ref: str
    operator: str
    name: str
    text: str


# --- states: in the snapshot, never replayed --------------------------------------------------------

PublicRow = (
    ChatOpened
    | MessagePosted
    | MessageEdited
    | MessageDeleted
    | ChatAccepted
    | ChatTransferred
    | ChatReturned
    | ChatClosed
)


class ChatView(Shape, frozen=True, kw_only=True):
    """A chat as an operator sees it. `log` and `notes` end at `seq` and `staff_seq`; older rows of a
    long chat are fetched by `load_messages`. `unread_count` counts the visitor's messages. `presence` says
    whether the visitor's page is open, and `gone_at` since when not; `returned_at` when the chat last came
    back to the line because its operator was lost."""

    uid: str
    site: str
    department: DepartmentView
    state: ChatState
    visitor: VisitorView
    operator: str = ""
    operator_name: str = ""
    page_url: str = ""
    answers: list[Answer] = []
    started_at: int
    accepted_at: int = 0
    closed_at: int = 0
    seq: int
    staff_seq: int
    marks: Marks
    unread_count: int = 0
    presence: Presence = "here"
    gone_at: int = 0
    returned_at: int = 0
    log: list[PublicRow] = []
    notes: list[NoteAdded] = []


class VisitorChatView(Shape, frozen=True, kw_only=True):
    """A chat as its visitor sees it. `position` is the place in line while waiting (1 = next), `minutes` as
    in `queue_moved`; `department_uid` is among those of `availability_changed` while somebody is there to
    answer it."""

    uid: str
    state: ChatState
    department: str
    department_uid: str
    operator_name: str = ""
    started_at: int
    closed_at: int = 0
    seq: int
    marks: Marks
    position: int = 0
    minutes: int = 0
    log: list[PublicRow] = []


class ChatListed(Event, frozen=True, kw_only=True):
    """A chat came into this operator's sight: started, transferred to them, or missed."""

    audience: ClassVar[Audience] = Audience.STAFF
    chat: ChatView


class ChatErased(Event, frozen=True, kw_only=True):
    """Whatever you know of this chat, forget it: its texts are gone for good (R-071, R-151). To an operator,
    whoever's chat it was, `version` counts as in `operator_changed`; to its visitor it is 0."""

    audience: ClassVar[Audience] = Audience.BOTH
    chat: str
    version: int = 0


class ChatStarted(Event, frozen=True, kw_only=True):
    """For the visitor's other tabs: their chat has begun."""

    audience: ClassVar[Audience] = Audience.VISITOR
    chat: VisitorChatView


class MarksChanged(Event, frozen=True, kw_only=True):
    """How far one side has received and read. Positions only grow."""

    audience: ClassVar[Audience] = Audience.BOTH
    chat: str
    side: Side
    delivered: int
    read: int


class TypingChanged(Event, frozen=True, kw_only=True):
    """Somebody is typing, or stopped. Holds no text (B2-14); forget it after 6 s of silence."""

    audience: ClassVar[Audience] = Audience.BOTH
    chat: str
    side: Side
    on: bool


class PresenceChanged(Event, frozen=True, kw_only=True):
    """The visitor of the chat `left` the page, was `lost` (nothing was heard of her), or is `here` again."""

    audience: ClassVar[Audience] = Audience.STAFF
    chat: str
    presence: Presence
    at: int


class QueueMoved(Event, frozen=True, kw_only=True):
    """The visitor's place in line (R-034), and after about how many minutes it will be her turn; 0 where too
    little is known to say so."""

    audience: ClassVar[Audience] = Audience.VISITOR
    chat: str
    position: int
    minutes: int = 0


class AvailabilityChanged(Event, frozen=True, kw_only=True):
    """Departments of the site that have somebody online now, by uid."""

    audience: ClassVar[Audience] = Audience.VISITOR
    online: list[str]


class OperatorChanged(Event, frozen=True, kw_only=True):
    """A colleague came, left, went away or changed; `gone`: is no colleague any more. `version` counts the
    changes of the team list."""

    audience: ClassVar[Audience] = Audience.STAFF
    operator: OperatorView
    version: int
    gone: bool = False


class TargetChanged(Event, frozen=True, kw_only=True):
    """From now on the account wants a visitor answered within so many `seconds`. Counts `version` up as
    `operator_changed` does."""

    audience: ClassVar[Audience] = Audience.STAFF
    seconds: int
    version: int


class CannedReplySaved(Event, frozen=True, kw_only=True):
    """For all consoles of one operator: a prepared reply of theirs is new, or reads like this now. `version`
    counts the changes of their prepared replies."""

    audience: ClassVar[Audience] = Audience.STAFF
    reply: CannedReplyView
    version: int


class CannedReplyDeleted(Event, frozen=True, kw_only=True):
    """For all consoles of one operator: a prepared reply of theirs, named by its uid, is gone."""

    audience: ClassVar[Audience] = Audience.STAFF
    canned: str
    version: int


EVENTS: tuple[type[Event], ...] = (
    ChatOpened,
    MessagePosted,
    MessageEdited,
    MessageDeleted,
    ChatAccepted,
    ChatTransferred,
    ChatReturned,
    ChatClosed,
    NoteAdded,
    ChatListed,
    ChatErased,
    ChatStarted,
    MarksChanged,
    TypingChanged,
    PresenceChanged,
    QueueMoved,
    AvailabilityChanged,
    OperatorChanged,
    TargetChanged,
    CannedReplySaved,
    CannedReplyDeleted,
)

encode = msgspec.json.Encoder().encode
