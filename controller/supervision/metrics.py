"""Figures of a running cell, and of the panel that serves it, for Prometheus: one registry, every number once.

Some are counted as things happen, others are read from the view when somebody asks. Base units; counters end in _total.
"""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from controller.supervision.packml import State
from controller.supervision.view import CellView

_CYCLE_BUCKETS_S = (20, 22, 24, 25, 26, 27, 28, 29, 30, 31, 32, 35, 40, 60, 120, 300, 900)
_PLAN_BUCKETS_S = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)
_ANSWER_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2)
_PRIORITIES = (1, 2, 3, 4)


class CellMetrics:
    """The metrics of one cell, in a registry of their own.

    Attributes:
        registry: What a server of metrics reads.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._cycles = Histogram(
            "cell_cycle_duration_seconds",
            "Time between two joints that left one after the other.",
            buckets=_CYCLE_BUCKETS_S,
            registry=self.registry,
        )
        self._parts = Counter(
            "cell_parts_total",
            "Joints that left the cell since the controller began.",
            ["recipe", "result"],
            registry=self.registry,
        )
        self._plans = Histogram(
            "cell_plan_duration_seconds",
            "Time that planning took, of a new plan or of more joints behind the running one.",
            buckets=_PLAN_BUCKETS_S,
            registry=self.registry,
        )
        self._overtaken = Counter(
            "cell_plans_overtaken_total",
            "Plans that were not followed because the cell had gone on in another way.",
            registry=self.registry,
        )

    def watch(self, view: Callable[[], CellView]) -> None:
        """Read the other figures from this view."""
        self.registry.register(_Viewed(view))

    def left(self, model: str, good: bool, cycle_s: float | None) -> None:
        """A joint has left."""
        self._parts.labels(recipe=model, result="good" if good else "rejected").inc()
        if cycle_s is not None:
            self._cycles.observe(cycle_s)

    def overtaken(self) -> None:
        """A plan came too late: the cell had gone on in another way."""
        self._overtaken.inc()

    def planned(self, seconds: float) -> None:
        """A plan was made or extended."""
        self._plans.observe(seconds)


class PanelMetrics:
    """What a panel adds to the figures of its cell.

    Args:
        registry: The cell's.
        clients: How many streams are open.
        age_s: How old the newest picture is.
    """

    def __init__(
        self, registry: CollectorRegistry, clients: Callable[[], int], age_s: Callable[[], float]
    ) -> None:
        self._answers = Histogram(
            "panel_command_duration_seconds",
            "Time from a command's arrival to the cell's decision.",
            ("kind",),
            buckets=_ANSWER_BUCKETS_S,
            registry=registry,
        )
        self._refused = Counter(
            "panel_requests_refused",
            "Requests refused before anything read them.",
            ("status",),
            registry=registry,
        )
        for kind in ("stop", "other"):
            self._answers.labels(kind)
        Gauge("panel_stream_clients", "Open streams.", registry=registry).set_function(clients)
        age = Gauge("panel_picture_age_seconds", "Age of the newest picture of the cell.", registry=registry)
        age.set_function(age_s)

    def answered(self, seconds: float, stopping: bool) -> None:
        """The cell has decided on a request."""
        self._answers.labels("stop" if stopping else "other").observe(seconds)

    def refused(self, status: int) -> None:
        """A request was refused at the door."""
        self._refused.labels(str(status)).inc()


class _Viewed(Collector):
    def __init__(self, view: Callable[[], CellView]) -> None:
        self._view = view

    def collect(self) -> Iterator[Metric]:
        view = self._view()
        state = GaugeMetricFamily(
            "cell_state", "1 for the PackML state that the cell is in.", labels=["state"]
        )
        for one in State:
            state.add_metric([one.name.lower()], float(view.state is one))
        yield state
        alarms = GaugeMetricFamily(
            "cell_alarms_active",
            "Alarms whose condition holds, without their consequences.",
            labels=["priority"],
        )
        active = [alarm.kind.priority for alarm in view.alarms if alarm.active]
        for priority in _PRIORITIES:
            alarms.add_metric([str(priority)], active.count(priority))
        yield alarms
        waits = CounterMetricFamily(
            "cell_arm_wait_seconds",
            "Time that an arm did not work, by what it waited for.",
            labels=["arm", "reason"],
        )
        errors = CounterMetricFamily(
            "cell_arm_link_errors", "Frames of an arm's link that were damaged or lost.", labels=["arm"]
        )
        for arm in view.arms:
            for account, seconds in arm.times_s.items():
                if account != "working":
                    waits.add_metric([arm.id, account], seconds)
            if "errors" in arm.link:
                errors.add_metric([arm.id], arm.link["errors"])
        yield waits
        yield errors

    def describe(self) -> Iterator[Metric]:
        """Nothing: a picture is only there once the cell runs."""
        return iter(())
