"""The few plain requests that a client makes before its socket: log in, read a key, fetch a ticket."""

from __future__ import annotations

import http.client
import re
import urllib.parse
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any, NamedTuple

import msgspec

SECONDS = 20


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def request(
    url: str, *, method: str = "GET", body: str | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """One request, redirects not followed. Raises OSError when nobody answers."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=SECONDS)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        data = body.encode() if body is not None else None
        connection.request(method, path or "/", body=data, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()


def json(url: str, *, body: str, origin: str) -> dict[str, Any]:
    """POST as a page of `origin` does, without credentials. Raises OSError unless it is 200."""
    headers = {"Content-Type": "text/plain", "Origin": origin}
    answer = request(url, method="POST", body=body, headers=headers)
    if answer.status != 200:
        raise ConnectionError(f"{url}: {answer.status} {answer.body[:200]!r}")
    decoded: dict[str, Any] = msgspec.json.decode(answer.body)
    return decoded


class _Form(HTMLParser):
    """The fields of the one form with a password."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.password = self.login = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        kind, name = values.get("type", "text"), values.get("name", "")
        if tag != "input" or not name:
            return
        if kind == "hidden":
            self.hidden[name] = values.get("value", "")
        elif kind == "password":
            self.password = name
        elif kind in ("email", "text"):
            self.login = self.login or name


def _cookies(answer: Answer) -> dict[str, str]:
    jar: SimpleCookie = SimpleCookie()
    for line in answer.headers.get_all("Set-Cookie") or ():
        jar.load(line)
    return {name: morsel.value for name, morsel in jar.items() if morsel.value}


def log_in(server: str, email: str, password: str) -> str:
    """The `Cookie` header of a person who has logged in at /console/login/. Raises PermissionError."""
    url = f"{server.rstrip('/')}/console/login/"
    page = request(url)
    form = _Form()
    form.feed(page.body.decode())
    cookies = _cookies(page)
    fields = {**form.hidden, form.login: email, form.password: password}
    answer = request(
        url,
        method="POST",
        body=urllib.parse.urlencode(fields),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "Origin": server.rstrip("/"),
            "Referer": url,
        },
    )
    if answer.status not in (302, 303):
        raise PermissionError(f"{email} could not log in: {answer.status}")
    cookies |= _cookies(answer)
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def site_key(server: str) -> str:
    """The key in the snippet of the demo firm's website."""
    page = request(f"{server.rstrip('/')}/demo/")
    found = re.search(rb'data-site="([A-Za-z0-9_-]+)"', page.body)
    if found is None:
        raise LookupError(f"{server}/demo/ answers {page.status} and shows no snippet")
    return found[1].decode()
