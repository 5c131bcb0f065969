"""Load on sockets, in a process of its own: `python -m bench.load` reads a Load as JSON and prints a Result.

Every chat has one socket that sends and some that only listen. Closed loop: the next message leaves when the
ack of the last one has come; with `rate` messages leave by the clock instead, and waiting counts.
"""

from __future__ import annotations

import asyncio
import gc
import secrets
import sys
import time

import msgspec
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench.machine import cpu_seconds, quantile

TEXT = "hello there, I have a question about order 12345"


class Socket(msgspec.Struct):
    """One connection: its address, its headers and the frame that it says first ("" = none)."""

    url: str
    headers: dict[str, str] = {}
    hello: str = ""


class ChatLoad(msgspec.Struct):
    """One chat: who sends, who listens, and its uid in the frames."""

    uid: str
    sender: Socket
    listeners: list[Socket]


class Load(msgspec.Struct):
    """`pid` is the server whose CPU time is read; `rate` 0 means a closed loop."""

    chats: list[ChatLoad]
    pid: int
    warm: float = 1.0
    seconds: float = 4.0
    rate: float = 0.0


class Result(msgspec.Struct):
    """Of the measured time only. Latencies in milliseconds, `delivered_*` from sending to a listener."""

    messages: int
    seconds: float
    cpu_us: float
    ack_p50_ms: float
    ack_p95_ms: float
    ack_p99_ms: float
    delivered_p50_ms: float
    delivered_p99_ms: float
    deliveries: int
    server_percent: float
    load_percent: float


class Run:
    """What all sockets share."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.recording = self.stopping = False
        self.acks: list[float] = []
        self.deliveries: list[float] = []
        self.sent_at: dict[bytes, float] = {}
        self.pacer: asyncio.Task[None] | None = None


class Listener(WSListener):
    """Counts what others have sent."""

    def __init__(self, run: Run, socket: Socket) -> None:
        self.run, self.socket = run, socket
        self.welcomed = asyncio.get_running_loop().create_future()
        if not socket.hello:
            self.welcomed.set_result(None)

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        if self.socket.hello:
            transport.send(WSMsgType.TEXT, self.socket.hello.encode())

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        now = time.perf_counter()
        if frame.msg_type == WSMsgType.CLOSE:
            print(f"closed with {frame.get_close_code()}", file=sys.stderr)
        if frame.msg_type != WSMsgType.TEXT:
            return
        payload: bytes = frame.get_payload_as_bytes()
        if not self.welcomed.done():
            if b"_welcome" in payload:
                self.welcomed.set_result(None)
            return
        self.heard(payload, now)

    def heard(self, payload: bytes, now: float) -> None:
        if b'"message_posted"' in payload and self.run.recording:
            started = self.run.sent_at.get(_ref(payload))
            if started is not None:
                self.run.deliveries.append(now - started)


class Sender(Listener):
    """Sends, waits for the ack, sends again."""

    def __init__(self, run: Run, chat: ChatLoad) -> None:
        super().__init__(run, chat.sender)
        self.head = f'{{"type":"send_message","chat":"{chat.uid}","ref":"'.encode()
        self.tail = f'","text":"{TEXT}"}}'.encode()

    def go(self, due: float = 0.0) -> None:
        ref = uuid7()
        self.run.sent_at[ref] = due or time.perf_counter()
        self.transport.send(WSMsgType.TEXT, self.head + ref + self.tail)

    def heard(self, payload: bytes, now: float) -> None:
        if b'"ack"' not in payload:
            if b'"failed"' in payload:
                print(payload.decode(), file=sys.stderr)
            return
        if self.run.recording:
            self.run.acks.append(now - self.run.sent_at[_ref(payload)])
        if not self.run.stopping and not self.run.load.rate:
            self.go()


def uuid7() -> bytes:
    value = f"{int(time.time() * 1000):012x}7{secrets.token_hex(9)}"
    return f"{value[:8]}-{value[8:12]}-{value[12:16]}-a{value[16:19]}-{value[19:31]}".encode()


def _ref(payload: bytes) -> bytes:
    start = payload.index(b'"', payload.index(b'"ref":') + 6) + 1
    return payload[start : start + 36]


async def measure(load: Load) -> Result:
    """Connect everything, warm up, measure."""
    run, slots = Run(load), asyncio.Semaphore(16)

    async def connect(listener: Listener) -> None:
        async with slots:
            headers = listener.socket.headers
            await ws_connect(lambda: listener, listener.socket.url, extra_headers=headers)
            await asyncio.wait_for(listener.welcomed, 20)

    senders = [Sender(run, chat) for chat in load.chats]
    listeners = [Listener(run, socket) for chat in load.chats for socket in chat.listeners]
    await asyncio.gather(*(connect(one) for one in [*listeners, *senders]))
    gc.collect()
    gc.disable()
    if load.rate:
        run.pacer = asyncio.create_task(_pace(run, senders))
    else:
        for sender in senders:
            sender.go()
    await asyncio.sleep(load.warm)
    own, server, started = time.process_time(), cpu_seconds(load.pid), time.perf_counter()
    run.recording = True
    await asyncio.sleep(load.seconds)
    run.recording, run.stopping = False, True
    seconds = time.perf_counter() - started
    used, mine = cpu_seconds(load.pid) - server, time.process_time() - own
    await asyncio.sleep(0.2)
    acks, deliveries = run.acks, run.deliveries
    return Result(
        messages=len(acks),
        seconds=round(seconds, 3),
        cpu_us=round(used / max(1, len(acks)) * 1e6, 1),
        ack_p50_ms=quantile(acks, 0.5),
        ack_p95_ms=quantile(acks, 0.95),
        ack_p99_ms=quantile(acks, 0.99),
        delivered_p50_ms=quantile(deliveries, 0.5),
        delivered_p99_ms=quantile(deliveries, 0.99),
        deliveries=len(deliveries),
        server_percent=round(used / seconds * 100, 1),
        load_percent=round(mine / seconds * 100, 1),
    )


async def _pace(run: Run, senders: list[Sender]) -> None:
    started, sent, rate = time.perf_counter(), 0, run.load.rate
    while not run.stopping:
        due = started + (sent + 1) / rate
        wait = due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        senders[sent % len(senders)].go(due)
        sent += 1


if __name__ == "__main__":
    spec = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    sys.stdout.write(msgspec.json.encode(uvloop.run(measure(spec))).decode())
