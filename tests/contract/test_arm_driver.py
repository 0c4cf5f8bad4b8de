"""Every sentence of `cells.driver` about arms holds for every driver."""

import itertools
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from cells.driver import Dwell, QueueStatus, Segment, SegmentResult, Status, StopCategory
from kinematics import Trajectory, rest_to_rest
from tests.contract.conftest import START, Bench

FloatArray = NDArray[np.float64]

THERE = START + np.array([0.3, 0.2, -0.2, 0.4, 0.3, -0.5])
ELSEWHERE = START + np.array([-0.2, 0.1, 0.2, 0.0, -0.4, 0.6])
AT_REST = 1e-6  # rad/s

_ids = itertools.count(1)


def move(bench: Bench, start: FloatArray, end: FloatArray, **more: object) -> Segment:
    trajectory = rest_to_rest(start, end, bench.arm.limits)
    return Segment(id=next(_ids), trajectory=trajectory, **more)  # type: ignore[arg-type]


def rest(seconds: float = 0.1) -> Segment:
    return Segment(id=next(_ids), process=Dwell(duration_s=seconds))


def standing(q: FloatArray) -> Trajectory:
    zero = np.zeros((1, 6))
    return Trajectory(t=np.zeros(1), q=q[None, :], qd=zero, qdd=zero)


def finish(bench: Bench, seconds: float = 30.0) -> list[SegmentResult]:
    """Everything that is reported until the arm is idle."""
    results: list[SegmentResult] = []

    def idle() -> bool:
        state = bench.arm.read()
        results.extend(state.results)
        return state.status is not Status.RUNNING

    bench.until(idle, seconds)
    return results


def test_it_is_disabled_until_enabled_and_refuses_until_then(bench: Bench) -> None:
    with bench.arm as arm:
        assert arm.read().status is Status.DISABLED
        assert arm.queue(move(bench, START, THERE)) is QueueStatus.REFUSED
        arm.enable()
        assert arm.read().status is Status.IDLE
        bench.wait(0.2)
        assert arm.read().q == pytest.approx(START, abs=bench.still_rad)  # powered where it stands
        assert arm.queue(move(bench, START, THERE)) is QueueStatus.ACCEPTED


def test_it_tells_name_limits_and_time(bench: Bench) -> None:
    assert bench.arm.name == "R1"
    assert bench.arm.limits.velocity.shape == (6,)
    bench.wait(0.1)
    age_s = (bench.clock.now_ns - bench.arm.read().time_ns) * 1e-9
    assert 0.0 <= age_s <= bench.measured_ago_s


def test_segments_run_in_order_and_back_to_back_in_device_time(bench: Bench) -> None:
    bench.arm.enable()
    segments = [
        move(bench, START, THERE),
        rest(0.05),
        move(bench, THERE, ELSEWHERE, process=Dwell(duration_s=0.1)),
        move(bench, ELSEWHERE, START),
    ]
    for segment in segments:
        assert bench.arm.queue(segment) is QueueStatus.ACCEPTED
    assert bench.arm.read().status is Status.RUNNING
    results = finish(bench)
    assert [result.id for result in results] == [segment.id for segment in segments]
    for before, after in pairwise(results):
        assert after.start_ns == before.end_ns
    for segment, result in zip(segments, results, strict=True):
        assert (result.end_ns - result.start_ns) * 1e-9 == pytest.approx(segment.duration_s, abs=1e-8)
    assert bench.arm.read().status is Status.IDLE
    bench.wait(0.2)
    assert bench.arm.read().q == pytest.approx(START, abs=bench.still_rad)


def test_a_segment_queued_late_starts_when_it_is_queued(bench: Bench) -> None:
    bench.arm.enable()
    bench.arm.queue(rest(0.05))
    (first,) = finish(bench)
    bench.wait(0.5)
    now = bench.clock.now_ns
    bench.arm.queue(rest(0.05))
    (second,) = finish(bench)
    assert second.start_ns == now > first.end_ns


def test_results_are_reported_exactly_once_and_not_before_the_end(bench: Bench) -> None:
    bench.arm.enable()
    segment = rest(0.2)
    bench.arm.queue(segment)
    bench.wait(0.1)
    assert bench.arm.read().results == ()
    bench.wait(0.2)
    assert [result.id for result in bench.arm.read().results] == [segment.id]
    bench.wait(0.2)
    assert bench.arm.read().results == ()


def test_unread_results_are_kept(bench: Bench) -> None:
    bench.arm.enable()
    segments = [rest(0.02) for _ in range(5)]
    for segment in segments:
        bench.arm.queue(segment)
    bench.wait(1.0)
    assert [result.id for result in bench.arm.read().results] == [segment.id for segment in segments]


def test_it_moves_along_the_trajectory(bench: Bench) -> None:
    bench.arm.enable()
    segment = move(bench, START, THERE)
    bench.arm.queue(segment)
    began = bench.clock.now_ns
    trajectory = segment.trajectory
    assert trajectory is not None
    while (now := (bench.clock.now_ns - began) * 1e-9) < trajectory.duration:
        low, high = trajectory.sample([max(0.0, now - bench.step_s), now + bench.step_s])[0]
        off = np.maximum(
            np.minimum(low, high) - bench.arm.read().q, bench.arm.read().q - np.maximum(low, high)
        )
        assert off.max() < bench.near_rad
        bench.clock.advance()


def test_a_process_begins_when_the_trajectory_has_ended(bench: Bench) -> None:
    bench.arm.enable()
    segment = move(bench, START, THERE, process=Dwell(duration_s=0.4))
    bench.arm.queue(segment)
    assert segment.trajectory is not None
    bench.wait(segment.trajectory.duration + 0.1)
    state = bench.arm.read()
    assert state.status is Status.RUNNING
    assert state.q == pytest.approx(THERE, abs=1e-3)
    (result,) = finish(bench)
    assert (result.end_ns - result.start_ns) * 1e-9 == pytest.approx(
        segment.trajectory.duration + 0.4, abs=1e-8
    )


def test_segments_of_no_length_end_where_they_start(bench: Bench) -> None:
    bench.arm.enable()
    segments = [
        Segment(id=next(_ids)),
        Segment(id=next(_ids), trajectory=standing(START)),
        rest(0.0),
        move(bench, START, THERE),
        Segment(id=next(_ids), trajectory=standing(THERE)),
    ]
    for segment in segments:
        assert bench.arm.queue(segment) is QueueStatus.ACCEPTED
    results = finish(bench)
    assert [result.id for result in results] == [segment.id for segment in segments]
    for segment, result in zip(segments, results, strict=True):
        assert (result.end_ns - result.start_ns) * 1e-9 == pytest.approx(segment.duration_s, abs=1e-8)


def test_it_refuses_what_does_not_start_where_the_last_one_ends(bench: Bench) -> None:
    bench.arm.enable()
    assert bench.arm.queue(move(bench, START + 0.01, THERE)) is QueueStatus.REFUSED
    assert bench.arm.queue(move(bench, START, THERE)) is QueueStatus.ACCEPTED
    assert bench.arm.queue(move(bench, START, ELSEWHERE)) is QueueStatus.REFUSED
    assert bench.arm.queue(Segment(id=next(_ids), trajectory=standing(START))) is QueueStatus.REFUSED
    assert bench.arm.queue(rest()) is QueueStatus.ACCEPTED  # stays
    assert bench.arm.queue(move(bench, THERE, ELSEWHERE)) is QueueStatus.ACCEPTED
    assert len(finish(bench)) == 3


@pytest.mark.parametrize("joint", range(6))
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_it_refuses_positions_beyond_a_limit(bench: Bench, joint: int, side: float) -> None:
    bench.arm.enable()
    end = START.copy()
    end[joint] = (bench.chain.q_max if side > 0 else bench.chain.q_min)[joint]
    assert bench.arm.queue(move(bench, START, end)) is QueueStatus.ACCEPTED
    beyond = end.copy()
    beyond[joint] += side * 1e-3
    assert bench.arm.queue(move(bench, end, beyond)) is QueueStatus.REFUSED
    assert bench.arm.queue(move(bench, end, START)) is QueueStatus.ACCEPTED


@pytest.mark.parametrize("faster", [1.02, 1.3, 5.0])
def test_it_refuses_velocities_and_accelerations_beyond_a_limit(bench: Bench, faster: float) -> None:
    bench.arm.enable()
    low, high = START.copy(), START.copy()
    low[0], high[0] = bench.chain.q_min[0], bench.chain.q_max[0]
    just = rest_to_rest(low, high, bench.arm.limits)  # long enough for the joint's full speed
    assert np.abs(just.qd[:, 0]).max() == pytest.approx(bench.arm.limits.velocity[0], rel=1e-6)
    assert bench.arm.queue(move(bench, START, low)) is QueueStatus.ACCEPTED
    rushed = just.stretched(1.0 / faster)
    assert bench.arm.queue(Segment(id=next(_ids), trajectory=rushed)) is QueueStatus.REFUSED
    assert bench.arm.queue(Segment(id=next(_ids), trajectory=just)) is QueueStatus.ACCEPTED


def test_it_refuses_too_high_an_acceleration_at_a_low_speed(bench: Bench) -> None:
    bench.arm.enable()
    short = rest_to_rest(START, START + 1e-3, bench.arm.limits)
    rushed = Trajectory(t=short.t / 20, q=short.q, qd=short.qd * 20, qdd=short.qdd * 400)
    assert np.abs(rushed.qd).max() < bench.arm.limits.velocity.min()
    assert bench.arm.queue(Segment(id=next(_ids), trajectory=rushed)) is QueueStatus.REFUSED


def test_a_refused_segment_changes_nothing(bench: Bench) -> None:
    bench.arm.enable()
    for _ in range(3):
        assert bench.arm.queue(move(bench, THERE, START)) is QueueStatus.REFUSED
    assert bench.arm.read().status is Status.IDLE
    assert bench.arm.queue(move(bench, START, THERE)) is QueueStatus.ACCEPTED


def test_a_full_queue_says_so_and_takes_more_once_it_has_room(bench: Bench) -> None:
    bench.arm.enable()
    accepted = []
    for _ in range(1000):
        segment = rest(0.02)
        answer = bench.arm.queue(segment)
        if answer is QueueStatus.FULL:
            break
        assert answer is QueueStatus.ACCEPTED
        accepted.append(segment.id)
    assert answer is QueueStatus.FULL
    assert len(accepted) >= 2  # one runs, one waits
    results = []
    while not results:
        bench.clock.advance()
        results += bench.arm.read().results
    later = rest(0.02)
    assert bench.arm.queue(later) is QueueStatus.ACCEPTED
    results += finish(bench)
    assert [result.id for result in results] == [*accepted, later.id]


@pytest.mark.parametrize("category", list(StopCategory))
def test_a_stop_flushes_the_queue_and_nothing_moves_afterwards(bench: Bench, category: StopCategory) -> None:
    arm = bench.arm
    arm.enable()
    first = move(bench, START, THERE)
    for segment in (first, move(bench, THERE, START), rest()):
        arm.queue(segment)
    bench.wait(first.duration_s / 2)
    arm.stop(category)
    assert arm.queue(rest()) is QueueStatus.REFUSED
    bench.wait(1.0)
    state = arm.read()
    held = category is StopCategory.STOP_AND_HOLD
    assert state.status is (Status.STOPPED if held else Status.DISABLED)
    assert state.results == ()
    assert np.abs(state.qd).max() < AT_REST
    assert first.trajectory is not None
    path = first.trajectory.sample(np.linspace(0.0, first.duration_s, 4001))[0]
    assert np.abs(path - state.q).max(axis=1).min() < bench.near_rad  # it stopped on its path
    assert np.abs(state.q - THERE).max() > 0.01
    bench.wait(1.0)
    assert arm.read().q == pytest.approx(state.q, abs=1e-6)
    assert arm.read().results == ()
    assert arm.queue(rest()) is QueueStatus.REFUSED


@pytest.mark.parametrize("category", list(StopCategory))
def test_after_a_stop_it_goes_on_from_where_it_stands_once_enabled(
    bench: Bench, category: StopCategory
) -> None:
    arm = bench.arm
    arm.enable()
    first = move(bench, START, THERE)
    arm.queue(first)
    bench.wait(first.duration_s / 2)
    arm.stop(category)
    bench.wait(1.0)
    arm.enable()
    here = arm.read().q
    assert arm.read().status is Status.IDLE
    assert arm.queue(move(bench, THERE, START)) is QueueStatus.REFUSED
    assert arm.queue(move(bench, here, START)) is QueueStatus.ACCEPTED
    assert len(finish(bench)) == 1
    bench.wait(0.1)
    assert arm.read().q == pytest.approx(START, abs=1e-3)


def test_a_stop_at_rest_and_a_second_stop_are_harmless(bench: Bench) -> None:
    arm = bench.arm
    arm.enable()
    arm.stop(StopCategory.STOP_AND_HOLD)
    arm.stop(StopCategory.STOP_AND_HOLD)
    bench.wait(0.1)
    assert arm.read().status is Status.STOPPED
    assert arm.read().q == pytest.approx(START, abs=bench.still_rad)


def test_enabling_a_running_arm_changes_nothing(bench: Bench) -> None:
    bench.arm.enable()
    bench.arm.queue(move(bench, START, THERE))
    bench.wait(0.1)
    bench.arm.enable()
    assert bench.arm.read().status is Status.RUNNING
    assert len(finish(bench)) == 1


def test_a_fault_stops_on_the_path_and_is_reported_from_then_on(bench: Bench) -> None:
    arm = bench.arm
    arm.enable()
    first = move(bench, START, THERE)
    arm.queue(first)
    arm.queue(move(bench, THERE, START))
    bench.wait(first.duration_s / 2)
    arm.fail("a bearing is hot")
    for _ in range(3):
        state = arm.read()
        assert (state.status, state.fault) == (Status.FAULT, "a bearing is hot")
        bench.wait(0.4)
    assert np.abs(state.qd).max() < AT_REST
    assert first.trajectory is not None
    path = first.trajectory.sample(np.linspace(0.0, first.duration_s, 4001))[0]
    assert np.abs(path - state.q).max(axis=1).min() < bench.near_rad
    assert state.results == ()


def test_a_faulted_arm_refuses_and_enabling_does_not_clear_it(bench: Bench) -> None:
    arm = bench.arm
    arm.enable()
    arm.fail("a bearing is hot")
    assert arm.queue(rest()) is QueueStatus.REFUSED
    arm.enable()
    bench.wait(0.1)
    arm.fail("a second fault")
    assert arm.queue(move(bench, START, THERE)) is QueueStatus.REFUSED
    assert (arm.read().status, arm.read().fault) == (Status.FAULT, "a bearing is hot")


def test_a_fault_is_over_once_the_driver_was_closed_and_connected_again(bench: Bench) -> None:
    if bench.driver in ("dynamixel", "feetech"):
        pytest.skip("an arm of servos that was closed stays closed; another driver is made")
    arm = bench.arm
    arm.enable()
    first = move(bench, START, THERE)
    arm.queue(first)
    bench.wait(first.duration_s / 2)
    arm.fail("a bearing is hot")
    bench.wait(1.0)
    arm.__exit__(None, None, None)
    arm.__enter__()
    bench.wait(0.5)
    stands = arm.read()
    assert (stands.status, stands.fault) == (Status.DISABLED, "")
    arm.enable()
    bench.wait(0.1)
    assert arm.queue(move(bench, arm.read().q, START)) is QueueStatus.ACCEPTED
    assert len(finish(bench)) == 1
    assert np.abs(arm.read().q - START).max() < bench.near_rad


@pytest.mark.parametrize("category", list(StopCategory))
@pytest.mark.parametrize("moving", [False, True], ids=["at rest", "moving"])
def test_a_stop_does_not_clear_a_fault(bench: Bench, category: StopCategory, moving: bool) -> None:
    arm = bench.arm
    arm.enable()
    if moving:
        arm.queue(move(bench, START, THERE))
        bench.wait(0.2)
    arm.fail("a bearing is hot")
    arm.stop(category)  # as an engine stops everything when one arm faults
    for _ in range(3):
        bench.wait(0.3)
        assert (arm.read().status, arm.read().fault) == (Status.FAULT, "a bearing is hot")
    assert np.abs(arm.read().qd).max() < AT_REST
    arm.enable()
    assert arm.queue(rest()) is QueueStatus.REFUSED


def test_closing_brings_it_to_rest(bench: Bench) -> None:
    with bench.arm as arm:
        arm.enable()
        arm.queue(move(bench, START, THERE))
        arm.queue(move(bench, THERE, START))
        bench.wait(0.2)
    bench.wait(1.0)
    state = arm.read()
    assert state.status in (Status.DISABLED, Status.STOPPED)
    assert np.abs(state.qd).max() < AT_REST
    assert arm.queue(rest()) is QueueStatus.REFUSED
    bench.wait(0.5)
    assert arm.read().q == pytest.approx(state.q, abs=1e-6)


def test_a_reading_is_a_copy(bench: Bench) -> None:
    bench.arm.enable()
    bench.arm.read().q[:] = 7.0
    bench.arm.read().qd[:] = 7.0
    assert bench.arm.read().q == pytest.approx(START, abs=bench.still_rad)
    before = bench.arm.read()
    bench.arm.queue(move(bench, START, THERE))
    bench.wait(0.3)
    assert before.q == pytest.approx(START, abs=bench.still_rad)
