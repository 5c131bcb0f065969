"""D-5: whoever opens connections and then dawdles holds up nobody, and is let go."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench import http
from bench.console import Console
from bench.visitor import Visitor
from tests.servers import Server

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

LONG = int(os.environ.get("CHATLEAD_FAULTS_SECONDS", "0"))
SLOW = 5000 if LONG else 400
AT_ONCE = 100
UPGRADE = (
    "GET /ws/v1/visitor HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
# nothing; half a head; a body that does not come; a socket without a hello; half a frame
KINDS = (
    "",
    "GET / HTTP/1.1\r\nHost: x",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nx",
    UPGRADE,
)
HALF_A_FRAME = UPGRADE + "\x01"


async def dawdle(host: str, port: int, kind: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which so much was said, and nothing more comes."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(kind.replace("{host}", f"{host}:{port}").encode("latin-1"))
    return reader, writer


async def let_go(reader: asyncio.StreamReader) -> bool:
    """Wait for the end of a connection."""
    with contextlib.suppress(ConnectionError):
        while await reader.read(65536):
            pass
    return True


async def begin(server: Server, site: str, name: str) -> float:
    """Seconds from the frame's first word to the chat's first row."""
    visitor = Visitor(server.url, site)
    began = time.monotonic()
    await visitor.open()
    await visitor.start_chat(name=name, text="Hello", department="Intake")
    seconds = time.monotonic() - began
    await visitor.close()
    return seconds


async def test_a_new_chat_starts_at_once_among_hundreds_of_slow_sockets(tmp_path: Path) -> None:
    """D-5: below a second, while they come and while they stay; after the patience each of them is gone."""
    patience = {f"CHATLEAD_{name}_SECONDS": "6" for name in ("HEAD", "BODY", "HELLO")}
    with Server(data_dir=tmp_path, options=["--migrate", "--demo"], env=patience) as server:
        site, password = http.site_key(server.url), (tmp_path / "demo_password").read_text().strip()
        console = Console(server.url, http.log_in(server.url, "olga@demo.test", password))
        await console.open()
        await console.set_availability(online=True)
        await begin(server, site, "the first")
        where = urlsplit(server.url)
        kinds = (*KINDS, HALF_A_FRAME)
        slots = asyncio.Semaphore(AT_ONCE)

        async def come(number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            async with slots:
                return await dawdle(str(where.hostname), int(where.port or 80), kinds[number % len(kinds)])

        coming = [asyncio.create_task(come(number)) for number in range(SLOW)]
        seconds = [await begin(server, site, f"while they come {number}") for number in range(3)]
        slow = await asyncio.gather(*coming)
        seconds += [await begin(server, site, f"while they stay {number}") for number in range(3)]
        print("slow:", SLOW, "chats begun in", [round(each, 3) for each in seconds])
        assert max(seconds) < 1.0
        async with asyncio.timeout(30):
            assert all(await asyncio.gather(*(let_go(reader) for reader, _ in slow)))
        for _, writer in slow:
            writer.close()
        await console.close()
