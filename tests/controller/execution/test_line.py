"""The line on fast-forward drivers: joints follow without a break, stops at any moment are survived, arms come home."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from cells.driver import Status, StopCategory
from controller.choice import Choice
from controller.execution.draft import JointToMake, PlanError
from controller.execution.fake import FakeArm, FakeClock, FakeStations
from controller.execution.handover import OvertakenError
from controller.execution.line import Line
from controller.execution.state import Ended, Event, Faulted
from controller.motion.shape import moving_capsules
from controller.motion.way_home import HOME, RETURN
from controller.rearranging import Arrangements
from kinematics import Body, Scene, clearance
from tests.controller.motion import small_plan

_STEP_NS = 100_000_000


class SteppingClock(FakeClock):
    """Looks at the arms at least every 100 ms."""

    def __init__(self) -> None:
        super().__init__()
        self.drivers: tuple[FakeArm | FakeStations, ...] = ()

    def advance(self) -> None:
        due = [end for driver in self.drivers if (end := driver.due()) is not None]
        self.now_ns = max(self.now_ns, min([*due, self.now_ns + _STEP_NS]))


class Rig:
    """A line of fake drivers, what it has said and where its arms have been."""

    def __init__(self) -> None:
        self.cell = small_plan.cell()
        plan = small_plan.planned(10)
        choice = Choice(
            cycle_s=small_plan.CYCLE_MS / 1000,
            schedule=small_plan.schedule(),
            retreats=frozenset(plan.retreats),
            rules=plan.rules,
        )
        planner = small_plan.planner()
        self.clock = SteppingClock()
        self.arms = {
            arm.id: FakeArm(
                arm.id, arm.arm.limits, self.clock, chain=arm.arm.chain, start=planner.park(arm.id)
            )
            for arm in self.cell.arms
        }
        self.stations = FakeStations(self.clock)
        self.clock.drivers = (*self.arms.values(), self.stations)
        arrangements = Arrangements(planner, small_plan.models(), choice)
        arrangements.put_mix(small_plan.mix())
        self.line = Line(self.cell, planner, arrangements, self.arms, self.stations, self.clock, self._listen)
        self.ends: list[tuple] = []
        self.finished: list[str] = []
        self.joints: dict[str, JointToMake] = {}
        self.states: list[list[np.ndarray]] = []
        self.enable()

    def _listen(self, event: Event) -> None:
        assert not isinstance(event, Faulted), event
        if isinstance(event, Ended):
            node = self.line.graph.nodes[event.node]
            self.ends.append(node.key)
            if node.finishes:
                self.finished.append(node.serial)

    def enable(self) -> None:
        for arm in self.arms.values():
            arm.enable()

    def coming(self, count: int) -> list[JointToMake]:
        """New joints behind all others."""
        models = small_plan.models()
        first = max([self.line.next_place, *(joint.place + 1 for joint in self.joints.values())])
        new = [
            JointToMake(
                serial=f"J{len(self.joints) + k:04d}",
                model=models[(len(self.joints) + k) % len(models)].name,
                place=first + k,
            )
            for k in range(count)
        ]
        self.joints |= {joint.serial: joint for joint in new}
        return new

    def in_work(self) -> list[JointToMake]:
        return [joint for serial, joint in self.joints.items() if serial not in self.finished]

    def rounds(self, until_s: float = np.inf) -> Iterator[None]:
        """Rounds until a time, or until everything is done."""
        while not self.line.exhausted and self.clock.now_ns * 1e-9 < until_s:
            self.line.tick()
            assert not self.line.stuck
            self.states.append([self.line.readings[arm.id].q for arm in self.cell.arms])
            yield

    def run(self, until_s: float = np.inf) -> None:
        for _ in self.rounds(until_s):
            pass

    def halt(self) -> None:
        self.line.halt(StopCategory.STOP_AND_HOLD, "test")
        self.line.tick()
        assert self.line.at_rest
        q = {name: arm.read().q for name, arm in self.arms.items()}
        for _ in range(5):
            self.line.tick()
        for name, arm in self.arms.items():
            assert arm.read().status is Status.STOPPED
            assert (arm.read().q == q[name]).all()

    def smallest_clearance_m(self) -> float:
        """Between any two arms, at all times looked at."""
        bodies = tuple(
            Body(chain=arm.arm.chain, X_WB=arm.X_WB, capsules=moving_capsules(arm)) for arm in self.cell.arms
        )
        return float(clearance(Scene(bodies=bodies), np.array(self.states)).min())

    def assert_all_done_once(self) -> None:
        assert self.finished == list(self.joints)
        work = Counter(key for key in self.ends if key[2])
        assert set(work.values()) == {1}
        operations = Counter((key[2], key[1]) for key in work if key[1])
        assert len({serial for serial, _ in operations}) == len(self.joints)
        assert len(set(Counter(serial for serial, _ in operations).values())) == 1
        assert self.smallest_clearance_m() >= self.cell.clearance.arms_m


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_joints_that_follow_in_time_leave_in_the_planned_cycle(rig: Rig) -> None:
    rig.line.begin(rig.coming(5), indices=0)
    for _ in rig.rounds():
        if len(rig.joints) < 14 and len(rig.joints) - len(rig.finished) < 13:
            rig.line.extend(rig.coming(3))
    rig.assert_all_done_once()
    assert [joint.place for joint in rig.joints.values()] == list(range(len(rig.joints)))


@pytest.mark.parametrize("seed", range(2))
def test_a_plan_that_comes_later_is_followed_or_was_overtaken(rig: Rig, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rig.line.begin(rig.coming(5), indices=0)
    followed = overtaken = 0
    for _ in rig.rounds():
        if len(rig.joints) < 20 and len(rig.joints) - len(rig.finished) < 12:
            known = dict(rig.joints)
            draft = rig.line.drafting().extend(rig.coming(2))
            rig.run(until_s=rig.clock.now_ns * 1e-9 + rng.uniform(0.0, 3.0))
            before = rig.line.graph
            try:
                rig.line.adopt(draft)
                followed += 1
            except OvertakenError:
                rig.joints, overtaken = known, overtaken + 1
                assert rig.line.graph is before
    rig.assert_all_done_once()
    assert followed >= 7
    assert overtaken <= 3


@pytest.mark.parametrize("seed", range(2))
def test_a_stop_at_any_moment_is_gone_on_from(rig: Rig, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rig.line.begin(rig.coming(6), indices=0)
    for _ in range(8):
        rig.run(until_s=rig.clock.now_ns * 1e-9 + rng.uniform(0.0, 60.0))
        rig.halt()
        assert rig.line.state.stopped == "test"
        rig.enable()
        rig.line.begin(rig.in_work(), rig.line.indices)
    rig.run()
    rig.assert_all_done_once()


def test_arms_that_were_moved_come_back_one_after_the_other_before_anything_else(rig: Rig) -> None:
    rig.line.begin(rig.coming(4), indices=0)
    rig.run(until_s=50.0)
    rig.halt()
    for arm in rig.arms.values():  # somebody moved them a little
        arm._q = arm._last_q = np.add(arm._q, [0.0, 0.0, 0.0, 0.1, 0.0, 0.05])
    rig.enable()
    rig.line.begin(rig.in_work(), rig.line.indices)
    ways = [node for node in rig.line.graph.nodes if node.label in (HOME, RETURN)]
    assert [node.label for node in ways] == [RETURN] * 6
    moving = 0
    for _ in rig.rounds():
        if not all(rig.line._engine.course.has_ended(rig.line.state, node.id) for node in ways):
            moving = max(moving, sum(np.abs(rig.line.readings[name].qd).max() > 0.0 for name in rig.arms))
    assert moving == 1
    rig.assert_all_done_once()


def test_after_a_restart_hands_are_empty_arms_go_home_and_what_was_done_is_not_repeated(rig: Rig) -> None:
    rig.line.begin(rig.coming(4), indices=0)
    rig.run(until_s=70.0)
    rig.halt()
    done = {
        serial: frozenset(
            node.operation
            for node in small_plan.planned(4).graph.nodes
            if node.ends and (node.resource, node.operation, serial, node.part, node.label) in rig.ends
        )
        for serial in rig.joints
    }
    assert any(done.values())
    anew = Rig()
    for name, arm in anew.arms.items():
        arm._q = arm._last_q = rig.arms[name].read().q
    joints = [
        JointToMake(serial=joint.serial, model=joint.model, place=joint.place, done=done[joint.serial])
        for joint in rig.joints.values()
    ]
    anew.joints = {joint.serial: joint for joint in joints}
    anew.line.begin(joints, rig.line.indices)
    assert {node.label for node in anew.line.graph.nodes if not node.serial and node.leg} >= {HOME}
    anew.run()
    assert anew.finished == list(anew.joints)
    again = {(key[2], key[1]) for key in anew.ends if key[1]}
    assert not again & {(serial, number) for serial, numbers in done.items() for number in numbers}


def test_a_joint_taken_out_is_left_out_and_the_others_go_on(rig: Rig) -> None:
    rig.line.begin(rig.coming(5), indices=0)
    rig.run(until_s=90.0)
    rig.halt()
    lost = rig.in_work()[1].serial
    del rig.joints[lost]
    rig.enable()
    rig.line.begin(rig.in_work(), rig.line.indices)
    assert lost not in {node.serial for node in rig.line.graph.nodes}
    rig.run()
    assert rig.finished == list(rig.joints)


def test_a_joint_that_comes_too_late_for_its_place_is_refused_and_the_plan_stays(rig: Rig) -> None:
    rig.line.begin(rig.coming(3), indices=0)
    rig.run(until_s=120.0)
    graph = rig.line.graph
    early = JointToMake(serial="X", model=small_plan.models()[0].name, place=3)
    assert rig.line.next_place > 3
    with pytest.raises(PlanError):
        rig.line.extend([early])
    assert rig.line.graph is graph
