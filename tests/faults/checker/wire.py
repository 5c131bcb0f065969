"""A network of our own: a namespace behind a wire that delays, loses and cuts packets.

The wire is a pair of TUN devices, one here and one in the namespace, and a thread that carries every packet
from one to the other, late, or not at all. So it is TCP itself that sends again, waits and gives up; no
traffic shaper of the kernel is needed. Wants root, /dev/net/tun and iproute2; `missing` says what is not
here. Addresses are of 198.51.100.0/24, which leads nowhere.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import itertools
import os
import secrets
import select
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random  # noqa: TID251 - repeatable faults
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
CLONE_NEWNET = 0x40000000
PACKET_BYTES = 65536
NET = "198.51.100"


def missing() -> str:
    """Why this machine cannot have a wire; "" where it can."""
    if os.getuid() != 0:
        return "network namespaces want root"
    if not shutil.which("ip"):
        return "ip is missing: apt-get install iproute2"
    if f"{NET}." in subprocess.run(["ip", "route"], check=True, capture_output=True, text=True).stdout:
        return f"this machine's own network is {NET}.0/24"
    try:
        os.close(_tun("clprobe"))
    except OSError as error:
        return f"no TUN device: {error}"
    return ""


def _tun(name: str) -> int:
    handle = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(handle, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    except OSError:
        os.close(handle)
        raise
    return handle


class Wire(AbstractContextManager["Wire"]):
    """`with Wire(1) as wire:` makes namespace `wire.namespace`; from here it is `wire.there`, and from there
    we are `wire.here`. Change `delay`, `jitter` (seconds), `loss` (share), `cut_in`, `cut_out` at any time:
    `in` is towards the namespace."""

    def __init__(self, number: int, seed: int = 0) -> None:
        self.namespace = f"cl{secrets.token_hex(4)}"
        self.here, self.there = f"{NET}.{number * 4 + 1}", f"{NET}.{number * 4 + 2}"
        self.delay = self.jitter = self.loss = 0.0
        self.cut_in = self.cut_out = False
        self.carried = self.dropped = 0
        self._chance = Random(seed)
        self._end = threading.Event()
        self._near = self._far = -1
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        _ip("netns", "add", self.namespace)
        try:
            self._near = _tun(f"{self.namespace}n")
            self._far = self.inside(lambda: _tun(f"{self.namespace}f"))
            _ip("addr", "add", self.here, "peer", self.there, "dev", f"{self.namespace}n")
            _ip("link", "set", f"{self.namespace}n", "up")
            far = ["-n", self.namespace]
            _ip(*far, "link", "set", "lo", "up")
            _ip(*far, "addr", "add", self.there, "peer", self.here, "dev", f"{self.namespace}f")
            _ip(*far, "link", "set", f"{self.namespace}f", "up")
            _ip(*far, "route", "add", "default", "dev", f"{self.namespace}f")
        except BaseException:
            self._remove()
            raise
        self._thread = threading.Thread(target=self._carry, name="wire", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join(5)
        self._remove()

    @property
    def within(self) -> list[str]:
        """What comes before a command that is to run in the namespace."""
        return ["ip", "netns", "exec", self.namespace]

    def mend(self) -> None:
        """As good as new."""
        self.delay = self.jitter = self.loss = 0.0
        self.cut_in = self.cut_out = False

    def inside(self, work: Callable[[], T]) -> T:
        """The result of `work`, called in a thread that is in the namespace: its sockets are there."""
        found: list[T] = []

        def run() -> None:
            with open(f"/run/netns/{self.namespace}") as space:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(space.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            found.append(work())

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return found[0]

    def listener(self, port: int) -> socket.socket:
        """A listening socket in the namespace."""

        def bind() -> socket.socket:
            opened = socket.socket()
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind((self.there, port))
            opened.listen(2048)
            return opened

        return self.inside(bind)

    def _remove(self) -> None:
        for handle in (self._near, self._far):
            if handle >= 0:
                os.close(handle)
        _ip("netns", "del", self.namespace)

    def _carry(self) -> None:
        """Every packet that is not lost leaves at its time; of two, the one that is due first."""
        due: list[tuple[float, int, int, bytes]] = []
        order = itertools.count()
        while not self._end.is_set():
            now = time.monotonic()
            while due and due[0][0] <= now:
                _, _, out, packet = heapq.heappop(due)
                try:
                    os.write(out, packet)
                except OSError:
                    self.dropped += 1
            wait = min(0.05, max(0.0, due[0][0] - now)) if due else 0.05
            ready, _, _ = select.select([self._near, self._far], [], [], wait)
            for handle in ready:
                inwards = handle == self._near
                try:
                    packet = os.read(handle, PACKET_BYTES)
                except BlockingIOError:
                    continue
                cut = self.cut_in if inwards else self.cut_out
                if cut or self._chance.random() < self.loss:
                    self.dropped += 1
                    continue
                self.carried += 1
                late = self.delay + self._chance.random() * self.jitter
                out = self._far if inwards else self._near
                heapq.heappush(due, (time.monotonic() + late, next(order), out, packet))


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
