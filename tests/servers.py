"""Processes of our own for tests and benches: PostgreSQL, Redis, and the real ChatLead server.

Nothing here touches a service of the machine: every process has its own port on 127.0.0.1, its own
directory and its own password, and dies with the process that started it (on Linux; elsewhere it is ended
by `close`). Imports neither pytest nor Django, so that a bench can use it too.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
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
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

ROOT = Path(__file__).resolve().parent.parent
OWNER = "chatlead_owner"
APP_ROLE = "chatlead_app"

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


def program(name: str) -> str | None:
    """Path of a program; Debian keeps initdb and postgres out of PATH, so the newest major is looked up."""
    found = shutil.which(name)
    if found:
        return found
    versions = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parent.parent.name)
    )
    return str(versions[-1]) if versions else None


def _required(name: str, package: str) -> str:
    found = program(name)
    if not found:
        raise FileNotFoundError(f"{name} is missing: apt-get install {package}")
    return found


def _tied(sig: str, *, as_postgres: bool = False) -> list[str]:
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


def _end(process: subprocess.Popen[bytes], sig: signal.Signals, seconds: float = 15) -> int:
    if process.poll() is None:
        process.send_signal(sig)
    return _wait_for_end(process, seconds)


def _wait_for_end(process: subprocess.Popen[bytes], seconds: float) -> int:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return process.returncode


def _wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: float
) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the process ended with {process.returncode}:\n{_tail(log)}")
        with contextlib.suppress(OSError):
            if ready():
                return
        time.sleep(0.02)
    raise TimeoutError(f"not ready after {seconds:g} s:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:] if log.exists() else "(no log)"


class Services(NamedTuple):
    """Addresses of a private PostgreSQL and Redis.

    `database_url` is the application's role: no superuser, no BYPASSRLS, not the owner of the cluster; it may
    create databases, because the test runner makes one. `owner_url` is the superuser of the private cluster.
    """

    database_url: str
    owner_url: str
    redis_url: str


class PrivateServices(contextlib.AbstractContextManager[Services]):
    """`with PrivateServices() as services:` starts both, and ends them at the end of the block.

    `durable=True` keeps fsync and synchronous commit on, as a bench or a kill -9 of the database needs.
    Raises FileNotFoundError naming the package when a program is missing.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.durable = durable
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Services:
        # not pytest's tmp_path: that is 0700 root, and a socket's path must be short
        root = Path(tempfile.mkdtemp(prefix="chatlead-", dir="/tmp"))
        self._stack.callback(shutil.rmtree, root, ignore_errors=True)
        try:
            database_url, owner_url = self._postgres(root)
            return Services(database_url, owner_url, self._redis(root))
        except BaseException:
            self._stack.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _postgres(self, root: Path) -> tuple[str, str]:
        initdb, postgres, psql = (_required(name, "postgresql") for name in ("initdb", "postgres", "psql"))
        data, log, secret = root / "pg", root / "pg.log", root / "pg.secret"
        owner_password, app_password = secrets.token_hex(16), secrets.token_hex(16)
        data.mkdir()
        secret.write_text(owner_password)
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            for path in (root, data, secret):
                os.chown(path, user.pw_uid, user.pw_gid)
        secret.chmod(0o600)
        env = {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "HOME": str(root),
            "PGPASSWORD": owner_password,
        }
        subprocess.run(
            [*_tied("INT", as_postgres=True), initdb, "-D", str(data), "-U", OWNER, "--auth=scram-sha-256"]
            + [f"--pwfile={secret}", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8"],
            check=True, cwd=root, env=env, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        port = free_port()
        settings = ["listen_addresses=127.0.0.1", "max_connections=200"]
        if not self.durable:
            settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        command = [
            *_tied("INT", as_postgres=True),
            postgres,
            "-D",
            str(data),
            "-p",
            str(port),
            "-k",
            str(root),
        ]
        for setting in settings:
            command += ["-c", setting]
        process = self._spawn(command, log, root, env)
        # SIGINT is the fast shutdown; SIGTERM would wait for every client
        self._stack.callback(_end, process, signal.SIGINT)
        statement = (
            f"CREATE ROLE {APP_ROLE} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE CREATEDB "
            f"PASSWORD '{app_password}'; CREATE DATABASE chatlead OWNER {APP_ROLE}"
        )
        ask = [psql, "-q", "-h", "127.0.0.1", "-p", str(port), "-U", OWNER, "-d", "postgres"]
        ask += ["-v", "ON_ERROR_STOP=1"]

        def ready() -> bool:
            return subprocess.run([*ask, "-c", "SELECT 1"], env=env, capture_output=True).returncode == 0

        _wait_until(ready, process, log, 30)
        for part in statement.split("; "):
            subprocess.run([*ask, "-c", part], check=True, env=env, stdout=subprocess.DEVNULL)
        return (
            f"postgres://{APP_ROLE}:{app_password}@127.0.0.1:{port}/chatlead",
            f"postgres://{OWNER}:{owner_password}@127.0.0.1:{port}/postgres",
        )

    def _redis(self, root: Path) -> str:
        exe = program("redis-server") or program("valkey-server")
        if not exe:
            raise FileNotFoundError("redis-server is missing: apt-get install redis-server")
        port, password, log, config = (
            free_port(),
            secrets.token_hex(16),
            root / "redis.log",
            root / "redis.conf",
        )
        # by file, so that the password is in no process list
        config.write_text(f"requirepass {password}\n")
        config.chmod(0o600)
        command = [*_tied("TERM"), exe, str(config), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        command += ["--appendonly", "no", "--dir", str(root), "--daemonize", "no"]
        process = self._spawn(command, log, root, dict(os.environ))
        self._stack.callback(_end, process, signal.SIGTERM)

        def ready() -> bool:
            with socket.create_connection(("127.0.0.1", port), 1) as link:
                link.sendall(f"AUTH {password}\r\nPING\r\n".encode())
                answer = b""
                while b"+PONG" not in answer:
                    piece = link.recv(64)
                    if not piece:
                        return False
                    answer += piece
                return True

        _wait_until(ready, process, log, 20)
        return f"redis://:{password}@127.0.0.1:{port}/0"

    def _spawn(
        self, command: Sequence[str], log: Path, cwd: Path, env: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        with log.open("ab") as out:
            return subprocess.Popen(
                command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip


class Server:
    """The real server, `manage.py serve`, as one or more processes on one address that stays the same.

    The test binds the socket, so there is no race for the port; every process accepts from it. While no
    process is left the socket is closed: clients are refused, as they are when a server is down. Usage:

        with Server(data_dir=tmp_path, options=["--migrate", "--demo"]) as server:
            get(server.url + "/healthz"); server.kill(); server.start()

    `options` go to the first process of the first start only (`--migrate`, `--demo`). `env` is added to an
    environment without any setting of the caller's (`OURS`, `CHATLEAD_*`).
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
    ) -> None:
        self.data_dir = Path(data_dir)
        self.processes: list[subprocess.Popen[bytes] | None] = [None] * processes
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._options = list(options)
        self._python = list(python)
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
        codes = [_wait_for_end(process, 15) for process in running]
        if not self.pids():
            self._unbind()
        return codes

    def _start(self, number: int, seconds: float) -> None:
        listener = self._bind()
        options, self._options = self._options, []
        command = [
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
                [*_tied("KILL"), *command, *options], cwd=ROOT, env=self._env, pass_fds=[listener.fileno()],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.processes[number] = process
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

        _wait_until(ready, process, log, seconds)

    def _log(self, number: int) -> Path:
        return self.data_dir / f"server-{number}.log"

    def _bind(self) -> socket.socket:
        if self._listener is None:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self.port))
            listener.listen(2048)
            self._listener = listener
        return self._listener

    def _unbind(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
