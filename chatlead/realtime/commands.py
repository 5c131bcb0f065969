"""Browser -> server: one class per command, imperative; decoded and validated in one step.

`id` is the client's number for the question and comes back in the reply; commands with `ref` are
answered by `ref` and may be sent again any number of times. Unknown fields are refused: nobody can name
a sender, a tenant or a time (P-17).
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from chatlead.errors import ProtocolNotSpoken
from chatlead.realtime.events import wire_name

PROTOCOL = 1  # the newest version that we speak
OLDEST = max(1, PROTOCOL - 1)  # and the oldest: pages that were loaded before an upgrade go on (V-10)
TEXT_MAX = 4000
NAME_MAX = 200
EMAIL_MAX = 254
URL_MAX = 2048
FIELD_MAX = 2000  # characters of one answer of the pre-chat form
FIELDS_MAX = 12
BOXES_MAX = 2  # that are ours beside them: consents to text messages
SHORTCUT_MAX = 32

Uid = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{16,32}\Z")]
UidOrNone = Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9_-]{16,32})?\Z")]  # "" for none
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_MAX)]
Seq = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
Work = Annotated[str, msgspec.Meta(max_length=120, pattern=r"^[0-9a-f.]*\Z")]
Token = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[A-Za-z0-9._~-]*\Z")]
Url = Annotated[str, msgspec.Meta(max_length=URL_MAX)]
# one word in any script, as it is typed behind a slash
Shortcut = Annotated[
    str, msgspec.Meta(min_length=1, max_length=SHORTCUT_MAX, pattern=r"^[^\s/{}\x00-\x1f\x7f-\x9f]+\Z")
]
Fields = Annotated[
    dict[Annotated[str, msgspec.Meta(max_length=40)], Annotated[str, msgspec.Meta(max_length=FIELD_MAX)]],
    msgspec.Meta(max_length=FIELDS_MAX + BOXES_MAX),
]


def spoken(newest: int) -> int:
    """The version to be spoken with a client whose newest is this: theirs or ours, whichever is older. Raises
    ProtocolNotSpoken where that is older than OLDEST."""
    version = min(newest, PROTOCOL)
    if version < OLDEST:
        raise ProtocolNotSpoken
    return version


class Command(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag=wire_name
):
    """Base of all commands."""

    id: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] = 0


# --- connection -------------------------------------------------------------------------------------


class Hello(Command, frozen=True, kw_only=True):
    """The first frame of a visitor's socket.

    `page`: the loader's socket on the host page; needs only `site` and the right Origin.
    `chat`: the frame's; needs the `ticket` and the origin of the embedding page as the browser named it.
    `session` is the token handed out in `welcome` where the cookie does not come back; `browser` the
    opaque persistent id of the host page's cookie, "" where there is none. `language` is what the widget
    speaks: the notice comes in it; one that is none of ours, or none, is the site's.
    """

    protocol: int
    role: Literal["page", "chat"]
    site: Uid
    ticket: Annotated[str, msgspec.Meta(max_length=600)] = ""
    embedder: Annotated[str, msgspec.Meta(max_length=300)] = ""
    session: Token = ""
    browser: Token = ""
    page_url: Url = ""
    language: Annotated[str, msgspec.Meta(max_length=35)] = ""


class OperatorHello(Command, frozen=True, kw_only=True, tag="hello"):
    """The first frame of a console's socket; the log-in is the cookie. `account` chooses among several."""

    protocol: int
    account: Annotated[str, msgspec.Meta(max_length=32)] = ""


class Ping(Command, frozen=True, kw_only=True):
    """Answered by `pong`: is anybody there?"""


class StillHere(Command, frozen=True, kw_only=True):
    """The answer to each `position`, said once after the welcome too; not answered. A client that has said
    it once is believed to be there only while it goes on saying it (V-14)."""


class Resume(Command, frozen=True, kw_only=True):
    """What came in `chat` after the public row `after` (and staff row `staff_after`)? Answered by
    `resumed` or `reset`."""

    chat: Uid
    after: Seq
    staff_after: Seq = 0
    epoch: Annotated[str, msgspec.Meta(max_length=32)]


class Sync(Command, frozen=True, kw_only=True):
    """An operator's position differs from the digest: here is what I have. Answered by `synced`.

    `positions`: {chat uid: [seq, staff_seq, sum of the four marks]} for waiting and own chats, and for
    those that are still on the screen.
    """

    positions: dict[Uid, tuple[Seq, Seq, Seq]]
    epoch: Annotated[str, msgspec.Meta(max_length=32)]


# --- the chat, both sides ---------------------------------------------------------------------------


class SendMessage(Command, frozen=True, kw_only=True):
    """Answered by `ack` once it is committed. A known `ref` gets its old seq, even on a closed chat."""

    chat: Uid
    ref: UUID
    text: Text


class EditMessage(Command, frozen=True, kw_only=True):
    """Own messages only. Answered by `ack`."""

    chat: Uid
    ref: UUID
    target: Seq
    text: Text


class DeleteMessage(Command, frozen=True, kw_only=True):
    """Own messages only. Answered by `ack`."""

    chat: Uid
    ref: UUID
    target: Seq


class SetTyping(Command, frozen=True, kw_only=True):
    """Not answered. Carries no text."""

    chat: Uid
    on: bool


class Mark(Command, frozen=True, kw_only=True):
    """Not answered. `delivered`: on this screen; `read`: in view of a person. Positions only grow."""

    chat: Uid
    delivered: Seq
    read: Seq


class EndChat(Command, frozen=True, kw_only=True):
    """Answered by `done`; ending an ended chat is no error."""

    chat: Uid


class LoadMessages(Command, frozen=True, kw_only=True):
    """Up to 100 rows before `before` (0 = from the end), oldest first. Answered by `messages`."""

    chat: Uid
    before: Seq = 0


# --- visitors only ----------------------------------------------------------------------------------


class StartChat(Command, frozen=True, kw_only=True):
    """Answered by `started`. The same `ref` again answers with the same chat. `text` is the optional
    first message and becomes row 2; `notice` is the sha256 of the notice that was shown; `work` is what a
    refusal has asked for."""

    ref: UUID
    department: Annotated[str, msgspec.Meta(max_length=32)] = ""
    fields: Fields = {}
    notice: Annotated[str, msgspec.Meta(max_length=64)] = ""
    text: Annotated[str, msgspec.Meta(max_length=TEXT_MAX)] = ""
    work: Work = ""


class LeaveMessage(Command, frozen=True, kw_only=True):
    """Nobody is online: `name`, `email` and `text` go to the department. Answered by `done`. `chat` is the
    own one that waits in vain: it ends with the message, whose `text` may then be empty, because all that
    was written in the chat goes along."""

    ref: UUID
    chat: UidOrNone = ""
    department: Annotated[str, msgspec.Meta(max_length=32)] = ""
    name: Annotated[str, msgspec.Meta(max_length=NAME_MAX)] = ""
    email: Annotated[str, msgspec.Meta(max_length=EMAIL_MAX)]
    text: Annotated[str, msgspec.Meta(max_length=TEXT_MAX)] = ""
    notice: Annotated[str, msgspec.Meta(max_length=64)]
    work: Work = ""


class MailTranscript(Command, frozen=True, kw_only=True):
    """A copy of an own chat that somebody has answered and that has ended goes to `email`, once for each
    `ref`. Answered by `done` when it is on its way. `language` is that of the mail and `zone` the one of its
    times, by its IANA name; the site's own and UTC where they are not known."""

    chat: Uid
    ref: UUID
    email: Annotated[str, msgspec.Meta(max_length=EMAIL_MAX)]
    notice: Annotated[str, msgspec.Meta(max_length=64)]
    language: Annotated[str, msgspec.Meta(max_length=8)] = ""
    zone: Annotated[str, msgspec.Meta(max_length=64)] = ""
    work: Work = ""


class AskSurvey(Command, frozen=True, kw_only=True):
    """What is to be asked after an own chat that has ended? Answered by `survey_offered`, which holds a
    survey once: for the first `ref`, however often it is sent."""

    chat: Uid
    ref: UUID


class SendSurvey(Command, frozen=True, kw_only=True):
    """Answers by the uid of their question; whatever is missing was skipped, and without any the survey was.
    Answered by `done`, for the same `ref` again, too; another one is refused with `survey_over`."""

    chat: Uid
    ref: UUID
    answers: Fields


class SkipSurvey(Command, frozen=True, kw_only=True):
    """She does not want to. Answered by `done`."""

    chat: Uid


class AskPrivacyLink(Command, frozen=True, kw_only=True):
    """Where does she ask about her own data? Answered by `privacy_link`."""


class LeavePage(Command, frozen=True, kw_only=True):
    """The page is being closed or left (`pagehide`). Not answered; the chat stays open."""


# --- operators only ---------------------------------------------------------------------------------


class SetAvailability(Command, frozen=True, kw_only=True):
    """Online or Away, the operator's intent. Answered by `done`."""

    online: bool


class AcceptChat(Command, frozen=True, kw_only=True):
    """Answered by `done`, or `failed` with `chat_already_taken`."""

    chat: Uid


class TransferChat(Command, frozen=True, kw_only=True):
    """To a department (waits there) or to an operator (active at once). Exactly one is given."""

    chat: Uid
    department: Annotated[str, msgspec.Meta(max_length=32)] = ""
    operator: Annotated[str, msgspec.Meta(max_length=32)] = ""


class ReportMinor(Command, frozen=True, kw_only=True):
    """The visitor of `chat` is under 18: it ends, and what is known of her is erased. Answered by `done`;
    again it changes nothing."""

    chat: Uid


class LoadEarlier(Command, frozen=True, kw_only=True):
    """What the visitor of `chat` talked about before it, as far as the caller may read it: a page of chats
    that have ended, the latest first, behind `older_than` where that is given. Answered by `earlier`."""

    chat: Uid
    older_than: UidOrNone = ""


class AddNote(Command, frozen=True, kw_only=True):
    """Seen by operators only. Answered by `ack` with the `staff_seq`."""

    chat: Uid
    ref: UUID
    text: Text


class SaveCannedReply(Command, frozen=True, kw_only=True):
    """An own prepared reply, new where `canned` is "". Answered by `done`; `canned_reply_saved` tells its uid
    to all consoles of the operator. `bad_field` names a `shortcut` that another one of theirs has."""

    canned: UidOrNone = ""
    shortcut: Shortcut
    text: Text


class DeleteCannedReply(Command, frozen=True, kw_only=True):
    """An own prepared reply. Answered by `done`."""

    canned: Uid


BOTH: tuple[type[Command], ...] = (
    Ping,
    StillHere,
    Resume,
    SendMessage,
    EditMessage,
    DeleteMessage,
    SetTyping,
    Mark,
    EndChat,
    LoadMessages,
)
SURVEY: tuple[type[Command], ...] = (AskSurvey, SendSurvey, SkipSurvey)
VISITOR: tuple[type[Command], ...] = (
    Hello,
    *BOTH,
    StartChat,
    LeaveMessage,
    MailTranscript,
    *SURVEY,
    AskPrivacyLink,
    LeavePage,
)
OPERATOR: tuple[type[Command], ...] = (
    OperatorHello,
    *BOTH,
    Sync,
    SetAvailability,
    AcceptChat,
    TransferChat,
    ReportMinor,
    LoadEarlier,
    AddNote,
    SaveCannedReply,
    DeleteCannedReply,
)
