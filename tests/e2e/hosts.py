"""Websites of customers, for the browser tests: pages with our snippet under whatever policy a host page has.

They are served on `localhost`, which is another site than the 127.0.0.1 of the server under test, so that
the chat is a third party in them as it is in life.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import NamedTuple, Self

# a policy that forbids all it can; `url` is the server's, and `nonce="n"` is on what of the page may run
STRICT = (
    "default-src 'none'; script-src 'nonce-n'; style-src 'nonce-n'; img-src data:; base-uri 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'; frame-src {url}; connect-src {url}"
)


class HostPage(NamedTuple):
    """A document and the headers that it comes with."""

    html: str
    headers: dict[str, str] = {}


class Host:
    """A website on a port of its own, for the length of a `with`. The demo's site lists no 127.0.0.2."""

    def __init__(self, ip: str = "127.0.0.1") -> None:
        self.pages: dict[str, HostPage] = {}
        pages = self.pages

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = pages.get(self.path.partition("?")[0])
                if page is None:
                    self.send_error(404)
                    return
                body = page.html.encode()
                self.send_response(200)
                for name, value in {"Content-Type": "text/html; charset=utf-8", **page.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer((ip, 0), Handler)
        self.port = self._server.server_address[1]

    def address(self, path: str, name: str = "localhost") -> str:
        return f"http://{name}:{self.port}{path}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
