"""The maker's SDK as counterpart: it proves the emulated servos, and our bus the same things beside it."""

import time
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest
import scservo_sdk as sdk

from firmware_bridge.emulated_line import Damaged, PseudoTerminal
from firmware_bridge.feetech import registers as reg
from firmware_bridge.feetech.bus import Bus
from firmware_bridge.feetech.emulator import EmulatedBus, EmulatedServo
from firmware_bridge.port import LinkError, SerialPort

BAUD = 1_000_000
PATIENCE_S = 0.5  # with a busy machine
SETTLING_S = 0.02  # the SDK would take an answer that comes too late for the next one
IDS = (1, 2, 3, 4, 5, 6)
PLACES = {id_: 1000 + 100 * id_ for id_ in IDS}


class Sdk:
    """The SDK's port and packet handler on a terminal."""

    def __init__(self, path: str) -> None:
        self.port = sdk.PortHandler(path)
        assert self.port.openPort()
        assert self.port.setBaudRate(BAUD)
        self.packets = sdk.PacketHandler(0)

    def group(self) -> sdk.GroupSyncRead:
        read = sdk.GroupSyncRead(self.port, self.packets, 56, 15)
        for id_ in IDS:
            assert read.addParam(id_)
        return read


@pytest.fixture
def bus() -> EmulatedBus:
    return EmulatedBus(EmulatedServo(id_, place) for id_, place in PLACES.items())


@pytest.fixture
def path(bus: EmulatedBus, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("scservo_sdk.port_handler.LATENCY_TIMER", PATIENCE_S * 500)  # half of it, in ms
    with PseudoTerminal(bus) as terminal:
        yield terminal.path


def test_the_sdk_finds_reads_and_writes(path: str, bus: EmulatedBus) -> None:
    maker = Sdk(path)
    packets, port = maker.packets, maker.port
    assert packets.ping(port, 1) == (777, sdk.COMM_SUCCESS, 0)
    assert packets.ping(port, 9)[1] == sdk.COMM_RX_TIMEOUT
    assert packets.read2ByteTxRx(port, 2, 56) == (1200, sdk.COMM_SUCCESS, 0)
    assert packets.write2ByteTxRx(port, 2, 31, sdk.SCS_TOSCS(-100, 11)) == (sdk.COMM_SUCCESS, 0)
    assert bus.servos[2][reg.HOMING_OFFSET] == -100
    bus.servos[1].fail(4, time.monotonic())  # overheating
    assert packets.read1ByteTxRx(port, 1, 63) == (30, sdk.COMM_SUCCESS, 4)
    port.closePort()


def test_the_sdk_reads_and_writes_groups(path: str, bus: EmulatedBus) -> None:
    maker = Sdk(path)
    write = sdk.GroupSyncWrite(maker.port, maker.packets, 40, 1)
    for id_ in IDS:
        assert write.addParam(id_, [1])
    assert write.txPacket() == sdk.COMM_SUCCESS
    read = maker.group()
    assert read.txRxPacket() == sdk.COMM_SUCCESS
    assert {id_: read.getData(id_, 56, 2) for id_ in IDS} == PLACES
    assert all(servo[reg.TORQUE_ENABLE] for servo in bus.servos.values())
    maker.port.closePort()


def test_our_bus_does_the_same(path: str, bus: EmulatedBus) -> None:
    port = SerialPort(path, BAUD)
    port.open()
    ours = Bus(port, PATIENCE_S)
    assert ours.ping(1) == 777
    with pytest.raises(LinkError, match="servo 9: no answer"):
        ours.ping(9)
    assert ours.read(2, reg.PRESENT_POSITION) == 1200
    ours.write(2, reg.HOMING_OFFSET, -100)
    assert ours.read(2, reg.PRESENT_POSITION) == 1300
    ours.sync_write(40, dict.fromkeys(IDS, b"\1"))
    states = ours.sync_read(IDS, 63, 1)
    assert states == dict.fromkeys(IDS, b"\x1e")
    bus.servos[3].fail(0x24, time.monotonic())
    ours.read(3, reg.STATUS)
    assert ours.errors == {3: 0x24}
    assert bus.servos[1][reg.TORQUE_ENABLE] == 1
    port.close()


def test_the_sdk_takes_no_wrong_value_from_a_bad_line(bus: EmulatedBus) -> None:
    wrong, taken = 0, 0
    damage = Damaged(np.random.default_rng(3), 0.1)
    with PseudoTerminal(bus, damage) as terminal:
        maker = Sdk(terminal.path)
        read = maker.group()
        for _ in range(40):
            for id_ in IDS:
                value, result, error = maker.packets.read2ByteTxRx(maker.port, id_, 56)
                if result == sdk.COMM_SUCCESS and not error:
                    taken, wrong = taken + 1, wrong + (value != PLACES[id_])
                else:
                    time.sleep(SETTLING_S)
            if read.txRxPacket() == sdk.COMM_SUCCESS:
                for id_ in IDS:
                    taken, wrong = taken + 1, wrong + (read.getData(id_, 56, 2) != PLACES[id_])
            else:
                time.sleep(SETTLING_S)
        maker.port.closePort()
    assert wrong == 0
    assert taken > 100
    assert damage.count > 25


def test_our_bus_takes_no_wrong_value_from_a_bad_line(bus: EmulatedBus) -> None:
    taken = 0
    damage = Damaged(np.random.default_rng(4), 0.1)
    with PseudoTerminal(bus, damage) as terminal:
        port = SerialPort(terminal.path, BAUD)
        port.open()
        ours = Bus(port, latency_s=0.005)
        for _ in range(60):
            for id_ in IDS:
                with suppress(LinkError):
                    assert ours.read(id_, reg.PRESENT_POSITION) == PLACES[id_]
                    taken += 1
            with suppress(LinkError):
                states = ours.sync_read(IDS, 56, 15)
                taken += len(IDS)
                assert {id_: reg.PRESENT_POSITION.decode(states[id_][:2]) for id_ in IDS} == PLACES
        port.close()
    assert damage.count > 50
    assert taken > 100
