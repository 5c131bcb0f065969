"""An installation of its own, beside the tests': a data folder and a database, worked on by `manage.py`.

A restore wants a database that nobody is connected to, so it is never the database of the tests.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from tests.processes import tied
from tests.servers import ROOT

SECRET, FIELD_KEY = secrets.token_urlsafe(32), secrets.token_urlsafe(32)


class Installation:
    """`at` is its data folder. On PostgreSQL it has a database of its own in the cluster of the run."""

    def __init__(self, at: Path, *, like: Installation | None = None) -> None:
        self.at = at
        at.mkdir(parents=True, exist_ok=True)
        self.identity: Path = like.identity if like else at / "identity"
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(at),
            "CHATLEAD_ENV_FILE": os.devnull,
            "CHATLEAD_DATA_DIR": str(at),
            "SECRET_KEY": SECRET,
            "CHATLEAD_FIELD_KEYS": FIELD_KEY,
            "CHATLEAD_BROKER_URL": "memory://",
        }
        self._database = ""
        if cluster := os.environ.get("DATABASE_URL"):
            self._database = f"chatlead_copy_{secrets.token_hex(6)}"
            self._ask_cluster(f'CREATE DATABASE "{self._database}"')
            self.env["DATABASE_URL"] = f"{cluster.rpartition('/')[0]}/{self._database}"
        if like is None:
            pair = self.manage("backup", "--new-key")
            self.identity.write_text(pair)
            self.env["CHATLEAD_BACKUP_RECIPIENTS"] = pair.splitlines()[0].rpartition("=")[2]
        else:
            self.env |= {name: value for name, value in like.env.items() if "BACKUP" in name or "S3" in name}
            self.env["CHATLEAD_ARCHIVE_IDENTITY_FILE"] = like.env["CHATLEAD_ARCHIVE_IDENTITY_FILE"]
            self.env["CHATLEAD_TOMBSTONES"] = f"file://{like.at}/tombstones"
        self.env.setdefault("CHATLEAD_ARCHIVE_IDENTITY_FILE", str(at / "archive_identity"))
        self.env["CHATLEAD_BACKUP_IDENTITY_FILE"] = str(self.identity)
        self.env.setdefault("CHATLEAD_BACKUP_STORE", f"file://{at}/backups")

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """`manage.py …`, to be killed in the middle."""
        return self._start(str(ROOT / "manage.py"), *arguments)

    def start_module(self, name: str) -> subprocess.Popen[bytes]:
        """`python -m …`, to be killed in the middle."""
        return self._start("-m", name)

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*tied("KILL"), sys.executable, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL,
            env={**self.env, "DJANGO_SETTINGS_MODULE": "chatlead.settings"},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments], cwd=ROOT, env=self.env,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )  # fmt: skip

    def run_next(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The same after somebody was killed: PostgreSQL lets go of a lock when it notices."""
        while "is under way" in (done := self.run(*arguments)).stderr:
            pass
        return done

    def manage(self, *arguments: str) -> str:
        """What it says. A failure is an AssertionError with all it said."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refused(self, *arguments: str) -> str:
        """What it says when it fails, as it must."""
        done = self.run(*arguments)
        assert done.returncode != 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.stderr

    def python(self, program: str) -> str:
        """The last line that a program prints inside of this installation."""
        return self.manage("shell", "-v", "0", "-c", program).strip().splitlines()[-1]

    def facts(self) -> dict[str, object]:
        """What must be the same after a restore, and what must not be."""
        found: dict[str, object] = json.loads(
            self.python(
                "import json\n"
                "from accounts.models import *\n"
                "from chats.models import Message\n"
                "here = Installation.objects.get()\n"
                "print(json.dumps({'accounts': Account.objects.count(), 'users': User.objects.count(), "
                "'texts': list(Message.objects.order_by('pk').values_list('text', flat=True)), "
                "'epoch': here.epoch, 'shut': here.restoring_since is not None}))"
            )
        )
        return found

    @property
    def is_sqlite(self) -> bool:
        return not self._database

    def backups(self) -> list[Path]:
        return sorted((self.at / "backups").glob("*.backup.age"))

    def drop(self) -> None:
        if self._database:
            self._ask_cluster(f'DROP DATABASE IF EXISTS "{self._database}" WITH (FORCE)')
        shutil.rmtree(self.at, ignore_errors=True)

    def _ask_cluster(self, statement: str) -> None:
        import psycopg

        with contextlib.closing(psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)) as cluster:
            cluster.execute(statement)
