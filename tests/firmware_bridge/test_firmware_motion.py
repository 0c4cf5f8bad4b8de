"""What the firmware makes of motion: followed to the last bit of the wire, held and stopped on its path, or rejected."""

import re
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from cells import load_arm
from firmware_bridge.armlink.codes import (
    KNOTS,
    TRAJECTORIES,
    Drive,
    EventCode,
    Fault,
    HelloFlag,
    HoldCause,
    KnotFlag,
    Motion,
    Refusal,
    Result,
)
from firmware_bridge.armlink.messages import (
    Abandon,
    Control,
    CubicKnot,
    Hold,
    Override,
    Qstop,
    QuinticKnot,
    Resume,
    SegCubic,
    SegQuintic,
    Truncate,
)
from firmware_bridge.armlink.reports import Ack, Nak
from firmware_bridge.emulator import build
from firmware_bridge.trials.wire_client import CONFIG, HOME, Host, knots
from kinematics import Trajectory, rest_to_rest

LIMITS = load_arm("gp7").limits
START = np.array(HOME) * 1e-7
THERE = START + np.array([0.9, 0.4, -0.4, 0.5, 0.5, 1.0])
AWAY = rest_to_rest(START, THERE, LIMITS)
BACK = rest_to_rest(THERE, START, LIMITS)
NEAR = 3e-7  # rad: rounding of the knots and of the setpoints


def on_path(rows: NDArray[np.void], path: Trajectory) -> float:
    """How far the setpoints are from a path at the place where the firmware says it is [rad]."""
    q = path.sample(place_s(rows))[0]
    return float(np.abs(rows["setpoint"] * 1e-7 - q).max(initial=0.0))


def place_s(rows: NDArray[np.void]) -> NDArray[np.float64]:
    """Places on the running trajectory [s]."""
    places: NDArray[np.float64] = rows["place"] / 65536e6
    return places


def done(host: Host) -> list[int]:
    return [event.source for event in host.events(EventCode.TRAJECTORY_DONE)]


def running(rows: NDArray[np.void], traj: int) -> NDArray[np.void]:
    return rows[(rows["running"] == 1) & (rows["traj"] == traj)]


def test_it_follows_a_trajectory_and_says_when() -> None:
    host = Host().enable()
    now = host.status.t_us
    assert host.queue(1, knots(AWAY)) is Result.OK
    assert host.start(1, now + 100_500) is Result.OK
    rows = running(host.run(AWAY.duration + 0.3), 1)
    q, qd, qdd = AWAY.sample(place_s(rows))
    assert np.abs(rows["setpoint"] * 1e-7 - q).max() < NEAR
    assert np.abs(rows["vel"] - qd).max() < 1e-4
    assert np.abs(rows["acc"] - qdd).max() < 1e-2
    (began,), (ended,) = host.events(EventCode.TRAJECTORY_STARTED), host.events(EventCode.TRAJECTORY_DONE)
    assert (began.source, began.t_us, began.data) == (1, now + 100_500, 0)
    assert (ended.source, ended.data) == (1, 0)
    assert ended.t_us - began.t_us == round(AWAY.duration * 1e6)
    assert host.setpoint == knots(AWAY)[-1].pos
    assert host.status.motion is Motion.IDLE


def test_cubics_too() -> None:
    host = Host().enable()
    t = np.linspace(0.0, 1.0, 21)
    q = 0.2 * (3 * t**2 - 2 * t**3)
    v = 0.2 * (6 * t - 6 * t**2)
    motion = [
        CubicKnot(
            t_us=round(tk * 1e6),
            pos=(HOME[0] + round(qk * 1e7), *HOME[1:]),
            vel=(round(vk * 1e6), 0, 0, 0, 0, 0),
        )
        for tk, qk, vk in zip(t, q, v, strict=True)
    ]
    for k in range(0, 21, 4):
        flags = KnotFlag.LAST if k == 20 else KnotFlag(0)
        seg = SegCubic(traj=1, flags=flags, first_knot=k, knots=tuple(motion[k : k + 4]))
        assert host.ask(seg) is Result.OK
    assert host.start(1) is Result.OK
    rows = running(host.run(1.2), 1)
    place = place_s(rows)
    assert np.abs(rows["setpoint"][:, 0] * 1e-7 - 0.2 * (3 * place**2 - 2 * place**3)).max() < NEAR
    assert done(host) == [1]


def test_trajectories_follow_each_other_without_a_pause() -> None:
    host = Host().enable()
    for traj, motion in ((1, AWAY), (2, BACK), (3, AWAY)):
        assert host.queue(traj, knots(motion)) is Result.OK
        assert host.start(traj) is Result.OK
    host.run(3 * AWAY.duration + 0.2)
    began, ended = host.events(EventCode.TRAJECTORY_STARTED), host.events(EventCode.TRAJECTORY_DONE)
    assert [event.source for event in ended] == [1, 2, 3]
    assert [event.t_us for event in began[1:]] == [event.t_us for event in ended[:-1]]
    assert ended[-1].t_us - began[0].t_us == pytest.approx(1e6 * (2 * AWAY.duration + BACK.duration), abs=2)


def test_a_start_whose_time_has_passed_is_late_but_no_jump() -> None:
    host = Host().enable()
    host.run(0.5)
    assert host.queue(1, knots(AWAY)) is Result.OK
    assert host.start(1, host.status.t_us - 200_000) is Result.OK
    rows = host.run(0.05)
    assert on_path(running(rows, 1), AWAY) < NEAR
    assert place_s(running(rows, 1))[0] <= 1e-3
    (began,) = host.events(EventCode.TRAJECTORY_STARTED)
    assert began.data == pytest.approx(200_000, abs=25_000)


@pytest.mark.parametrize("when", [0.02, 0.1, 0.25, 0.4, 0.55])
@pytest.mark.parametrize("ramp_ms", [0, 40, 800])
def test_a_hold_keeps_to_the_path_and_to_the_limits_of_stops(when: float, ramp_ms: int) -> None:
    host = Host().enable()
    host.queue(1, knots(AWAY))
    host.start(1)
    rows = [host.run(when)]
    host.send(Hold(ramp_ms=ramp_ms))
    rows.append(host.run(1.1))
    status = host.status
    assert (status.motion, status.hold_cause) == (Motion.HELD, HoldCause.HOST)
    assert host.ask(Resume(hold_id=status.hold_id + 1)) is Result.WRONG_HOLD
    assert host.ask(Resume(hold_id=status.hold_id)) is Result.OK
    rows.append(host.run(2.5))
    moved = running(np.concatenate(rows), 1)
    assert on_path(moved, AWAY) < NEAR
    assert (np.diff(place_s(moved)) >= 0.0).all()
    assert (np.abs(moved["acc"]) <= 1.001 * np.array(CONFIG.stop_acc) * 1e-5).all()
    jerk = np.abs(np.diff(moved["acc"], axis=0)) / 1e-3
    assert (jerk <= 1.02 * np.array(CONFIG.stop_jerk) * 1e-3).all()
    (ended,) = host.events(EventCode.TRAJECTORY_DONE)
    began = host.events(EventCode.TRAJECTORY_STARTED)[0]
    assert ended.t_us - began.t_us == pytest.approx(round(AWAY.duration * 1e6) + ended.data, abs=1)


def test_a_hold_during_the_ramp_of_a_resume_keeps_the_limits() -> None:
    for when in np.arange(0.05, 1.0, 0.06):
        host = Host().enable()
        host.queue(1, knots(AWAY.stretched(1.2)))
        host.start(1)
        rows = [host.run(0.3)]
        host.send(Hold(ramp_ms=0))
        rows.append(host.run(0.6))
        assert host.ask(Resume(hold_id=host.status.hold_id)) is Result.OK
        rows.append(host.run(float(when)))
        host.send(Hold(ramp_ms=20))
        rows.append(host.run(0.6))
        moved = running(np.concatenate(rows), 1)
        assert (np.abs(moved["acc"]) <= 1.001 * np.array(CONFIG.stop_acc) * 1e-5).all()
        jerk = np.abs(np.diff(moved["acc"], axis=0)) / 1e-3
        assert (jerk <= 1.02 * np.array(CONFIG.stop_jerk) * 1e-3).all()
        assert on_path(moved, AWAY.stretched(1.2)) < NEAR


def test_after_a_hold_the_rest_may_be_abandoned() -> None:
    host = Host().enable()
    host.queue(1, knots(AWAY))
    host.queue(2, knots(BACK))
    host.start(1)
    host.run(0.25)
    assert host.ask(Abandon(hold_id=0)) is Result.MOVING
    host.send(Hold(ramp_ms=0))
    host.run(0.6)
    assert host.ask(Abandon(hold_id=0)) is Result.WRONG_HOLD
    assert host.ask(Abandon(hold_id=host.status.hold_id)) is Result.OK
    assert host.latest(Ack).free_knots == KNOTS
    here = np.array(host.setpoint) * 1e-7
    assert host.queue(3, knots(rest_to_rest(here, START, LIMITS))) is Result.OK
    assert host.start(3) is Result.OK
    host.run(1.5)
    assert done(host) == [3]
    assert host.setpoint == HOME


def test_a_hold_at_rest_lets_nothing_start_until_it_ends() -> None:
    host = Host().enable()
    host.send(Hold(ramp_ms=0))
    host.run(0.05)
    assert host.status.motion is Motion.HELD
    host.queue(1, knots(AWAY))
    assert host.start(1) is Result.OK
    assert not host.run(0.3)["running"].any()
    assert host.ask(Resume(hold_id=host.status.hold_id)) is Result.OK
    host.run(1.0)
    assert done(host) == [1]


def test_override_slows_down_along_the_path() -> None:
    host = Host().enable()
    assert host.ask(Override(percent=50)) is Result.OK
    host.queue(1, knots(AWAY))
    host.start(1)
    rows = [host.run(0.3)]
    assert host.ask(Override(percent=100)) is Result.OK
    rows.append(host.run(2.0))
    moved = running(np.concatenate(rows), 1)
    assert on_path(moved, AWAY) < NEAR
    speed = np.diff(place_s(moved)[:250]) / 1e-3
    assert np.abs(speed - 0.5).max() < 0.01
    (ended,) = host.events(EventCode.TRAJECTORY_DONE)
    assert ended.data > 100_000
    assert (np.abs(moved["acc"]) <= 1.001 * np.array(CONFIG.stop_acc) * 1e-5).all()


@pytest.mark.parametrize("after_ms", range(5, 160, 15))
@pytest.mark.parametrize("percent", [0, 1, 20])
def test_a_hold_while_the_speed_falls_already_never_turns_back(percent: int, after_ms: int) -> None:
    host = Host().enable()
    host.queue(1, knots(AWAY.stretched(4.0), 0.06))  # slow, so that ramps are as short as wished
    host.start(1)
    rows = [host.run(1.2)]
    assert host.ask(Override(percent=percent)) is Result.OK
    rows.append(host.run(after_ms * 1e-3))
    host.send(Hold(ramp_ms=0))
    rows.append(host.run(1.5))
    moved = running(np.concatenate(rows), 1)
    assert (moved["vel"] @ (THERE - START) >= -1e-5).all()
    assert (np.abs(moved["acc"]) <= 1.001 * np.array(CONFIG.stop_acc) * 1e-5).all()
    jerk = np.abs(np.diff(moved["acc"], axis=0)) / 1e-3
    assert (jerk <= 1.05 * np.array(CONFIG.stop_jerk) * 1e-3 + 1.0).all()
    assert host.status.speed_pct == 0


@pytest.mark.parametrize("when", [0.0, 0.05, 0.1, 0.2, 0.3])
@pytest.mark.parametrize("before", [100, 40])
def test_override_zero_rests_on_the_path_with_power_until_there_is_more(before: int, when: float) -> None:
    host = Host().enable()
    host.ask(Override(percent=before))
    host.queue(1, knots(AWAY))
    host.start(1)
    rows = [host.run(max(when, 1e-3))]
    assert host.ask(Override(percent=100)) is Result.OK  # a ramp is under way when the next one begins
    rows.append(host.run(0.1))
    assert host.ask(Override(percent=0)) is Result.OK
    rows.append(host.run(1.2))
    rested = host.run(2.0)
    assert host.status.speed_pct == 0
    assert not np.diff(place_s(rested)).any()
    assert (rested["power"] == 1).all()
    assert host.ask(Override(percent=100)) is Result.OK
    rows += [rested, host.run(4.0)]
    all_rows = np.concatenate(rows)
    assert on_path(running(all_rows, 1), AWAY) < NEAR
    assert (np.abs(all_rows["acc"]) <= 1.001 * np.array(CONFIG.stop_acc) * 1e-5).all()
    (ended,) = host.events(EventCode.TRAJECTORY_DONE)
    assert ended.data > 2_000_000


@pytest.mark.parametrize("when", [0.0, 0.05, 0.2, 0.3, 0.45, 0.6, 0.9])
def test_a_quick_stop_ends_on_the_path_without_power(when: float) -> None:
    host = Host().enable()
    host.queue(1, knots(AWAY))
    host.start(1)
    rows = [host.run(max(when, 1e-3))]
    host.send(Qstop(reason=9))
    rows.append(host.run(1.2))
    all_rows = np.concatenate(rows)
    moved = running(all_rows, 1)
    assert on_path(moved, AWAY) < NEAR
    assert host.status.drive is Drive.SWITCH_ON_DISABLED
    assert host.firmware.plant.power == 0
    (stopped,) = host.events(EventCode.STOPPED)
    assert stopped.data == 9
    assert (all_rows["power"] == 1).sum() < (when + 1.1) * 1000  # within the longest stop and settling
    last_powered = all_rows[all_rows["power"] == 1][-1]
    assert np.abs(last_powered["vel"]).max() == 0.0
    assert host.status.free_knots == KNOTS


def test_disable_voltage_stops_first_and_other_words_wait() -> None:
    host = Host().enable()
    host.queue(1, knots(AWAY))
    host.start(1)
    host.run(0.3)
    assert host.ask(Control(controlword=6)) is Result.MOVING
    assert host.ask(Control(controlword=7)) is Result.MOVING
    assert host.ask(Control(controlword=15)) is Result.OK
    assert host.ask(Control(controlword=0)) is Result.OK
    assert host.latest(Ack).drive is Drive.QUICK_STOP_ACTIVE
    rows = host.run(1.0)
    assert on_path(running(rows, 1), AWAY) < NEAR
    assert host.status.drive is Drive.SWITCH_ON_DISABLED


def stream(host: Host, motion: list[QuinticKnot], count: int) -> None:
    """Queue the first knots of a trajectory that never ends."""
    assert host.queue(1, motion[:count], last=False) is Result.OK
    assert host.start(1) is Result.OK


SLOW = rest_to_rest(START, THERE, LIMITS).stretched(3.0)


def test_it_stops_on_its_path_when_knots_run_out_and_goes_on_by_itself() -> None:
    host = Host().enable()
    motion = knots(SLOW)
    stream(host, motion, 16)
    rows = [host.run(1.5)]
    assert (host.status.motion, host.status.hold_cause) == (Motion.HELD, HoldCause.STARVED)
    assert host.queue(1, motion[16:], first=16) is Result.OK
    rows.append(host.run(3.0))
    moved = running(np.concatenate(rows), 1)
    assert on_path(moved, SLOW) < NEAR
    assert done(host) == [1]
    assert host.status.fault is Fault.NONE


def test_starving_again_and_again_is_a_fault() -> None:
    host = Host().enable()
    motion = knots(SLOW, 0.03)
    stream(host, motion, 14)
    rows, at = [host.run(1.2)], 14
    for _ in range(3):
        assert host.status.hold_cause is HoldCause.STARVED
        assert host.queue(1, motion[at : at + 10], last=False, first=at) is Result.OK
        at += 10
        rows.append(host.run(2.5))
    assert host.status.fault is Fault.STARVED
    assert host.status.drive is Drive.FAULT
    assert on_path(running(np.concatenate(rows), 1), SLOW) < NEAR


@pytest.mark.parametrize("count", range(5, 30, 3))
def test_no_underrun_ends_in_motion(count: int) -> None:
    """Whatever was buffered when the host fell silent, the arm comes to rest before the last knot."""
    host = Host().enable()
    motion = knots(AWAY, 0.02)[:count]
    assert host.queue(1, motion, last=False) is Result.OK
    if host.start(1) is Result.NOT_READY:
        return
    rows = host.run(1.5, alive=count % 2 == 0)
    moved = running(rows, 1)
    assert on_path(moved, AWAY) < NEAR
    assert place_s(moved).max() <= motion[-1].t_us * 1e-6
    assert np.abs(rows["vel"][-1]).max() == 0.0
    assert (np.abs(moved["acc"]) <= 1.001 * np.array(CONFIG.stop_acc) * 1e-5).all()


def test_a_start_needs_enough_to_stop_within() -> None:
    host = Host().enable()
    motion = knots(AWAY, 0.02)
    assert host.queue(1, motion[:3], last=False) is Result.OK
    assert host.start(1) is Result.NOT_READY
    assert host.start(2) is Result.WRONG_TRAJECTORY
    assert host.queue(1, motion[3:], first=3) is Result.OK
    assert host.start(1) is Result.OK


def knot(t_us: int, offset: int = 0, vel: int = 0, acc: int = 0) -> QuinticKnot:
    pos = (HOME[0] + offset, *HOME[1:])
    return QuinticKnot(t_us=t_us, pos=pos, vel=(vel, 0, 0, 0, 0, 0), acc=(acc, 0, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [
        (knot(0, offset=501), knot(100_000, 501), Result.WRONG_START),
        (knot(1), knot(100_000), Result.KNOT_TIME),
        (knot(0, vel=1), knot(100_000), Result.NOT_AT_REST),
        (knot(0, acc=-1), knot(100_000), Result.NOT_AT_REST),
        (knot(0), knot(1_999), Result.KNOT_TIME),
        (knot(0), knot(1_000_001), Result.KNOT_TIME),
        (knot(0), knot(100_000, vel=1), Result.NOT_AT_REST),
        (knot(0), knot(1_000_000, 100_000_000), Result.POSITION_LIMIT),
        (knot(0), knot(1_000_000, -100_000_000), Result.POSITION_LIMIT),
        (knot(0), knot(500_000, 28_000_000), Result.VELOCITY_LIMIT),
        (knot(0), knot(100_000, 500_000), Result.ACCELERATION_LIMIT),
        (knot(0), knot(30_000, 5_000), Result.JERK_LIMIT),
    ],
)
def test_what_would_break_a_limit_is_rejected_and_nothing_changes(
    first: QuinticKnot, second: QuinticKnot, result: Result
) -> None:
    host = Host().enable()
    assert host.ask(SegQuintic(traj=1, flags=KnotFlag.LAST, first_knot=0, knots=(first, second))) is result
    assert host.latest(Ack).free_knots == KNOTS
    assert host.queue(1, knots(AWAY)) is Result.OK


def test_a_trajectory_is_poisoned_by_a_rejected_knot_until_it_is_truncated() -> None:
    host = Host().enable()
    motion = knots(AWAY)
    assert host.queue(1, motion[:4], last=False) is Result.OK
    wrong = replace(motion[4], pos=(motion[4].pos[0] + 3_000_000, *motion[4].pos[1:]))
    rejected = SegQuintic(traj=1, flags=KnotFlag(0), first_knot=4, knots=(wrong,))
    assert host.ask(rejected) in (Result.VELOCITY_LIMIT, Result.ACCELERATION_LIMIT)
    assert host.latest(Ack).reject_joint == 0
    assert host.queue(1, motion[4:], first=4) is Result.POISONED
    assert host.start(1) is Result.POISONED
    assert host.ask(Truncate(traj=1, knot=4)) is Result.WRONG_KNOT
    assert host.ask(Truncate(traj=1, knot=3)) is Result.OK
    assert host.queue(1, motion[4:], first=4) is Result.OK
    assert host.start(1) is Result.OK
    host.run(1.0)
    assert done(host) == [1]


def test_the_tail_of_a_running_trajectory_can_be_planned_anew() -> None:
    host = Host().enable()
    first, second = knots(SLOW), knots(rest_to_rest(THERE, START, LIMITS))
    host.queue(1, first)
    host.queue(2, second)
    host.start(1)
    host.run(0.3)
    assert host.ask(Truncate(traj=1, knot=host.status.knot + 1)) is Result.TOO_LATE
    assert host.ask(Truncate(traj=1, knot=15)) is Result.OK
    assert host.latest(Ack).free_knots == KNOTS - (16 - host.status.knot)
    assert host.queue(1, first[16:], first=16) is Result.OK
    rows = host.run(3.0)
    assert on_path(running(rows, 1), SLOW) < NEAR
    assert done(host) == [1]
    assert host.queue(2, second) is Result.OK  # its number is free again


def test_knots_and_trajectories_come_in_order() -> None:
    host = Host().enable()
    motion = knots(AWAY)
    assert host.queue(2, motion) is Result.WRONG_TRAJECTORY
    assert host.queue(1, motion[2:], first=2) is Result.WRONG_KNOT
    assert host.queue(1, motion[:4], last=False) is Result.OK
    assert host.queue(1, motion[:4], last=False) is Result.WRONG_KNOT
    assert host.queue(2, knots(BACK)) is Result.WRONG_TRAJECTORY
    cubic = tuple(CubicKnot(t_us=k.t_us, pos=k.pos, vel=k.vel) for k in motion[4:6])
    assert host.ask(SegCubic(traj=1, flags=KnotFlag(0), first_knot=4, knots=cubic)) is Result.WRONG_KNOT


def test_a_full_buffer_says_so_and_takes_more_later() -> None:
    host = Host().enable()
    rest = [knot(0), knot(500_000)]
    for traj in range(1, TRAJECTORIES + 1):
        assert host.queue(traj, rest) is Result.OK
    assert host.queue(TRAJECTORIES + 1, rest) is Result.FULL
    assert host.start(1) is Result.OK
    host.run(0.6)
    assert host.queue(TRAJECTORIES + 1, rest) is Result.OK
    long = Host().enable()
    many = [knot(k * 100_000) for k in range(KNOTS + 2)]
    assert long.queue(1, many[:KNOTS], last=False) is Result.OK
    assert long.queue(1, many[KNOTS:], first=KNOTS) is Result.FULL
    assert long.start(1) is Result.OK
    long.run(0.35)
    assert long.queue(1, many[KNOTS:], first=KNOTS) is Result.OK


def test_a_takeover_of_a_moving_arm_holds_it_first() -> None:
    host = Host().enable()
    host.queue(1, knots(SLOW))
    host.start(1)
    rows = [host.run(0.5)]
    host.send(host.hello(nonce=50, flags=HelloFlag.TAKEOVER), session=0)
    assert host.latest(Nak).code is Refusal.MOVING
    rows.append(host.run(0.8))
    assert (host.status.motion, host.status.hold_cause) == (Motion.HELD, HoldCause.TAKEOVER)
    assert on_path(running(np.concatenate(rows), 1), SLOW) < NEAR
    host.open(nonce=50, flags=HelloFlag.TAKEOVER)
    host.run(0.05)
    assert host.status.drive is Drive.SWITCH_ON_DISABLED


@pytest.mark.parametrize("seed", range(5))
def test_accepted_curves_keep_the_limits_everywhere(seed: int) -> None:
    """Against dense samples of the quintic's own formula, in double precision."""
    rng = np.random.default_rng(seed)
    accepted = 0
    for _ in range(60):
        host = Host().enable()
        h = float(rng.uniform(0.05, 0.4))
        most = np.minimum(np.array(CONFIG.acc_max) * 1e-5, np.array(CONFIG.jerk_max) * 1e-3 * h)
        acc = rng.uniform(-1.1, 1.1, 6) * most * rng.choice([0.3, 1.0])
        off = 1.0 + rng.choice([0.0, 0.003, 0.1]) * rng.standard_normal((2, 6))
        end = np.rint(np.array(HOME) + acc * h * h / 6.0 * off[0] * 1e7)
        pair = (
            QuinticKnot(t_us=0, pos=HOME, vel=(0,) * 6, acc=(0,) * 6),
            QuinticKnot(
                t_us=round(h * 1e6),
                pos=tuple(int(x) for x in end),
                vel=tuple(int(x) for x in np.rint(acc * h / 2.0 * off[1] * 1e6)),
                acc=tuple(int(x) for x in np.rint(acc * 1e5)),
            ),
        )
        result = host.ask(SegQuintic(traj=1, flags=KnotFlag(0), first_knot=0, knots=pair))
        scale = (1e-7, 1e-6, 1e-5)
        states = [
            [
                np.array(getattr(k, name)) * unit
                for name, unit in zip(("pos", "vel", "acc"), scale, strict=True)
            ]
            for k in pair
        ]
        t_s = pair[1].t_us * 1e-6
        rows = [np.array(values) for values in zip(*states, strict=True)]
        path = Trajectory(t=[0.0, t_s], q=rows[0], qd=rows[1], qdd=rows[2])
        q, qd, qdd = path.sample(np.linspace(0.0, t_s, 400))
        over = max(
            float((np.abs(qd) / (np.array(CONFIG.vel_max) * 1e-6)).max()),
            float((np.abs(qdd) / (np.array(CONFIG.acc_max) * 1e-5)).max()),
        )
        inside = (q >= np.array(CONFIG.pos_min) * 1e-7 - 1e-6) & (q <= np.array(CONFIG.pos_max) * 1e-7 + 1e-6)
        if result is Result.OK:
            accepted += 1
            assert over <= 1.001
            assert inside.all()
    assert 5 <= accepted <= 55


def test_the_bounds_of_ramps_hold_for_every_ramp_to_rest() -> None:
    """Against a sweep of cubics to rest that begin anywhere on a rising or falling ramp of any greater duration."""
    source = (build.SOURCES / "ramp.c").read_text(encoding="utf-8")
    rate, curvature = (float(found) for found in re.findall(r"^#define \w+_BOUND ([\d.]+)f$", source, re.M))
    u = np.linspace(0.0, 1.0, 201)
    most_rate = most_curvature = 0.0
    for begun in np.linspace(0.0, 1.0, 101):
        for top in (0.3, 1.0):
            for direction in (1.0, -1.0):
                for longer in (1.0, 1.5, 4.0):
                    rise = top * (3 * begun**2 - 2 * begun**3)
                    value = rise if direction > 0 else 1.0 - rise
                    slope = direction * top * 6 * begun * (1 - begun) / longer
                    # Cubic from (value, slope) to (0, 0): derivatives of its Hermite form.
                    first = -6 * value * (u - u**2) + slope * (1 - 4 * u + 3 * u**2)
                    second = -6 * value * (1 - 2 * u) + slope * (6 * u - 4)
                    most_rate = max(most_rate, float(np.abs(first).max()))
                    most_curvature = max(most_curvature, float(np.abs(second).max()))
    assert 0.9 * rate < most_rate <= rate
    assert 0.9 * curvature < most_curvature <= curvature
