"""Close codes: one list, and what they say about coming back."""

from __future__ import annotations

import pytest

from chatlead import errors
from chatlead.realtime.codes import CloseCode, may_return
from chatlead.realtime.refusals import refusal

pytestmark = pytest.mark.once

USELESS = {
    CloseCode.BAD_HELLO,
    CloseCode.NOT_AUTHENTICATED,
    CloseCode.FORBIDDEN,
    CloseCode.NOT_FOUND,
    CloseCode.PROTOCOL_NOT_SPOKEN,
    CloseCode.MINOR,
}


@pytest.mark.parametrize("code", CloseCode, ids=lambda code: code.name)
def test_a_browser_comes_back_unless_that_is_useless(code: CloseCode) -> None:
    assert may_return(code) == (code not in USELESS)


@pytest.mark.parametrize("code", CloseCode, ids=lambda code: code.name)
def test_every_code_may_be_sent_by_an_application(code: CloseCode) -> None:
    """RFC 6455: 4000-4999 are ours; 1009, 1012 and 1013 are registered for what we mean by them."""
    assert code in (1009, 1012, 1013) or 4000 <= code <= 4999


def test_a_browser_that_comes_back_at_once_is_not_told_that_it_flooded() -> None:
    assert may_return(refusal(errors.RateLimited()))
    assert may_return(refusal(errors.Unavailable()))


def test_more_special_errors_close_like_their_kind() -> None:
    class Suspended(errors.Forbidden):
        """An operator who is suspended."""

    assert refusal(Suspended()) == CloseCode.FORBIDDEN
    assert refusal(errors.UnknownField(field="x")) == CloseCode.BAD_HELLO
    assert refusal(errors.ChatLeadError()) == CloseCode.INTERNAL


def test_errors_that_are_told_apart_have_codes_of_their_own() -> None:
    found, todo = [], [errors.ChatLeadError]
    while todo:
        one = todo.pop()
        if one.__module__ == errors.__name__:
            found.append(one.code)
        todo += one.__subclasses__()
    assert len(found) == len(set(found))
