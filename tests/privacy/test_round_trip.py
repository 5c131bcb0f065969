"""A copy says all that there is: read back somewhere else, it makes the same copy again (B2-4)."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import Account
from chats.models import Chat
from privacy import exports
from privacy.importing import NotEmpty, NotReadable, read_back
from privacy.selectors import find
from tests.privacy.planting import CANARIES
from tests.privacy.test_nowhere import asked
from tests.vault.copies import Installation
from visitors.models import Visitor


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[Installation, Installation]]:
    """One where acme is, one to which it moves."""
    made = Installation(tmp_path / "firm")
    made.env["CHATLEAD_SMS_HASH_KEY"] = "of this test"
    new = Installation(tmp_path / "new", like=made)
    new.env["CHATLEAD_SMS_HASH_KEY"] = "of this test"
    yield made, new
    for each in (made, new):
        each.drop()


def test_the_copy_of_a_copy_is_the_same(servers: tuple[Installation, Installation], tmp_path: Path) -> None:
    """B2-4, R-175: chats of every state, archived ones, notes, surveys, texts with consents and requests come
    back byte by byte; nothing of the neighbour; nothing is sent to anybody because of it."""
    firm, new = servers
    file = str(tmp_path / "copy.zip")
    firm.manage("migrate", "-v", "0")
    before = asked(firm, f"plant(); say(copy_of('vera', {file!r}))")
    assert {name for name, count in before["counts"].items() if not count} == {"privacy_exports"}
    assert CANARIES["vera"][0] in before["data"] and CANARIES["nick"][0] not in before["data"]
    new.manage("migrate", "-v", "0")
    after = asked(new, f"say(comes_from({file!r}))")
    kinds = {name: json.loads(before["data"])["kinds"][name] for name in before["counts"]}
    assert json.loads(after["data"])["kinds"] == kinds
    assert after["data"] == before["data"]
    assert (after["to_do"], after["sent"]) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_only_an_empty_account_takes_a_copy(known_vera: Chat, rival: Account, tmp_path: Path) -> None:
    """B2-4: nothing is mixed, nothing is there twice, and what is no copy changes nothing."""
    file = tmp_path / "copy.zip"
    person = find(known_vera.account_id, email="vera@post.test")
    with exports.collect(person, with_internal=True) as found, file.open("wb") as out:
        exports.write_zip(found, out, firm="Acme Law", made_at="today")
    with pytest.raises(NotEmpty, match="visitors of its own"):
        read_back(known_vera.account, file)
    with pytest.raises(NotEmpty, match="already"):
        read_back(rival, file)
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("data.json", '{"schema":"chatlead-export-1","kinds":{}}')
    for wrong in (other, tmp_path / "nothing.zip", Path(__file__)):
        with pytest.raises(NotReadable):
            read_back(rival, wrong)
    assert not Visitor.objects.filter(account=rival).exists()
