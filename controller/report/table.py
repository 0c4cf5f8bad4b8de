"""The result of a run in a few lines for the terminal."""

from rich.table import Table
from rich.text import Text

from controller.report.summary import RunSummary

_MOST = 5  # parts of the critical path that are named when the target is met; all of them when it is missed


def result_table(summary: RunSummary) -> Table:
    """A table of the figures that matter; its title is the verdict."""
    title = Text(summary.verdict, style="bold" if summary.met else "bold dark_orange")
    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    for name, value in key_figures(summary).items():
        table.add_row(Text(name, style="dim"), Text(value))
    return table


def key_figures(summary: RunSummary) -> dict[str, str]:
    """The figures that matter, in words."""

    def seconds(value: float | None) -> str:
        return "–" if value is None else f"{value:.2f} s"

    gap = "–" if summary.gap is None else f"{100 * summary.gap:.1f} %"
    needed = "–" if summary.needed_oee is None else f"{100 * summary.needed_oee:.1f} %"
    arms = sorted(summary.arms, key=lambda arm: (-arm.busy, arm.name))
    most = summary.binding[:_MOST] if summary.met else summary.binding
    rest = sum(part.seconds for part in summary.binding[len(most) :])
    parts = [f"{part.resource} {part.operation} {part.seconds:.1f} s" for part in most]
    parts += [f"others {rest:.1f} s"] if rest >= 0.05 else []
    return {
        "Cycle time": f"p95 {seconds(summary.cycle_time_p95_s)}, mean {seconds(summary.cycle_time_mean_s)}, "
        f"longest {seconds(summary.cycle_time_max_s)} ({len(summary.cycle_times_s)} cycles)",
        "Plan": f"{seconds(summary.planned_cycle_time_s)}, proven bound {seconds(summary.lower_bound_s)}, "
        f"measured {gap} above it",
        "Flow time": seconds(summary.flow_time_p50_s),
        "Joints": f"{summary.good_joints} good of {len(summary.joints)}, {len(summary.models)} models; "
        f"one million a year needs OEE {needed}",
        "Mishaps": f"{summary.collisions} collisions, {summary.dropped_parts} dropped parts",
        "What binds": ", ".join(parts) or "–",
        "Arms at work": ", ".join(f"{arm.name} {100 * arm.busy:.0f} %" for arm in arms) or "–",
    }
