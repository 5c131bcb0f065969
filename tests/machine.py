"""What must be there before anything runs, brought here where that is possible: packages, programs, Node's.

Knows nothing but Python's own library: dev.py asks it before there is a virtual environment.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
FRONTEND = ROOT / "frontend"


def die(message: str) -> NoReturn:
    print(f"dev.py: {message}", file=sys.stderr)
    raise SystemExit(2)


def sh(*command: object, cwd: Path = ROOT, silent: bool = False) -> int:
    out = subprocess.DEVNULL if silent else None
    return subprocess.run([str(word) for word in command], cwd=cwd, stdout=out, stderr=out).returncode


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two dev.py at once must not install into the same place."""
    import fcntl

    with open(ROOT / "requirements" / "base.txt", "rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def digest(file: Path) -> str:
    return hashlib.sha256(sys.version.encode() + file.read_bytes()).hexdigest()


def packages(*names: str) -> None:
    """Bring the lists `names` of requirements/ into .venv; costs a few file reads when they are there."""
    stamps = VENV / "stamps"
    wanted = {name: digest(ROOT / "requirements" / f"{name}.txt") for name in names}

    def missing() -> list[str]:
        have = {file.name: file.read_text() for file in stamps.glob("*")}
        return [name for name in names if have.get(name) != wanted[name]]

    if not missing():
        return
    with one_at_a_time():
        if not PYTHON.exists() or sh(PYTHON, "-m", "pip", "-V", silent=True):
            has_venv = (sys.executable, "-c", "import ensurepip, venv")
            if sh(*has_venv, silent=True):
                apt(["python3-venv"])
                if sh(*has_venv, silent=True):
                    die("Python's venv module is missing: apt-get install python3-venv")
            print("Making .venv …", flush=True)
            sh(sys.executable, "-m", "venv", "--clear", VENV)
        lists = missing()
        if not lists:
            return
        print(f"Installing {', '.join(lists)} …", flush=True)
        pip = [PYTHON, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
        if sh(*pip, "--require-hashes", *(f"--requirement=requirements/{name}.txt" for name in lists)):
            die("pip could not install the locked packages (see above); is the package index reachable?")
        stamps.mkdir(exist_ok=True)
        for name in lists:
            (stamps / name).write_text(wanted[name])


def apt(missing: list[str]) -> None:
    """Install the packages where apt-get may be used; otherwise do nothing."""
    if not missing or not shutil.which("apt-get"):
        return
    sudo = [] if os.getuid() == 0 else ["sudo", "-n"]
    if sudo and (not shutil.which("sudo") or sh(*sudo, "true", silent=True)):
        return
    print(f"Installing {' '.join(missing)} with apt-get …", flush=True)
    get = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    if sh(*get, "install", "-y", "--no-install-recommends", *missing, silent=True):
        sh(*get, "update")
        sh(*get, "install", "-y", "--no-install-recommends", *missing)


SYSTEM = {  # package -> any of these files proves it is there (a bare name is looked up in PATH)
    "postgresql": ("initdb", "/usr/lib/postgresql/*/bin/initdb"),
    "redis-server": ("redis-server", "valkey-server"),
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "nodejs": ("node",),
    "npm": ("npm",),
    "nginx-light": ("nginx", "/usr/sbin/nginx"),
    "firefox-esr": ("firefox-esr",),
}


def absent(names: Iterable[str]) -> list[str]:
    return [name for name in names if not any(shutil.which(one) or glob.glob(one) for one in SYSTEM[name])]


def system(*names: str) -> None:
    """Make sure of the system packages `names`; where that is not possible one line says what to install."""
    apt(absent(names))
    missing = absent(names)
    if missing:
        die(f"missing on this machine: {', '.join(missing)}. Install: apt-get install {' '.join(missing)}")


def node_modules() -> None:
    system("nodejs", "npm")
    if sh("node", "-e", "process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)"):
        die("the frontend needs Node 20 or newer: node --version says what is installed")
    stamp = FRONTEND / "node_modules" / ".stamp"
    want = digest(FRONTEND / "package-lock.json")
    if stamp.is_file() and stamp.read_text() == want:
        return
    print("Installing the frontend's packages …", flush=True)
    if sh("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=FRONTEND):
        die("npm ci failed (see above); is the package registry reachable?")
    stamp.write_text(want)
