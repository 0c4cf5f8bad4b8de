"""Pictures of a plan: the event graph of a cycle, what two legs sweep, what binds."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from cells.cell import load_cell
from controller.motion.edge_words import planned_waits
from controller.motion.reduction import reduced
from controller.report.binding_chart import MOST, binding_chart
from controller.report.event_chart import LEFT, RIGHT, WIDTH, event_chart, waits_list
from controller.report.summary import BindingRecord
from controller.report.swept_pair import longest_wait, swept_pair
from tests.controller.motion.small_plan import planned

SVG = "{http://www.w3.org/2000/svg}"
CELL = load_cell("six_arm")


@pytest.fixture(scope="module")
def plan():
    return replace(planned(), graph=reduced(planned().graph))


@pytest.fixture(scope="module")
def window():
    return 0.0, 40.0


@pytest.fixture(scope="module")
def chart(plan, window):
    return ET.fromstring(event_chart(plan.graph, plan.starts_s, window))


def titled(chart, tag, kind):
    """Titles of elements of a tag whose class begins with a word."""
    return [
        element.find(f"{SVG}title").text
        for element in chart.iter(f"{SVG}{tag}")
        if element.get("class", "").split()[:1] == [kind] and element.find(f"{SVG}title") is not None
    ]


def test_every_leg_of_the_window_has_a_bar_in_the_lane_of_its_arm(plan, window, chart):
    begin, end = window
    lanes = {}
    for kind in ("move", "process", "test"):
        for rect in chart.iter(f"{SVG}rect"):
            title = rect.find(f"{SVG}title")
            if rect.get("class") == f"{kind} leg" and title is not None:
                lanes.setdefault(title.text.split()[0], set()).add(rect.get("y"))
    assert all(len(rows) == 1 for rows in lanes.values())
    assert len({next(iter(rows)) for rows in lanes.values()}) == len(lanes)
    nodes = [
        node
        for node in plan.graph.nodes
        if node.zone and plan.starts_s[node.id] < end and plan.starts_s[node.id] + node.duration_s > begin
    ]
    bars = titled(chart, "rect", "move") + titled(chart, "rect", "process")
    assert len(bars) == len(nodes)


def test_arcs_that_keep_arms_apart_are_there_in_words_and_those_that_bind_stand_out(plan, window, chart):
    begin, end = window
    waits = planned_waits(plan.graph, plan.starts_s)
    arcs = [arc for arc in plan.graph.coordination if begin <= plan.starts_s[arc[1]] < end]
    words = titled(chart, "path", "apart")
    assert len(words) == len(arcs) > 0
    assert all(re.fullmatch(r"R\d waits for R\d to .*, \d+\.\d\d s", line) for line in words)
    binding = [element for element in chart.iter(f"{SVG}path") if element.get("class") == "apart binds"]
    wanted = sum(waits[arc] > 0 for arc in arcs)
    assert len([element for element in binding if element.find(f"{SVG}title") is not None]) >= wanted > 0


def test_time_goes_to_the_right(plan, window, chart):
    begin, end = window
    scale = (WIDTH - LEFT - RIGHT) / (end - begin)
    places = {}
    for rect in chart.iter(f"{SVG}rect"):
        title = rect.find(f"{SVG}title")
        if title is not None:
            places.setdefault(title.text, []).append(float(rect.get("x")))
    for node in plan.graph.nodes:
        name = f"{node.resource} {node.label} {node.operation} {node.serial}, {node.duration_s:.2f} s"
        if name in places:
            x = LEFT + (plan.starts_s[node.id] - begin) * scale
            assert min(abs(x - place) for place in places[name]) < 0.01


def test_waits_are_listed_longest_first(plan):
    text = waits_list(plan.graph, plan.starts_s, (0.0, float(plan.starts_s.max())))
    waits = [float(value) for value in re.findall(r", ([\d.]+) s</li>", text)]
    assert len(waits) == 8
    assert waits == sorted(waits, reverse=True)
    assert waits_list(plan.graph, plan.starts_s, (1e6, 2e6)) == "<p>Nobody waits for another arm.</p>"


def test_two_legs_in_each_others_way_are_drawn_with_the_wait_in_words(plan):
    pair = longest_wait(plan.graph, plan.starts_s, CELL)
    waits = planned_waits(plan.graph, plan.starts_s)
    assert pair.words.endswith(f", {max(waits.values()):.2f} s")
    assert pair.one.resource != pair.two.resource
    chart = ET.fromstring(swept_pair(pair, CELL))
    groups = {g.get("class"): list(g) for g in chart.iter(f"{SVG}g") if g.get("class")}
    assert set(groups) == {"one volume", "two volume"}
    assert all(len(paths) > 20 for paths in groups.values())
    text = " ".join(element.text or "" for element in chart.iter(f"{SVG}text"))
    assert pair.words in text
    assert f"{pair.one.resource} {pair.one.label} of operation" in text


def test_nobody_waits_after_the_end(plan):
    assert longest_wait(plan.graph, plan.starts_s, CELL, since_s=1e6) is None


def test_what_binds_is_drawn_longest_first_and_the_rest_together():
    parts = [BindingRecord(resource=f"R{k}", operation="10", seconds=20.0 - k) for k in range(MOST + 4)]
    chart = ET.fromstring(binding_chart(parts))
    widths = [float(rect.get("width")) for rect in chart.iter(f"{SVG}rect")]
    assert len(widths) == MOST
    assert widths[:-1] == sorted(widths[:-1], reverse=True)
    text = [element.text for element in chart.iter(f"{SVG}text")]
    assert "others" in text
    assert f"{sum(20.0 - k for k in range(MOST - 1, MOST + 4)):.2f} s" in text
    assert np.isclose(widths[1] / widths[0], 19.0 / 20.0, rtol=1e-4)
