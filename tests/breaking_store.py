"""A proxy on loopback before the S3 server of the tests, which breaks what goes through it when told to."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Literal

from tests.s3_server import BUCKET, S3Server

# error: 500 to each; refusing to finish: cut, the line goes in the middle of the body; short: half of it as
# if it were all; lost: the request never arrives whole; hang: no answer at all; slow: byte after byte
How = Literal["", "error", "cut", "short", "lost", "hang", "slow"]
ERROR = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class BreakingStore(contextlib.AbstractContextManager["BreakingStore"]):
    """`with BreakingStore(s3) as store:`; `store.url("prefix")` is for `open_store`. Nothing is broken until
    `breaks(…)`, and no more after `mends()`. `broken` counts the requests that were."""

    def __init__(self, s3: S3Server) -> None:
        self.broken = 0
        self._s3 = s3
        self._how: How = ""
        self._method = self._name = ""
        self._left = 0
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def url(self, prefix: str) -> str:
        port = self._listener.getsockname()[1]
        return f"s3://{BUCKET}/{prefix}?endpoint=http://127.0.0.1:{port}&region=us-east-1"

    def breaks(self, how: How, method: str, name: str = "", times: int = 1_000_000) -> None:
        """From now on so many requests of this method, to what has this in its name."""
        self._how, self._method, self._name, self._left = how, method, name, times

    def mends(self) -> None:
        self._left = 0

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._carry, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _carry(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if (asked := _read_request(client)) is None:
                return
            head, body = asked
            how = self._how_for(head)
            if how == "error":
                client.sendall(ERROR)
            elif how == "hang":
                self._ended.wait(60)
            elif how == "lost":
                self._ask(head, body[: len(body) // 2])
            else:
                self._answer(client, self._ask(head, body), how)

    def _how_for(self, head: bytes) -> How:
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        if not self._left or method != self._method or self._name not in path:
            return ""
        self._left -= 1
        self.broken += 1
        return self._how

    def _ask(self, head: bytes, body: bytes) -> bytes:
        """What the real one answers; "" where it never had all of the request."""
        line, _, rest = head.partition(b"\r\n")
        with socket.create_connection(("127.0.0.1", self._s3.port)) as server:
            server.sendall(line + b"\r\nConnection: close\r\n" + rest + body)
            server.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := server.recv(65536):
                answer += chunk
            return answer

    def _answer(self, client: socket.socket, answer: bytes, how: How) -> None:
        head, _, body = answer.partition(b"\r\n\r\n")
        half = body[: len(body) // 2]
        if how == "short":
            lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
            head, body = b"\r\n".join([*lines, b"Content-Length: %d" % len(half)]), half
        elif how == "cut":
            body = half
        whole = head + b"\r\n\r\n" + body
        if how != "slow":
            client.sendall(whole)
            return
        for start in range(0, len(whole), 64):
            client.sendall(whole[start : start + 64])
            self._ended.wait(0.01)


def _read_request(client: socket.socket) -> tuple[bytes, bytes] | None:
    """Its head with the blank line, and its body; None where nobody asks."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (chunk := client.recv(65536)):
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    lines = {name.lower(): value for name, _, value in (line.partition(b":") for line in head.split(b"\r\n"))}
    size = int(lines.get(b"content-length", b"0"))
    if lines.get(b"expect"):
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    while len(body) < size:
        if not (chunk := client.recv(65536)):
            return None
        body += chunk
    kept = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"connection:", b"expect:"))]
    return b"\r\n".join(kept) + b"\r\n\r\n", body
