"""What is known of a running cell, advanced by events alone.

Every resource works through its nodes of the event graph in order, so its progress is two numbers: how many
nodes it has been given and how many have ended. `advance` is pure; replaying a record through it gives the
same state again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from cells.measurement import Measurement
from controller.motion.event_graph import EventGraph


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How many of its nodes a resource has been given, and how many have ended."""

    given: int = 0
    ended: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A node was handed to its driver."""

    time_ns: int
    node: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A node has ended; times are the device's own, ``verdict`` is empty when it went well."""

    time_ns: int
    node: int
    start_ns: int
    end_ns: int
    verdict: str = ""
    measured: Mapping[str, float] = field(default_factory=dict)
    tests: Mapping[str, Measurement] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulted:
    """A resource cannot go on."""

    time_ns: int
    resource: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Everything was brought to rest; what was queued is void."""

    time_ns: int
    reason: str


Event = Given | Ended | Faulted | Stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedJoint:
    """A joint that has left the cell."""

    serial: str
    model: str
    finished_ns: int
    reject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellState:
    """Progress of every resource, joints that left, rejects in work, and why the cell does not run."""

    progress: Mapping[str, Progress]
    finished: tuple[FinishedJoint, ...] = ()
    rejects: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    stopped: str = ""

    @property
    def running(self) -> bool:
        """Whether nodes may still be started."""
        return not self.fault and not self.stopped


class Course:
    """The event graph as the resources see it: each one's nodes in order."""

    def __init__(self, graph: EventGraph) -> None:
        self.graph = graph
        chains: dict[str, list[int]] = {}
        for node in graph.order():
            chains.setdefault(graph.nodes[node].resource, []).append(int(node))
        self.chains: Mapping[str, tuple[int, ...]] = {name: tuple(chain) for name, chain in chains.items()}
        self.place = {node: k for chain in self.chains.values() for k, node in enumerate(chain)}

    def initial(self) -> CellState:
        """Nothing has been given yet."""
        return CellState(progress=MappingProxyType({name: Progress() for name in self.chains}))

    def has_ended(self, state: CellState, node: int) -> bool:
        """Whether a node has ended."""
        return self.place[node] < state.progress[self.graph.nodes[node].resource].ended

    def next_of(self, state: CellState, resource: str, ahead: int) -> int | None:
        """The next node of a resource that may be given to its driver, or None.

        A node may be queued up to ``ahead`` places behind a running one of the same resource when
        everything else it waits for has ended.
        """
        chain, progress = self.chains[resource], state.progress[resource]
        if progress.given == len(chain) or progress.given - progress.ended > ahead:
            return None
        node = chain[progress.given]
        for before in self.graph.predecessors[node]:
            own = self.graph.nodes[before].resource == resource
            if not (own and ahead) and not self.has_ended(state, before):
                return None
        return node


def advance(course: Course, state: CellState, event: Event) -> CellState:
    """The state after an event."""
    if isinstance(event, Faulted):
        return replace(state, fault=state.fault or f"{event.resource}: {event.reason}")
    if isinstance(event, Stopped):
        return replace(state, stopped=event.reason)
    node = course.graph.nodes[event.node]
    before = state.progress[node.resource]
    if isinstance(event, Given):
        return _with(state, node.resource, replace(before, given=before.given + 1))
    state = _with(state, node.resource, replace(before, ended=before.ended + 1))
    if event.verdict and node.serial:
        reason = f"{node.label}: {event.verdict}"
        rejects = {**state.rejects, node.serial: state.rejects.get(node.serial, reason)}
        state = replace(state, rejects=MappingProxyType(rejects))
    if node.finishes:
        joint = FinishedJoint(
            serial=node.serial,
            model=node.model,
            finished_ns=event.end_ns,
            reject=state.rejects.get(node.serial, ""),
        )
        state = replace(state, finished=(*state.finished, joint))
    return state


def _with(state: CellState, resource: str, progress: Progress) -> CellState:
    return replace(state, progress=MappingProxyType({**state.progress, resource: progress}))
