"""docker-compose.yml without containers: its services as processes of this machine, by its own commands.

What a container would have of its own is given here instead, and nothing else is changed: names become
addresses of this machine, ports free ports, paths a folder. PostgreSQL and Redis are private ones.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import yaml

from tests.e2e.front import certificate
from tests.private_services import PrivateServices, Services
from tests.processes import Run, end_process, free_port, program, runs, tied
from tests.servers import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
WEB = ("web1", "web2")
PROCESSES = (*WEB, "worker", "beat", "proxy")
TRUSTED = "172.30.77.2/32"  # the proxy's address in the compose network


def nginx() -> str | None:
    return program("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else None)


class Stack:
    """`with Stack("chat.example") as stack:` migrates, starts everything and waits until it is healthy."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.url = f"https://{host}"
        self.port, self.plain_port = free_port(), free_port()
        self.ports = {name: free_port() for name in WEB}
        self.folder = Path()
        self._stack = contextlib.ExitStack()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._values: dict[str, str] = {}
        self._places: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        # not pytest's tmp_path, which is root's alone: the proxy is not root
        self.folder = Path(tempfile.mkdtemp(prefix="chatlead-stack-", dir="/tmp"))
        self.folder.chmod(0o755)
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        try:
            services = self._stack.enter_context(PrivateServices())
            self._settle(services)
            self.run("migrate", self.command_of("migrate"))
            for name in PROCESSES:
                self.start(name)
                self._stack.callback(self.stop, name)
            for name in (*WEB, "proxy"):
                self.wait(name)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # --- what the compose file says -------------------------------------------------------------------

    def _settle(self, services: Services) -> None:
        database, redis = urlsplit(services.database_url), urlsplit(services.redis_url)
        self._values = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "CHATLEAD_FIELD_KEYS": secrets.token_urlsafe(32),
            "ALLOWED_HOSTS": self.host,
            "CHATLEAD_PUBLIC_URL": self.url,
            "EMAIL_URL": "smtp://127.0.0.1:1",
            "CHATLEAD_FROM_EMAIL": f"ChatLead <chatlead@{self.host}>",
            "APP_DATABASE_PASSWORD": str(database.password),
            "REDIS_PASSWORD": str(redis.password),
            "CHATLEAD_OWN_SITE": "",
            "CHATLEAD_METRICS_TOKEN": secrets.token_urlsafe(16),
        }
        self._places = [
            ("@postgres:5432", f"@127.0.0.1:{database.port}"),
            ("@redis:6379", f"@127.0.0.1:{redis.port}"),
            (TRUSTED, "127.0.0.1/32"),
            ("/etc/nginx/chatlead.conf", str(self.folder / "nginx.conf")),
            ("/tmp/beat-schedule", str(self.folder / "beat-schedule")),
        ]
        assert database.username == "chatlead_app" and database.path == "/chatlead"
        public, secret = certificate([self.host])
        for name, content in (("fullchain.pem", public), ("privkey.pem", secret)):
            (self.folder / name).write_bytes(content)
        conf = (ROOT / "deploy" / "nginx.conf").read_text()
        for old, new in (
            ("web1:8000", f"127.0.0.1:{self.ports['web1']}"),
            ("web2:8000", f"127.0.0.1:{self.ports['web2']}"),
            ("listen 8443 ", f"listen 127.0.0.1:{self.port} "),
            ("listen 8080 ", f"listen 127.0.0.1:{self.plain_port} "),
            ("/etc/nginx/tls/", f"{self.folder}/"),
            ("/tmp/nginx", f"{self.folder}/nginx-run"),
        ):
            assert old in conf, old
            conf = conf.replace(old, new)
        (self.folder / "nginx.conf").write_text(conf)

    def filled(self, text: str, name: str) -> str:
        """A value of the compose file as it is here, for the service `name`."""
        text = re.sub(r"\$\{(\w+):\?[^}]*\}", lambda found: self._values[found[1]], text)
        # what need not be set is as it is without
        text = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: self._values.get(found[1], found[2]), text)
        for old, new in self._places:
            text = text.replace(old, new)
        if name in WEB:
            text = text.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
            text = re.sub(r"^8000$|(?<=:)8000(?=/)", str(self.ports[name]), text)
        return text.replace("127.0.0.1:8443", f"127.0.0.1:{self.port}").replace("$$", "$")

    def command_of(self, name: str) -> list[str]:
        return [self.filled(word, name) for word in COMPOSE["services"][name]["command"]]

    def environment_of(self, name: str) -> dict[str, str]:
        """As in a container: what image and compose file say, and nothing of whoever runs the tests."""
        own = COMPOSE["services"][name].get("environment", {})
        bins = f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/bin"
        image = {"PATH": bins, "PYTHONUNBUFFERED": "1", "CHATLEAD_DATA_DIR": str(self.folder / "data")}
        image |= {"CHATLEAD_ENV_FILE": os.devnull, "HOME": str(self.folder)}
        return image | {key: self.filled(str(value), name) for key, value in own.items()}

    # --- its processes --------------------------------------------------------------------------------

    def run(self, name: str, command: list[str], *, text: str = "") -> str:
        """A command in the environment of a service, to its end. Raises where it fails."""
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment_of(name), input=text, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, name: str) -> None:
        log = self.folder / f"{name}.log"
        log.touch()
        log.chmod(0o666)
        root = name == "proxy" and os.getuid() == 0
        if root:
            # as in its container, it is nobody; the folder is where it keeps its own
            shutil.chown(self.folder, "nobody")
            shutil.chown(self.folder / "privkey.pem", "nobody")
        become = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if root else []
        with log.open("ab") as out:
            self._processes[name] = subprocess.Popen(
                [*become, *tied("KILL"), *self.command_of(name)], cwd=ROOT, env=self.environment_of(name),
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip
        runs.append(Run(self._processes[name], log))

    def stop(self, name: str) -> int:
        """SIGTERM, as Docker does; the exit code."""
        return end_process(self._processes[name], signal.SIGTERM, 40)

    def kill(self, name: str) -> None:
        end_process(self._processes[name], signal.SIGKILL)

    def is_healthy(self, name: str) -> bool:
        """By the service's own check."""
        test = COMPOSE["services"][name]["healthcheck"]["test"]
        command = [self.filled(word, name) for word in test[1:]]
        if test[0] == "CMD-SHELL":
            command = ["sh", "-c", *command]
        done = subprocess.run(command, env=self.environment_of(name), capture_output=True, timeout=30)
        return done.returncode == 0

    def log(self) -> str:
        """What all services have written."""
        return "".join(each.read_text(errors="replace") for each in sorted(self.folder.glob("*.log")))

    def wait(self, name: str, seconds: float = 60) -> None:
        """Until it is healthy by its own check. Raises AssertionError with the end of the log."""
        until = time.monotonic() + seconds
        while not self.is_healthy(name):
            assert self._processes[name].poll() is None, self.log()[-3000:]
            assert time.monotonic() < until, self.log()[-3000:]
            time.sleep(0.2)
