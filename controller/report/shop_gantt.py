"""A schedule of a shop drawn: one row for each resource, one bar for each use."""

from collections.abc import Iterator

from controller.report.chart import shown, svg, ticks
from controller.report.markup import escaped
from controller.scheduling.shop import ShopProblem, ShopSchedule

WIDTH = 1200.0
LEFT, RIGHT, TOP = 96.0, 14.0, 8.0
ROW, BAR = 26.0, 20.0
GLYPH = 6.0  # mean width of a character
_LOOKS = ('class="process"', 'class="move"', 'fill="url(#gantt-hatch)"', 'fill="url(#gantt-dots)"')


def shop_gantt(problem: ShopProblem, schedule: ShopSchedule) -> str:
    """An SVG document; bars of the same job look the same and carry its number where there is room."""
    bottom = TOP + ROW * len(problem.resources)
    scale = (WIDTH - LEFT - RIGHT) / max(schedule.makespan, 1)

    def body() -> Iterator[str]:
        for tick in ticks(0.0, max(schedule.makespan, 1), 16):
            at = shown(LEFT + tick * scale)
            yield f'<line class="grid" x1="{at}" x2="{at}" y1="{TOP:g}" y2="{bottom:g}"/>'
            yield f'<text class="soft middle" x="{at}" y="{bottom + 15:g}">{tick:g}</text>'
        for row, resource in enumerate(problem.resources):
            y = TOP + ROW * row
            yield f'<line class="axis" x1="0" x2="{WIDTH:g}" y1="{y:g}" y2="{y:g}"/>'
            name = escaped(resource.name[: int(LEFT / GLYPH)])
            yield f'<text class="strong" x="2" y="{y + ROW / 2 + 4:g}">{name}</text>'
        yield f'<line class="axis" x1="0" x2="{WIDTH:g}" y1="{bottom:g}" y2="{bottom:g}"/>'
        for item in schedule.operations:
            job = problem.jobs[item.job]
            left, width = LEFT + item.start * scale, (item.end - item.start) * scale
            title = escaped(f"{job.name}, operation {item.operation}: {item.start} to {item.end}")
            label = str(item.job)
            for use in job.operations[item.operation].modes[item.mode].uses:
                y = TOP + ROW * use.resource + (ROW - BAR) / 2
                yield f"<g><title>{title}</title>"
                yield f'<rect {_LOOKS[item.job % len(_LOOKS)]} stroke="currentColor" stroke-width=".5" x="{shown(left)}" '
                yield f'y="{y:g}" width="{shown(width)}" height="{BAR:g}"/>'
                if width > GLYPH * len(label) + 10:
                    middle = left + width / 2
                    box = GLYPH * len(label) + 6
                    yield f'<rect class="key" x="{shown(middle - box / 2)}" y="{y + 4:g}" width="{box:g}" '
                    yield 'height="12" rx="2"/>'
                    yield f'<text class="small middle" x="{shown(middle)}" y="{y + 13.5:g}">{label}</text>'
                yield "</g>"

    title = (
        f"Schedule of {len(problem.jobs)} jobs: makespan {schedule.makespan}, at least {schedule.lower_bound}"
    )
    return svg("gantt", title, WIDTH, bottom + 22, body())


def shop_page(problem: ShopProblem, schedule: ShopSchedule, name: str) -> str:
    """The same as an HTML page that opens offline."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escaped(name)}</title>'
        f'<body style="font: 14px system-ui, sans-serif"><h1>{escaped(name)}</h1><p>{len(problem.jobs)} jobs on '
        f"{len(problem.resources)} resources: makespan {schedule.makespan}, lower bound {schedule.lower_bound}, gap "
        f"{100 * schedule.gap:.2f} %. Numbers in the bars are jobs, counted from 0.</p>"
        f"{shop_gantt(problem, schedule)}</body></html>\n"
    )
