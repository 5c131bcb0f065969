"""A Chromium over its own debugging protocol, without Playwright: a cold page, and all that it brings.

A chat widget is not one page: its frames are of another origin and so of another process, of which a client
of the page alone hears nothing. Here every frame and worker is held at its birth until it is listened to, so
no request and no byte of it is missed.

    with started() as address, Browser(address) as browser:
        with browser.cold(throttle=4) as page:
            page.goes_to("http://localhost:8000/")
            page.settles(2.0)
            page.requests, page.bytes
"""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

from websockets.sync.client import connect

Frame = dict[str, Any]
ANSWER_SECONDS = 60.0
SOCKET_FRAME_HEAD = 2  # of a WebSocket, besides its text: the least


class BrowserFailed(Exception):
    """The browser refused, or a script in it threw."""


class Request:
    """One request of a page, of one of its frames or of a worker; a socket is one, too."""

    def __init__(self, url: str, kind: str) -> None:
        self.url = url
        self.kind = kind
        self.bytes = 0  # that came over the wire: heads, bodies as packed, a socket's frames
        self.head = 0  # of these the heads
        self.status = 0
        self.is_over = kind == "WebSocket"
        self.frames = 0  # of a socket
        self.error = ""


class Browser:
    """`address` as `tests.chromium.started` says it. One thread: news come while something is awaited."""

    def __init__(self, address: str) -> None:
        self._stack = contextlib.ExitStack()
        line = connect(f"ws://{address}", max_size=None, compression=None)
        self._socket = self._stack.enter_context(line)
        self._numbers = itertools.count(1)
        self._answers: dict[int, Frame] = {}
        self._pages: dict[str, Page] = {}  # by session; a page has one for each of its processes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def tell(self, method: str, session: str = "", **params: Any) -> int:
        """Send without waiting for the answer; its number."""
        number = next(self._numbers)
        frame: Frame = {"id": number, "method": method, "params": params}
        self._socket.send(json.dumps(frame | ({"sessionId": session} if session else {})))
        return number

    def ask(self, method: str, session: str = "", **params: Any) -> Frame:
        """The result. Raises BrowserFailed, and TimeoutError after a minute."""
        number = self.tell(method, session, **params)
        self.hear_until(lambda: number in self._answers, ANSWER_SECONDS, method)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise BrowserFailed(f"{method}: {answer['error'].get('message')}")
        result: Frame = answer["result"]
        return result

    def hear_until(self, done: Callable[[], object], seconds: float, what: str) -> None:
        """Take what comes until it is so. Raises TimeoutError."""
        end = time.monotonic() + seconds
        while not done():
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{what}: not within {seconds:.0f} s")
            self.hear(min(left, 0.05))

    def hear(self, seconds: float) -> None:
        """Take one piece of news, or wait so long for it."""
        with contextlib.suppress(TimeoutError):
            frame = json.loads(self._socket.recv(timeout=seconds))
            if "id" in frame:
                self._answers[frame["id"]] = frame
            elif (page := self._pages.get(frame.get("sessionId", ""))) is not None:
                page.take(frame["method"], frame["params"], frame["sessionId"])

    @contextlib.contextmanager
    def cold(self, *, throttle: float = 1, script: str = "") -> Iterator[Page]:
        """A page in a context of its own, in which nothing is cached or known.

        `throttle` makes its processor so many times slower; `script` runs first in each of its documents.
        """
        context = self.ask("Target.createBrowserContext")["browserContextId"]
        try:
            place = {"browserContextId": context, "width": 1440, "height": 900}
            target = self.ask("Target.createTarget", **{"url": "about:blank", **place})
            at = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
            page = Page(self, at["sessionId"], throttle, script)
            yield page
        finally:
            self.ask("Target.disposeBrowserContext", browserContextId=context)
            self._pages.clear()
            self._answers.clear()

    def listens(self, session: str, page: Page) -> None:
        """News of that session are the page's."""
        self._pages[session] = page


class Page:
    """What one page has asked for and got, its frames and workers included."""

    def __init__(self, browser: Browser, session: str, throttle: float, script: str) -> None:
        self._browser = browser
        self._session = session
        self._throttle = throttle
        self._script = script
        self._sessions: list[str] = []
        self._known: dict[str, Request] = {}
        self._gone: list[Request] = []  # redirects, whose number their successor has
        self.last = time.monotonic()  # when something came, or what was awaited was there
        self._loaded = False
        self._attach(session, paused=False)
        browser.ask("Page.enable", session)

    @property
    def requests(self) -> list[Request]:
        """In the order in which they were made, redirects and preflights included."""
        real = [*self._gone, *self._known.values()]
        return [each for each in real if each.url.startswith(("http", "ws"))]

    @property
    def bytes(self) -> int:
        """Over the wire, heads included."""
        return sum(each.bytes for each in self.requests)

    @property
    def load(self) -> int:
        """Of these what they were asked for: bodies as packed, and what sockets said."""
        return sum(each.bytes - each.head for each in self.requests)

    def goes_to(self, url: str) -> None:
        """Returns after the page's `load`."""
        self._loaded = False
        answer = self._browser.ask("Page.navigate", self._session, url=url)
        if answer.get("errorText"):
            raise BrowserFailed(f"{url}: {answer['errorText']}")
        self._browser.hear_until(lambda: self._loaded, 60, f"load of {url}")

    def settles(
        self, quiet: float, *, ready: Callable[[], object] | None = None, seconds: float = 60
    ) -> None:
        """Wait for `ready`, then until nothing is under way and for `quiet` seconds nothing has come.

        A page that is never quiet is taken as it is after `seconds`; one never `ready` is a TimeoutError.
        """
        if ready is not None:
            self._browser.hear_until(ready, seconds, "what was to come")
            self.last = time.monotonic()
        with contextlib.suppress(TimeoutError):
            self._browser.hear_until(lambda: self._is_quiet(quiet), seconds, "quiet")

    def does(self, expression: str, *, gesture: bool = False) -> Any:
        """The value of a script in the page, a promise's included. `gesture`: as if somebody had pressed."""
        options = {"returnByValue": True, "awaitPromise": True, "userGesture": gesture}
        answer = self._browser.ask("Runtime.evaluate", self._session, expression=expression, **options)
        if details := answer.get("exceptionDetails"):
            thrown = details.get("exception", {}).get("description", details.get("text", ""))
            raise BrowserFailed(thrown.splitlines()[0] if thrown else "a script failed")
        return answer["result"].get("value")

    def heap(self) -> int:
        """Bytes of JavaScript's heap, of the page and of all its frames, garbage collected before."""
        total = 0
        for session in self._sessions:
            with contextlib.suppress(BrowserFailed):  # a frame that has gone, a worker that has no such thing
                self._browser.ask("HeapProfiler.collectGarbage", session)
                total += self._browser.ask("Runtime.getHeapUsage", session)["usedSize"]
        return total

    # --- what the browser says ----------------------------------------------------------------------------

    def take(self, method: str, said: Frame, session: str) -> None:
        domain, _, name = method.partition(".")
        if domain == "Network":
            self._network(name, said)
        elif method == "Page.loadEventFired" and session == self._session:
            self._loaded = True
        elif method == "Target.attachedToTarget":
            self._attach(said["sessionId"], paused=True)
        elif method == "Target.detachedFromTarget":
            self._sessions = [each for each in self._sessions if each != said["sessionId"]]

    def _attach(self, session: str, *, paused: bool) -> None:
        tell, browser = self._browser.tell, self._browser
        browser.listens(session, self)
        self._sessions.append(session)
        tell("Network.enable", session)
        tell("Emulation.setCPUThrottlingRate", session, rate=self._throttle)
        tell("Target.setAutoAttach", session, autoAttach=True, waitForDebuggerOnStart=True, flatten=True)
        if self._script:
            tell("Page.enable", session)
            tell("Page.addScriptToEvaluateOnNewDocument", session, source=self._script)
        if paused:
            tell("Runtime.runIfWaitingForDebugger", session)

    def _network(self, name: str, said: Frame) -> None:
        number = said.get("requestId", "")
        if name == "requestWillBeSent":
            self._begins(number, said)
            return
        if name == "webSocketCreated":
            self._known[number] = Request(said["url"], "WebSocket")
        if (request := self._known.get(number)) is None:
            return
        if not name.startswith("webSocket"):  # it may talk for ever
            self.last = time.monotonic()
        if name == "responseReceived":
            request.status = said["response"]["status"]
            request.bytes = request.head = int(said["response"]["encodedDataLength"])
        elif name == "loadingFinished":
            request.bytes = max(request.bytes, int(said["encodedDataLength"]))
            request.is_over = True
        elif name == "loadingFailed":
            request.error = said.get("errorText", "")
            request.is_over = True
        elif name == "webSocketHandshakeResponseReceived":
            request.status = said["response"]["status"]
            request.head += len(said["response"].get("headersText", ""))
            request.bytes += len(said["response"].get("headersText", ""))
        elif name == "webSocketFrameReceived":
            request.frames += 1
            request.head += SOCKET_FRAME_HEAD
            request.bytes += len(said["response"]["payloadData"].encode()) + SOCKET_FRAME_HEAD

    def _begins(self, number: str, said: Frame) -> None:
        self.last = time.monotonic()
        before = self._known.get(number)
        if before is not None and "redirectResponse" in said:
            before.bytes = before.head = int(said["redirectResponse"]["encodedDataLength"])
            before.status, before.is_over = said["redirectResponse"]["status"], True
            self._gone.append(before)
        elif before is not None:
            return  # the document of a frame is told to its parent and to itself
        self._known[number] = Request(said["request"]["url"], said.get("type", ""))

    def _is_quiet(self, seconds: float) -> bool:
        under_way = any(not each.is_over for each in self.requests)
        return not under_way and time.monotonic() - self.last >= seconds
