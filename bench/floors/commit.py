"""The least that a durable message takes: `python -m bench.floors.commit URL RATE SECONDS` commits messages
one by one, at that rate, on the writer of the message floor, and prints the median in milliseconds."""

from __future__ import annotations

import statistics
import sys
import time
from uuid import UUID

from bench.chat_log import uuid7
from bench.floors.message import CHATS, PostgresWriter, SqliteWriter, Writer

TEXT = "hello there, I have a question about order 12345"


def main(url: str, rate: float, seconds: float) -> float:
    file = url.removeprefix("sqlite:///")
    writer: Writer = PostgresWriter(url) if file == url else SqliteWriter(file)
    times = []
    started = time.perf_counter()
    for number in range(int(rate * seconds)):
        wait = started + number / rate - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        item = (number * 7919 % CHATS + 1, UUID(uuid7()), TEXT)
        began = time.perf_counter()
        writer.commit([item])
        times.append(time.perf_counter() - began)
    return round(statistics.median(times) * 1000, 3)


if __name__ == "__main__":
    print(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
