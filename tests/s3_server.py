"""A real S3 server on loopback, in a process of its own: moto's, which checks signatures and rights.

`python -m tests.s3_server PORT` is that process; tests use `with S3Server() as s3`.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.processes import end_process, free_port, tail, tied, wait_until

ROOT = Path(__file__).resolve().parent.parent
BUCKET = "vault"


class Keys(NamedTuple):
    """Of one user of the server."""

    access: str
    secret: str


class S3Server(contextlib.AbstractContextManager["S3Server"]):
    """`with S3Server() as s3:` gives a server with the bucket `vault`, its owner's `keys`, and those of a
    user who may write and read but not delete, `write_once`. `s3.url("prefix")` is for `open_store`."""

    keys: Keys
    write_once: Keys

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="chatlead-s3-"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> S3Server:
        log = self._folder / "log"
        # an environment of its own: no credentials, and no host that answers but this one
        env = {"PATH": os.environ["PATH"], "HOME": str(self._folder), "PYTHONPATH": str(ROOT)}
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [*tied("KILL"), sys.executable, "-m", "tests.s3_server", str(self.port)],
                cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        wait_until(lambda: b"\nready " in b"\n" + log.read_bytes(), self._process, log, 90)
        line = next(line for line in log.read_text().splitlines() if line.startswith("ready "))
        given = json.loads(line.removeprefix("ready "))
        self.keys, self.write_once = Keys(*given["owner"]), Keys(*given["write_once"])
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for file in self._folder.iterdir():
            file.unlink()
        self._folder.rmdir()

    def stop(self) -> None:
        """It is gone, and everything in it: it keeps nothing on the disk."""
        if self._process is not None:
            end_process(self._process, signal.SIGKILL)

    def url(self, prefix: str = "") -> str:
        return f"s3://{BUCKET}/{prefix}?endpoint=http://127.0.0.1:{self.port}&region=us-east-1"

    def said(self) -> str:
        """The end of its log."""
        return tail(self._folder / "log")


def main(port: int) -> None:
    """Serve until killed; from the line `ready …` on every request must be signed by one of its keys."""
    import boto3
    from moto import settings
    from moto.core.authorization import ActionAuthenticatorMixin
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()

    def client(service: str) -> object:
        return boto3.client(
            service, endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1",
            aws_access_key_id="nobody", aws_secret_access_key=secrets.token_hex(8),
        )  # fmt: skip

    client("s3").create_bucket(Bucket=BUCKET)  # type: ignore[attr-defined]
    iam = client("iam")

    def user(name: str, actions: list[str]) -> list[str]:
        iam.create_user(UserName=name)  # type: ignore[attr-defined]
        rule = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        iam.put_user_policy(  # type: ignore[attr-defined]
            UserName=name, PolicyName=name,
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [rule]}),
        )  # fmt: skip
        key = iam.create_access_key(UserName=name)["AccessKey"]  # type: ignore[attr-defined]
        return [key["AccessKeyId"], key["SecretAccessKey"]]

    given = {
        "owner": user("owner", ["s3:*"]),
        "write_once": user("write-once", ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]),
    }
    ActionAuthenticatorMixin.request_count = 0
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    print("ready " + json.dumps(given), flush=True)
    signal.pause()


if __name__ == "__main__":
    main(int(sys.argv[1]))
