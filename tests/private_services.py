"""A PostgreSQL and a Redis of our own, for tests and benches; they can be killed and started again.

Each has its own port, its own directory and its own password, and dies with the process that started it.
Imports neither pytest nor Django.
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
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from tests.processes import end_process, free_port, program, required, tied, wait_until

OWNER = "chatlead_owner"
APP_ROLE = "chatlead_app"


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
    `host` is the address that both listen on; it must be one of this machine's. Raises FileNotFoundError
    naming the package when a program is missing. Inside the block `kill_…`, `stop_…` and `start_…` break
    and mend them: the addresses stay, PostgreSQL keeps its data, Redis forgets all.
    """

    def __init__(self, *, durable: bool = False, host: str = "127.0.0.1") -> None:
        self.durable = durable
        self.host = host
        self._stack = contextlib.ExitStack()
        self._root = Path()
        self._postgres: subprocess.Popen[bytes] | None = None
        self._redis: subprocess.Popen[bytes] | None = None
        self._postgres_port, self._redis_port = free_port(), free_port()
        self._owner_password, self._app_password, self._redis_password = (
            secrets.token_hex(16) for _ in range(3)
        )

    def __enter__(self) -> Services:
        # not pytest's tmp_path: that is 0700 root, and a socket's path must be short
        self._root = Path(tempfile.mkdtemp(prefix="chatlead-", dir="/tmp"))
        self._stack.callback(shutil.rmtree, self._root, ignore_errors=True)
        try:
            self._make_cluster()
            self._stack.callback(self.stop_postgres)
            self.start_postgres()
            self._make_database()
            self._stack.callback(self.stop_redis)
            self.start_redis()
        except BaseException:
            self._stack.close()
            raise
        return Services(
            f"postgres://{APP_ROLE}:{self._app_password}@{self.host}:{self._postgres_port}/chatlead",
            f"postgres://{OWNER}:{self._owner_password}@{self.host}:{self._postgres_port}/postgres",
            f"redis://:{self._redis_password}@{self.host}:{self._redis_port}/0",
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    # --- PostgreSQL ---------------------------------------------------------------------------------

    def stop_postgres(self) -> None:
        """The fast shutdown: every client is cut off, everything is written."""
        if self._postgres is not None:
            # SIGINT is the fast shutdown; SIGTERM would wait for every client
            end_process(self._postgres, signal.SIGINT)

    def kill_postgres(self) -> None:
        """kill -9 of the postmaster: nothing is flushed, its children find themselves orphaned and go."""
        if self._postgres is not None:
            end_process(self._postgres, signal.SIGKILL)

    def start_postgres(self, seconds: float = 30) -> None:
        """Start it, after a crash too, and wait until it answers. Raises RuntimeError, TimeoutError."""
        end = time.monotonic() + seconds
        while True:
            self._postgres = self._spawn(
                self._postgres_command(), self._root / "pg.log", self._postgres_env()
            )
            try:
                wait_until(self._postgres_answers, self._postgres, self._root / "pg.log", seconds)
                return
            except RuntimeError:
                # orphans of one that was killed still hold its shared memory
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def _postgres_env(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "HOME": str(self._root),
            "PGPASSWORD": self._owner_password,
        }

    def _make_cluster(self) -> None:
        initdb = required("initdb", "postgresql")
        data, secret = self._root / "pg", self._root / "pg.secret"
        data.mkdir()
        secret.write_text(self._owner_password)
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            for path in (self._root, data, secret):
                os.chown(path, user.pw_uid, user.pw_gid)
        secret.chmod(0o600)
        subprocess.run(
            [*tied("INT", as_postgres=True), initdb, "-D", str(data), "-U", OWNER, "--auth=scram-sha-256"]
            + [f"--pwfile={secret}", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8"],
            check=True, cwd=self._root, env=self._postgres_env(), stdout=subprocess.DEVNULL,
        )  # fmt: skip
        if self.host != "127.0.0.1":
            with (data / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {self.host}/24 scram-sha-256\n")

    def _postgres_command(self) -> list[str]:
        settings = [f"listen_addresses={self.host}", "max_connections=200"]
        if not self.durable:
            settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        command = [*tied("INT", as_postgres=True), required("postgres", "postgresql")]
        command += ["-D", str(self._root / "pg"), "-p", str(self._postgres_port), "-k", str(self._root)]
        for setting in settings:
            command += ["-c", setting]
        return command

    def _ask(self, statement: str) -> subprocess.CompletedProcess[bytes]:
        psql = required("psql", "postgresql")
        ask = [psql, "-q", "-h", self.host, "-p", str(self._postgres_port), "-U", OWNER, "-d", "postgres"]
        ask += ["-v", "ON_ERROR_STOP=1", "-c", statement]
        return subprocess.run(ask, env=self._postgres_env(), capture_output=True)

    def _postgres_answers(self) -> bool:
        return self._ask("SELECT 1").returncode == 0

    def _make_database(self) -> None:
        role = f"CREATE ROLE {APP_ROLE} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE CREATEDB "
        for statement in (
            f"{role} PASSWORD '{self._app_password}'",
            f"CREATE DATABASE chatlead OWNER {APP_ROLE}",
        ):
            self._ask(statement).check_returncode()

    # --- Redis --------------------------------------------------------------------------------------

    def stop_redis(self) -> None:
        if self._redis is not None:
            end_process(self._redis, signal.SIGTERM)

    def kill_redis(self) -> None:
        if self._redis is not None:
            end_process(self._redis, signal.SIGKILL)

    def start_redis(self) -> None:
        """Start it, empty, and wait until it answers."""
        exe = program("redis-server") or program("valkey-server")
        if not exe:
            raise FileNotFoundError("redis-server is missing: apt-get install redis-server")
        log, config = self._root / "redis.log", self._root / "redis.conf"
        # by file, so that the password is in no process list
        config.write_text(f"requirepass {self._redis_password}\n")
        config.chmod(0o600)
        command = [*tied("TERM"), exe, str(config), "--port", str(self._redis_port), "--bind", self.host]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self._root), "--daemonize", "no"]
        self._redis = self._spawn(command, log, dict(os.environ))
        wait_until(self._answers_ping, self._redis, log, 20)

    def flush_redis(self) -> None:
        """FLUSHALL: it lives, and has forgotten everything."""
        self._say_to_redis("FLUSHALL", b"+OK\r\n+OK")

    def _answers_ping(self) -> bool:
        return self._say_to_redis("PING", b"+PONG")

    def _say_to_redis(self, command: str, wanted: bytes) -> bool:
        with socket.create_connection((self.host, self._redis_port), 1) as link:
            link.sendall(f"AUTH {self._redis_password}\r\n{command}\r\n".encode())
            answer = b""
            while wanted not in answer:
                piece = link.recv(64)
                if not piece:
                    return False
                answer += piece
            return True

    def _spawn(self, command: Sequence[str], log: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with log.open("ab") as out:
            return subprocess.Popen(
                command, cwd=self._root, env=env, stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
