"""Whatever an arm or a station is stopped in, it goes on from there, and parts end where they belong."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from cells.driver import DriveScrews, QueueStatus, Segment, SegmentResult, StationCycle, Status, StopCategory
from cells.joint_model import load_joint_model
from cells.part import parts_of
from controller.motion.rest_of_leg import rest_of_leg
from controller.motion.visit import Leg, Zone, still
from kinematics import rest_to_rest
from sim.stations import SimStations
from sim.world import World
from tests.sim.handling import Hand, cycle
from tests.sim.test_handling import MODEL, PARTS, put

pytestmark = pytest.mark.pybullet

STATOR = PARTS["stator"]
ON_PATH_RAD = 1e-3  # as drivers allow, and as the line of a cell does
LONGEST_STOP_S = 0.6
RETURN = 10**6


class Stopped:
    """An arm that works through segments, is stopped at moments, and goes on as `controller.execution.line` does."""

    def __init__(self, hand: Hand, segments: Sequence[Segment]) -> None:
        self.hand, self.world, self.arm = hand, hand.world, hand.arm
        self.todo = list(segments)
        self.results: list[SegmentResult] = []
        self.end_q = hand.arm.read().q  # of the last segment that ended

    def run(self, stops: Sequence[tuple[float, StopCategory]] = ()) -> float:
        """To the end, with stops at times from the beginning [s] on; the time when all was done [s]."""
        began, left = self.world.time_ns, list(stops)
        self._give()
        while self.todo:
            assert self.world.time_ns - began < 60e9
            self.world.step()
            self._take()
            if self.arm.status is Status.FAULT:
                return np.inf
            if left and self.world.time_ns - began >= left[0][0] * 1e9 and self.todo:
                self._stop(left.pop(0)[1])
        return (self.world.time_ns - began) * 1e-9

    def _give(self) -> None:
        for segment in self.todo:
            assert self.arm.queue(segment) is QueueStatus.ACCEPTED, self.arm.read()

    def _take(self) -> None:
        for result in self.arm.read().results:
            done = self.todo.pop(0)
            assert result.id == done.id
            if done.trajectory is not None:
                self.end_q = done.trajectory.q[-1]
            self.results.append(result)

    def _stop(self, category: StopCategory) -> None:
        self.arm.stop(category)
        for _ in range(round(LONGEST_STOP_S * 120)):
            self.world.step()
        self._take()
        assert np.abs(self.arm.read().qd).max() < 1e-3
        self.arm.enable()
        if self.todo and self.todo[0].id != RETURN:
            self._begin_with_the_rest()
        elif self.todo:
            self.todo.pop(0)
            self._begin_with_the_rest()
        self._give()

    def _begin_with_the_rest(self) -> None:
        first, q = self.todo[0], self.arm.read().q
        trajectory = first.trajectory if first.trajectory is not None else still(self.end_q)
        leg = Leg(name="", zone=Zone.INSIDE, trajectory=trajectory, process=first.process)
        rest = rest_of_leg(leg, q, self.arm.limits).leg
        self.todo[0] = Segment(
            id=first.id, trajectory=rest.trajectory, process=rest.process, finger_m=first.finger_m
        )
        if np.abs(rest.trajectory.q[0] - q).max() > ON_PATH_RAD:
            back = rest_to_rest(q, rest.trajectory.q[0], self.arm.limits)
            self.todo.insert(0, Segment(id=RETURN, trajectory=back))


def visit(hand: Hand) -> list[Segment]:
    """Fetch a stator, put it into the housing in the first nest, leave."""
    return [
        *hand.fetch("feeder_stator", STATOR),
        *hand.place("P0", STATOR, STATOR.fit.entry_m),
        *hand.leave("P0", STATOR),
    ]


def prepared(new_world: Callable) -> tuple[World, Hand]:
    world = new_world(seed=2, ideal=False)
    put(world, "P0", "housing")
    put(world, "feeder_stator", "stator")
    return world, Hand(world, "R1")


def assert_placed(world: World, hand: Hand) -> None:
    assert hand.arm.read().fault == ""
    assert world.collisions == []
    assert world.dropped == []
    assert hand.arm.gripper.held is None
    assert set(world.at) == {"P0"}
    assert [placed.part.name for placed in world.at["P0"].parts] == ["housing", "stator"]
    (seating,) = world.seating
    assert seating.ok
    assert seating.position_error_m < 0.1e-3
    assert seating.offset_m < 0.03e-3


# When each phase of the visit is, by what it does; see `test_the_phases_are_where_they_are_said_to_be`.
PHASES = {
    "over the feeder": 0.3,
    "down to the part": 0.9,
    "closing": 1.14,
    "fingers on the part": 1.19,
    "held": 1.3,
    "lifting": 1.6,
    "carrying": 2.3,
    "entering": 3.0,
    "above the entry": 3.2,
    "in contact": 3.28,
    "in the fit": 3.7,
    "pressing": 4.21,
    "opening": 4.25,
    "open": 4.33,
    "leaving": 4.6,
}
HOLD, ABORT = StopCategory.STOP_AND_HOLD, StopCategory.POWER_OFF
TELLING = ("fingers on the part", "carrying", "in contact", "in the fit", "opening")
ALL = [
    phase if phase in TELLING else pytest.param(phase, marks=pytest.mark.slow) for phase in PHASES
]  # most go on alike


@pytest.mark.parametrize("phase", ALL)
def test_a_visit_goes_on_from_any_phase(new_world: Callable, phase: str) -> None:
    world, hand = prepared(new_world)
    Stopped(hand, visit(hand)).run([(PHASES[phase], HOLD)])
    assert_placed(world, hand)


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES)
def test_a_visit_goes_on_after_an_abort_in_any_phase(new_world: Callable, phase: str) -> None:
    world, hand = prepared(new_world)
    Stopped(hand, visit(hand)).run([(PHASES[phase], ABORT)])
    assert_placed(world, hand)


@pytest.mark.parametrize("every_s", [pytest.param(0.13, marks=pytest.mark.slow), 0.5])
def test_a_visit_that_is_stopped_again_and_again(new_world: Callable, every_s: float) -> None:
    world, hand = prepared(new_world)
    stops = [(every_s * k + LONGEST_STOP_S * (k - 1), HOLD) for k in range(1, 60)]
    Stopped(hand, visit(hand)).run(stops)
    assert_placed(world, hand)


def test_the_phases_are_where_they_are_said_to_be(new_world: Callable) -> None:
    world, hand = prepared(new_world)
    for segment in visit(hand):
        hand.arm.queue(segment)
    seen = {}
    for phase, at in PHASES.items():
        while world.time_ns < at * 1e9:
            world.step()
        running = hand.arm.follower.running
        assert running is not None
        insertion = getattr(running.work, "_insertion", None)
        seen[phase] = (
            type(running.segment.process).__name__,
            hand.arm.gripper.held is not None,
            hand.arm.gripper.moving,
            insertion is not None and insertion.peak_n > 0.0,
            insertion is not None and insertion.engaged,
            running.line_done,
        )
    grip, insert, release, none = "GripPart", "InsertPart", "ReleasePart", "NoneType"
    assert seen == {
        "over the feeder": (none, False, False, False, False, False),
        "down to the part": (none, False, False, False, False, False),
        "closing": (grip, False, True, False, False, True),
        "fingers on the part": (grip, False, True, False, False, True),
        "held": (grip, True, False, False, False, True),
        "lifting": (none, True, False, False, False, False),
        "carrying": (none, True, False, False, False, False),
        "entering": (none, True, False, False, False, False),
        "above the entry": (insert, True, False, False, False, False),
        "in contact": (insert, True, False, True, False, False),
        "in the fit": (insert, True, False, True, True, False),
        "pressing": (insert, True, False, True, True, False),
        "opening": (release, False, True, False, False, True),
        "open": (release, False, False, False, False, True),
        "leaving": (none, False, False, False, False, False),
    }


@pytest.mark.parametrize("at_s", [0.1, 0.6, 0.85, 0.97])
def test_screws_half_driven_are_driven_on(new_world: Callable, at_s: float) -> None:
    world = new_world()
    joint = put(world, "P0", "housing")
    hand = Hand(world, "R1")
    hand.run(hand.to(hand.over(world.seat("P0"), 0.12)))
    drive = DriveScrews(station="P0", count=4, torque_nm=2.0, duration_s=1.0)
    stopped = Stopped(hand, [hand.segment(None, drive)])
    stopped.run([(at_s, HOLD)])
    (result,) = stopped.results
    assert result.measured["ok"] == 1.0
    assert len(joint.screw_ratios) == 4
    assert joint.faults == []


def test_a_process_that_ends_while_the_arm_stops_counts_and_the_arm_is_stopped(new_world: Callable) -> None:
    world, hand = prepared(new_world)
    segments = visit(hand)
    for segment in segments:
        hand.arm.queue(segment)
    while world.time_ns < PHASES["pressing"] * 1e9:
        world.step()
    hand.arm.stop(ABORT)
    hand.arm.finish(world.time_ns, {"ok": 1.0})  # as its process does at the end of a step
    for _ in range(3):
        world.step()
    state = hand.arm.read()
    assert state.status is Status.DISABLED
    assert state.results[-1].id == segments[6].id


def test_another_process_after_a_stop_begins_from_nothing(new_world: Callable) -> None:
    world, hand = prepared(new_world)
    fetch = list(hand.fetch("feeder_stator", STATOR))
    for segment in fetch:
        hand.arm.queue(segment)
    while world.time_ns < PHASES["fingers on the part"] * 1e9:
        world.step()
    hand.arm.stop(HOLD)
    for _ in range(60):
        world.step()
    hand.arm.enable()
    results = hand.run(
        hand.segment(
            still(hand.arm.read().q), DriveScrews(station="P0", count=1, torque_nm=1.0, duration_s=0.5)
        )
    )
    assert results[0].measured["ok"] == 1.0


# --- held on the path ------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ALL)
def test_a_visit_that_is_held_goes_on(new_world: Callable, phase: str) -> None:
    world, hand = prepared(new_world)
    for segment in visit(hand):
        hand.arm.queue(segment)
    while world.time_ns < PHASES[phase] * 1e9:
        world.step()
    hand.arm.feed(0.0)
    held_before = hand.arm.gripper.held
    for _ in range(180):
        world.step()
    state = hand.arm.read()
    assert (state.status, state.feed) == (Status.RUNNING, 0.0)
    assert np.abs(state.qd).max() < 1e-3
    ended = len(state.results)
    if held_before is not None:
        assert hand.arm.gripper.held is held_before
    for _ in range(60):
        world.step()
    assert hand.arm.read().results == ()
    hand.arm.feed(1.0)
    assert ended + len(hand.run()) <= 9
    assert_placed(world, hand)


@pytest.mark.parametrize("share", [pytest.param(0.1, marks=pytest.mark.slow), 0.5])
def test_a_visit_at_a_part_of_its_speed(new_world: Callable, share: float) -> None:
    world, hand = prepared(new_world)
    hand.arm.feed(share)
    results = hand.run(*visit(hand), seconds=100.0)
    assert len(results) == 9
    assert_placed(world, hand)
    assert world.time_ns * 1e-9 == pytest.approx(4.9 / share, rel=0.05)


# --- stations ---------------------------------------------------------------------------------------------


def stopped_and_begun_again(
    world: World, order: StationCycle, at_s: Sequence[float]
) -> tuple[dict[str, float], float]:
    """What a cycle measures that is stopped at times after it began; the last one takes how long [s]."""
    stations: SimStations = world.stations
    for seconds in at_s:
        stations.start(order)
        end = world.time_ns + round(seconds * 1e9)
        while world.time_ns < end:
            world.step()
        stations.stop(HOLD)
        assert stations.read() == ()
    stations.start(order)  # at once, while the machine still slows down
    began = world.time_ns
    while not (results := stations.read()):
        world.step()
        assert world.time_ns - began < 60e9
    assert len(results) == 1
    assert results[0].verdict == "" or order.station.startswith("P")
    return dict(results[0].measured), (results[0].end_ns - began) * 1e-9


@pytest.mark.parametrize("at_s", [(0.5,), (2.6,), (2.6, 0.05), (3.2,), (5.2,), (5.95,), (2.6, 1.4, 2.8)])
def test_a_pressing_is_gone_on_with(new_world: Callable, at_s: tuple[float, ...]) -> None:
    world = new_world()
    hub = put(world, "press", "rotor")
    order = StationCycle(id=1, station="press", duration_s=6.0, model=MODEL, serial="J1")
    measured, _ = stopped_and_begun_again(world, order, at_s)
    assert measured["ok"] == 1.0
    assert measured["force_n"] == pytest.approx(3000.0)
    np.testing.assert_allclose(hub.pose, world.seat("press"), atol=1e-4)
    assert world.stations.shuttles["press"].ram_m == 0.0
    assert hub.faults == []


@pytest.mark.parametrize("at_s", [(3.0, 6.0), pytest.param((13.5,), marks=pytest.mark.slow)])
def test_screws_at_the_bench_are_driven_on(new_world: Callable, at_s: tuple[float, ...]) -> None:
    world = new_world()
    part = put(world, "bench", "flexspline")
    order = StationCycle(id=1, station="bench", duration_s=14.0, model=MODEL, serial="J1")
    measured, _ = stopped_and_begun_again(world, order, at_s)
    assert measured["ok"] == 1.0
    assert len(part.screw_ratios) == load_joint_model(MODEL).flexspline_screws.count
    np.testing.assert_allclose(part.pose, world.seat("bench"), atol=1e-4)


@pytest.mark.parametrize("at_s", [(0.1,), (0.6,), (1.1,), (1.19,), (0.3, 0.05), (0.3, 0.3, 0.3)])
def test_the_dial_turns_by_one_position_however_often_it_is_stopped(
    new_world: Callable, at_s: tuple[float, ...]
) -> None:
    world = new_world()
    joint = put(world, "P3", "housing")
    stopped_and_begun_again(world, StationCycle(id=1, station="dial", duration_s=1.2), at_s)
    assert world.at == {"P4": joint}
    np.testing.assert_allclose(joint.pose[:3, 3], world.seat("P4")[:3, 3], atol=1e-4)
    cycle(world, "dial", 1.2)
    assert world.at == {"P5": joint}
    np.testing.assert_allclose(joint.pose[:3, 3], world.seat("P5")[:3, 3], atol=1e-4)


@pytest.mark.parametrize("at_s", [0.0, 0.05, 0.4])
def test_a_feeder_presents_one_part_and_the_tray_takes_one_joint(new_world: Callable, at_s: float) -> None:
    world = new_world()
    order = StationCycle(id=1, station="feeder_rotor", duration_s=0.5, model=MODEL, serial="J1")
    stopped_and_begun_again(world, order, [at_s])
    assert world.at["feeder_rotor"].last.name == "rotor"
    with pytest.raises(ValueError, match="has not been emptied yet"):
        world.stations.start(order)
    joint = put(world, "out_tray", "housing")
    stopped_and_begun_again(
        world, StationCycle(id=2, station="out_tray", duration_s=0.5, serial="J1"), [at_s]
    )
    assert world.finished == [joint]
    with pytest.raises(ValueError, match="is empty"):
        world.stations.start(StationCycle(id=3, station="out_tray", duration_s=0.5, serial="J1"))


def test_a_test_that_is_begun_again_tests_the_same_joint(new_world: Callable) -> None:
    parts = parts_of(load_joint_model(MODEL))
    assert "housing" in parts
    order = StationCycle(id=1, station="P7", duration_s=19.0, model=MODEL, serial="J1")
    drawn = []
    for at_s in ([], [4.0]):
        world = new_world(seed=5)
        put(world, "P7", "housing")
        for seconds in at_s:
            world.stations.start(order)
            end = world.time_ns + round(seconds * 1e9)
            while world.time_ns < end:
                world.step()
            world.stations.stop(HOLD)
        world.stations.start(order)
        world.step()
        drawn.append(world.stations._half_done["P7"][1])
    assert drawn[0] == drawn[1]


def test_a_feeder_takes_back_what_nobody_comes_for_any_more_after_a_stop(new_world: Callable) -> None:
    world = new_world()

    def present(number: int, serial: str) -> None:
        order = StationCycle(id=number, station="feeder_rotor", duration_s=0.5, model=MODEL, serial=serial)
        stopped_and_begun_again(world, order, [])

    present(1, "J1")
    with pytest.raises(ValueError, match="has not been emptied yet"):
        present(2, "J2")
    world.stations.stop(StopCategory.STOP_AND_HOLD)
    with pytest.raises(ValueError, match="has not been emptied yet"):
        present(3, "J1")
    present(4, "J2")
    assert world.at["feeder_rotor"].serial == "J2"
    with pytest.raises(ValueError, match="has not been emptied yet"):
        present(5, "J3")
