"""Figures for Prometheus, named by its rules: base units, counters end in _total."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from controller.supervision.packml import State
from controller.supervision.view import CellView

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_CYCLE_BUCKETS = (15, 20, 24, 26, 27, 28, 29, 30, 31, 32, 34, 38, 45, 60)
_ANSWER_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2)


class PanelMetrics:
    """What is counted while the panel runs; the rest is read from the newest picture at every scrape."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._cycles = Histogram(
            "cell_cycle_duration_seconds",
            "Time between two joints that left the cell.",
            buckets=_CYCLE_BUCKETS,
            registry=self._registry,
        )
        self._parts = Counter(
            "cell_parts", "Joints that left the cell.", ("model", "result"), registry=self._registry
        )
        self._answers = Histogram(
            "panel_command_duration_seconds",
            "Time from a command's arrival to the cell's decision.",
            ("kind",),
            buckets=_ANSWER_BUCKETS,
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

    def compare(self, before: CellView, after: CellView) -> None:
        """Count the joints that are new in a picture."""
        if before.cycles is after.cycles:
            return
        known = {(cycle.serial, cycle.left_ns) for cycle in before.cycles}
        for cycle in after.cycles:
            if (cycle.serial, cycle.left_ns) not in known:
                self._parts.labels(cycle.model, "good" if cycle.good else "rejected").inc()
                if cycle.cycle_s is not None:
                    self._cycles.observe(cycle.cycle_s)

    def answered(self, seconds: float, stopping: bool) -> None:
        """The cell has decided on a request."""
        self._answers.labels("stop" if stopping else "other").observe(seconds)

    def refused(self, status: int) -> None:
        """A request was refused at the door."""
        self._refused.labels(str(status)).inc()

    def text(self, view: CellView, clients: int, age_s: float) -> bytes:
        """Everything in Prometheus' text format."""
        self._clients.set(clients)
        self._age.set(age_s)
        registry = CollectorRegistry()
        registry.register(_Picture(view))
        return generate_latest(self._registry) + generate_latest(registry)


class _Picture(Collector):
    """Figures that the picture itself holds."""

    def __init__(self, view: CellView) -> None:
        self._view = view

    def collect(self) -> Iterator[Metric]:
        view = self._view
        state = GaugeMetricFamily("cell_state", "1 for the PackML state that holds.", labels=["state"])
        for each in State:
            state.add_metric([each.name.lower()], float(each is view.state))
        yield state
        alarms = GaugeMetricFamily(
            "cell_alarms_active", "Alarms that ask for an operator.", labels=["priority"]
        )
        for priority in range(1, 5):
            alarms.add_metric([str(priority)], sum(alarm.kind.priority == priority for alarm in view.alarms))
        yield alarms
        yield GaugeMetricFamily("cell_target_cycle_seconds", "Cycle time to reach.", value=view.target_s)
        yield GaugeMetricFamily(
            "cell_planned_cycle_seconds", "Cycle time of the plan.", value=view.planned_cycle_s
        )
        if view.oee is not None:
            yield GaugeMetricFamily("cell_oee_ratio", "OEE of the shift.", value=view.oee.oee)
        feed = GaugeMetricFamily("cell_arm_feed_ratio", "Share of the planned speed.", labels=["arm"])
        fault = GaugeMetricFamily("cell_arm_faulted", "1 when the arm has a fault.", labels=["arm"])
        errors = CounterMetricFamily("cell_arm_link_errors", "Errors of the arm's serial link.", labels=["arm"])
        for arm in view.arms:
            feed.add_metric([arm.id], arm.feed)
            fault.add_metric([arm.id], float(bool(arm.fault)))
            for name, value in arm.link.items():
                if name == "errors":
                    errors.add_metric([arm.id], value)
        yield from (feed, fault)
        if errors.samples:
            yield errors
