"""What this process counts and times, for /metrics. Never by visitor, chat or account: the labels are few,
and all of their values are words of ours.

The lowest module but for the errors, so that everybody may count. A histogram is told of a batch, not of a
message: on the hot path nothing is counted one by one. `watch` is for what is looked up when somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client import disable_created_metrics as without_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

without_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

COMMIT = Histogram(
    "chatlead_commit_seconds",
    "From the beginning of a batch's transaction until it is on the disk.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
DELIVERY = Histogram(
    "chatlead_delivery_seconds",
    "From the commit of a batch until its events and answers were handed to the sockets of this process.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
BATCH = Histogram(
    "chatlead_batch_rows",
    "Rows of a transaction of the journal.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    registry=REGISTRY,
)
REFUSED = Counter(
    "chatlead_refused_frames",
    "Commands that were not carried out, by the code of the answer.",
    ["code"],
    registry=REGISTRY,
)


class Reading(NamedTuple):
    """A value of a gauge, with the value of its label where it has one."""

    value: float
    label: str = ""


class _Watched(Collector):
    """A gauge whose readings are taken when somebody asks."""

    def __init__(self, name: str, meaning: str, read: Callable[[], list[Reading]], label: str) -> None:
        self._gauge = name, meaning, [label] if label else []
        self._read = read

    def describe(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily(self._gauge[0], self._gauge[1], labels=self._gauge[2])

    def collect(self) -> Iterator[GaugeMetricFamily]:
        name, meaning, labels = self._gauge
        family = GaugeMetricFamily(name, meaning, labels=labels)
        for reading in self._read():
            family.add_metric([reading.label] if labels else [], reading.value)
        yield family


def watch(name: str, meaning: str, read: Callable[[], list[Reading]], label: str = "") -> None:
    """Have /metrics show the gauge `name`, read by `read()` in a thread of its own whenever it is asked for.
    An empty list leaves it out. Raises ValueError where there is such a name already."""
    REGISTRY.register(_Watched(name, meaning, read, label))


def exposition() -> bytes:
    """Everything, in Prometheus' text format."""
    return generate_latest(REGISTRY)
