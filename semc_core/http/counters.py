"""What is counted, as Prometheus reads it. No name, no address and nothing of a loop is among it."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from semc_core.version import VERSION

TEXT_TYPE: Final = CONTENT_TYPE_LATEST
_SECONDS: Final = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900)


class Counters:
    """Of one service.

    Attributes:
        analysed: Loops that were analysed.
        failed: Loops that could not be.
        refused: Requests that were refused or broken off, by status; 499 is a client that went away.
        seconds: That analyses took.
        waiting: Loops that wait for their analysis.
        at_work: Loops that are analysed now.
    """

    def __init__(self, model: str, sha256: str) -> None:
        """Begin at nothing.

        Args:
            model: Name of the model.
            sha256: Of its file.
        """
        registry = self._registry = CollectorRegistry()
        self.analysed = Counter("semc_loops_analysed", "Loops that were analysed.", registry=registry)
        self.failed = Counter("semc_loops_failed", "Loops that could not be analysed.", registry=registry)
        self.refused = Counter(
            "semc_requests_refused", "Requests refused or broken off.", ["status"], registry=registry
        )
        self.seconds = Histogram(
            "semc_loop_seconds",
            "Seconds that the analysis of a loop took.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.waiting = Gauge("semc_loops_waiting", "Loops that wait for their analysis.", registry=registry)
        self.at_work = Gauge("semc_loops_at_work", "Loops that are analysed now.", registry=registry)
        info = Info("semc_model", "The model, and the program's version.", registry=registry)
        info.info({"name": model, "sha256": sha256, "program": VERSION})

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)
