"""What bound the cycle time of a run: the chain of nodes each of which began when the one before had ended."""

from collections import defaultdict
from collections.abc import Mapping

from controller.execution.record import Record
from controller.execution.state import Ended
from controller.report.summary import BindingRecord


def binding(
    record: Record, ended: Mapping[int, Ended], begin_s: float, end_s: float, cycles: int
) -> tuple[BindingRecord, ...]:
    """The critical path of the measured time, summed by resource and operation, the largest part first.

    Args:
        record: The record.
        ended: The end of every node that has ended.
        begin_s: Begin of the measured time [s].
        end_s: Its end: the moment at which the last measured joint left [s].
        cycles: Cycles in it.
    """
    ends = {
        node: (event.end_ns, node) for node, event in ended.items()
    }  # of two that end together the later one
    measured = [node for node, (end_ns, _) in ends.items() if end_ns * 1e-9 <= end_s + 1e-9]
    last = max(measured, default=None, key=ends.__getitem__)
    parts: dict[tuple[str, str], float] = defaultdict(float)
    while last is not None and ended[last].end_ns * 1e-9 > begin_s:
        event, node = ended[last], record.graph.nodes[last]
        before = [other for other in record.graph.predecessors[last] if other in ended]
        previous = max(before, default=None, key=ends.__getitem__)
        # Lateness of the control system counts with the node that it delayed.
        since_s = begin_s if previous is None else max(begin_s, ended[previous].end_ns * 1e-9)
        parts[node.resource, node.operation or node.label.split()[0]] += event.end_ns * 1e-9 - since_s
        last = previous
    ordered = sorted(parts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        BindingRecord(resource=resource, operation=operation, seconds=seconds / max(cycles, 1))
        for (resource, operation), seconds in ordered
    )
