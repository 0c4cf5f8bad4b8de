"""The report of a run: one HTML file with everything in it, for the screen, offline and for print."""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from controller.motion.event_graph import EventGraph
from controller.report import chart
from controller.report.arm_use import arm_use
from controller.report.binding_chart import binding_chart
from controller.report.event_chart import event_chart, waits_list
from controller.report.gantt import gantt
from controller.report.joint_rows import joint_table
from controller.report.markup import escaped
from controller.report.summary import ONE_MILLION, YEAR_S, RunSummary
from controller.report.timeline import Timeline
from controller.report.trend import trend

_PAGE_STYLE = chart.PALETTE + files("controller.report").joinpath("report.css").read_text("utf-8")
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A PNG picture and what it shows."""

    caption: str
    png: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """What a report shows of the plan: its event graph with planned starts (n,) [s], and a drawing if there is one.

    ``swept_svg`` shows what two legs sweep that are in each other's way; it is shown as an image, so that nothing
    in it can run.
    """

    graph: EventGraph
    starts_s: NDArray[np.float64]
    swept_svg: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What the figures of this run rest on, one short statement each."""

    simulated: tuple[str, ...]
    modelled: tuple[str, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """How to make this report again: the command, and the versions it ran with."""

    command: str
    versions: Mapping[str, str]


def write_report(
    path: Path,
    summary: RunSummary,
    timeline: Timeline,
    *,
    scope: Scope,
    origin: Origin,
    pictures: Sequence[Picture] = (),
    plan: PlanView | None = None,
) -> None:
    """Writes the report as one self-contained file; the same input gives the same bytes.

    Raises:
        ValueError: a picture is not a PNG.
    """
    page = render_report(summary, timeline, scope=scope, origin=origin, pictures=pictures, plan=plan)
    path.write_text(page, encoding="utf-8", newline="\n")


def render_report(
    summary: RunSummary,
    timeline: Timeline,
    *,
    scope: Scope,
    origin: Origin,
    pictures: Sequence[Picture] = (),
    plan: PlanView | None = None,
) -> str:
    """The report as text; see `write_report`."""
    body = "".join(
        [
            _header(summary),
            _tiles(summary),
            _pairs(
                [
                    _pictures(pictures),
                    _section("What each arm did", "share of the measured time", arm_use(summary.arms)),
                    _binding(summary),
                ]
            ),
            _gantts(summary, timeline),
            _section("Cycle times", *_trend(summary)),
            _plan(summary, plan),
            _section("Joints", "measured at end of line, with limits", _joints(summary), kind="long"),
            _section("What these figures rest on", "", _scope(scope)),
            _section("Make it again", "", _origin(summary, origin)),
            "<footer>This report describes a run; it is no proof of safety.</footer>",
        ]
    )
    # the browser refuses any other style, every script, and whatever would have to be fetched
    allowed = " ".join(sorted({_hash(style) for style in (_PAGE_STYLE, chart.STYLE)}))
    policy = f"default-src 'none'; style-src {allowed}; img-src data:; base-uri 'none'; form-action 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(summary.verdict)} – {escaped(summary.cell)}</title>"
        f"<style>{_PAGE_STYLE}</style></head><body><main>{body}</main></body></html>\n"
    )


def _hash(style: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


def _section(title: str, note: str, content: str, kind: str = "") -> str:
    beside = f" <span>– {escaped(note)}</span>" if note else ""
    return f'<section class="{kind}"><h2>{escaped(title)}{beside}</h2>{content}</section>'


def _pairs(sections: Sequence[str]) -> str:
    """Sections that are there, two beside each other; what is left over has the width to itself."""
    there = [section for section in sections if section]
    return "".join(
        f'<div class="pair">{"".join(there[k : k + 2])}</div>' if there[k + 1 : k + 2] else there[k]
        for k in range(0, len(there), 2)
    )


def _header(summary: RunSummary) -> str:
    joints, count = len(summary.joints), len(summary.models)
    driven = {"sim": "simulated", "fake": "dry run without physics", "serial": "real arms"}
    about = (
        f"{joints} joint{'s' if joints != 1 else ''} of {count} model{'s' if count != 1 else ''} in one mix, "
        f"{driven.get(summary.driver, summary.driver)}, seed {summary.seed}"
    )
    kind = "met" if summary.met else "missed"
    reasons = "" if summary.met else f'<p class="reasons">{escaped("; ".join(summary.shortfalls))}</p>'
    return (
        f"<header><h1>{escaped(summary.cell)}</h1>"
        f'<p class="verdict {kind}">{escaped(summary.headline)}</p>{reasons}'
        f'<p class="about">{escaped(about)}</p></header>'
    )


def _tiles(summary: RunSummary) -> str:
    def tile(name: str, value: str, unit: str, note: str, meter: str = "") -> str:
        number = f"{value} <i>{unit}</i>" if unit else value
        return f'<dl class="tile"><dt>{name}</dt><dd>{number}</dd>{meter}<p>{note}</p></dl>'

    def tiles() -> Iterator[str]:
        p95, mean, gap = summary.cycle_time_p95_s, summary.cycle_time_mean_s, summary.gap
        spare = ""
        if p95 is not None:
            spare = (
                f", {abs(summary.target_s - p95):.2f} s {'to spare' if p95 <= summary.target_s else 'over'}"
            )
        yield tile(
            "Cycle time, p95",
            _number(p95, 2),
            "s",
            f"target {summary.target_s:g} s{spare}",
            _meter(p95, summary.target_s),
        )
        yield tile(
            "Cycle time, mean",
            _number(mean, 2),
            "s",
            f"planned {summary.planned_cycle_time_s:.2f} s, longest {_number(summary.cycle_time_max_s, 2)} s",
        )
        yield tile(
            "Above the proven bound",
            _number(None if gap is None else 100 * gap, 1),
            "%",
            f"{summary.lower_bound_s:.2f} s: no plan that does every joint alike is below",
        )
        flow = _number(summary.flow_time_p50_s, 1)
        yield tile("Flow time, median", flow, "s", "first part picked to joint unloaded")
        oee = ONE_MILLION * summary.target_s / YEAR_S
        yearly, needed = summary.joints_a_year(oee), summary.needed_oee
        yield tile(
            "Joints a year",
            "–" if yearly is None else f"{yearly:,}".replace(",", "\N{NO-BREAK SPACE}"),
            "",
            f"at OEE {100 * oee:.1f} %"
            + ("" if needed is None else f"; a million needs {100 * needed:.1f} %"),
        )
        rejected = len(summary.joints) - summary.good_joints
        yield tile(
            "Good joints",
            f"{summary.good_joints} of {len(summary.joints)}",
            "",
            f"{rejected} rejected, {summary.dropped_parts} parts dropped, {summary.collisions} collisions",
        )

    return f'<div class="tiles">{"".join(tiles())}</div>'


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _meter(value: float | None, target: float) -> str:
    """A bar from zero to 120 % of the target with a mark at the target."""
    if value is None:
        return ""
    share = min(value / (1.2 * target), 1.0)
    kind = "fill" if value <= target else "over"
    return (
        '<div class="meter"><svg viewBox="0 0 120 7" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{kind}" width="{120 * share:.2f}" height="7"/>'
        '<rect class="goal" x="99.5" width="1" height="7"/></svg></div>'
    )


def _pictures(pictures: Sequence[Picture]) -> str:
    if not pictures:
        return ""
    figures = []
    for picture in pictures:
        if not picture.png.startswith(_PNG_SIGNATURE):
            raise ValueError(f"report: picture {picture.caption!r} is not a PNG")
        data, caption = base64.b64encode(picture.png).decode(), escaped(picture.caption)
        figures.append(
            f'<figure><img alt="{caption}" src="data:image/png;base64,{data}">'
            f"<figcaption>{caption}</figcaption></figure>"
        )
    return _section("The cell", "", "".join(figures))


def _gantts(summary: RunSummary, timeline: Timeline) -> str:
    """The last cycle, and if any missed the target the slowest, which shows where the time went."""
    window, note = timeline.last_cycles(), "plan as outline, measured as fill; point at a bar for its times"
    charts = [_section("Last cycle", note, gantt(timeline, window, summary.target_s))]
    slowest = timeline.slowest_cycle(after_s=_steady_from(summary))
    if slowest and slowest != window and slowest[1] - slowest[0] > summary.target_s:
        note = f"{slowest[1] - slowest[0]:.2f} s, {slowest[0]:.1f} to {slowest[1]:.1f} s of the run"
        charts.append(_section("Slowest cycle", note, gantt(timeline, slowest, summary.target_s, "slowest")))
    return "".join(charts)


def _steady_from(summary: RunSummary) -> float:
    """When the first cycle that counts began [s]."""
    finished = [joint.finished_s for joint in summary.joints if joint.good]
    return finished[-1 - len(summary.cycle_times_s)] if finished else 0.0


def _trend(summary: RunSummary) -> tuple[str, str]:
    if not summary.cycle_times_s:
        return "", "<p>No cycle was completed.</p>"
    missed = sum(cycle > summary.target_s for cycle in summary.cycle_times_s)
    note = f"{len(summary.cycle_times_s)} cycles, {missed or 'none'} above the target"
    return note, trend(summary.cycle_times_s, summary.target_s, summary.lower_bound_s)


def _binding(summary: RunSummary) -> str:
    if not summary.binding:
        return ""
    note = "the critical path: each part began when the one before had ended; seconds per cycle"
    return _section("What binds", note, binding_chart(summary.binding), kind="narrow")


def _plan(summary: RunSummary, plan: PlanView | None) -> str:
    """The event graph of the last measured cycle as planned, and what two legs sweep."""
    if plan is None:
        return ""
    ends = sorted(
        float(plan.starts_s[node.id]) + node.duration_s for node in plan.graph.nodes if node.finishes
    )
    last = min(len(summary.joints), len(ends)) - 1
    if last < 1:
        return ""
    window = ends[last - 1], ends[last]
    sections = [
        _section(
            "Event graph of the last cycle",
            "as planned; what starts waits for what has to end; point at an arc for the reason",
            event_chart(plan.graph, plan.starts_s, window) + waits_list(plan.graph, plan.starts_s, window),
        )
    ]
    if plan.swept_svg:
        data = base64.b64encode(plan.swept_svg).decode()
        picture = f'<figure><img class="plain" alt="What two legs sweep" src="data:image/svg+xml;base64,{data}"></figure>'
        note = "each colour is what one arm sweeps; they must not be under way at the same time"
        sections.append(_section("The longest wait of one arm for another", note, picture))
    return "".join(sections)


def _joints(summary: RunSummary) -> str:
    return f'<div class="scroll">{joint_table(summary.joints)}</div>'


def _scope(scope: Scope) -> str:
    parts = []
    for title, statements in (
        ("Simulated", scope.simulated),
        ("Modelled in our own code", scope.modelled),
        ("Left out", scope.left_out),
    ):
        if statements:
            entries = "".join(f"<li>{escaped(statement)}</li>" for statement in statements)
            parts.append(f"<div><h3>{title}</h3><ul>{entries}</ul></div>")
    return f'<div class="scope">{"".join(parts)}</div>'


def _origin(summary: RunSummary, origin: Origin) -> str:
    clearance, pose = summary.min_clearance_m, summary.part_pose_error_max_m
    facts = {
        "Command": f"<code>{escaped(origin.command)}</code>",
        "Seed": escaped(summary.seed),
        "Trace, SHA-256": f"<code>{escaped(summary.trace_sha256)}</code>",
        "Versions": escaped(", ".join(f"{name} {version}" for name, version in origin.versions.items())),
        "Models": escaped(", ".join(summary.models)),
        "Time": f"planned in {summary.planning_s:.1f} s, {summary.simulated_s:.1f} s run "
        f"in {summary.wall_s:.1f} s ({summary.real_time_factor:.1f} times real time)",
        "Clearance": "not measured" if clearance is None else f"never below {1000 * clearance:.1f} mm",
        "Part poses": "not measured" if pose is None else f"never off by more than {1000 * pose:.2f} mm",
    }
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts.items())
    return f'<dl class="origin">{rows}</dl>'
