"""The table of joints: what the end-of-line test measured, against its limits."""

from collections.abc import Iterator, Sequence

from controller.report.chart import shown
from controller.report.markup import escaped
from controller.report.quantities import quantity
from controller.report.summary import EndOfLineValue, JointRecord

TRACK = 38.0  # width of the little gauge that shows a value inside its window


def joint_table(joints: Sequence[JointRecord]) -> str:
    """An HTML table, one row per joint, one column per measurement, in the order of its first appearance."""
    units = {name: value.unit for joint in reversed(joints) for name, value in reversed(joint.eol.items())}
    columns = {name: quantity(name, units[name]) for name in reversed(units)}

    def rows() -> Iterator[str]:
        yield "<thead><tr><th>Joint</th><th>Model</th>"
        yield '<th class="n">Finished<small>s, and flow time</small></th>'
        for column in columns.values():
            yield f'<th class="n">{escaped(column.heading)}<small>{escaped(column.unit)}</small></th>'
        yield "</tr></thead><tbody>"
        for joint in joints:
            verdict = "good" if joint.good else '<span class="bad">▲ reject</span>'
            yield f'<tr><td class="serial">{escaped(joint.serial)}<small>{verdict}</small></td>'
            yield f'<td class="model">{escaped(joint.model)}</td>'
            yield f'<td class="n">{joint.finished_s:.1f}<small>{joint.flow_time_s:.1f}</small></td>'
            for name, column in columns.items():
                measured = joint.eol.get(name)
                if measured is None:
                    yield '<td class="n soft">–</td>'
                    continue
                value = escaped(column.shown(measured.value))
                if not measured.ok:
                    value = f'<span class="bad">▲ {value}</span>'
                yield f'<td class="n">{value}{_gauge(measured)}<small>{column.window(measured)}</small></td>'
            yield "</tr>"
        yield "</tbody>"

    return f'<table class="joints">{"".join(rows())}</table>'


def _gauge(measured: EndOfLineValue) -> str:
    """A line as long as the window with a mark at the value; a value outside sticks out at the end."""
    if measured.value is None or measured.low is None or measured.high is None:
        return ""
    if measured.low == measured.high:
        return ""  # a count: there is nothing to be in the middle of
    span = measured.high - measured.low
    share = (measured.value - measured.low) / span
    at = 3 + (TRACK - 6) * min(max(share, -0.05), 1.05)
    return (
        f'<svg class="gauge" viewBox="0 0 {TRACK:g} 8" width="{TRACK:g}" height="8" aria-hidden="true">'
        f'<path class="track" d="M3 1v6M{TRACK - 3:g} 1v6M3 4H{TRACK - 3:g}"/>'
        f'<rect class="{"in" if measured.ok else "out"}" x="{shown(at - 1.5)}" width="3" height="8"/></svg>'
    )
