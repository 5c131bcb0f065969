"""The close code for whom an endpoint did not let in."""

from __future__ import annotations

from chatlead import errors
from chatlead.realtime.codes import CloseCode

REFUSALS: dict[type[errors.ChatLeadError], CloseCode] = {
    errors.NotAuthenticated: CloseCode.NOT_AUTHENTICATED,
    errors.Forbidden: CloseCode.FORBIDDEN,
    errors.OriginRefused: CloseCode.FORBIDDEN,
    errors.TicketRefused: CloseCode.FORBIDDEN,
    errors.NotFound: CloseCode.NOT_FOUND,
    errors.ProtocolNotSpoken: CloseCode.PROTOCOL_NOT_SPOKEN,
    errors.UnderAge: CloseCode.MINOR,
    errors.BadField: CloseCode.BAD_HELLO,
    errors.RateLimited: CloseCode.FLOOD,
}


def refusal(error: errors.ChatLeadError) -> CloseCode:
    """The close code of an error that `admit` raised."""
    for cls in type(error).__mro__:
        if cls in REFUSALS:
            return REFUSALS[cls]
    return CloseCode.INTERNAL
