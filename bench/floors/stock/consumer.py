"""What a tutorial arrives at, written with care: numbered, idempotent, committed before the ack."""

from __future__ import annotations

import uuid
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.db import connection, transaction

from bench.floors.stock.models import Chat, Message

CHATS = 200


def make_tables() -> None:
    with connection.schema_editor() as editor:
        editor.create_model(Chat)
        editor.create_model(Message)
    Chat.objects.bulk_create(Chat(pk=number) for number in range(1, CHATS + 1))
    connection.close()


@database_sync_to_async
def store(chat_id: int, ref: uuid.UUID, text: str) -> int:
    with transaction.atomic():
        chat = Chat.objects.select_for_update().get(pk=chat_id)
        known = Message.objects.filter(chat_id=chat_id, ref=ref).first()
        if known is not None:
            return known.seq
        chat.last_seq += 1
        Message.objects.create(chat=chat, seq=chat.last_seq, ref=ref, author="visitor", body=text)
        chat.save(update_fields=["last_seq", "last_at"])
        return chat.last_seq


class ChatConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self) -> None:
        self.chat = self.scope["url_route"]["kwargs"]["chat"]
        self.group = f"chat_{self.chat}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        ref, text = uuid.UUID(content["ref"]), content["text"]
        if not isinstance(text, str) or len(text) > 4000:
            return
        seq = await store(self.chat, ref, text)
        row = {"chat": self.chat, "seq": seq, "ref": str(ref), "author": "visitor", "text": text}
        await self.channel_layer.group_send(
            self.group, {"type": "chat.message", "row": row, "origin": self.channel_name}
        )
        await self.send_json({"type": "ack", "ref": str(ref), "chat": self.chat, "seq": seq})

    async def chat_message(self, event: dict[str, Any]) -> None:
        if event["origin"] != self.channel_name:
            await self.send_json({"type": "message_posted", **event["row"]})
