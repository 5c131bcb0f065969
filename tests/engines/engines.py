"""Firefox and WebKit as Debian has them, each session with a profile of its own.

Imports no pytest. WebKitGTK draws into a display: a hidden one is started for it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from glob import glob
from pathlib import Path
from signal import SIGTERM
from typing import Any, NamedTuple

from tests.engines.marionette import COMPLAINTS, JAR, MarionetteWire
from tests.engines.webdriver import HttpWire, Session
from tests.processes import Run, end_process, free_port, runs, tied, wait_until

WIDTH, HEIGHT = 1280, 900
DARK = 0  # of Firefox's layout.css.prefers-color-scheme.content-override


class Wish(NamedTuple):
    """How a person has set her browser up. `proxy` is HOST:PORT of a tunnel (tunnel.py); her certificates are
    whatever they are."""

    proxy: str = ""
    language: str = "en-US"
    dark: bool = False


class Running(NamedTuple):
    """A session, and what only its engine can tell."""

    session: Session
    version: str
    log: Path

    def complaints(self) -> list[str]:
        """Errors and warnings of the console, of all pages so far: scripts, policies, requests."""
        wire = self.session.wire
        if isinstance(wire, MarionetteWire):
            return [each for each in wire.as_itself(COMPLAINTS) if not re.search(FIREFOX_SAYS, each)]
        said = [line for line in self.log.read_text(errors="replace").splitlines() if WEBKIT_CONSOLE in line]
        return [line for line in said if "ERROR" in line or "WARN" in line]

    def jar(self) -> list[dict[str, Any]] | None:
        """All cookies with their partitions; None where the engine does not tell."""
        wire = self.session.wire
        return list(wire.as_itself(JAR)) if isinstance(wire, MarionetteWire) else None


WEBKIT_CONSOLE = "CONSOLE "
# What Firefox remarks on of what is as it should be: a permission that Chromium needs for the sound and that
# it does not know, and that it keeps third parties apart.
FIREFOX_SAYS = "^Feature Policy .*autoplay|^cookiePartitionedForeign "


class Engine(ABC):
    """One of those that people have."""

    name: str
    needs: tuple[str, ...]  # of tests/machine.py

    @classmethod
    @abstractmethod
    def started(cls, wish: Wish) -> contextlib.AbstractContextManager[Running]:
        """A browser for the length of the block."""


class Firefox(Engine):
    name = "firefox"
    needs = ("firefox-esr",)

    @classmethod
    @contextlib.contextmanager
    def started(cls, wish: Wish) -> Iterator[Running]:
        with _folder() as folder:
            profile = folder / "profile"
            profile.mkdir()
            preferences: dict[str, Any] = {
                "marionette.port": 0,
                "intl.accept_languages": wish.language,
                "intl.locale.requested": "en-US",
                "layout.css.prefers-color-scheme.content-override": DARK if wish.dark else 1,
            }
            lines = (f"user_pref({_js(name)}, {_js(value)});\n" for name, value in preferences.items())
            (profile / "user.js").write_text("".join(lines))
            # `system access` is what may read the console and the jar; nothing but these tests asks
            command = ["firefox-esr", "--headless", "--marionette", "--remote-allow-system-access"]
            command += ["--no-remote", "--new-instance", "--profile", str(profile)]
            command += ["about:blank"]
            note = profile / "MarionetteActivePort"
            with _process(command, folder, {}, lambda: note.exists() and note.read_text() != "") as log:
                capabilities: dict[str, Any] = {"acceptInsecureCerts": True}
                if wish.proxy:
                    capabilities["proxy"] = {"proxyType": "manual", "sslProxy": wish.proxy}
                wire = MarionetteWire(int(note.read_text()), capabilities)
                try:
                    session = Session(wire)
                    session.is_sized(WIDTH, HEIGHT)
                    yield Running(session, wire.capabilities["browserVersion"], log)
                finally:
                    wire.close()


class WebKit(Engine):
    name = "webkit"
    needs = ("webkit2gtk-driver", "xvfb")

    @classmethod
    @contextlib.contextmanager
    def started(cls, wish: Wish) -> Iterator[Running]:
        [browser] = glob("/usr/lib/*/webkit2gtk-4.1/MiniBrowser")
        with _folder() as folder, _display(folder) as display:
            port = free_port()
            env = {"DISPLAY": display, "GDK_BACKEND": "x11", "NO_AT_BRIDGE": "1", "LANGUAGE": wish.language}
            env |= {"GTK_THEME": "Adwaita:dark" if wish.dark else "Adwaita", "LIBGL_ALWAYS_SOFTWARE": "1"}
            env |= {"WEBKIT_DISABLE_DMABUF_RENDERER": "1", "GSETTINGS_BACKEND": "memory"}
            command = ["WebKitWebDriver", f"--port={port}", "--host=127.0.0.1"]
            url = f"http://127.0.0.1:{port}"
            with _process(command, folder, env, lambda: _listens(port)) as log:
                # third parties kept apart as Safari does; what the console says is written to our file
                options = ["--automation", "--enable-itp", "--enable-write-console-messages-to-stdout=true"]
                capabilities: dict[str, Any] = {
                    "acceptInsecureCerts": True,
                    "webkitgtk:browserOptions": {"binary": browser, "args": options},
                }
                if wish.proxy:  # the capability would be taken for a proxy that wants TLS itself
                    options.append(f"--proxy=http://{wish.proxy}")
                wire = HttpWire(url, capabilities)
                try:
                    session = Session(wire)
                    session.is_sized(WIDTH, HEIGHT)
                    yield Running(session, wire.capabilities["browserVersion"], log)
                finally:
                    wire.close()


ENGINES: dict[str, type[Engine]] = {engine.name: engine for engine in (Firefox, WebKit)}


def _js(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Where a browser writes; nothing is left of it."""
    folder = Path(tempfile.mkdtemp(prefix="chatlead-engine-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _process(
    command: list[str], folder: Path, env: dict[str, str], ready: Any, seconds: float = 60
) -> Iterator[Path]:
    """A program with a home of its own, from when it is ready to the end of the block; its log."""
    own = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"}
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "LC_", "DBUS_"))}
    log = folder / f"{command[0]}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*tied("TERM"), *command], env={**clean, "LANG": "C.UTF-8", **own, **env},
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    runs.append(Run(process, log))
    try:
        wait_until(ready, process, log, seconds)
        yield log
    finally:
        end_process(process, SIGTERM)


def _listens(port: int) -> bool:
    import socket

    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def _display(folder: Path) -> Iterator[str]:
    """A hidden screen, `:NUMBER`, chosen by the server itself."""
    reads, writes = os.pipe()
    process = subprocess.Popen(
        [*tied("TERM"), "Xvfb", "-displayfd", str(writes), "-screen", "0", f"{WIDTH}x{HEIGHT}x24",
         "-nolisten", "tcp"],
        pass_fds=[writes], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writes)
    try:
        with os.fdopen(reads) as said:
            number = said.readline().strip()
        if not number:
            raise RuntimeError(f"no display: Xvfb ended with {process.wait(10)}")
        yield f":{number}"
    finally:
        end_process(process, SIGTERM)
