"""Who was erased does not come back with yesterday's backup (B2-6)."""

from __future__ import annotations

from pathlib import Path

from tests.vault.copies import Installation

CANARY = "vera.canary@example.com"
SAY = f"""
from django.utils import timezone
from chats import actions
from accounts.models import Department, Site
from chats.models import Message
from tests.conftest import make_chat, visitor_on
site = Site.objects.order_by('pk').first()
department = Department.objects.filter(account_id=site.account_id).order_by('pk').first()
vera = visitor_on(site)
chat = make_chat(vera, department, state='closed')
print(Message.objects.filter(chat=chat).update(author='visitor', kind='text', text='{CANARY}'))
older = make_chat(vera, department, state='closed')
Message.objects.filter(chat=older).update(author='visitor', kind='text', text='{CANARY}', facts=None)
type(older).objects.filter(pk=older.pk).update(closed_at=timezone.now())
print(actions.archive_chat(older.pk))
"""
IN_ARCHIVE = """
from chats import archive
print([archive.opened(archive.store().get(each.name)) for each in archive.store().list()
       if each.name != archive.CLAIM])
"""
ERASE = """
from accounts import erasure
from privacy import tombstones
from chats.models import Chat
chat = Chat.objects.order_by('-pk').first()
person = erasure.Person(chat.account_id, visitor_ids=frozenset({chat.visitor_id}))
tombstones.write(person)
print(erasure.erase(person))
"""


def test_the_erased_are_erased_again_before_anybody_is_served(tmp_path: Path) -> None:
    """B2-6: yesterday's backup, an erasure, the machine is lost. Without the list of who was erased the
    restored database is served to nobody. What lay in the archive comes back and is erased again as well."""
    firm = Installation(tmp_path / "firm")
    new = Installation(tmp_path / "new", like=firm)
    try:
        firm.manage("migrate", "-v", "0")
        firm.manage("demo")
        firm.python(SAY)
        assert CANARY in firm.facts()["texts"]  # type: ignore[operator]
        assert "1 archived chats" in firm.manage("backup")
        assert CANARY in firm.python(IN_ARCHIVE)
        firm.python(ERASE)
        assert CANARY not in firm.python(IN_ARCHIVE)
        assert CANARY not in firm.facts()["texts"]  # type: ignore[operator]
        new.env["CHATLEAD_TOMBSTONES"] = f"file://{new.at}/tombstones"
        said = new.refused("restore", "--newest")  # the list stayed on the other machine
        assert "CHATLEAD_TOMBSTONES" in said and "restore --finish" in said
        assert new.facts()["shut"] and CANARY in new.facts()["texts"]  # type: ignore[operator]
        new.env["CHATLEAD_TOMBSTONES"] = f"file://{firm.at}/tombstones"
        assert CANARY in new.python(IN_ARCHIVE)  # the file is back, with the database that names it
        assert "people 1" in new.manage("restore", "--finish")
        assert CANARY not in new.python(IN_ARCHIVE)
        assert "1 of 1 sealed chats fit" in new.manage("verify_archive", "--take-over")
        facts = new.facts()
        assert CANARY not in facts["texts"] and not facts["shut"]  # type: ignore[operator]
        assert facts["epoch"] != firm.facts()["epoch"]
        assert "no restore to go on with" in new.refused("restore", "--finish", "--list-is-lost")
    finally:
        firm.drop()
        new.drop()
