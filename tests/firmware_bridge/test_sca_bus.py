"""Master and joint's end of the SCA bus: documented frames, both forms of answers, alarms, refusals, bad lines."""

import math
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cells.joint_bus import JointBusError, JointFault, JointMode
from firmware_bridge.emulated_line import Damaged, MemoryLine, PseudoTerminal
from firmware_bridge.port import SerialPort
from firmware_bridge.sca import Command, Frame, Parser
from firmware_bridge.sca_bus import ScaBus, ScaJoint
from firmware_bridge.sca_joint import BusEnd, connect

SERIAL = 0x01645ADF
FULL_SCALE_A = 33.0


class Electronics:
    """A joint that remembers what it was told and reads constants."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []
        self.fault = 0

    def find(self) -> tuple[int, ...]:
        return (SERIAL,)

    def enable(self, on: bool) -> None:
        if self.fault:
            raise JointBusError("has an alarm")
        self.told.append(("enable", on))

    def set_mode(self, mode: JointMode) -> None:
        self.told.append(("mode", mode))

    def set_current(self, current_a: float) -> None:
        self.told.append(("current", current_a))

    def set_speed(self, speed_rad_s: float) -> None:
        self.told.append(("speed", speed_rad_s))

    def current_a(self) -> float:
        return 16.5

    def speed_rad_s(self) -> float:
        return -100.0 * math.pi

    def position_rad(self) -> float:
        return 3.0

    def voltage_v(self) -> float:
        return 42.0

    def alarm(self) -> int:
        return self.fault

    def save(self) -> None:
        self.told.append(("save", None))


# Documented exchanges (innfos/wiki, en/pages/Ethernet_Communication_Protocol.md) with the joint at address 6.
DOCUMENTED = [
    ("EE 00 44 00 00 ED", "EE 00 44 00 01 01 ED"),
    ("EE 00 02 00 00 ED", "EE 06 02 00 04 01 64 5A DF 3B 3F ED"),
    ("EE 06 2A 00 01 01 7E 80 ED", "EE 06 2A 00 01 01 ED"),
    ("EE 06 07 00 01 02 3E 81 ED", "EE 06 07 00 01 01 ED"),
]


@pytest.fixture
def joint() -> Electronics:
    return Electronics()


def bus_to(joint: Electronics) -> ScaJoint:
    return connect(joint, FULL_SCALE_A)


@pytest.mark.parametrize(("request_", "answer"), DOCUMENTED)
def test_documented_exchanges(joint: Electronics, request_: str, answer: str) -> None:
    assert BusEnd(joint, 6, FULL_SCALE_A).receive(bytes.fromhex(request_), 0.0) == [bytes.fromhex(answer)]


def test_it_reads_back(joint: Electronics) -> None:
    bus = bus_to(joint)
    assert bus.find() == (SERIAL,)
    assert bus.current_a() == 16.5
    assert bus.speed_rad_s() == pytest.approx(-100.0 * math.pi, abs=1e-4)
    assert bus.position_rad() == pytest.approx(3.0, abs=2 * math.pi / 2**25)
    assert bus.voltage_v() == 42.0
    assert bus.alarm() == 0


def test_it_commands(joint: Electronics) -> None:
    bus = bus_to(joint)
    bus.enable(True)
    bus.set_mode(JointMode.SPEED)
    bus.set_speed(100.0)
    bus.set_mode(JointMode.CURRENT)
    bus.set_current(-3.0)
    bus.enable(False)
    bus.save()
    assert [name for name, _ in joint.told] == [
        "enable",
        "mode",
        "speed",
        "mode",
        "current",
        "enable",
        "save",
    ]
    assert joint.told[2][1] == pytest.approx(100.0, rel=1e-6)
    assert joint.told[4][1] == pytest.approx(-3.0, rel=1e-6)
    assert (joint.told[0][1], joint.told[5][1]) == (True, False)


def test_alarms_are_heard_unasked_and_a_refusal_is_an_error(joint: Electronics) -> None:
    bus = bus_to(joint)
    joint.fault = JointFault.UNDER_VOLTAGE | JointFault.LOCKED_ROTOR
    with pytest.raises(JointBusError, match="joint 1: refuses ENABLE, answers 0"):
        bus.enable(True)
    assert bus.bus.alarms == {1: 6}
    assert bus.alarm() == 6
    joint.fault = 0
    bus.clear_alarm()
    bus.enable(True)
    assert bus.bus.alarms == {}


def test_setpoints_beyond_the_wire_are_refused(joint: Electronics) -> None:
    with pytest.raises(ValueError, match="IQ24: 200"):
        bus_to(joint).set_current(200.0 * FULL_SCALE_A)


def test_other_addresses_are_left_alone(joint: Electronics) -> None:
    end = BusEnd(joint, 6, FULL_SCALE_A)
    assert end.receive(Frame(address=5, command=Command.ENABLE, data=b"\1").encode(), 0.0) == []
    assert joint.told == []


@pytest.mark.parametrize(
    "frame",
    [
        Frame(address=6, command=0x99),
        Frame(address=6, command=Command.SET_MODE, data=b"\5"),
        Frame(address=6, command=Command.SET_SPEED, data=b"\5"),
        Frame(address=6, command=Command.ENABLE),
    ],
)
def test_what_it_does_not_understand_is_answered_with_failure(joint: Electronics, frame: Frame) -> None:
    (reply,) = BusEnd(joint, 6, FULL_SCALE_A).receive(frame.encode(), 0.0)
    assert Parser().feed(reply) == [Frame(address=6, command=frame.command, data=b"\0")]
    assert joint.told == []


@given(st.binary(max_size=200))
def test_noise_harms_neither_end(noise: bytes) -> None:
    joint = Electronics()
    end = BusEnd(joint, 1, FULL_SCALE_A)
    for reply in end.receive(noise, 0.0):
        assert Parser().feed(reply)
    bus = ScaJoint(ScaBus(MemoryLine(end, lambda: 0.0, lambda reply: noise + reply)), 1, FULL_SCALE_A)
    with suppress(JointBusError):
        assert bus.voltage_v() >= 0.0


def test_a_bad_line_gives_no_wrong_value(joint: Electronics) -> None:
    damage = Damaged(np.random.default_rng(8), 0.1)
    end = BusEnd(joint, 1, FULL_SCALE_A)
    bus = ScaJoint(ScaBus(MemoryLine(end, lambda: 0.0, damage)), 1, FULL_SCALE_A)
    taken = 0
    for _ in range(500):
        with suppress(JointBusError):
            assert bus.current_a() == 16.5
            taken += 1
    assert taken > 480
    assert damage.count > 40


def test_over_a_serial_port(joint: Electronics) -> None:
    with PseudoTerminal(BusEnd(joint, 3, FULL_SCALE_A)) as terminal:
        port = SerialPort(terminal.path, 1_000_000)
        port.open()
        bus = ScaBus(port)
        bus.handshake()
        assert bus.find() == {3: SERIAL}
        assert ScaJoint(bus, 3, FULL_SCALE_A).voltage_v() == 42.0
        with pytest.raises(JointBusError, match="joint 4: no answer to READ_VOLTAGE"):
            ScaJoint(bus, 4, FULL_SCALE_A).voltage_v()
        terminal.unplug()
        with pytest.raises(JointBusError, match=f"port {terminal.path}"):
            bus.handshake()
