"""The makers' SDKs on emulated servos whose replies are damaged: no wrong value may be taken for good.

The SDKs are in the extra `test`; nothing in the product imports them.
"""

import importlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from firmware_bridge.dynamixel import registers as dxl
from firmware_bridge.dynamixel.emulator import EmulatedBus as DynamixelBus
from firmware_bridge.dynamixel.emulator import EmulatedServo as DynamixelServo
from firmware_bridge.emulated_line import Damaged, Device, PseudoTerminal
from firmware_bridge.feetech import registers as sts
from firmware_bridge.feetech.emulator import EmulatedBus as FeetechBus
from firmware_bridge.feetech.emulator import EmulatedServo as FeetechServo

IDS = (1, 2, 4, 6, 7, 8)
PLACES = {id_: 1000 + 100 * id_ for id_ in IDS}
BAUD = 1_000_000
SHARE = 0.1
_PATIENCE_MS = 60.0  # half of how long the SDKs wait: a busy machine is late
_SETTLING_S = 0.02  # they would take an answer that comes too late for the next one

Answer = tuple[bool, bool]
"""Whether an SDK took an answer for good, and whether it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came over a bad line.

    Attributes:
        taken: Answers that an SDK took for good.
        wrong: Of those, how many were not what the servo has.
        refused: Answers that it refused or missed.
        damaged: Replies that were damaged on the way.
    """

    taken: int
    wrong: int
    refused: int
    damaged: int


def dynamixel_sdk(rounds: int, seed: int) -> Taken:
    """Ping, read, write, sync write, sync read, bulk read, error bits and reboot.

    Raises:
        ImportError: When `dynamixel-sdk` is not installed.
    """
    sdk = importlib.import_module("dynamixel_sdk")
    bus = DynamixelBus(DynamixelServo(id_, 1120, float(place)) for id_, place in PLACES.items())
    bus.servos[1].fail(0x24, time.monotonic())

    def answers(port: Any) -> Iterator[Answer]:
        packets, good = sdk.PacketHandler(2.0), sdk.COMM_SUCCESS
        for id_, place in PLACES.items():
            model, result, _ = packets.ping(port, id_)
            yield result == good, model == 1120
            value, result, _ = packets.read4ByteTxRx(port, id_, 132)
            yield result == good, value == place
            result, error = packets.write1ByteTxRx(port, id_, 65, id_ % 2)
            yield result == good and not error, bus.servos[id_][dxl.LED] == id_ % 2
        value, result, error = packets.read1ByteTxRx(port, 1, 70)
        yield result == good, value == 0x24 and error == sdk.ERRBIT_ALERT
        value, result, error = packets.read1ByteTxRx(port, 2, 70)
        yield result == good, value == 0 and error == 0
        result, error = packets.write4ByteTxRx(port, 2, 116, 5000)
        yield result == good, error == sdk.ERRNUM_DATA_LIMIT
        result, error = packets.reboot(port, 4)
        yield result == good, error == 0
        write = sdk.GroupSyncWrite(port, packets, 65, 1)
        read = sdk.GroupSyncRead(port, packets, 126, 21)
        for id_ in IDS:
            write.addParam(id_, [1])
            read.addParam(id_)
        write.txPacket()
        result = read.txRxPacket()
        yield result == good, all(read.getData(id_, 132, 4) == place for id_, place in PLACES.items())
        bulk = sdk.GroupBulkRead(port, packets)
        bulk.addParam(1, 144, 2)
        bulk.addParam(2, 146, 1)
        result = bulk.txRxPacket()
        yield result == good, (bulk.getData(1, 144, 2), bulk.getData(2, 146, 1)) == (120, 30)

    return _over_bad_line(sdk, bus, answers, rounds, seed)


def feetech_sdk(rounds: int, seed: int) -> Taken:
    """Ping, read, write, sync write, sync read and error bits.

    Raises:
        ImportError: When `feetech-servo-sdk` is not installed.
    """
    sdk = importlib.import_module("scservo_sdk")
    bus = FeetechBus(FeetechServo(id_, place) for id_, place in PLACES.items())
    bus.servos[1].fail(4, time.monotonic())

    def answers(port: Any) -> Iterator[Answer]:
        packets, good = sdk.PacketHandler(0), sdk.COMM_SUCCESS
        for id_, place in PLACES.items():
            bits = 4 if id_ == 1 else 0
            model, result, error = packets.ping(port, id_)
            yield result == good, (model, error) == (777, bits)
            value, result, error = packets.read2ByteTxRx(port, id_, 56)
            yield result == good, (value, error) == (place, bits)
            result, error = packets.write1ByteTxRx(port, id_, 41, id_)
            yield result == good, bus.servos[id_][sts.ACCELERATION] == id_ and error == bits
        write = sdk.GroupSyncWrite(port, packets, 41, 1)
        read = sdk.GroupSyncRead(port, packets, 56, 15)
        for id_ in IDS:
            write.addParam(id_, [1])
            read.addParam(id_)
        write.txPacket()
        result = read.txRxPacket()
        yield result == good, all(read.getData(id_, 56, 2) == place for id_, place in PLACES.items())

    return _over_bad_line(sdk, bus, answers, rounds, seed)


MAKERS: Mapping[str, Callable[[int, int], Taken]] = {
    "dynamixel-sdk": dynamixel_sdk,
    "feetech-servo-sdk": feetech_sdk,
}
"""What goes over a bad line, by the SDK's name."""


def _over_bad_line(
    sdk: Any, bus: Device, answers: Callable[[Any], Iterator[Answer]], rounds: int, seed: int
) -> Taken:
    sdk.port_handler.LATENCY_TIMER, before = _PATIENCE_MS, sdk.port_handler.LATENCY_TIMER
    damage = Damaged(np.random.default_rng(seed), SHARE)
    taken = wrong = refused = 0
    try:
        with PseudoTerminal(bus, damage) as terminal:
            port = sdk.PortHandler(terminal.path)
            port.openPort()
            port.setBaudRate(BAUD)
            for _ in range(rounds):
                try:
                    for for_good, right in answers(port):
                        taken += for_good
                        wrong += for_good and not right
                        refused += not for_good
                        if not for_good:
                            time.sleep(_SETTLING_S)
                except IndexError:  # Feetech's SDK reads past the end of a reply that lost its data
                    refused += 1
                    time.sleep(_SETTLING_S)
            port.closePort()
    finally:
        sdk.port_handler.LATENCY_TIMER = before
    return Taken(taken=taken, wrong=wrong, refused=refused, damaged=damage.count)
