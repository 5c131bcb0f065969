"""The least that a durable message costs: bare ASGI, a writer thread, a hub. No Django, rights or limits.

A frame comes in and is decoded; the writer thread commits whatever has arrived since its last commit; then
the sender gets the ack and the other sockets of the chat the event. Sockets of chat 7 are at /ws/7.

CHATLEAD_FLOOR is sqlite:///FILE or postgresql://…, CHATLEAD_FLOOR_REDIS redis://… or nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
import time
import types
import urllib.parse
import uuid
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Protocol

import hiredis
import msgspec
import psycopg

Send = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]
Item = tuple[int, uuid.UUID, str]  # chat, ref, text
CHATS = 20_000


class Incoming(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    chat: str
    ref: uuid.UUID
    text: str


class Posted(msgspec.Struct):
    type: str
    chat: int
    seq: int
    at: int
    ref: uuid.UUID
    author: str
    text: str


decode = msgspec.json.Decoder(Incoming).decode
encode = msgspec.json.Encoder().encode


# --- the two writers: each numbers and stores a batch and returns the seqs in its order ---------------------

SQLITE_SCHEMA = """
CREATE TABLE chat(id INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL DEFAULT 0, last_at TEXT);
CREATE TABLE message(id INTEGER PRIMARY KEY, chat_id INTEGER NOT NULL, seq INTEGER NOT NULL,
    ref TEXT NOT NULL, author TEXT NOT NULL, body TEXT NOT NULL, at TEXT NOT NULL,
    UNIQUE(chat_id, seq), UNIQUE(chat_id, ref));
"""
SQLITE_INSERT = """INSERT INTO message(chat_id, seq, ref, author, body, at)
SELECT id, last_seq + 1, ?, 'v', ?, ? FROM chat WHERE id = ? ON CONFLICT DO NOTHING RETURNING seq"""
SQLITE_UPDATE = "UPDATE chat SET last_seq = ?, last_at = ? WHERE id = ?"

POSTGRES_SCHEMA = """
CREATE TABLE chat(id bigserial PRIMARY KEY, last_seq bigint NOT NULL DEFAULT 0, last_at timestamptz)
    WITH (fillfactor = 70);
CREATE TABLE message(id bigserial PRIMARY KEY, chat_id bigint NOT NULL REFERENCES chat(id),
    seq bigint NOT NULL, ref uuid NOT NULL, author text NOT NULL, body text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    UNIQUE(chat_id, seq), UNIQUE(chat_id, ref));
"""
# rows are looked up by index, whatever the statistics of a young table say
POSTGRES_SESSION = "SET jit = off; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off"
POSTGRES_ONE = """WITH c AS (UPDATE chat SET last_seq = last_seq + 1, last_at = now() WHERE id = %s
    RETURNING id, last_seq)
INSERT INTO message(chat_id, seq, ref, author, body) SELECT c.id, c.last_seq, %s, 'v', %s FROM c
RETURNING seq"""
POSTGRES_LOCK = "SELECT id FROM chat WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE"
POSTGRES_BATCH = """WITH inp AS MATERIALIZED (
    SELECT t.* FROM unnest(%s::bigint[], %s::uuid[], %s::text[]) WITH ORDINALITY AS t(chat_id, ref, body, ord)
    WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.chat_id = t.chat_id AND m.ref = t.ref)),
up AS (UPDATE chat SET last_seq = chat.last_seq + c.n, last_at = now()
    FROM (SELECT chat_id, count(*) n FROM inp GROUP BY 1) c WHERE chat.id = c.chat_id
    RETURNING chat.id, chat.last_seq - c.n AS base)
INSERT INTO message(chat_id, seq, ref, author, body)
SELECT i.chat_id, up.base + row_number() OVER (PARTITION BY i.chat_id ORDER BY i.ord), i.ref, 'v', i.body
FROM inp i JOIN up ON up.id = i.chat_id RETURNING chat_id, ref, seq"""


class Writer(Protocol):
    def commit(self, items: list[Item]) -> list[int]: ...


class SqliteWriter:
    def __init__(self, file: str) -> None:
        self._db = sqlite3.connect(file, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(SQLITE_SCHEMA)
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO chat(id) VALUES (?)", ((n,) for n in range(1, CHATS + 1)))
        self._db.execute("COMMIT")

    def commit(self, items: list[Item]) -> list[int]:
        run, now = self._db.execute, time.strftime("%Y-%m-%d %H:%M:%S")
        seqs = []
        run("BEGIN IMMEDIATE")
        for chat, ref, text in items:
            ((seq,),) = run(SQLITE_INSERT, (ref.hex, text, now, chat)).fetchall()
            run(SQLITE_UPDATE, (seq, now, chat))
            seqs.append(seq)
        run("COMMIT")
        return seqs


class PostgresWriter:
    def __init__(self, url: str) -> None:
        self._db = psycopg.connect(url, autocommit=True)
        self._db.execute(POSTGRES_SESSION)
        self._db.execute(POSTGRES_SCHEMA)
        self._db.execute("INSERT INTO chat SELECT FROM generate_series(1, %s)", (CHATS,))

    def commit(self, items: list[Item]) -> list[int]:
        db = self._db
        if len(items) == 1:
            row = db.execute(POSTGRES_ONE, items[0], prepare=True).fetchone()
            assert row is not None
            return [row[0]]
        chats = [item[0] for item in items]
        columns = (chats, [item[1] for item in items], [item[2] for item in items])
        with db.pipeline(), db.transaction():
            db.execute(POSTGRES_LOCK, (chats,), prepare=True)
            cursor = db.execute(POSTGRES_BATCH, columns, prepare=True)
        seqs = {(chat, ref): seq for chat, ref, seq in cursor.fetchall()}
        return [seqs[item[0], item[1]] for item in items]


class Batcher:
    """While one commit runs, arrivals queue; the next commit takes them all."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._queue: list[tuple[Item, Callable[[Item, int], None]]] = []
        self._bell, self.ready = threading.Event(), threading.Event()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, daemon=True).start()

    def submit(self, item: Item, done: Callable[[Item, int], None]) -> None:
        self._queue.append((item, done))
        self._bell.set()

    def _run(self) -> None:
        url = self._url
        sqlite = url.startswith("sqlite:///")
        writer: Writer = SqliteWriter(url.removeprefix("sqlite:///")) if sqlite else PostgresWriter(url)
        self.ready.set()
        while True:
            self._bell.wait()
            self._bell.clear()
            batch, self._queue = self._queue, []
            if batch:
                seqs = writer.commit([item for item, _ in batch])
                self._loop.call_soon_threadsafe(self._tell, batch, seqs)

    @staticmethod
    def _tell(batch: list[tuple[Item, Callable[[Item, int], None]]], seqs: list[int]) -> None:
        for (item, done), seq in zip(batch, seqs, strict=True):
            done(item, seq)


# --- sending ------------------------------------------------------------------------------------------------


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, None], future: Any) -> Generator[Any, Any, None]:
    with contextlib.suppress(StopIteration):
        while True:
            yield future
            future = coroutine.send(None)


_sending: set[asyncio.Future[None]] = set()


def send_now(send: Send, frame: dict[str, Any]) -> None:
    """Step the ASGI send once; only when it suspends a task takes over."""
    coroutine = send(frame)
    try:
        future = coroutine.send(None)
    except StopIteration:
        return
    except Exception:  # the socket is gone
        return

    async def rest() -> None:
        await _rest(coroutine, future)

    task = asyncio.ensure_future(rest())
    _sending.add(task)
    task.add_done_callback(_sending.discard)


class Ear(asyncio.Protocol):
    """Hears the echo of what this process published; another process would deliver it."""

    def __init__(self) -> None:
        self._reader = hiredis.Reader()

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while self._reader.gets() is not False:
            pass


def command(*words: bytes) -> bytes:
    packed: bytes = hiredis.pack_command(words)  # type: ignore[arg-type]  # its stub knows tuples of one
    return packed


class Redis:
    """One connection that publishes, the writes of a loop turn together, and one that listens."""

    def __init__(self, out: asyncio.Transport, ear: asyncio.Transport, password: bytes) -> None:
        self._out, self._ear = out, ear
        self._loop = asyncio.get_running_loop()
        self._pending: list[bytes] = []
        if password:
            out.write(command(b"AUTH", password))
            ear.write(command(b"AUTH", password))

    @classmethod
    async def connect(cls, url: str) -> Redis:
        address, loop = urllib.parse.urlsplit(url), asyncio.get_running_loop()
        host, port = address.hostname or "127.0.0.1", address.port or 6379
        out, _ = await loop.create_connection(asyncio.Protocol, host, port)
        ear, _ = await loop.create_connection(Ear, host, port)
        return cls(out, ear, (address.password or "").encode())

    def subscribe(self, channel: bytes) -> None:
        self._ear.write(command(b"SUBSCRIBE", channel))

    def publish(self, channel: bytes, payload: bytes) -> None:
        if not self._pending:
            self._loop.call_soon(self._flush)
        self._pending.append(command(b"PUBLISH", channel, payload))

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        self._out.write(b"".join(pending))


class State:
    """Of the one process."""

    batcher: Batcher
    redis: Redis | None = None
    members: dict[int, list[Send]] = {}


async def _start() -> None:
    State.batcher = Batcher(os.environ["CHATLEAD_FLOOR"])
    State.batcher.ready.wait(20)  # before the first socket, nothing else runs on the loop yet
    if url := os.environ.get("CHATLEAD_FLOOR_REDIS"):
        State.redis = await Redis.connect(url)


async def _socket(chat: int, receive: Callable[[], Any], send: Send) -> None:
    await receive()
    members = State.members.setdefault(chat, [])
    if not members and State.redis is not None:
        State.redis.subscribe(b"c%d" % chat)
    members.append(send)
    await send({"type": "websocket.accept"})

    def done(item: Item, seq: int) -> None:
        now = time.time_ns() // 1_000_000
        payload = encode(Posted("message_posted", chat, seq, now, item[1], "visitor", item[2]))
        event = {"type": "websocket.send", "text": payload.decode()}
        for member in members:
            if member is not send:
                send_now(member, event)
        if State.redis is not None:
            State.redis.publish(b"c%d" % chat, payload)
        ack = f'{{"type":"ack","ref":"{item[1]}","chat":{chat},"seq":{seq},"at":{now}}}'
        send_now(send, {"type": "websocket.send", "text": ack})

    try:
        while (message := await receive())["type"] != "websocket.disconnect":
            frame = decode(message["text"])
            State.batcher.submit((chat, frame.ref, frame.text), done)
    finally:
        members.remove(send)


async def app(scope: dict[str, Any], receive: Callable[[], Any], send: Send) -> None:
    """ASGI: sockets at /ws/N, 204 for everything else."""
    if scope["type"] == "websocket":
        await _socket(int(scope["path"].rsplit("/", 1)[1]), receive, send)
    elif scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await _start()
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
    else:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
