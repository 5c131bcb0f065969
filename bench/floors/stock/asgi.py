"""Makes the tables and serves the stock consumer: sockets of chat 7 are at /ws/7, 204 for everything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path


async def answer(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


django.setup()
consumer = import_module("bench.floors.stock.consumer")  # after setup(): it has models
consumer.make_tables()
sockets = URLRouter([path("ws/<int:chat>", consumer.ChatConsumer.as_asgi())])
app = ProtocolTypeRouter({"http": answer, "websocket": sockets})
