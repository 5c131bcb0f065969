"""The archive in a real S3 server on loopback, which checks signatures and rights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import Department, Operator
from chats import actions, archive, emptying, sealing
from chats.models import ArchivedChat, KeepingRun, Message, RetentionLimit
from tests.chats.ended import talk
from tests.s3_server import S3Server
from visitors.sessions import VisitorPrincipal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


def test_a_chat_goes_into_the_bucket_and_is_read_erased_and_proved_there(
    s3: S3Server,
    vera: VisitorPrincipal,
    intake: Department,
    olga: Operator,
    principal_of: Any,
    settings: Settings,
    tmp_path: Path,
) -> None:
    """R-118: one file each in any S3-compatible store. With a wrong key the run says so and the chat stays in
    the database; with the right one the next run finishes."""
    settings.ARCHIVE_STORE = s3.url("chats")
    settings.ARCHIVE_IDENTITY_FILE = tmp_path / "identity"
    settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY = s3.keys.access, "not the secret"
    ended = talk(vera, intake, principal_of(olga), "I slipped", "We can help", hours=40 * 24)
    RetentionLimit.objects.create(account=ended.chat.account, site=ended.chat.site, days=30)

    assert actions.archive_due() == 0
    assert KeepingRun.objects.order_by("-id")[0].faults == [["", "store"]]
    assert Message.objects.filter(chat=ended.chat).count() == 5

    settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY = s3.keys
    assert actions.archive_due() == 1
    chat = ended.again()
    [stored] = archive.store().list(ended.chat.account.subscriber_id)
    assert stored.name == ArchivedChat.objects.get(chat=chat).name
    assert b"I slipped" not in archive.store().get(stored.name)
    assert [row.text for row in archive.contents(chat).messages][2:4] == ["I slipped", "We can help"]
    assert sealing.verify_chain(chat) == []

    assert emptying.erase(chat)
    [rewritten] = archive.store().list(ended.chat.account.subscriber_id)
    assert rewritten.name != stored.name and sealing.verify_chain(ended.again()) == []
    assert [row.text for row in archive.contents(ended.again()).messages][2:4] == ["", ""]
