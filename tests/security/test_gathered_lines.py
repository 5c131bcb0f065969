"""Lines of the log that come thick are written together; none is lost, doubled or out of order."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from chatlead.logs import Gathering
from tests.servers import ROOT

pytestmark = pytest.mark.once


class Stream(io.StringIO):
    """Counts how often something is written, and can be slow as a full pipe is."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.opened = threading.Event()
        self.opened.set()

    def write(self, text: str, /) -> int:
        self.opened.wait(20)
        self.writes += 1
        return super().write(text)

    def lines(self) -> list[str]:
        return self.getvalue().splitlines()


def logger_to(stream: Stream) -> tuple[logging.Logger, Gathering]:
    handler = Gathering(stream)
    found = logging.Logger("chatlead.access")
    found.addHandler(handler)
    return found, handler


def until_written(stream: Stream, count: int) -> None:
    for _ in range(1000):
        if len(stream.lines()) >= count:
            return
        time.sleep(0.01)
    raise AssertionError(f"{len(stream.lines())} of {count} lines were written")


def test_in_quiet_times_whoever_reads_the_log_has_the_line_at_once() -> None:
    stream = Stream()
    log, _ = logger_to(stream)
    log.info("one")
    assert stream.lines() == ["one"]


def test_the_ends_of_a_crowd_are_written_in_few_pieces_and_each_once_in_its_order() -> None:
    """V-9: a write for each would take the loop's turns away."""
    stream = Stream()
    log, handler = logger_to(stream)
    for number in range(5000):
        log.info("socket %s", number)
    handler.flush()
    assert stream.lines() == [f"socket {number}" for number in range(5000)]
    assert stream.writes < 500


def test_the_last_line_of_a_crowd_needs_nobody_to_come_after_it() -> None:
    stream = Stream()
    log, _ = logger_to(stream)
    for number in range(100):
        log.info("socket %s", number)
    until_written(stream, 100)


def test_lines_of_several_threads_are_all_there_each_thread_in_its_order() -> None:
    stream = Stream()
    log, handler = logger_to(stream)

    def writes(who: str) -> None:
        for number in range(500):
            log.info("%s %s", who, number)

    threads = [threading.Thread(target=writes, args=who) for who in "abcd"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    handler.flush()
    for who in "abcd":
        assert [line for line in stream.lines() if line.startswith(who)] == [f"{who} {n}" for n in range(500)]


def test_a_warning_is_written_at_once_with_all_that_wait_before_it() -> None:
    stream = Stream()
    log, _ = logger_to(stream)
    for number in range(50):
        log.info("socket %s", number)
    log.warning("the disk is full")
    assert stream.lines() == [*(f"socket {number}" for number in range(50)), "the disk is full"]


def test_while_nobody_reads_the_stream_those_who_log_go_on() -> None:
    stream = Stream()
    log, handler = logger_to(stream)
    log.info("first")
    stream.opened.clear()
    for number in range(200):
        log.info("socket %s", number)  # would hang here
    stream.opened.set()
    handler.flush()
    assert len(stream.lines()) == 201


def test_a_line_that_cannot_be_made_stops_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    stream = Stream()
    log, handler = logger_to(stream)
    log.info("%d", "one")
    log.info("after it")
    handler.flush()
    assert stream.lines() == ["after it"]
    assert "Logging error" in capsys.readouterr().err


def run(script: str) -> str:
    """What a process of its own has written when it has ended."""
    begin = """
        import logging, os, sys
        from chatlead.logs import Gathering
        handler = Gathering(sys.stdout)
        logging.basicConfig(handlers=[handler], format="%(message)s", level="INFO")
        log = logging.getLogger()
    """
    text = textwrap.dedent(begin) + textwrap.dedent(script)
    return subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    ).stdout


def test_what_waits_when_a_process_ends_is_written() -> None:
    written = run("for number in range(300): log.info(number)")
    assert written.split() == [str(number) for number in range(300)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_writes_its_own_lines_and_none_of_its_parents() -> None:
    """A worker that forks while lines wait."""
    written = run(
        """
        for number in range(100): log.info(f"parent {number}")
        child = os.fork()
        if not child:
            for number in range(100): log.info(f"child {number}")
            logging.shutdown()
            os._exit(0)
        os.waitpid(child, 0)
        """
    ).splitlines()
    for who in ("parent", "child"):
        assert [line for line in written if line.startswith(who)] == [f"{who} {n}" for n in range(100)]
