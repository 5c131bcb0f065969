"""A TLS-terminating proxy in front of the real server and of a customer's website, each under its own name.

Two ports of 127.0.0.1 are one site and prove nothing about third parties, so a browser is told to find
`chat.example` and `www.shop.test` here. The line can be made slow or dead, as a phone's is.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ssl
import tempfile
import threading
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CHUNK = 65_536


class Front:
    """For the length of a `with`; `routes` are host names and the ports behind them.

    `flags` are for a browser: our names lead here, and a certificate that nobody knows is good enough.
    `delay` is how long every piece takes in each direction, in seconds. `hold()` lets nothing through in
    either direction, though connections are taken, until `release()`; `cut()` ends all there are. With
    `sockets` off it knows plain requests only, as an old proxy does; with `tls` off it is plain http.
    """

    def __init__(self, routes: dict[str, int], *, tls: bool = True, sockets: bool = True) -> None:
        self.routes = routes
        self.tls = tls
        self.sockets = sockets
        self.delay = 0.0
        self._loop = asyncio.new_event_loop()
        self._passes = asyncio.Event()
        self._passes.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def flags(self) -> list[str]:
        rules = ", ".join(f"MAP {name}:443 127.0.0.1:{self.port}" for name in self.routes)
        return [f"--host-resolver-rules={rules}", "--ignore-certificate-errors"]

    def hold(self) -> None:
        """A dead line that nobody is told of."""
        self._loop.call_soon_threadsafe(self._passes.clear)

    def release(self) -> None:
        """It comes back, with all that was under way."""
        self._loop.call_soon_threadsafe(self._passes.set)

    def cut(self) -> None:
        """All connections end at once, as when a phone changes its network."""
        self._loop.call_soon_threadsafe(self._cancel)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._wait(self._listen())
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wait(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _listen(self) -> asyncio.Server:
        secret = _context(list(self.routes)) if self.tls else None
        return await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=secret)

    async def _close(self) -> None:
        self._server.close()
        self._cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # a browser that leaves, a server that is down, a line that was cut
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, or one socket: what is kept alive would hide the next request's head from us."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        await self._passes.wait()
        await asyncio.sleep(self.delay)
        first, *lines = head.rstrip("\r\n").split("\r\n")
        fields = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        named = {name.lower(): value for name, value in fields}
        port = self.routes[named["host"].partition(":")[0]]
        upgrade = "upgrade" in named
        if upgrade and not self.sockets:
            writer.write(b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            writer.close()
            return
        kept = [(name, value) for name, value in fields if upgrade or name.lower() != "connection"]
        kept += [("X-Forwarded-Proto", "https" if self.tls else "http"), ("X-Forwarded-For", "203.0.113.9")]
        kept += [] if upgrade else [("Connection", "close")]
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            up_writer.write("\r\n".join([first, *(f"{n}: {v}" for n, v in kept), "", ""]).encode("latin-1"))
            there = asyncio.create_task(self._pipe(reader, up_writer))
            back = asyncio.create_task(self._pipe(up_reader, writer))
            try:
                await asyncio.wait([there, back] if upgrade else [back], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in (there, back):
                    each.cancel()
                await asyncio.gather(there, back, return_exceptions=True)
            with contextlib.suppress(OSError, ssl.SSLError):
                writer.close()
                await asyncio.wait_for(writer.wait_closed(), 5)
        finally:
            up_writer.close()

    async def _pipe(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Every piece arrives `delay` later, however many are under way."""
        due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                moment, piece = await due.get()
                await asyncio.sleep(max(0.0, moment - self._loop.time()))
                await self._passes.wait()
                if not piece:
                    return
                sink.write(piece)
                await sink.drain()

        delivery = asyncio.create_task(deliver())
        try:
            while piece := await source.read(CHUNK):
                due.put_nowait((self._loop.time() + self.delay, piece))
            due.put_nowait((self._loop.time() + self.delay, b""))
            await delivery
        finally:
            delivery.cancel()


def certificate(names: list[str]) -> tuple[bytes, bytes]:
    """A throw-away one, good for two days, that vouches for itself; and its key. Both as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=2))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), secret


def _context(names: list[str]) -> ssl.SSLContext:
    public, secret = certificate(names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "front.pem"
        file.touch(mode=0o600)
        file.write_bytes(secret + public)
        context.load_cert_chain(file)
    return context
