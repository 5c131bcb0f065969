"""`manage.py verify_archive` proves the seals of all chats, wherever they lie."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, Department, Operator, Site
from chats import actions
from chats.models import Message
from tests.chats.ended import Ended, talk
from tests.conftest import visitor_on

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def both(
    folder: Path, site: Site, intake: Department, olga: Operator, principal_of: Any
) -> tuple[Ended, Ended]:
    """A chat in the database and one in the archive, both sealed."""
    there, away = (talk(visitor_on(site), intake, principal_of(olga), "Hello", "Good day") for _ in range(2))
    actions.seal_ended()
    actions.archive_chat(away.chat.pk)
    return there, away


def verify(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_archive", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return str(error), err.getvalue()
    return out.getvalue(), err.getvalue()


def test_all_seals_fit(both: tuple[Ended, Ended], acme: Account, rival: Account) -> None:
    """R-111: in the database and in the archive; of one account or one chat where asked."""
    assert verify() == ("2 of 2 sealed chats fit their seals.\n", "")
    assert verify("--account", acme.subscriber_id)[0].startswith("2 of 2")
    assert verify("--account", rival.subscriber_id)[0].startswith("0 of 0")
    assert verify("--chat", both[1].chat.uid)[0].startswith("1 of 1")


def test_what_does_not_fit_is_named_and_ends_with_1(both: tuple[Ended, Ended], folder: Path) -> None:
    """R-111, V-12: a row changed by hand, a byte in a file; the words say nothing of what was said."""
    Message.objects.filter(chat=both[0].chat, seq=3).update(text="I jumped")
    [path] = [each for each in folder.rglob("*") if each.is_file()]
    path.write_bytes(path.read_bytes()[:-1])
    said, named = verify()
    assert said == "2 chats do not fit their seals."
    assert f"chat {both[0].chat.uid}: public row 3 is not what was sealed\n" in named
    assert f"chat {both[1].chat.uid}: the file in the archive is missing or is not" in named
    assert "jumped" not in named


def test_a_store_that_is_away_is_no_proof(both: tuple[Ended, Ended], folder: Path) -> None:
    """R-111: what could not be read was not verified."""
    folder.rename(folder.with_name("aside"))
    folder.write_text("no folder")
    assert verify()[0].startswith("The archive does not answer:")


def test_a_slip_in_an_argument_is_no_proof(both: tuple[Ended, Ended]) -> None:
    """R-111: nothing verified is no success."""
    assert verify("--account", "nobody")[0] == "There is no account nobody."
    assert verify("--chat", "nothing")[0] == "There is no chat nothing."
