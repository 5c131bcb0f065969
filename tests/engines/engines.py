"""Browsers that are no Chromium, as Debian has them, each session with a profile of its own. No pytest."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from signal import SIGTERM
from typing import Any, NamedTuple

from tests.engines.marionette import COMPLAINTS, JAR, MarionetteWire
from tests.engines.webdriver import Session
from tests.processes import Run, end_process, runs, tied, wait_until

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
    wire: MarionetteWire
    version: str

    def complaints(self) -> list[str]:
        """Errors and warnings of the console, of all pages so far: scripts, policies, requests."""
        return [each for each in self.wire.as_itself(COMPLAINTS) if not re.search(FIREFOX_SAYS, each)]

    def jar(self) -> list[dict[str, Any]]:
        """All cookies with their partitions."""
        return list(self.wire.as_itself(JAR))


# What Firefox remarks on of what is as it should be: a permission that Chromium needs for the sound and that
# it does not know; that it keeps third parties apart; that the console tries whether it may be heard.
FIREFOX_SAYS = "^Feature Policy .*autoplay|^cookiePartitionedForeign |^Media An AudioContext "


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
            with _process(command, folder, {}, lambda: note.exists() and note.read_text() != ""):
                capabilities: dict[str, Any] = {"acceptInsecureCerts": True}
                if wish.proxy:
                    capabilities["proxy"] = {"proxyType": "manual", "sslProxy": wish.proxy}
                wire = MarionetteWire(int(note.read_text()), capabilities)
                try:
                    session = Session(wire)
                    session.is_sized(WIDTH, HEIGHT)
                    yield Running(session, wire, wire.capabilities["browserVersion"])
                finally:
                    wire.close()


ENGINES: dict[str, type[Engine]] = {engine.name: engine for engine in (Firefox,)}


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
