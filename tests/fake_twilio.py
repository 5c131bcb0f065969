"""A provider of text messages on loopback, with keys of its own: takes texts by REST, answers with errors on
demand, and sends webhooks that it signs in both schemes, repeats, shuffles, delays or forges.

Signs by code of its own, so that a fault in ours is not its fault as well.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from django.test import Client
from django.utils import timezone

ACCOUNT = "AC" + "0" * 32
HOST = "testserver"


@dataclass
class FakeTwilio:
    """`sent` are the texts that were taken, as the provider keeps them. `failing` holds answers for the next
    calls: a status and an error code, "gone" (taken, but the line breaks before the answer), "cut" (the line
    breaks before anything was done). `while_asked` is called when the head of a request is there, before its
    body is read, `while_sending` while a text is being taken. `numbers` are those of the account; `others`
    are further accounts, by SID: token and numbers. While it `is_silent` it says 503 to whoever asks for
    numbers. `heard` is all that it was ever told about texts: the address asked, and the form."""

    url: str = ""
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    key_id: str = "key-1"
    shared_key: str = field(default_factory=lambda: secrets.token_hex(16))
    sent: list[dict[str, Any]] = field(default_factory=list)
    numbers: set[str] = field(default_factory=lambda: {"+18135550199", "+18135550122", "+18135550133"})
    others: dict[str, tuple[str, set[str]]] = field(default_factory=dict)
    is_silent: bool = False
    failing: list[Any] = field(default_factory=list)
    heard: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    while_asked: Callable[[], None] = lambda: None
    while_sending: Callable[[], None] = lambda: None
    calls: int = 0

    # --- what it takes ----------------------------------------------------------------------------------

    def take(self, form: dict[str, str]) -> dict[str, Any]:
        """POST Messages."""
        now = timezone.now()
        message = {
            "sid": "SM" + secrets.token_hex(16),
            "status": "queued",
            "body": form["Body"],
            "to": form["To"],
            "from": form.get("From"),
            "direction": "outbound-api",
            "date_created": format_datetime(now),
            "callback": form.get("StatusCallback", ""),
            "at": now,
        }
        self.sent.append(message)
        return message

    def bodies(self) -> list[str]:
        return [each["body"] for each in self.sent]

    # --- what it tells ----------------------------------------------------------------------------------

    def form(self, sender: str, body: str, **more: str) -> dict[str, str]:
        """An inbound text as it is told."""
        sid = "SM" + secrets.token_hex(16)
        known = {
            "ToCountry": "US", "ToState": "FL", "SmsMessageSid": sid, "NumMedia": "0", "ToCity": "",
            "FromZip": "33602", "SmsSid": sid, "FromState": "FL", "SmsStatus": "received", "FromCity":
            "TAMPA",
            "Body": body, "FromCountry": "US", "To": "+18135550199", "NumSegments": "1", "MessageSid": sid,
            "AccountSid": ACCOUNT, "From": sender, "ApiVersion": "2010-04-01",
        }  # fmt: skip
        return known | more

    def signature(self, url: str, form: dict[str, str] | list[tuple[str, str]], newer: bool = False) -> str:
        pairs = list(form.items()) if isinstance(form, dict) else form
        said = url
        for name in sorted({name for name, _ in pairs}):
            for value in sorted({value for other, value in pairs if other == name}):
                said += name + value
        key, algorithm = (self.shared_key, hashlib.sha256) if newer else (self.token, hashlib.sha1)
        return base64.b64encode(hmac.new(key.encode(), said.encode(), algorithm).digest()).decode()

    def headers(self, url: str, form: Any, newer: bool = False) -> dict[str, str]:
        found = {"X-Twilio-Signature": self.signature(url, form, newer)}
        if newer:
            found["X-Twilio-Webhooks-Signature-Settings"] = f"key={self.key_id},algorithm=HMAC_SHA256"
        return found

    def post(
        self,
        path: str,
        form: Any,
        *,
        newer: bool = False,
        headers: dict[str, str] | None = None,
        at: str = "",
    ) -> Any:
        """Tells the server of the test; `headers` in place of the right ones, `at` the address that is
        signed in place of the one that is asked."""
        url = at or f"http://{HOST}{path}"
        signed = self.headers(url, form, newer) if headers is None else headers
        return Client(raise_request_exception=False).post(
            path,
            urlencode(form),
            content_type="application/x-www-form-urlencoded",
            headers=signed,
        )

    def texts(self, server: str, path: str, sender: str, body: str) -> int:
        """Tells a server that runs by itself of an inbound text; the status of its answer."""
        form = self.form(sender, body)
        data = urlencode(form).encode()
        request = urllib.request.Request(server + path, data=data, headers=self.headers(server + path, form))
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)

    def reports(self, message: dict[str, Any], status: str, error: str = "", **more: str) -> Any:
        """A state of a text that it has taken."""
        form = {
            "MessageSid": message["sid"], "SmsSid": message["sid"], "MessageStatus": status,
            "SmsStatus": status, "AccountSid": ACCOUNT, "To": message["to"], "ApiVersion": "2010-04-01",
        }  # fmt: skip
        if error:
            form["ErrorCode"] = error
        return self.post(urlsplit(message["callback"]).path, form | more)


def _handler(fake: FakeTwilio) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Not onto the screen."""

        def _answer(self, status: int, what: dict[str, Any]) -> None:
            body = json.dumps(what, default=str).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _is_known(self) -> bool:
            sid = self.path.split("/")[3]
            token = fake.token if sid == ACCOUNT else fake.others.get(sid, ("", set()))[0]
            wanted = base64.b64encode(f"{sid}:{token}".encode()).decode()
            if token and self.headers.get("Authorization") == f"Basic {wanted}":
                return True
            self._answer(401, {"code": 20003, "message": "Authenticate", "status": 401})
            return False

        def do_GET(self) -> None:
            if not self._is_known():
                return
            asked = parse_qs(urlsplit(self.path).query)
            fake.heard.append((self.path, {name: values[0] for name, values in asked.items()}))
            if "/IncomingPhoneNumbers.json" in self.path:
                self._answer_numbers(asked["PhoneNumber"][0])
                return
            found = [each for each in fake.sent if each["to"] in asked.get("To", [])]
            self._answer(200, {"messages": found[::-1]})

        def _answer_numbers(self, part: str) -> None:
            """Those of the account in which this part is found."""
            if fake.is_silent:
                self._answer(503, {"code": 20503, "message": "Unavailable", "status": 503})
                return
            sid = self.path.split("/")[3]
            numbers = fake.numbers if sid == ACCOUNT else fake.others[sid][1]
            listed = [{"sid": "PN0", "phone_number": each} for each in sorted(numbers) if part in each]
            self._answer(200, {"incoming_phone_numbers": listed})

        def do_POST(self) -> None:
            fake.while_asked()
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length).decode()
            if len(body) < length:  # the caller has thought better of it
                self.close_connection = True
                return
            if not self._is_known():
                return
            fake.calls += 1
            form = dict(parse_qsl(body, keep_blank_values=True))
            fake.heard.append((self.path, form))
            failing = fake.failing.pop(0) if fake.failing else None
            if failing == "cut":
                self.close_connection = True
                self.connection.close()
                return
            if isinstance(failing, tuple):
                status, code = failing
                self._answer(status, {"code": code, "message": "no", "status": status})
                return
            fake.while_sending()
            message = fake.take(form)
            if failing == "gone":
                self.close_connection = True
                self.connection.close()
                return
            self._answer(201, message)

    return Handler


@contextmanager
def fake_twilio() -> Iterator[FakeTwilio]:
    """The provider, running on a port of its own."""
    fake = FakeTwilio()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # it breaks lines on purpose
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
