"""The feed of arms over serial lines: slower along the same path, on the device or on the host, and never less motion."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from cells.cell import Cell
from cells.driver import ArmState, Dwell, QueueStatus, Segment, SegmentResult, Status, StopCategory
from kinematics import rest_to_rest
from tests.contract.conftest import SERVO_ARMS, START, Bench, serial_bench, servo_bench

THERE = START + np.array([0.8, 0.5, -0.5, 0.9, 0.7, -1.0])
CHANGE_S = 1.6  # the longest change of the feed of any of these arms
_ids = itertools.count(1)


@pytest.fixture(params=("serial", *SERVO_ARMS))
def bench(request: pytest.FixtureRequest, cell: Cell) -> Iterator[Bench]:
    """Every arm behind a line, enabled."""
    made = serial_bench(cell) if request.param == "serial" else servo_bench(request.param)
    with made.arm:
        made.arm.enable()
        made.wait(0.2)
        yield made


def queue_there_and_back(bench: Bench) -> float:
    """Two segments; their planned duration [s]."""
    there = rest_to_rest(START, THERE, bench.arm.limits)
    back = rest_to_rest(THERE, START, bench.arm.limits)
    for trajectory in (there, back):
        segment = Segment(id=next(_ids), trajectory=trajectory)
        assert bench.arm.queue(segment) is QueueStatus.ACCEPTED
    return there.duration + back.duration


def states(bench: Bench, seconds: float) -> list[ArmState]:
    """What the arm reports while time passes."""
    end = bench.clock.now_ns + round(seconds * 1e9)
    found = []
    while bench.clock.now_ns < end:
        bench.clock.advance()
        found.append(bench.arm.read())
    return found


def results(found: list[ArmState]) -> list[SegmentResult]:
    return [result for state in found for result in state.results]


def off_path(found: list[ArmState]) -> float:
    """How far joints were from the straight line between both ends [rad]."""
    way = THERE - START
    places = np.array([state.q for state in found]) - START
    share = np.clip(places @ way / (way @ way), 0.0, 1.0)
    return float(np.abs(places - share[:, None] * way).max())


def test_it_reports_the_planned_speed_until_told_otherwise(bench: Bench) -> None:
    queue_there_and_back(bench)
    assert {state.feed for state in states(bench, 1.0)} == {1.0}


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_segment_takes_longer_by_the_share(bench: Bench, share: float) -> None:
    bench.arm.feed(share)
    bench.wait(CHANGE_S)
    assert bench.arm.read().feed == pytest.approx(share, abs=1e-6)
    planned_s = queue_there_and_back(bench)
    ended = results(states(bench, planned_s / share + 1.0))
    assert len(ended) == 2
    assert ended[0].end_ns == ended[1].start_ns
    took_s = (ended[1].end_ns - ended[0].start_ns) * 1e-9
    assert took_s == pytest.approx(planned_s / share, abs=3e-3)
    assert bench.arm.read().status is Status.IDLE


def test_zero_holds_on_the_path_and_one_goes_on_to_the_end(bench: Bench) -> None:
    planned_s = queue_there_and_back(bench)
    found = states(bench, 0.3 * planned_s)
    bench.arm.feed(0.0)
    found += states(bench, CHANGE_S)
    held = states(bench, 5.0)
    assert {state.feed for state in held} == {0.0}
    assert {state.status for state in held} == {Status.RUNNING}
    assert np.abs(held[-1].q - held[0].q).max() < 2 * bench.near_rad
    assert np.abs(held[-1].qd).max() < 0.02
    assert np.abs(held[-1].q - START).max() > 0.1
    bench.arm.feed(1.0)
    found += held + states(bench, planned_s + CHANGE_S)
    ended = results(found)
    assert len(ended) == 2
    assert (ended[1].end_ns - ended[0].start_ns) * 1e-9 > planned_s + 5.0
    assert off_path(found) < 3 * bench.near_rad
    assert bench.arm.read().status is Status.IDLE
    assert bench.arm.read().q == pytest.approx(START, abs=2 * bench.still_rad)


def test_it_changes_smoothly(bench: Bench) -> None:
    trajectory = rest_to_rest(START, THERE, bench.arm.limits).stretched(8.0)
    bench.arm.queue(Segment(id=next(_ids), trajectory=trajectory))
    bench.wait(0.2)  # an arm at rest has nothing to change smoothly
    before = bench.arm.read().feed
    for share in (0.3, 0.0, 1.0, 0.6):
        bench.arm.feed(share)
        feeds = [before, *(state.feed for state in states(bench, CHANGE_S))]
        assert np.abs(np.diff(feeds)).max() <= 0.25
        assert all(min(before, share) - 1e-9 <= feed <= max(before, share) + 1e-9 for feed in feeds)
        assert feeds[-1] == pytest.approx(share, abs=1e-6)
        before = feeds[-1]


def test_a_segment_queued_while_held_waits_and_is_not_dropped(bench: Bench) -> None:
    bench.arm.feed(0.0)
    bench.wait(CHANGE_S)
    planned_s = queue_there_and_back(bench)
    found = states(bench, 2.0)
    assert not results(found)
    assert np.abs(found[-1].q - START).max() < 2 * bench.still_rad
    bench.arm.feed(1.0)
    assert len(results(states(bench, planned_s + CHANGE_S))) == 2


def test_a_dwell_goes_at_the_feed(bench: Bench) -> None:
    bench.arm.feed(0.5)
    bench.wait(CHANGE_S)
    bench.arm.queue(Segment(id=next(_ids), process=Dwell(duration_s=0.5)))
    (ended,) = results(states(bench, 1.2))
    assert (ended.end_ns - ended.start_ns) * 1e-9 == pytest.approx(1.0, abs=1e-8)


def test_a_stop_while_held_stays_where_it_is_and_enabling_gives_the_planned_speed_back(bench: Bench) -> None:
    planned_s = queue_there_and_back(bench)
    bench.wait(0.3 * planned_s)
    bench.arm.feed(0.0)
    bench.wait(CHANGE_S)
    held = bench.arm.read().q
    bench.arm.stop(StopCategory.STOP_AND_HOLD)
    assert bench.arm.read().feed == 1.0
    found = states(bench, 1.5)
    assert np.abs([state.q - held for state in found]).max() < 2 * bench.near_rad
    bench.arm.enable()
    assert bench.arm.read().feed == 1.0
    bench.wait(0.3)
    here = bench.arm.read().q
    trajectory = rest_to_rest(here, START, bench.arm.limits)
    assert bench.arm.queue(Segment(id=next(_ids), trajectory=trajectory)) is QueueStatus.ACCEPTED
    found = states(bench, trajectory.duration + 0.5)
    assert {state.feed for state in found} == {1.0}
    (ended,) = results(found)
    assert (ended.end_ns - ended.start_ns) * 1e-9 == pytest.approx(trajectory.duration, abs=2e-3)


def test_an_arm_that_is_not_enabled_has_no_feed(bench: Bench) -> None:
    bench.arm.stop(StopCategory.STOP_AND_HOLD)
    bench.arm.feed(0.2)
    bench.wait(0.5)
    bench.arm.enable()
    bench.wait(0.3)
    assert bench.arm.read().feed == 1.0


@pytest.mark.parametrize("share", [-0.01, 1.01, float("nan")])
def test_a_share_beyond_the_planned_speed_is_refused(bench: Bench, share: float) -> None:
    with pytest.raises(ValueError, match=r"^feed: .* of the planned speed, expected from 0 to 1$"):
        bench.arm.feed(share)
