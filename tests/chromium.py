"""A Chromium of our own, started with the browser's own defaults. Who talks to it how is another matter:
the browser tests by Playwright (tests/e2e/browser.py), the benches by its own protocol (bench/devtools.py).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
# What would be started for a page that may never come, or for an address bar that nobody sees: a process of
# its own in every window, dearer than a page of ours.
UNSEEN = (
    "SpareRendererForSitePerProcess",
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
)
FLAGS = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--mute-audio",
    "--disable-gpu",
    f"--disable-features={','.join(UNSEEN)}",
)


@contextlib.contextmanager
def started(*flags: str) -> Iterator[str]:
    """`127.0.0.1:PORT/PATH` of its debugging socket; PORT serves the same by http.

    Raises FileNotFoundError naming the package to install.
    """
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        raise FileNotFoundError("no Chromium here: apt-get install chromium")
    profile = Path(tempfile.mkdtemp(prefix="chatlead-browser-"))
    root = ["--no-sandbox"] if os.getuid() == 0 else []  # the sandbox refuses to run as root
    process = subprocess.Popen(
        [program, *FLAGS, *root, *flags, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"127.0.0.1:{_port_and_path(profile, process)}"
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(profile, ignore_errors=True)


def _port_and_path(profile: Path, process: subprocess.Popen[bytes]) -> str:
    """What the browser took; it writes both down when it is ready."""
    note = profile / "DevToolsActivePort"
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the browser ended with {process.returncode}")
        with contextlib.suppress(OSError, ValueError):
            port, path = note.read_text().split()
            return f"{int(port)}{path}"
        time.sleep(0.02)
    raise TimeoutError("the browser did not come up in 30 s")
