"""Charts are well-formed, to scale, and carry hostile text as text."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from controller.report.arm_use import LOOKS, arm_use
from controller.report.chart import ticks
from controller.report.gantt import gantt
from controller.report.summary import ArmRecord
from controller.report.timeline import Span, Timeline
from controller.report.trend import trend

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</title><script>alert('x')</script> & \"quotes\" \x00\ud800\ufffe"


def work(**changes):
    span = Span(
        resource="A1",
        label="Screws",
        joint="J1",
        kind="process",
        planned_start_s=100.0,
        planned_end_s=110.0,
        start_s=102.0,
        end_s=115.0,
    )
    return replace(span, **changes)


def line(*spans, marks=(100.0, 125.0)):
    return Timeline(spans=spans, cycle_marks_s=marks, models={"J1": "Pro-PR60-50-90"})


def boxes(text, kind):
    return [box for box in ElementTree.fromstring(text).iter(f"{SVG}rect") if box.get("class") == kind]


def extent(box):
    return float(box.get("x")), float(box.get("x")) + float(box.get("width"))


def test_gantt_is_to_scale_and_splits_lateness_off():
    text = gantt(line(work()), (100.0, 125.0), 30.0)
    plan = next(box for box in boxes(text, "plan") if float(box.get("y")) < 60)
    done = next(box for box in boxes(text, "process") if float(box.get("y")) < 60)
    late = next(box for box in boxes(text, "late") if float(box.get("y")) < 60)
    (plan_from, plan_to), (done_from, done_to), (late_from, late_to) = map(extent, (plan, done, late))
    second = (plan_to - plan_from) / 10
    assert done_from - plan_from == pytest.approx(2 * second, abs=0.02)
    assert done_to == pytest.approx(plan_to, abs=0.02)
    assert late_from == pytest.approx(plan_to, abs=0.02)
    assert late_to - late_from == pytest.approx(5 * second, abs=0.02)


def test_gantt_shows_only_the_window():
    outside = work(joint="J2", label="before", planned_start_s=1.0, planned_end_s=2.0, start_s=1.0, end_s=2.0)
    text = gantt(line(work(), outside), (100.0, 125.0), 30.0)
    assert "Screws" in text
    assert "before" not in text


def test_gantt_tells_waits_with_their_reason():
    wait = work(kind="wait", label="wait", reason="neighbour's zone", start_s=116.0, end_s=120.0)
    text = gantt(line(work(), wait), (100.0, 125.0), 30.0)
    titles = [element.text for element in ElementTree.fromstring(text).iter(f"{SVG}title")]
    assert "A1: waits for neighbour's zone, joint J1\n116.00 to 120.00 s (4.00 s)" in titles
    assert any(title.endswith("5.00 s late\nplanned 100.00 to 110.00 s") for title in titles)


def test_gantt_names_the_models_in_the_window():
    root = ElementTree.fromstring(gantt(line(work()), (100.0, 125.0), 30.0))
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert "Pro-PR60-50-90" in texts
    assert texts.count("1") == 2  # in the bar and in the legend


@pytest.mark.parametrize("spans", [(), (work(),)])
def test_gantt_without_cycles_shows_the_whole_run(spans):
    timeline = line(*spans, marks=())
    assert ElementTree.fromstring(gantt(timeline, timeline.last_cycles(), 30.0)).tag == f"{SVG}svg"


def test_hostile_names_stay_text():
    timeline = Timeline(
        spans=(work(resource=HOSTILE, label=HOSTILE, joint="J1"), work(kind="wait", reason=HOSTILE)),
        cycle_marks_s=(100.0, 125.0),
        models={"J1": HOSTILE},
    )
    arms = [ArmRecord(name=HOSTILE, model=HOSTILE, busy=0.5, waiting_by_reason={HOSTILE: 0.5})]
    for text in (gantt(timeline, (100.0, 125.0), 30.0), arm_use(arms)):
        root = ElementTree.fromstring(text)
        assert not [element for element in root.iter() if element.tag.endswith("script")]
        assert "<script" not in text


def test_trend_marks_each_miss_and_only_those():
    text = trend([24.0, 31.0, 25.0, 30.0, 42.0], 30.0, 23.5)
    root = ElementTree.fromstring(text)
    told = [element.find(f"{SVG}title").text for element in root.iter(f"{SVG}polygon")]
    assert told == ["cycle 2: 31.00 s", "cycle 5: 42.00 s"]
    assert len([c for c in root.iter(f"{SVG}circle") if c.find(f"{SVG}title") is not None]) == 3


@pytest.mark.parametrize("cycles", [[], [25.0], [30.0] * 500])
def test_trend_of_few_many_and_equal_cycles(cycles):
    ElementTree.fromstring(trend(cycles, 30.0, 30.0))


def test_arm_use_stacks_to_the_shares_of_the_arm():
    waits = {f"reason {n}": 0.01 * n for n in range(1, 10)}
    arm = ArmRecord(name="A1", model="GP7", busy=0.5, waiting_by_reason=waits)
    bars = [
        box
        for box in ElementTree.fromstring(arm_use([arm])).iter(f"{SVG}rect")
        if box.find(f"{SVG}title") is not None
    ]
    assert len(bars) == 1 + len(LOOKS)
    widths = [float(box.get("width")) for box in bars]
    assert sum(widths) / widths[0] == pytest.approx((0.5 + sum(waits.values())) / 0.5, rel=1e-3)
    assert bars[-1].find(f"{SVG}title").text == "A1: waits for other reasons 10.0 %"


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0.0, 30.0, 16, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30]),
        (23.0, 31.0, 6, [24, 26, 28, 30]),
        (0.1, 0.4, 3, [0.1, 0.2, 0.3, 0.4]),
    ],
)
def test_ticks_are_round(low, high, most, expected):
    assert ticks(low, high, most) == pytest.approx(expected)


def test_windows_of_a_timeline():
    timeline = line(work(), marks=(10.0, 60.0, 85.0, 118.0))
    assert timeline.last_cycles() == (85.0, 118.0)
    assert timeline.last_cycles(2) == (60.0, 118.0)
    assert timeline.last_cycles(4) == (102.0, 115.0)
    assert timeline.slowest_cycle() == (10.0, 60.0)
    assert timeline.slowest_cycle(after_s=60.0) == (85.0, 118.0)
    assert line(marks=()).slowest_cycle() is None
