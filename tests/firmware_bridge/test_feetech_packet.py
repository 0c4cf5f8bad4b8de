"""Feetech packets and number formats: against the maker's SDK's conventions, and hostile bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scservo_sdk import SCS_TOHOST, SCS_TOSCS

from firmware_bridge.feetech import registers as reg
from firmware_bridge.feetech.packet import BROADCAST, MAX_LENGTH, Instruction, Packet, Parser

packets = st.builds(
    Packet,
    id=st.integers(0, BROADCAST),
    code=st.integers(0, 255),
    parameters=st.lists(st.sampled_from([0xFF, 0xFE, 0x00, 0x02, 0x80]), max_size=60).map(bytes),
)


def parse(stream: bytes) -> list[Packet]:
    parser = Parser()
    return [*parser.feed(stream), *parser.flush()]


def test_packets_byte_for_byte() -> None:
    # Sums worked out by hand: the complement of the low byte of the sum from the id on.
    assert Packet(id=1, code=Instruction.PING).encode() == bytes.fromhex("FF FF 01 02 01 FB")
    read = Packet(id=1, code=Instruction.READ, parameters=bytes((56, 2)))
    assert read.encode() == bytes.fromhex("FF FF 01 04 02 38 02 BE")


@given(st.lists(packets, max_size=6), st.data())
def test_a_stream_may_arrive_in_any_pieces(sent: list[Packet], data: st.DataObject) -> None:
    stream = b"".join(packet.encode() for packet in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    parser = Parser()
    received: list[Packet] = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        received += parser.feed(stream[begin:end])
    assert received == sent
    assert parser.skipped == 0


@given(st.binary(max_size=60).filter(lambda noise: b"\xff" not in noise), packets)
def test_a_packet_behind_noise_is_found(noise: bytes, packet: Packet) -> None:
    assert parse(noise + packet.encode()) == [packet]


@given(packets, st.data())
def test_a_flipped_bit_is_noticed(packet: Packet, data: st.DataObject) -> None:
    stream = bytearray(packet.encode())
    stream[data.draw(st.integers(0, len(stream) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert packet not in parse(bytes(stream))


@given(st.lists(st.sampled_from([0xFF, 0xFE, 0x02, 0x00]), max_size=200).map(bytes) | st.binary())
def test_noise_is_skipped_and_counted(noise: bytes) -> None:
    parser = Parser()
    found = [*parser.feed(noise), *parser.flush()]
    assert parser.skipped + sum(len(packet.encode()) for packet in found) == len(noise)


@pytest.mark.parametrize("register", [r for r in reg.TABLE if r.sign_bit is not None])
@given(data=st.data())
def test_signs_are_those_of_the_sdk(register: reg.Register, data: st.DataObject) -> None:
    bit = register.sign_bit
    assert bit is not None
    value = data.draw(st.integers(-(1 << bit) + 1, (1 << bit) - 1))
    wire = SCS_TOSCS(value, bit)
    assert register.encode(value) == wire.to_bytes(register.size, "little")
    assert register.decode(register.encode(value)) == SCS_TOHOST(wire, bit) == value


@given(st.binary(min_size=2, max_size=2))
def test_any_bytes_are_a_number(data: bytes) -> None:
    assert -2047 <= reg.HOMING_OFFSET.decode(data) <= 2047


@pytest.mark.parametrize(
    ("register", "value"), [(reg.HOMING_OFFSET, 2048), (reg.GOAL_TIME, -1), (reg.ID, 256)]
)
def test_numbers_that_do_not_fit_are_refused(register: reg.Register, value: int) -> None:
    with pytest.raises(ValueError, match=rf"register {register.address}: {value} \(allowed: magnitude below"):
        register.encode(value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"id": 255, "code": 1}, "id = 255"),
        ({"id": 1, "code": 256}, "code = 256"),
        ({"id": 1, "code": 3, "parameters": bytes(MAX_LENGTH)}, "250 parameters"),
    ],
)
def test_impossible_packets_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Packet(**fields)  # type: ignore[arg-type]
