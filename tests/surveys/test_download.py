"""The file of all answers, which may be long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext

from accounts.models import Operator, Site
from chats.models import Chat
from surveys import results
from surveys.models import Survey
from tests.conftest import visitor_on
from tests.surveys.conftest import answers

pytestmark = pytest.mark.django_db(transaction=True)

Talk = Callable[..., Chat]


def test_answers_are_read_a_few_at_a_time(survey: Survey, site: Site, owen: Operator, talk: Talk) -> None:
    """R-046: what is held is one batch, and its columns are known before the first; nothing is read before
    it is wanted."""
    for number in range(5):
        vera = visitor_on(site)
        answers(vera, talk(vera), text=f"Words {number}", age="25-34")
    found = results.in_period(owen, None, 30)
    with CaptureQueriesContext(connection) as asked:
        assert results.columns(found) == [("text", "What could be better?")]
    assert len(asked) == 1
    batches = results.batches(found, size=2)
    with CaptureQueriesContext(connection) as asked:
        first = next(batches)
    read = [each["sql"] for each in asked if 'FROM "surveys_response"' in each["sql"]]
    assert len(first) == 2 and len(read) == 1 and "LIMIT 2" in read[0]
    assert [len(each) for each in batches] == [2, 1]


async def test_owens_file_comes_whole_from_the_server_of_sockets(
    survey: Survey, site: Site, owen: Operator, talk: Talk, async_client: AsyncClient
) -> None:
    """R-046, R-090: in parts, the head before any row."""
    for number in range(3):
        vera = await sync_to_async(visitor_on)(site)
        chat = await sync_to_async(talk)(vera)
        await sync_to_async(answers)(vera, chat, score="4", text=f"Words {number}")
    await async_client.aforce_login(owen.user)
    answer: Any = await async_client.get("/account/surveys/results.csv?days=30")
    parts = [part.decode() async for part in answer.streaming_content]
    assert parts[0].startswith("\ufeffResponse,") and "Words" not in parts[0]
    rows = "".join(parts).splitlines()[1:]
    assert [row.rsplit(",", 1)[1] for row in rows] == ["Words 0", "Words 1", "Words 2"]
