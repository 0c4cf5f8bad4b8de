"""Figures of the panel for Prometheus, and the cell's beside them; base units, counters end in _total."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2)


class PanelMetrics:
    """What the panel counts.

    Args:
        cell: The cell's own figures; None without.
    """

    def __init__(self, cell: CollectorRegistry | None = None) -> None:
        self._cell = cell
        self._registry = CollectorRegistry()
        self._answers = Histogram(
            "panel_command_duration_seconds",
            "Time from a command's arrival to the cell's decision.",
            ("kind",),
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self._refused = Counter(
            "panel_requests_refused",
            "Requests refused before anything read them.",
            ("status",),
            registry=self._registry,
        )
        self._clients = Gauge("panel_stream_clients", "Open streams.", registry=self._registry)
        self._age = Gauge(
            "panel_picture_age_seconds", "Age of the newest picture of the cell.", registry=self._registry
        )
        for kind in ("stop", "other"):
            self._answers.labels(kind)

    def answered(self, seconds: float, stopping: bool) -> None:
        """The cell has decided on a request."""
        self._answers.labels("stop" if stopping else "other").observe(seconds)

    def refused(self, status: int) -> None:
        """A request was refused at the door."""
        self._refused.labels(str(status)).inc()

    def text(self, clients: int, age_s: float) -> bytes:
        """Everything in Prometheus' text format."""
        self._clients.set(clients)
        self._age.set(age_s)
        return generate_latest(self._registry) + (b"" if self._cell is None else generate_latest(self._cell))
