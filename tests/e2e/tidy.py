"""Ends what earlier tests have left open, through the product's own doors, so that a test may count."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading

from bench import http
from bench.console import Console
from bench.link import Refused
from tests.e2e.people import PASSWORD
from tests.servers import Server

# Whoever has an open chat; of those who wait nina, a supervisor, sees every one.
HOLDERS = """SELECT DISTINCT CASE chat.state WHEN 'active' THEN user.email ELSE 'nina@demo.test' END
FROM chats_chat chat LEFT JOIN accounts_operator operator ON operator.id = chat.operator_id
LEFT JOIN accounts_user user ON user.id = operator.user_id WHERE chat.state IN ('waiting', 'active')"""
ROUNDS = 5  # a chat may go on to a colleague in between


class Tidy:
    """Ends the chats of the demo firm, whose server may have been left dead. Logs each operator in once."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._cookies: dict[str, str] = {}

    def end_all_chats(self) -> None:
        self.server.start()
        for _ in range(ROUNDS):
            if not (holders := self._holders()):
                return
            self._in_a_thread(holders)
        raise AssertionError(f"the chats of {self._holders()} could not be ended")

    def _holders(self) -> list[str]:
        file = self.server.data_dir / "db.sqlite3"
        with contextlib.closing(sqlite3.connect(file, timeout=20)) as database:
            return [email for (email,) in database.execute(HOLDERS)]

    def _in_a_thread(self, emails: list[str]) -> None:
        """The one that runs the browsers has a loop already."""
        failed: list[BaseException] = []

        def work() -> None:
            try:
                asyncio.run(self._end(emails))
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(60)
        assert not thread.is_alive(), "the chats of earlier tests could not be ended"
        if failed:
            raise failed[0]

    async def _end(self, emails: list[str]) -> None:
        for email in emails:
            if email not in self._cookies:
                self._cookies[email] = await asyncio.to_thread(http.log_in, self.server.url, email, PASSWORD)
            console = Console(self.server.url, self._cookies[email])
            await console.open()
            try:
                for uid in list(console.chats):
                    try:
                        await console.end_chat(uid)
                    except Refused as refused:
                        if refused.code != "not_found":  # a colleague has it by now
                            raise
            finally:
                await console.close()
