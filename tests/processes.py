"""Programs that a test or a bench starts: found, tied to whoever started them, waited for, ended."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Run(NamedTuple):
    """A process of ours and the file that it writes to."""

    process: subprocess.Popen[bytes]
    log: Path


# Servers of this run, in the order of their start, so that a failing test can show what they said.
runs: list[Run] = []


def forget_the_dead() -> None:
    """Those that have ended by now are no longer among `runs`."""
    runs[:] = [run for run in runs if run.process.poll() is None]


def program(name: str) -> str | None:
    """Path of a program; Debian keeps initdb and postgres out of PATH, so the newest major is looked up."""
    found = shutil.which(name)
    if found:
        return found
    versions = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parent.parent.name)
    )
    return str(versions[-1]) if versions else None


def required(name: str, package: str) -> str:
    found = program(name)
    if not found:
        raise FileNotFoundError(f"{name} is missing: apt-get install {package}")
    return found


def tied(sig: str, *, as_postgres: bool = False) -> list[str]:
    """Prefix of a command that ends with us, and that is not root where the program refuses to be root."""
    setpriv = shutil.which("setpriv")
    become = as_postgres and os.getuid() == 0
    if setpriv is None:
        if become:
            raise FileNotFoundError(
                "setpriv is missing (PostgreSQL refuses to run as root): apt-get install util-linux"
            )
        return []
    user = ["--reuid=postgres", "--regid=postgres", "--clear-groups"] if become else []
    return [setpriv, *user, "--pdeathsig", sig]


def free_port() -> int:
    """A port below the ephemeral range: no outgoing connection can take it while its server is down."""
    for _ in range(200):
        port = 20000 + secrets.randbelow(12000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port between 20000 and 32000")


def end_process(process: subprocess.Popen[bytes], sig: signal.Signals, seconds: float = 15) -> int:
    if process.poll() is None:
        process.send_signal(sig)
    return wait_for_end(process, seconds)


def wait_for_end(process: subprocess.Popen[bytes], seconds: float) -> int:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return process.returncode


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: float
) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the process ended with {process.returncode}:\n{tail(log)}")
        with contextlib.suppress(OSError):
            if ready():
                return
        time.sleep(0.02)
    raise TimeoutError(f"not ready after {seconds:g} s:\n{tail(log)}")


def tail(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:] if log.exists() else "(no log)"
