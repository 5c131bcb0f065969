"""Prepared replies: an operator's own, found by a shortcut, told to their consoles and to nobody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from accounts import actions, selectors
from accounts.models import CannedReply, Operator
from accounts.selectors import OperatorPrincipal
from chatlead.errors import BadField, NotFound, TooMany
from chatlead.realtime.commands import SHORTCUT_MAX
from tests.at_once import at_once
from tests.sockets import console_of

Principals = Callable[[Operator], OperatorPrincipal]


def save(who: OperatorPrincipal, shortcut: str, text: str = "Good morning", uid: str = "") -> str:
    return actions.save_canned_reply(principal=who, uid=uid, shortcut=shortcut, text=text)


def shortcuts_of(operator: Operator) -> list[str]:
    return [each.shortcut for each in selectors.canned_replies([operator.pk])[operator.pk].replies]


@pytest.mark.django_db
def test_a_shortcut_is_one_members_own_and_its_case_does_not_matter(
    olga: Operator, sam: Operator, principal_of: Principals
) -> None:
    """R-091: olga's and sam's are apart; olga has each of hers once."""
    uid = save(principal_of(olga), "Fee")
    save(principal_of(sam), "fee")
    with pytest.raises(BadField) as refused:
        save(principal_of(olga), "fEE")
    assert refused.value.field == "shortcut"
    assert save(principal_of(olga), "FEE", "It is free", uid) == uid
    assert (shortcuts_of(olga), shortcuts_of(sam)) == (["fee"], ["fee"])
    assert CannedReply.objects.get(uid=uid).text == "It is free"


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "  \n", "a\x00b"])
def test_a_reply_without_words_is_none(olga: Operator, principal_of: Principals, text: str) -> None:
    """P-23."""
    with pytest.raises(BadField) as refused:
        save(principal_of(olga), "fee", text)
    assert refused.value.field == "text"


@pytest.mark.django_db
def test_what_stands_in_braces_stays_as_it_was_written(olga: Operator, principal_of: Principals) -> None:
    """P-15: the server fills in nothing."""
    text = "{visitor_name} {{7*7}} {% load %} ${x} {0.__class__}"
    save(principal_of(olga), "fee", text)
    [shown] = selectors.canned_replies([olga.pk])[olga.pk].replies
    assert shown.text == text


@pytest.mark.django_db
def test_the_longest_shortcut_fits_in_any_script(olga: Operator, principal_of: Principals) -> None:
    """A lower case letter may take more room than its capital."""
    save(principal_of(olga), "\u0130" * SHORTCUT_MAX)
    [shortcut] = shortcuts_of(olga)
    assert shortcut == "i\u0307" * SHORTCUT_MAX


@pytest.mark.django_db
def test_a_shortcut_that_grows_beyond_its_column_is_named(olga: Operator, principal_of: Principals) -> None:
    """P-23: some characters are three once they are composed; PostgreSQL would refuse what SQLite keeps."""
    with pytest.raises(BadField) as refused:
        save(principal_of(olga), "\U0001d160" * SHORTCUT_MAX)
    assert refused.value.field == "shortcut"
    assert shortcuts_of(olga) == []


@pytest.mark.django_db
def test_there_is_an_end_to_how_many_one_keeps_and_a_deleted_one_makes_room(
    olga: Operator, principal_of: Principals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D-2: every welcome holds them all."""
    monkeypatch.setattr(actions, "CANNED_MAX", 2)
    first = save(principal_of(olga), "one")
    save(principal_of(olga), "two")
    with pytest.raises(TooMany):
        save(principal_of(olga), "three")
    save(principal_of(olga), "uno", uid=first)
    actions.delete_canned_reply(principal=principal_of(olga), uid=first)
    save(principal_of(olga), "three")
    assert shortcuts_of(olga) == ["three", "two"]


@pytest.mark.django_db
def test_a_colleagues_reply_is_not_there_and_neither_is_one_for_who_lost_the_right(
    olga: Operator, sam: Operator, eve: Operator, principal_of: Principals
) -> None:
    """R-112, R-091."""
    uid = save(principal_of(olga), "fee")
    outdated = replace(principal_of(olga), rights_epoch=99)
    for who in (principal_of(sam), principal_of(eve), outdated):
        with pytest.raises(NotFound):
            save(who, "mine", "mine now", uid)
        with pytest.raises(NotFound):
            actions.delete_canned_reply(principal=who, uid=uid)
    with pytest.raises(NotFound):
        save(outdated, "new")
    assert (shortcuts_of(olga), shortcuts_of(sam), shortcuts_of(eve)) == (["fee"], [], [])
    assert CannedReply.objects.get().text == "Good morning"


@pytest.mark.django_db(transaction=True)
def test_of_two_consoles_that_save_the_same_shortcut_at_once_one_is_told(
    olga: Operator, principal_of: Principals
) -> None:
    """Design §7.5: the row of the member is the line they stand in."""
    who = principal_of(olga)

    def tries(number: int) -> str:
        try:
            return save(who, "fee", f"text {number}")
        except BadField as error:
            return str(error.field)

    results = at_once(*(partial(tries, number) for number in range(4)))
    assert results.count("shortcut") == 3
    assert shortcuts_of(olga) == ["fee"]


@pytest.mark.django_db(transaction=True)
async def test_a_new_console_knows_them_and_only_the_own_consoles_hear(olga: Operator, sam: Operator) -> None:
    """R-091, V-2."""
    async with console_of(olga) as here, console_of(olga) as there, console_of(sam) as sams:
        assert here.welcome["canned"] == []
        answer = await here.ask(type="save_canned_reply", shortcut="fee", text="canary: it is free")
        assert answer["type"] == "done"
        heard = await there.hear_type("canned_reply_saved")
        assert heard["reply"]["text"] == "canary: it is free"
        async with console_of(olga) as new:
            assert new.welcome["canned"] == [heard["reply"]]
        assert "canary" not in str(await sams.rest())
