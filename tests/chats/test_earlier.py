"""What a visitor talked about before, listed beside the conversation for whoever may read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Department, Operator
from chatlead.errors import NotFound
from chats import actions, history
from chats.history import EARLIER_PAGE, WORDS_SHOWN, earlier_chats
from chats.models import Chat
from tests.chats.ended import talk
from tests.conftest import make_chat
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def here(vera: VisitorPrincipal, intake: Department, olga: Operator, principal_of: Any) -> Any:
    """Vera talks with olga now; call it when there are earlier chats."""

    def begins() -> Chat:
        chat = make_chat(vera, intake)
        actions.accept_chat(principal=principal_of(olga), uid=chat.uid)
        return chat

    return begins


def test_olga_sees_her_own_earlier_chats_with_vera_in_the_archive_too(
    folder: Path, vera: VisitorPrincipal, intake: Department, olga: Operator, here: Any, principal_of: Any
) -> None:
    """R-036, R-118: the latest first, each with the day, the department, who answered and the first words."""
    me = principal_of(olga)
    old = talk(vera, intake, me, "I slipped", "We can help", hours=1000)
    actions.archive_chat(old.chat.pk)
    new = talk(vera, intake, me, "  It is\nme " + "again " * 40, "Hello again", hours=5)
    found = earlier_chats(me, uid=here().uid)
    assert [each.uid for each in found.chats] == [new.chat.uid, old.chat.uid]
    latest, archived = found.chats
    assert latest.words.startswith("It is me again") and len(latest.words) <= WORDS_SHOWN + 1
    assert latest.words.endswith("…")
    assert (latest.department, latest.operator_name) == ("Intake", "Olga")
    assert (latest.archived, archived.archived, archived.words) == (False, True, "")
    assert not any(each.erased or each.message for each in found.chats)
    assert (found.more, found.hidden) == (False, 0)


def test_what_others_answered_is_counted_and_not_shown(
    vera: VisitorPrincipal, intake: Department, billing: Department, olga: Operator, sam: Operator,
    nina: Operator, eve: Operator, here: Any, principal_of: Any,
) -> None:  # fmt: skip
    """R-112: as on the account's pages; eve and sam do not even learn that there is such a chat."""
    sams = talk(vera, billing, principal_of(sam), "A bill", "It is paid", hours=9)
    hers = talk(vera, intake, principal_of(olga), "A crash", "Where?", hours=8)
    now = here()
    found = earlier_chats(principal_of(olga), uid=now.uid)
    assert ([each.uid for each in found.chats], found.hidden) == ([hers.chat.uid], 1)
    supervisor = earlier_chats(principal_of(nina), uid=now.uid)
    assert hers.chat.uid in [each.uid for each in supervisor.chats]
    assert len(supervisor.chats) + supervisor.hidden == 2
    for stranger in (sam, eve):
        with pytest.raises(NotFound):
            earlier_chats(principal_of(stranger), uid=now.uid)
    assert earlier_chats(principal_of(sam), uid=sams.chat.uid).chats == []


def test_an_erased_chat_is_listed_as_erased(
    folder: Path, vera: VisitorPrincipal, intake: Department, olga: Operator, here: Any, principal_of: Any
) -> None:
    """R-071, R-151: that it was stays, what was said does not; nor does a form alone."""
    me = principal_of(olga)
    talk(vera, intake, me, hours=7)
    talk(vera, intake, me, "I slipped", "We can help", hours=6)
    now = here()
    assert [each.erased for each in earlier_chats(me, uid=now.uid).chats] == [False, False]
    actions.erase_chats(account_id=vera.account_id, visitor_ids=[now.visitor_id])
    found = earlier_chats(me, uid=now.uid).chats
    assert [(each.erased, each.words) for each in found] == [(True, "")] * 2


def test_it_comes_page_by_page_in_a_few_questions(
    vera: VisitorPrincipal, intake: Department, olga: Operator, here: Any, principal_of: Any,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    """Issue 4 D: none twice, none left out; and none that came later than the chat at hand."""
    me = principal_of(olga)
    talked = [talk(vera, intake, me, f"{n}", "Yes", hours=50 - n).chat.uid for n in range(EARLIER_PAGE + 2)]
    now = here()
    with django_assert_max_num_queries(4):
        first = earlier_chats(me, uid=now.uid)
    assert first.more and len(first.chats) == EARLIER_PAGE
    rest = earlier_chats(me, uid=now.uid, older_than=first.chats[-1].uid)
    assert [each.uid for each in first.chats + rest.chats] == talked[::-1]
    assert not rest.more
    assert earlier_chats(me, uid=talked[0]).chats == []
    assert history.earlier_chats(me, uid=now.uid, older_than="nobodys-chat-at-all-00").chats == []
