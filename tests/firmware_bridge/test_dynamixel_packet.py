"""Dynamixel packets: the e-Manual's examples byte for byte, and hostile bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.dynamixel.packet import BROADCAST, MAX_LENGTH, Instruction, Packet, Parser, crc16

# Examples of the e-Manual (emanual.robotis.com/docs/en/dxl/protocol2): id, instruction, parameters, and the packet.
GOLDEN = [
    (1, Instruction.PING, "", "FF FF FD 00 01 03 00 01 19 4E"),
    (1, Instruction.STATUS, "00 06 04 26", "FF FF FD 00 01 07 00 55 00 06 04 26 65 5D"),
    (2, Instruction.STATUS, "00 06 04 26", "FF FF FD 00 02 07 00 55 00 06 04 26 6F 6D"),
    (BROADCAST, Instruction.PING, "", "FF FF FD 00 FE 03 00 01 31 42"),
    (1, Instruction.READ, "84 00 04 00", "FF FF FD 00 01 07 00 02 84 00 04 00 1D 15"),
    (1, Instruction.STATUS, "00 A6 00 00 00", "FF FF FD 00 01 08 00 55 00 A6 00 00 00 8C C0"),
    (1, Instruction.WRITE, "74 00 00 02 00 00", "FF FF FD 00 01 09 00 03 74 00 00 02 00 00 CA 89"),
    (1, Instruction.STATUS, "00", "FF FF FD 00 01 04 00 55 00 A1 0C"),
    (1, Instruction.REBOOT, "", "FF FF FD 00 01 03 00 08 2F 4E"),
    (
        BROADCAST,
        Instruction.SYNC_READ,
        "84 00 04 00 01 02",
        "FF FF FD 00 FE 09 00 82 84 00 04 00 01 02 CE FA",
    ),
    (2, Instruction.STATUS, "00 1F 08 00 00", "FF FF FD 00 02 08 00 55 00 1F 08 00 00 BA BE"),
    (
        BROADCAST,
        Instruction.SYNC_WRITE,
        "74 00 04 00 01 96 00 00 00 02 AA 00 00 00",
        "FF FF FD 00 FE 11 00 83 74 00 04 00 01 96 00 00 00 02 AA 00 00 00 82 87",
    ),
    (
        BROADCAST,
        Instruction.BULK_READ,
        "01 90 00 02 00 02 92 00 01 00",
        "FF FF FD 00 FE 0D 00 92 01 90 00 02 00 02 92 00 01 00 1A 05",
    ),
    (1, Instruction.STATUS, "00 77 00", "FF FF FD 00 01 06 00 55 00 77 00 C3 69"),
    (2, Instruction.STATUS, "00 24", "FF FF FD 00 02 05 00 55 00 24 8B A9"),
]

packets = st.builds(
    Packet,
    id=st.one_of(st.integers(0, 0xFC), st.just(BROADCAST)),
    instruction=st.integers(0, 255),
    parameters=st.lists(st.sampled_from([0xFF, 0xFD, 0x00, 0x55, 0x12]), max_size=80).map(bytes),
)


def parse(stream: bytes) -> list[Packet]:
    parser = Parser()
    return [*parser.feed(stream), *parser.flush()]


@pytest.mark.parametrize(("id_", "instruction", "parameters", "wire"), GOLDEN)
def test_examples_of_the_manual(id_: int, instruction: int, parameters: str, wire: str) -> None:
    packet = Packet(id=id_, instruction=instruction, parameters=bytes.fromhex(parameters))
    assert packet.encode() == bytes.fromhex(wire)
    assert parse(bytes.fromhex(wire)) == [packet]


def test_crc_of_the_standard_check_string() -> None:
    assert crc16(b"123456789") == 0xFEE8  # CRC catalogue, CRC-16/UMTS


@pytest.mark.parametrize(
    ("meant", "stuffed"),
    [("FF FF FD", "FF FF FD FD"), ("FF FF FD FD", "FF FF FD FD FD"), ("FF FF FF FD 00", "FF FF FF FD FD 00")],
)
def test_a_header_among_the_parameters_is_stuffed(meant: str, stuffed: str) -> None:
    packet = Packet(id=1, instruction=Instruction.WRITE, parameters=bytes.fromhex(meant))
    assert packet.encode()[8:-2] == bytes.fromhex(stuffed)
    assert parse(packet.encode()) == [packet]


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


@given(st.binary(max_size=60), packets)
def test_a_packet_behind_noise_is_found(noise: bytes, packet: Packet) -> None:
    assert parse(noise + packet.encode())[-1] == packet


@given(packets, packets, st.data())
def test_a_packet_behind_a_cut_off_one_is_found(first: Packet, second: Packet, data: st.DataObject) -> None:
    whole = first.encode()
    kept = data.draw(st.integers(0, len(whole) - 1))
    assert parse(whole[:kept] + second.encode())[-1] == second


@given(packets, st.data())
def test_a_flipped_bit_is_noticed(packet: Packet, data: st.DataObject) -> None:
    stream = bytearray(packet.encode())
    stream[data.draw(st.integers(0, len(stream) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert packet not in parse(bytes(stream))


@given(st.lists(st.sampled_from([0xFF, 0xFD, 0x00, 0x01, 0x03, 0x55]), max_size=200).map(bytes) | st.binary())
def test_noise_is_skipped_and_counted(noise: bytes) -> None:
    parser = Parser()
    found = [*parser.feed(noise), *parser.flush()]
    assert parser.skipped + sum(len(packet.encode()) for packet in found) == len(noise)


def test_an_impossible_length_does_not_wait_for_data() -> None:
    packet = Packet(id=1, instruction=Instruction.PING)
    assert Parser().feed(bytes.fromhex("FF FF FD 00 01 FF FF") + packet.encode()) == [packet]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"id": 253, "instruction": 1}, "id = 253"),
        ({"id": 1, "instruction": 256}, "instruction = 256"),
        ({"id": 1, "instruction": 3, "parameters": bytes(MAX_LENGTH)}, "allowed: at most 512"),
    ],
)
def test_impossible_packets_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Packet(**fields).encode()  # type: ignore[arg-type]
