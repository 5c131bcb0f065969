"""The one shape of an error, for sockets, forms and HTTP alike.

Raised where the fault is known, translated once: by the socket into a `failed` frame, by the
middleware into `{"error": {"code", "message", "field"}}` with `status`.
"""

from __future__ import annotations


class ChatLeadError(Exception):
    """Something the caller can understand. `code` is for machines and never changes its meaning."""

    code = "error"
    status = 400
    message = "The request could not be carried out."

    def __init__(
        self, message: str | None = None, *, field: str | None = None, retry_after_ms: int | None = None
    ) -> None:
        super().__init__(message or self.message)
        self.message = message or self.message
        self.field = field
        self.retry_after_ms = retry_after_ms


class NotFound(ChatLeadError):
    """Missing, or not the caller's: the two look the same on purpose (R-112)."""

    code, status, message = "not_found", 404, "There is no such thing here."


class NotAuthenticated(ChatLeadError):
    code, status, message = "not_authenticated", 401, "Log in first."


class Forbidden(ChatLeadError):
    """The caller may know of the thing, yet not do this with it."""

    code, status, message = "forbidden", 403, "You may not do this."


class OriginRefused(ChatLeadError):
    code, status, message = "origin_refused", 403, "This website is not one of the site's domains."


class TicketRefused(ChatLeadError):
    code, status, message = "ticket_refused", 403, "The ticket is used, expired or not for this page."


class BadFrame(ChatLeadError):
    code, message = "bad_frame", "The frame is not a JSON object of a known command."


class HelloRepeated(ChatLeadError):
    code, message = "hello_repeated", "This socket has said hello already."


class BadField(ChatLeadError):
    """One value is wrong; `field` names it."""

    code, message = "bad_field", "A field is not valid."


class MissingField(BadField):
    code, message = "missing_field", "This field is required."


class UnknownField(BadField):
    code, message = "unknown_field", "This field is not asked for."


class NoticeRequired(ChatLeadError):
    """The privacy notice in force was not the one shown; `message` says to show it again."""

    code, status, message = "notice_required", 409, "The privacy notice has changed. Please read it again."


class ChatClosed(ChatLeadError):
    code, status, message = "chat_closed", 409, "This chat has ended."


class ChatNotOver(ChatLeadError):
    """There is a transcript of a chat when it has ended."""

    code, status, message = "chat_not_over", 409, "This chat goes on."


class SurveyOver(ChatLeadError):
    """It was answered or skipped before, or its time is over."""

    code, status, message = "survey_over", 409, "This survey is over."


class ChatAlreadyTaken(ChatLeadError):
    code, status, message = "chat_already_taken", 409, "A colleague has accepted this chat."


class ChatReturned(ChatLeadError):
    """For the operator who had it: nothing of theirs was heard for too long, so it waits or is another's."""

    code, status = "chat_returned", 409
    message = "This chat went back to the line while you were away."


class ChatAlreadyOpen(ChatLeadError):
    code, status, message = "chat_already_open", 409, "A chat is open already."


class TooMany(ChatLeadError):
    """There is a bound on how many of these somebody may keep."""

    code, status, message = "too_many", 409, "There is no room for another one."


class NobodyOnline(ChatLeadError):
    code, status, message = "nobody_online", 409, "Nobody is online at the moment. Please leave a message."


class RateLimited(ChatLeadError):
    """Come back later; or, where many are here and `work` is not "", do that task (accounts/work.py) and send
    its answer with the same command."""

    code, status, message = "rate_limited", 429, "Too fast. Please wait a moment."

    def __init__(
        self, message: str | None = None, *, retry_after_ms: int | None = None, work: str = ""
    ) -> None:
        super().__init__(message, retry_after_ms=retry_after_ms)
        self.work = work


class ProtocolNotSpoken(ChatLeadError):
    code, message = "protocol_not_spoken", "This version of the protocol is not spoken here. Reload the page."


class Unavailable(ChatLeadError):
    """A part of the service does not answer; nothing was stored, the same `ref` may be sent again."""

    code, status, message = "unavailable", 503, "The service is busy. Please try again."


class UnderLegalHold(ChatLeadError):
    """The account has to keep this for a claim; what was asked for waits until the hold is lifted."""

    code, status = "legal_hold", 409
    message = "A legal hold keeps this. It is erased as soon as the hold is lifted."


class UnderAge(ChatLeadError):
    """Somebody in this browser is under 18: nothing is collected from it any more (R-070)."""

    code, status = "under_age", 403
    message = "This chat is for adults. Nothing that is written in this browser is kept."


class ArchiveUnavailable(ChatLeadError):
    """The chat is kept in the archive, and the archive does not answer; nothing is lost."""

    code, status = "archive_unavailable", 503
    message = "This conversation is in the archive, which does not answer. Please try again later."


class ArchiveDamaged(ChatLeadError):
    """The chat's file in the archive is missing, cannot be decrypted, or is not the one that was written."""

    code, status = "archive_damaged", 500
    message = "The file of this conversation in the archive cannot be read."


class ArchiveLocked(ArchiveDamaged):
    """The file is there as it was written, and the key to it is not: another one is set, or none. Nothing is
    lost; all can be read once the key is back."""

    code = "archive_locked"
    message = "The file of this conversation in the archive is locked to a key that is not on this server."
