"""The real ChatLead server as processes of our own, for tests and benches.

Nothing here touches a service of the machine: every process has its own port on 127.0.0.1 and its own
directory, and dies with the process that started it (on Linux; elsewhere it is ended by `close`). Imports
neither pytest nor Django, so that a bench can use it too. PostgreSQL and Redis: tests/private_services.py.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tests.private_services import PrivateServices as PrivateServices
from tests.private_services import Services as Services
from tests.processes import Run, runs, tied, wait_for_end, wait_until
from tests.processes import free_port as free_port

ROOT = Path(__file__).resolve().parent.parent

# What a server process must not inherit from whoever runs the tests: it gets exactly what the test gives.
OURS = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "DEBUG",
    "EMAIL_URL",
    "DJANGO_ALLOW_ASYNC_UNSAFE",
)


def lay_out(data_dir: Path) -> None:
    """Puts a migrated, empty SQLite database into a data folder that has none, the same for everybody: to
    migrate takes seconds of every start, and tests start a hundred servers. `--migrate` finds nothing to do
    then; that it does what it says, tests/contracts/test_migrations.py looks at."""
    target = data_dir / "db.sqlite3"
    if target.exists():
        return
    data_dir.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_migrated(), target)
    target.chmod(0o600)


@cache
def _migrated() -> Path:
    """The file to copy, made once for all processes of a run, by the migrations as they are now."""
    digest = hashlib.sha256()
    for file in sorted([*ROOT.glob("*/migrations/*.py"), ROOT / "requirements" / "base.txt"]):
        digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    folder = Path(tempfile.gettempdir()) / f"chatlead-{os.getuid()}-{digest.hexdigest()[:16]}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = folder / "migrated.sqlite3"
        if not made.exists():
            fresh = folder / f"fresh-{os.getpid()}"
            fresh.mkdir()
            env = {key: value for key, value in os.environ.items() if key not in OURS}
            env = {key: value for key, value in env.items() if not key.startswith("CHATLEAD_")}
            env |= {"CHATLEAD_DATA_DIR": str(fresh), "CHATLEAD_ENV_FILE": os.devnull}
            command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
            subprocess.run(command, env=env, check=True, timeout=120)
            (fresh / "db.sqlite3").rename(made)
            shutil.rmtree(fresh)
    return made


class Server:
    """The real server, `manage.py serve`, as one or more processes on one address that stays the same.

    The test binds the socket, so there is no race for the port; every process accepts from it. While no
    process is left the socket is closed: clients are refused, as they are when a server is down. Usage:

        with Server(data_dir=tmp_path, options=["--migrate", "--demo"]) as server:
            get(server.url + "/healthz"); server.kill(); server.start()

    `options` go to the first process of the first start only (`--migrate`, `--demo`). `env` is added to an
    environment without any setting of the caller's (`OURS`, `CHATLEAD_*`). A server elsewhere, in a network
    namespace, has another `host`, a `listen` that makes its listening socket there, and a command that comes
    before its own, `within`.
    """

    def __init__(
        self,
        *,
        data_dir: Path,
        database_url: str = "",
        redis_url: str = "",
        processes: int = 1,
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        python: Sequence[str] = (),
        host: str = "127.0.0.1",
        listen: Callable[[int], socket.socket] | None = None,
        within: Sequence[str] = (),
    ) -> None:
        self.data_dir = Path(data_dir)
        self.processes: list[subprocess.Popen[bytes] | None] = [None] * processes
        self.port = free_port()
        self.url = f"http://{host}:{self.port}"
        self._options = list(options)
        self._python = list(python)
        self._listen = listen or _listen_here
        self._within = list(within)
        self._listener: socket.socket | None = None
        self._env = {
            key: value
            for key, value in os.environ.items()
            if key not in OURS and not key.startswith(("CHATLEAD_", "PYTEST_"))
        }
        self._env |= {"CHATLEAD_DATA_DIR": str(self.data_dir), "CHATLEAD_ENV_FILE": os.devnull}
        self._env |= {"DJANGO_SETTINGS_MODULE": "chatlead.settings", "PYTHONUNBUFFERED": "1"}
        if database_url:
            self._env["DATABASE_URL"] = database_url
        if redis_url:
            self._env["REDIS_URL"] = redis_url
        self._env |= env or {}

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self, index: int | None = None, *, seconds: float = 40) -> Self:
        """Start process `index` (all that are down, when None) and wait until it is ready for traffic.

        Raises RuntimeError with the end of the log when it ends instead, TimeoutError after `seconds`.
        """
        for number in range(len(self.processes)) if index is None else [index]:
            process = self.processes[number]
            if process is None or process.poll() is not None:
                self._start(number, seconds)
        return self

    def kill(self, index: int | None = None) -> None:
        """kill -9: nothing is flushed, nobody is told."""
        self._each(index, signal.SIGKILL)

    def stop(self, index: int | None = None) -> list[int]:
        """SIGTERM, as a supervisor does, and wait for the end; the exit codes (negative: a signal)."""
        return self._each(index, signal.SIGTERM)

    def close(self) -> None:
        """End whatever still runs and give the address back. May be called twice."""
        self.stop()
        self._unbind()

    @property
    def environment(self) -> dict[str, str]:
        """What the processes run with; a command beside them (`manage.py …`) wants the same."""
        return dict(self._env)

    def pids(self) -> list[int]:
        """Process ids of those that run, for looking at their memory and CPU time."""
        return [process.pid for process in self.processes if process is not None and process.poll() is None]

    def cpu_seconds(self) -> float:
        """CPU time, user and system, that the running processes have used since they started."""
        tick = os.sysconf("SC_CLK_TCK")
        total = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / tick

    def rss_bytes(self) -> int:
        """Resident memory of the running processes together."""
        page = os.sysconf("SC_PAGE_SIZE")
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page for pid in self.pids())

    def log(self) -> str:
        """What all processes have written so far."""
        time.sleep(0.1)  # lines that come thick are written a moment later (chatlead/logs.py)
        return "".join(
            self._log(number).read_text(errors="replace")
            for number in range(len(self.processes))
            if self._log(number).exists()
        )

    def _each(self, index: int | None, sig: signal.Signals) -> list[int]:
        chosen = self.processes if index is None else [self.processes[index]]
        running = [process for process in chosen if process is not None]
        for process in running:
            if process.poll() is None:
                process.send_signal(sig)
        # asked once: a second signal would tell the server not to drain
        codes = [wait_for_end(process, 15) for process in running]
        if not self.pids():
            self._unbind()
        return codes

    def _start(self, number: int, seconds: float) -> None:
        listener = self._bind()
        options, self._options = self._options, []
        if "--migrate" in options and "DATABASE_URL" not in self._env:
            lay_out(self.data_dir)
        command = [
            *self._within,
            sys.executable,
            *self._python,
            str(ROOT / "manage.py"),
            "serve",
            "--fd",
            str(listener.fileno()),
        ]
        log = self._log(number)
        log.parent.mkdir(parents=True, exist_ok=True)
        already = log.stat().st_size if log.exists() else 0
        out: IO[bytes]
        with log.open("ab") as out:
            process = subprocess.Popen(
                [*tied("KILL"), *command, *options], cwd=ROOT, env=self._env, pass_fds=[listener.fileno()],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.processes[number] = process
        runs.append(Run(process, log))
        alone = self.pids() == [process.pid]

        def ready() -> bool:
            if not alone:
                # another process may answer at this address, so only its own word counts
                return b"ChatLead is ready" in log.read_bytes()[already:]
            try:
                with urllib.request.urlopen(self.url + "/readyz", timeout=2) as answer:
                    return bool(answer.status == 200)
            except urllib.error.HTTPError:
                return False

        wait_until(ready, process, log, seconds)

    def _log(self, number: int) -> Path:
        return self.data_dir / f"server-{number}.log"

    def _bind(self) -> socket.socket:
        if self._listener is None:
            self._listener = self._listen(self.port)
        return self._listener

    def _unbind(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None


def _listen_here(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(2048)
    return listener
