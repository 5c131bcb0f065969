"""The nouns of the wire: what snapshots and some events carry. Neither Django nor an app is imported.

Times are integers, milliseconds since 1970 in UTC. A `uid` is an opaque text of 22 characters.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Author = Literal["visitor", "operator", "system"]
ChatState = Literal["waiting", "active", "closed", "missed"]
Availability = Literal["online", "away"]
Side = Literal["visitor", "operator"]
Presence = Literal["here", "left", "lost"]


class Shape(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of everything that is part of a frame."""


class DepartmentView(Shape, frozen=True, kw_only=True):
    uid: str
    name: str


class OperatorView(Shape, frozen=True, kw_only=True):
    """A colleague. `online` is true when the intent is Online and a console is really connected."""

    uid: str
    name: str
    role: str
    departments: list[str]
    availability: Availability
    online: bool


class CannedReplyView(Shape, frozen=True, kw_only=True):
    """A prepared reply of one operator. `shortcut` is in lower case and unique among theirs. Of what `text`
    says in braces, a console fills in {visitor_name}, {operator_name} and {site} where it inserts it."""

    uid: str
    shortcut: str
    text: str


class Answer(Shape, frozen=True, kw_only=True):
    """One answer of the pre-chat form, with the label the visitor saw."""

    name: str
    label: str
    value: str


class VisitorView(Shape, frozen=True, kw_only=True):
    """What an operator sees of a visitor. `name` is verbatim; empty means: show "Visitor {number}".
    `chat_count` counts all chats of this visitor on the site, the one at hand included."""

    uid: str
    number: int
    name: str = ""
    email: str = ""
    chat_count: int = 0


class Marks(Shape, frozen=True, kw_only=True):
    """How far each side has received and read, as positions in the public log. They only grow."""

    visitor_delivered: int = 0
    visitor_read: int = 0
    operator_delivered: int = 0
    operator_read: int = 0


class FieldSpec(Shape, frozen=True, kw_only=True):
    """One field of the pre-chat form or of the form for leaving a message."""

    name: str
    label: str
    kind: Literal["text", "email", "phone", "select", "checkbox", "textarea"]
    required: bool = False
    hint: str = ""
    options: list[str] = []


class NoticeView(Shape, frozen=True, kw_only=True):
    """The privacy notice in force, in the language of the `hello`. A form is sent with `sha256`, the proof of
    what was shown (R-032)."""

    version: int
    text: str
    sha256: str


class SiteView(Shape, frozen=True, kw_only=True):
    """What a widget needs to know of its site. `online` names the departments with somebody online. `welcome`
    and `offline` are the firm's own words above the two forms, `picture` is the uid of its picture; "" where
    it has none."""

    key: str
    name: str
    firm: str
    color: str
    welcome: str
    offline: str = ""
    picture: str = ""
    privacy_policy_url: str
    departments: list[DepartmentView]
    online: list[str]
    fields: list[FieldSpec]
    notice: NoticeView


class QuestionView(Shape, frozen=True, kw_only=True):
    """One question of a survey; each may be skipped. `options` is what an answer may be: the firm's own texts
    of a `choice`, "1" to "5" of a `score`, codes of the bands of `age` and `income`; of `zip` it is what may
    be said instead. `none` is always "prefer not to say"."""

    uid: str
    kind: Literal["score", "choice", "text", "email", "phone", "zip", "age", "income"]
    label: str
    options: list[str] = []


class SurveyView(Shape, frozen=True, kw_only=True):
    """What is asked after a chat, in the firm's words. `link` is where it may be answered later."""

    title: str
    intro: str = ""
    asked: list[QuestionView]
    link: str
