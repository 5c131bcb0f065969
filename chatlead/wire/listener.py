"""Newcomers come in a few at a time, so that those who are inside have their turns in between (V-9)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from chatlead.wire.door import entrance

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

logger = logging.getLogger(__name__)

A_TURN = 8  # connections taken in one turn of the loop; each is some tenths of a millisecond until its hello
REST_SECONDS = 0.5  # after an `accept` that failed, for want of file descriptors


class Listener:
    """Takes connections from a bound socket and gives each a protocol, as an asyncio server does.

    That one takes all who have come in one turn. Of ten thousand who come at once each turn then lasts for
    seconds, and a chat that goes on waits for as long; here the rest waits in the system's backlog meanwhile.
    """

    def __init__(self, listening: socket.socket, make: Callable[[], asyncio.Protocol], backlog: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket, self._make = listening, make
        self._begun: set[asyncio.Task[None]] = set()
        self._rest: asyncio.TimerHandle | None = None
        listening.setblocking(False)
        listening.listen(backlog)
        self._go_on()

    def close(self) -> None:
        """Take nobody any more. A second time changes nothing."""
        if self._rest is not None:
            self._rest.cancel()
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    async def wait_closed(self) -> None:
        """Until whoever was taken last has a protocol."""
        if self._begun:
            await asyncio.wait(self._begun)

    def _go_on(self) -> None:
        self._rest = None
        self._loop.add_reader(self._socket, self._take)

    def _take(self) -> None:
        if entrance.is_full():
            return  # the next turn asks again
        for _ in range(A_TURN):
            try:
                connection, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                logger.error("no connection can be taken for now: %s", error.strerror)
                self._loop.remove_reader(self._socket)
                self._rest = self._loop.call_later(REST_SECONDS, self._go_on)
                return
            task = self._loop.create_task(self._begin(connection))
            self._begun.add(task)
            task.add_done_callback(self._begun.discard)

    async def _begin(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        try:
            await self._loop.connect_accepted_socket(self._make, connection)
        except OSError:  # it is gone already
            connection.close()
