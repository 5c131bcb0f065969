"""Ends what earlier tests have left open, through the product's own doors, so that a test may count."""

from __future__ import annotations

import asyncio
import threading

from bench import http
from bench.console import Console
from bench.link import Refused
from tests.e2e.people import PASSWORD

PEOPLE = ("olga", "sam", "nina")  # all who have chats of the demo firm; nina sees every waiting one


class Tidy:
    """Ends the chats of the demo firm. Logs each operator in once."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._cookies: dict[str, str] = {}

    def end_all_chats(self) -> None:
        """In a thread: the one that runs the browsers has a loop already."""
        failed: list[BaseException] = []

        def work() -> None:
            try:
                asyncio.run(self._end_all())
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(60)
        assert not thread.is_alive(), "the chats of earlier tests could not be ended"
        if failed:
            raise failed[0]

    async def _end_all(self) -> None:
        for who in PEOPLE:
            if who not in self._cookies:
                email = f"{who}@demo.test"
                self._cookies[who] = await asyncio.to_thread(http.log_in, self.url, email, PASSWORD)
            console = Console(self.url, self._cookies[who])
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
