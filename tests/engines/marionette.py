"""Firefox driven by its own door. Debian has no geckodriver, which is a translator in front of this and
nothing else: the commands and their errors are WebDriver's, each message `LENGTH:[0, id, name, parameters]`
and its answer `LENGTH:[1, id, error, result]`.
"""

from __future__ import annotations

import contextlib
import json
import socket
from typing import Any

from tests.engines.webdriver import ELEMENT, Refused

COMPLAINTS = """
  const heard = Services.console.getMessageArray()
    .filter(each => each instanceof Ci.nsIScriptError && /^https?:/.test(each.sourceName))
    .map(each => [each.timeStamp, `${each.category} ${each.errorMessage} (${each.sourceName})`]);
  const said = Cc["@mozilla.org/consoleAPI-storage;1"].getService(Ci.nsIConsoleAPIStorage).getEvents()
    .filter(each => ["error", "warn", "assert"].includes(each.level) && /^https?:/.test(each.filename))
    .map(each => [each.timeStamp / 1000, `${each.level} ${[...each.arguments].map(String).join(" ")}`]);
  return [...heard, ...said].sort((a, b) => a[0] - b[0]).map(each => each[1]);
"""
JAR = """
  return Services.cookies.cookies.map(each => ({
    name: each.name, host: each.host, partition: each.originAttributes.partitionKey,
    isPartitioned: each.isPartitioned, isHttpOnly: each.isHttpOnly, isSession: each.isSession,
  }));
"""


class MarionetteWire:
    """To the Firefox that listens at a port of this machine."""

    def __init__(self, port: int, capabilities: dict[str, Any]) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self._input = self._socket.makefile("rb")
        self._count = 0
        self._read()  # it says first what it is
        self.capabilities: dict[str, Any] = self._say("WebDriver:NewSession", capabilities)["capabilities"]

    def ask(self, command: str, parameters: dict[str, Any], element: str = "") -> Any:
        if element:
            parameters = {**parameters, "id": element}
        if command == "SwitchToFrame" and parameters["id"] is not None:
            parameters = {"element": parameters["id"][ELEMENT]}
        if command == "TakeScreenshot":
            parameters = {"full": False}
        answer = self._say(f"WebDriver:{command}", parameters)
        return answer["value"] if isinstance(answer, dict) and answer.keys() == {"value"} else answer

    def as_itself(self, script: str) -> Any:
        """A script that may see all of the browser, as its own parts do."""
        self._say("Marionette:SetContext", {"value": "chrome"})
        try:
            return self._say("WebDriver:ExecuteScript", {"script": script, "args": []})["value"]
        finally:
            self._say("Marionette:SetContext", {"value": "content"})

    def close(self) -> None:
        with contextlib.suppress(Refused, OSError, ValueError):
            self._say("WebDriver:DeleteSession", {})
        self._input.close()
        self._socket.close()

    def _say(self, name: str, parameters: dict[str, Any]) -> Any:
        self._count += 1
        text = json.dumps([0, self._count, name, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(text), text))
        kind, number, error, result = self._read()
        assert (kind, number) == (1, self._count)
        if error:
            raise Refused(error["error"], error["message"])
        return result

    def _read(self) -> Any:
        length = b""
        while (digit := self._input.read(1)) != b":":
            if not digit:
                raise ConnectionResetError("Firefox has gone")
            length += digit
        return json.loads(self._input.read(int(length)))
