"""A browser driven as the W3C's WebDriver says: go, look, press, type. How the commands
get there is another matter (`Wire`): to Firefox by its own door (marionette.py).
"""

from __future__ import annotations

import base64
from typing import Any, Protocol

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of a reference to an element, by the standard
KEYS = {"Enter": "\ue007", "Tab": "\ue004", "Escape": "\ue00c", "Space": " ", "End": "\ue010"}
KEYS |= {"Home": "\ue011", "ArrowDown": "\ue015", "ArrowUp": "\ue013", "Shift": "\ue008", "Control": "\ue009"}


class Refused(Exception):
    """The browser could not do it; `code` is one of the standard's error codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Wire(Protocol):
    """Where the commands go."""

    def ask(self, command: str, parameters: dict[str, Any], element: str = "") -> Any:
        """The answer's value. Raises Refused."""

    def close(self) -> None:
        """Ends the session. Raises nothing where it has ended already."""


class Session:
    """A browser with a profile of its own. Commands are for the tab and document that were switched to."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        wire.ask("SetTimeouts", {"script": 30_000, "pageLoad": 60_000, "implicit": 0})

    # --- tabs and documents ---------------------------------------------------------------------------

    def goes(self, url: str) -> None:
        self.wire.ask("Navigate", {"url": url})

    def reloads(self) -> None:
        self.wire.ask("Refresh", {})

    def goes_back(self) -> None:
        self.wire.ask("Back", {})

    @property
    def url(self) -> str:
        return str(self.wire.ask("GetCurrentURL", {}))

    @property
    def tab(self) -> str:
        return str(self.wire.ask("GetWindowHandle", {}))

    def new_tab(self) -> str:
        return str(self.wire.ask("NewWindow", {"type": "tab"})["handle"])

    def switches(self, tab: str, frame: str | None = None) -> None:
        """To the document of a tab, or to that of an element of it, which is a frame."""
        self.wire.ask("SwitchToWindow", {"handle": tab})
        self.wire.ask("SwitchToFrame", {"id": None})
        if frame is not None:
            self.wire.ask("SwitchToFrame", {"id": {ELEMENT: frame}})

    def into(self, frame: str) -> None:
        self.wire.ask("SwitchToFrame", {"id": {ELEMENT: frame}})

    def is_sized(self, width: int, height: int) -> None:
        """The window; a page in it is somewhat smaller."""
        self.wire.ask("SetWindowRect", {"x": 0, "y": 0, "width": width, "height": height})

    # --- what is there --------------------------------------------------------------------------------

    def run(self, script: str, *arguments: Any) -> Any:
        """The body of a function, and its arguments; an element is a `dict` in both directions."""
        return self.wire.ask("ExecuteScript", {"script": script, "args": list(arguments)})

    def waits_for(self, script: str, *arguments: Any) -> Any:
        """The same, for what calls its last argument with the result."""
        return self.wire.ask("ExecuteAsyncScript", {"script": script, "args": list(arguments)})

    def label(self, element: str) -> str:
        """The name that the engine itself tells assistive technology."""
        return str(self.wire.ask("GetComputedLabel", {}, element))

    def role(self, element: str) -> str:
        return str(self.wire.ask("GetComputedRole", {}, element))

    def picture(self) -> bytes:
        """What the window shows of the page, as PNG."""
        return base64.b64decode(self.wire.ask("TakeScreenshot", {}))

    def cookies(self) -> list[dict[str, Any]]:
        """Those of the document, its own and no third party's."""
        return list(self.wire.ask("GetCookies", {}))

    # --- hands ----------------------------------------------------------------------------------------

    def clicks(self, element: str) -> None:
        self.wire.ask("ElementClick", {}, element)

    def types(self, element: str, text: str) -> None:
        """Into a field, or the path of a file into a chooser of files."""
        self.wire.ask("ElementSendKeys", {"text": text}, element)

    def clears(self, element: str) -> None:
        self.wire.ask("ElementClear", {}, element)

    def presses(self, *keys: str) -> None:
        """Keys by their names, or letters, held together and let go: presses("Control", "k"). They go to
        whatever has the focus in the document that was switched to."""
        values = [KEYS.get(key, key) for key in keys]
        moves = [{"type": "keyDown", "value": value} for value in values]
        moves += [{"type": "keyUp", "value": value} for value in reversed(values)]
        self.wire.ask("PerformActions", {"actions": [{"type": "key", "id": "keyboard", "actions": moves}]})
        self.wire.ask("ReleaseActions", {})
