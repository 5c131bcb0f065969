"""A proxy that knows names of ours and nothing else, for browsers that cannot be told where a name leads."""

from __future__ import annotations

import contextlib
import socket
import threading
from socketserver import StreamRequestHandler, ThreadingTCPServer
from types import TracebackType
from typing import Self


class Tunnel:
    """For the length of a `with`: `CONNECT name:443` leads to the port of that name on this machine."""

    def __init__(self, routes: dict[str, int]) -> None:
        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                first = self.rfile.readline().decode("latin-1").split()
                while self.rfile.readline().strip():
                    pass
                port = routes.get(first[1].partition(":")[0]) if len(first) == 3 else None
                if port is None or first[0] != "CONNECT":
                    self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                    return
                with socket.create_connection(("127.0.0.1", port)) as there:
                    self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    back = threading.Thread(target=_pump, args=(there, self.connection), daemon=True)
                    back.start()
                    _pump(self.connection, there)
                    back.join()

        class Listener(ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: object, client_address: object) -> None:
                """A browser that leaves, a server that is down: theirs to notice."""

        self._server = Listener(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65_536):
            sink.sendall(piece)
    # whoever is at the other end hears of it, in both directions: half of a line is of no use to anybody
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
