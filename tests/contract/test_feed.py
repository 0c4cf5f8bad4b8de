"""Every sentence of `cells.driver` about feed holds for every driver."""

import math
from dataclasses import replace

import numpy as np
import pytest

from cells.driver import ArmState, Dwell, QueueStatus, SegmentResult, Status, StopCategory
from kinematics import rest_to_rest
from tests.contract.conftest import START, Bench
from tests.contract.test_arm_driver import AT_REST, THERE, finish, move, rest


@pytest.fixture
def arm_bench(bench: Bench) -> Bench:
    """Every driver, enabled."""
    bench.arm.enable()
    return bench


def reached(bench: Bench, share: float) -> list[SegmentResult]:
    """Wait until the feed has become this; what was reported on the way."""
    results: list[SegmentResult] = []

    def there() -> bool:
        state = bench.arm.read()
        results.extend(state.results)
        return state.feed == share

    bench.until(there, seconds=3.0)
    return results


@pytest.mark.parametrize("share", [-0.01, 1.01, math.nan, math.inf])
def test_what_is_no_share_is_refused_and_changes_nothing(arm_bench: Bench, share: float) -> None:
    with pytest.raises(ValueError, match=rf"^feed: {share:g} of the planned speed, expected from 0 to 1$"):
        arm_bench.arm.feed(share)
    assert arm_bench.arm.read().feed == 1.0


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_it_is_kept_for_every_segment_that_follows(arm_bench: Bench, share: float) -> None:
    arm = arm_bench.arm
    arm.feed(share)
    segments = [
        move(arm_bench, START, THERE),
        rest(0.1),
        move(arm_bench, THERE, START, process=Dwell(duration_s=0.2)),
    ]
    for segment in segments:
        assert arm.queue(segment) is QueueStatus.ACCEPTED
    results = finish(arm_bench)
    assert [result.id for result in results] == [segment.id for segment in segments]
    for segment, result in zip(segments, results, strict=True):
        took = (result.end_ns - result.start_ns) * 1e-9
        assert took == pytest.approx(segment.duration_s / share, abs=1e-6)
    assert results[1].start_ns == results[0].end_ns
    assert arm.read().feed == share


@pytest.mark.parametrize("part", [0.1, 0.35, 0.5, 0.8])
def test_a_held_arm_rests_on_its_path_and_goes_on_from_there(arm_bench: Bench, part: float) -> None:
    arm = arm_bench.arm
    first, second = move(arm_bench, START, THERE), move(arm_bench, THERE, START)
    arm.queue(first)
    arm.queue(second)
    assert first.trajectory is not None
    arm_bench.wait(part * first.duration_s)
    arm.feed(0.0)
    ended = reached(arm_bench, 0.0)
    arm_bench.wait(0.2)
    held = arm.read()
    assert held.status is Status.RUNNING
    assert np.abs(held.qd).max() < AT_REST
    path = first.trajectory.sample(np.linspace(0.0, first.duration_s, 4001))[0]
    assert np.abs(path - held.q).max(axis=1).min() < arm_bench.near_rad
    third = rest(0.1)
    assert arm.queue(third) is QueueStatus.ACCEPTED
    arm_bench.wait(1.0)
    assert arm.read().q == pytest.approx(held.q, abs=1e-6)
    arm.feed(1.0)
    ended += [*held.results, *finish(arm_bench)]
    assert [result.id for result in ended] == [first.id, second.id, third.id]
    assert arm.read().q == pytest.approx(START, abs=arm_bench.still_rad)


def test_what_is_queued_to_a_held_arm_waits(arm_bench: Bench) -> None:
    arm = arm_bench.arm
    arm.feed(0.0)
    segment = move(arm_bench, START, THERE)
    assert arm.queue(segment) is QueueStatus.ACCEPTED
    arm_bench.wait(1.0)
    state = arm.read()
    assert (state.status, state.feed, state.results) == (Status.RUNNING, 0.0, ())
    assert state.q == pytest.approx(START, abs=arm_bench.still_rad)
    arm.feed(1.0)
    assert [result.id for result in finish(arm_bench)] == [segment.id]


def test_a_dwell_is_held_too(arm_bench: Bench) -> None:
    arm = arm_bench.arm
    segment = rest(0.3)
    arm.queue(segment)
    arm_bench.wait(0.1)
    arm.feed(0.0)
    arm_bench.wait(1.0)
    assert arm.read().results == ()
    arm.feed(1.0)
    (result,) = finish(arm_bench)
    assert (result.end_ns - result.start_ns) * 1e-9 == pytest.approx(1.3, abs=0.1)


def speeds(bench: Bench, states: list[ArmState]) -> tuple[float, float]:
    """By how much the speed and the acceleration were above the limits, as shares of these; rounding not counted."""
    ns, first = np.unique([state.time_ns for state in states], return_index=True)
    t, limits = ns * 1e-9, bench.arm.limits
    qd = np.array([states[i].qd for i in first])
    fastest = steepest = 0.0  # what rounding to steps of the encoder can add
    if bench.span_s:
        places = np.array([states[i].q for i in first])
        t = np.arange(t[0], t[-1], bench.span_s)
        q = np.array([np.interp(t, ns * 1e-9, joint) for joint in places.T]).T
        qd, t = np.diff(q, axis=0) / bench.span_s, t[1:]
        fastest = float((2.0 * bench.step_rad / bench.span_s / limits.velocity).max())
        steepest = float((4.0 * bench.step_rad / bench.span_s**2 / limits.acceleration).max())
    qdd = np.diff(qd, axis=0) / np.diff(t)[:, None]
    speed = float(np.abs(qd / limits.velocity).max()) - fastest
    return speed - 1.0, float(np.abs(qdd / limits.acceleration).max()) - steepest - 1.0


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_feed_the_path_is_kept_and_limits_hold(arm_bench: Bench, seed: int) -> None:
    rng = np.random.default_rng(seed)
    arm = arm_bench.arm
    far_away = START.copy()
    far_away[3] = arm_bench.chain.q_min[3]  # far enough for full speed
    if arm_bench.driver == "sim":
        far_away = THERE  # on the long way it would meet its neighbour in the cell
    trajectory = rest_to_rest(START, far_away, arm.limits)
    segment = replace(rest(), trajectory=trajectory, process=None)
    path = trajectory.sample(np.linspace(0.0, segment.duration_s, 8001))[0]
    assert arm.queue(segment) is QueueStatus.ACCEPTED
    states: list[ArmState] = []
    change_ns = begun_ns = arm_bench.clock.now_ns
    while not (state := arm.read()).results:
        states.append(state)
        seconds = (arm_bench.clock.now_ns - begun_ns) * 1e-9
        assert seconds < 20.0, "it did not come to its end"
        if arm_bench.clock.now_ns >= change_ns:
            arm.feed(float(rng.choice([0.0, 0.1, 0.3, 0.7, 1.0])) if seconds < 4.0 else 1.0)
            change_ns += round(float(rng.uniform(0.05, 0.4)) * 1e9)
        arm_bench.clock.advance()
    far = [np.abs(path - state.q).max(axis=1).min() for state in states]
    assert max(far) < arm_bench.near_rad
    speed, acceleration = speeds(arm_bench, states)
    assert speed < 0.02
    if arm_bench.driver != "fake":  # which changes at once
        assert acceleration < 0.05


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_a_stop_sets_it_back(arm_bench: Bench, share: float) -> None:
    arm = arm_bench.arm
    segment = move(arm_bench, START, THERE)
    arm.queue(segment)
    arm_bench.wait(0.2)
    arm.feed(share)
    arm_bench.wait(0.2)
    arm.stop(StopCategory.STOP_AND_HOLD)
    arm_bench.wait(1.0)
    arm.feed(0.5)  # nothing to an arm that is stopped
    state = arm.read()
    assert (state.status, state.feed, state.results) == (Status.STOPPED, 1.0, ())
    arm.enable()
    assert arm.read().feed == 1.0
    again = move(arm_bench, state.q, START)
    assert arm.queue(again) is QueueStatus.ACCEPTED
    (result,) = finish(arm_bench)
    assert (result.end_ns - result.start_ns) * 1e-9 == pytest.approx(again.duration_s, abs=1e-8)
