"""Whatever bytes come, neither end of a servo bus raises anything but its own errors, and both go on afterwards."""

from collections.abc import Callable
from contextlib import suppress

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.dynamixel import packet as dynamixel_packet
from firmware_bridge.dynamixel import registers as dxl
from firmware_bridge.dynamixel.bus import Bus as DynamixelBus
from firmware_bridge.emulated_line import MemoryLine
from firmware_bridge.feetech import packet as feetech_packet
from firmware_bridge.feetech import registers as sts
from firmware_bridge.feetech.bus import Bus as FeetechBus
from firmware_bridge.port import LinkError
from firmware_bridge.servos.chain import ServoError
from tests.firmware_bridge.emulated_arms import dynamixel_bus, feetech_bus

AT = np.zeros(6)
Damage = Callable[[bytes], bytes]


def dynamixel_instruction(id_: int, instruction: int, parameters: bytes) -> bytes:
    return dynamixel_packet.Packet(id=id_, instruction=instruction, parameters=parameters).encode()


def feetech_instruction(id_: int, code: int, parameters: bytes) -> bytes:
    return feetech_packet.Packet(id=id_, code=code, parameters=parameters).encode()


DXL_INSTRUCTIONS = st.builds(
    dynamixel_instruction,
    st.sampled_from([1, 2, 3, 9, 0xFE]),
    st.sampled_from([*dynamixel_packet.Instruction, 0x77]),
    st.binary(max_size=30),
)
STS_INSTRUCTIONS = st.builds(
    feetech_instruction,
    st.sampled_from([1, 2, 9, 0xFE]),
    st.sampled_from([*feetech_packet.Instruction, 0x77]),
    st.binary(max_size=30),
)
DAMAGES: st.SearchStrategy[Damage] = st.one_of(
    st.binary(max_size=40).map(lambda noise: lambda reply: noise + reply),
    st.binary(max_size=40).map(lambda noise: lambda reply: noise),
    st.tuples(st.integers(0, 60), st.binary(max_size=3)).map(
        lambda cut: lambda reply: reply[: cut[0]] + cut[1] + reply[cut[0] + 1 :]
    ),
)


@given(st.lists(DXL_INSTRUCTIONS | st.binary(max_size=40), max_size=6))
def test_dynamixel_servos_survive_any_bytes(stream: list[bytes]) -> None:
    bus = dynamixel_bus(AT)
    for now, data in enumerate(stream):
        bus.receive(data, float(now))
    bus.receive(bytes(600), 10.0)  # ends whatever was begun
    question = dynamixel_instruction(1, dynamixel_packet.Instruction.PING, b"")
    assert bus.receive(question, 11.0)[-1][:5] == b"\xff\xff\xfd\0\1"


@given(st.lists(STS_INSTRUCTIONS | st.binary(max_size=40), max_size=6))
def test_feetech_servos_survive_any_bytes(stream: list[bytes]) -> None:
    bus = feetech_bus(AT)
    for now, data in enumerate(stream):
        bus.receive(data, float(now))
    bus.receive(bytes(300), 10.0)
    question = feetech_instruction(1, feetech_packet.Instruction.PING, b"")
    assert bus.receive(question, 11.0)[-1][:3] == b"\xff\xff\1"


@settings(max_examples=60)
@given(DAMAGES)
def test_our_dynamixel_bus_survives_any_answers(damage: Damage) -> None:
    bus = DynamixelBus(MemoryLine(dynamixel_bus(AT), lambda: 0.0, damage))
    for use in (
        lambda: bus.ping(1),
        lambda: bus.broadcast_ping(),
        lambda: bus.read(1, dxl.PRESENT_POSITION),
        lambda: bus.write(1, dxl.LED, 1),
        lambda: bus.sync_read((1, 2, 4), 126, 21),
        lambda: bus.bulk_read({1: (144, 2), 2: (146, 1)}),
        lambda: bus.reboot(1),
    ):
        with suppress(LinkError, ServoError):
            use()


@settings(max_examples=60)
@given(DAMAGES)
def test_our_feetech_bus_survives_any_answers(damage: Damage) -> None:
    bus = FeetechBus(MemoryLine(feetech_bus(AT), lambda: 0.0, damage))
    for use in (
        lambda: bus.ping(1),
        lambda: bus.read(1, sts.PRESENT_POSITION),
        lambda: bus.write(1, sts.GOAL_TIME, 1),
        lambda: bus.sync_read((1, 2, 4), 56, 15),
    ):
        with suppress(LinkError, ServoError):
            use()
