"""The maker's SDK as counterpart: it proves the emulated servos, and our bus the same things beside it."""

import time
from collections.abc import Iterator
from contextlib import suppress

import dynamixel_sdk as sdk
import numpy as np
import pytest

from firmware_bridge.dynamixel import registers as reg
from firmware_bridge.dynamixel.bus import Bus, Found
from firmware_bridge.dynamixel.emulator import EmulatedBus, EmulatedServo
from firmware_bridge.emulated_line import Damaged, PseudoTerminal
from firmware_bridge.port import LinkError, SerialPort
from firmware_bridge.servos.chain import ServoError

BAUD = 1_000_000
PATIENCE_S = 0.5  # with a busy machine
SETTLING_S = 0.02  # the SDK would take an answer that comes too late for the next one
IDS = (1, 2, 4, 6, 7, 8)


def servos() -> EmulatedBus:
    return EmulatedBus(EmulatedServo(id_, 1120, 1000.0 + 100 * id_) for id_ in IDS)


class Sdk:
    """The SDK's port and packet handler on a terminal."""

    def __init__(self, path: str) -> None:
        self.port = sdk.PortHandler(path)
        assert self.port.openPort()
        assert self.port.setBaudRate(BAUD)
        self.packets = sdk.PacketHandler(2.0)


@pytest.fixture
def bus() -> EmulatedBus:
    return servos()


@pytest.fixture
def path(bus: EmulatedBus) -> Iterator[str]:
    with PseudoTerminal(bus) as terminal:
        yield terminal.path


@pytest.fixture
def maker(path: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sdk]:
    monkeypatch.setattr("dynamixel_sdk.port_handler.LATENCY_TIMER", PATIENCE_S * 500)  # half of it, in ms
    maker = Sdk(path)
    yield maker
    maker.port.closePort()


@pytest.fixture
def ours(path: str) -> Iterator[Bus]:
    port = SerialPort(path, BAUD)
    port.open()
    yield Bus(port, PATIENCE_S)
    port.close()


def test_the_sdk_finds_reads_and_writes(maker: Sdk, bus: EmulatedBus) -> None:
    packets, port = maker.packets, maker.port
    assert packets.ping(port, 1) == (1120, sdk.COMM_SUCCESS, 0)
    assert packets.ping(port, 3)[1] == sdk.COMM_RX_TIMEOUT
    found, result = packets.broadcastPing(port)
    assert result == sdk.COMM_SUCCESS
    assert found == {id_: [1120, 46] for id_ in IDS}
    assert packets.read4ByteTxRx(port, 2, 132) == (1200, sdk.COMM_SUCCESS, 0)
    assert packets.write1ByteTxRx(port, 2, 65, 1) == (sdk.COMM_SUCCESS, 0)
    assert bus.servos[2][reg.LED] == 1


def test_the_sdk_reads_and_writes_groups(maker: Sdk, bus: EmulatedBus) -> None:
    write = sdk.GroupSyncWrite(maker.port, maker.packets, 64, 1)
    for id_ in IDS:
        assert write.addParam(id_, [1])
    assert write.txPacket() == sdk.COMM_SUCCESS
    read = sdk.GroupSyncRead(maker.port, maker.packets, 126, 21)
    for id_ in IDS:
        assert read.addParam(id_)
    assert read.txRxPacket() == sdk.COMM_SUCCESS
    assert [read.getData(id_, 132, 4) for id_ in IDS] == [1000 + 100 * id_ for id_ in IDS]
    bulk = sdk.GroupBulkRead(maker.port, maker.packets)
    assert bulk.addParam(1, 144, 2)
    assert bulk.addParam(2, 146, 1)
    assert bulk.txRxPacket() == sdk.COMM_SUCCESS
    assert (bulk.getData(1, 144, 2), bulk.getData(2, 146, 1)) == (120, 30)
    assert all(servo[reg.TORQUE_ENABLE] for servo in bus.servos.values())


def test_the_sdk_sees_errors_and_reboots(maker: Sdk, bus: EmulatedBus) -> None:
    packets, port = maker.packets, maker.port
    assert packets.write4ByteTxRx(port, 1, 116, 5000) == (sdk.COMM_SUCCESS, sdk.ERRNUM_DATA_LIMIT)
    assert packets.write1ByteTxRx(port, 1, 64, 2) == (sdk.COMM_SUCCESS, sdk.ERRNUM_DATA_RANGE)
    assert packets.write1ByteTxRx(port, 1, 132, 2) == (sdk.COMM_SUCCESS, sdk.ERRNUM_ACCESS)
    assert packets.write1ByteTxRx(port, 1, 116, 2) == (sdk.COMM_SUCCESS, sdk.ERRNUM_DATA_LENGTH)
    bus.servos[1].fail(0x24, time.monotonic())
    assert packets.read1ByteTxRx(port, 1, 70) == (0x24, sdk.COMM_SUCCESS, sdk.ERRBIT_ALERT)
    assert packets.reboot(port, 1) == (sdk.COMM_SUCCESS, 0)
    assert packets.read1ByteTxRx(port, 1, 70) == (0, sdk.COMM_SUCCESS, 0)


def test_the_sdk_meets_stuffing(maker: Sdk, bus: EmulatedBus) -> None:
    # FF FF FD as the two bytes of voltage and the temperature behind them
    bus.servos[1][reg.PRESENT_INPUT_VOLTAGE] = 0xFFFF
    bus.servos[1][reg.PRESENT_TEMPERATURE] = 0xFD
    data, result, _ = maker.packets.readTxRx(maker.port, 1, 144, 3)
    assert (bytes(data), result) == (b"\xff\xff\xfd", sdk.COMM_SUCCESS)


def test_our_bus_does_the_same(ours: Bus, bus: EmulatedBus) -> None:
    assert ours.ping(1) == Found(id=1, model=1120, firmware=46)
    with pytest.raises(LinkError, match="servo 3: no answer"):
        ours.ping(3)
    assert [found.id for found in ours.broadcast_ping()] == list(IDS)
    assert ours.read(2, reg.PRESENT_POSITION) == 1200
    ours.write(2, reg.LED, 1)
    assert bus.servos[2][reg.LED] == 1
    ours.sync_write(64, dict.fromkeys(IDS, b"\1"))
    states = ours.sync_read(IDS, 126, 21)
    assert [int.from_bytes(states[id_][6:10], "little") for id_ in IDS] == [1000 + 100 * id_ for id_ in IDS]
    assert ours.bulk_read({1: (144, 2), 2: (146, 1)}) == {1: b"\x78\0", 2: b"\x1e"}
    assert ours.counts.noise_bytes == 0


def test_our_bus_sees_errors_and_reboots(ours: Bus, bus: EmulatedBus) -> None:
    for register, value, message in (
        (reg.GOAL_POSITION, 5000, "data limit error"),
        (reg.TORQUE_ENABLE, 2, "data range error"),
        (reg.PRESENT_POSITION, 1, "access error"),
    ):
        with pytest.raises(ServoError, match=f"servo 1: {message}"):
            ours.write(1, register, value)
    bus.servos[1].fail(0x24, time.monotonic())
    assert ours.read(1, reg.HARDWARE_ERROR_STATUS) == 0x24
    assert ours.alerts == {1}
    with pytest.raises(ServoError, match="access error"):
        ours.write(1, reg.TORQUE_ENABLE, 1)
    ours.reboot(1)
    assert ours.read(1, reg.HARDWARE_ERROR_STATUS) == 0
    assert ours.alerts == set()


def test_the_sdk_takes_no_wrong_value_from_a_bad_line() -> None:
    bus, wrong, taken = servos(), 0, 0
    damage = Damaged(np.random.default_rng(3), 0.1)
    with PseudoTerminal(bus, damage) as terminal:
        maker = Sdk(terminal.path)
        read = sdk.GroupSyncRead(maker.port, maker.packets, 126, 21)
        for id_ in IDS:
            read.addParam(id_)
        for _ in range(40):
            for id_ in IDS:
                value, result, error = maker.packets.read4ByteTxRx(maker.port, id_, 132)
                if result == sdk.COMM_SUCCESS and not error:
                    taken, wrong = taken + 1, wrong + (value != 1000 + 100 * id_)
                else:
                    time.sleep(SETTLING_S)
            if read.txRxPacket() == sdk.COMM_SUCCESS:
                for id_ in IDS:
                    taken, wrong = taken + 1, wrong + (read.getData(id_, 132, 4) != 1000 + 100 * id_)
            else:
                time.sleep(SETTLING_S)
        maker.port.closePort()
    assert wrong == 0
    assert taken > 100
    assert damage.count > 25


def test_our_bus_takes_no_wrong_value_from_a_bad_line() -> None:
    bus, taken = servos(), 0
    damage = Damaged(np.random.default_rng(4), 0.1)
    with PseudoTerminal(bus, damage) as terminal:
        port = SerialPort(terminal.path, BAUD)
        port.open()
        ours = Bus(port, latency_s=0.005)
        for _ in range(60):
            for id_ in IDS:
                with suppress(LinkError):
                    assert ours.read(id_, reg.PRESENT_POSITION) == 1000 + 100 * id_
                    taken += 1
            with suppress(LinkError):
                states = ours.sync_read(IDS, 126, 21)
                taken += len(IDS)
                assert [reg.PRESENT_POSITION.decode(states[id_][6:10]) for id_ in IDS] == [
                    1000 + 100 * id_ for id_ in IDS
                ]
        port.close()
    assert damage.count > 50
    assert ours.counts.missing > 30
    assert taken > 100
