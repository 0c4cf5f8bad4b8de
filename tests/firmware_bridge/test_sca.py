"""The SCA bus: documented frames, and streams that are cut up, cut off, corrupted or noise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.sca import (
    BROADCAST,
    HEAD,
    MAX_DATA,
    TAIL,
    Command,
    Frame,
    Mode,
    Parser,
    crc16,
    from_iq24,
    to_iq24,
)

# Data and CRC bytes of the four frames of the documentation that show a CRC.
DOCUMENTED = [("01", "7E 80"), ("06", "3F 42"), ("01 00 00 00", "01 D8"), ("01 64 5A DF", "3B 3F")]

frames = st.builds(
    Frame,
    address=st.integers(0, 64),  # a bus has at most 64 nodes
    command=st.integers(0, 255),
    data=st.binary(max_size=MAX_DATA),
)


def parse(stream: bytes) -> list[Frame]:
    parser = Parser()
    return [*parser.feed(stream), *parser.flush()]


@pytest.mark.parametrize(("data", "check"), DOCUMENTED)
def test_documented_crc(data: str, check: str) -> None:
    frame = Frame(address=3, command=Command.SET_POSITION, data=bytes.fromhex(data))
    assert frame.encode()[-3:-1] == bytes.fromhex(check)
    assert parse(frame.encode()) == [frame]


def test_answers_of_real_joints() -> None:
    # A query of six joints, as published by an owner of them; the fifth answers with six bytes.
    wire = (
        "EE 01 02 00 04 02 BC FD 28 80 F6 ED EE 02 02 00 04 02 BC 3A 2B 92 C7 ED"
        "EE 03 02 00 04 02 BC AF 45 7C 7B ED EE 04 02 00 04 02 BC FD 29 41 36 ED"
        "EE 05 02 00 06 02 BC AF 5A 00 00 51 25 ED EE 06 02 00 04 02 BC AF 61 7C 60 ED"
    )
    found = parse(bytes.fromhex(wire))
    assert [frame.address for frame in found] == [1, 2, 3, 4, 5, 6]
    serials = [int.from_bytes(frame.data[:4], "big") for frame in found]
    assert serials == [45940008, 45890091, 45920069, 45940009, 45920090, 45920097]


def test_crc_of_the_standard_check_string() -> None:
    assert crc16(b"123456789") == 0x4B37  # CRC catalogue, CRC-16/MODBUS


def test_frames_byte_for_byte() -> None:
    handshake = Frame(address=BROADCAST, command=Command.HANDSHAKE)
    assert handshake.encode() == bytes.fromhex("EE 00 44 00 00 ED")
    mode = Frame(address=2, command=Command.SET_MODE, data=bytes([Mode.TRAPEZOID_POSITION]))
    assert mode.encode() == bytes.fromhex("EE 02 07 00 01 06 3F 42 ED")
    one_turn = Frame(address=2, command=Command.SET_POSITION, data=to_iq24(1.0))
    assert one_turn.encode() == bytes.fromhex("EE 02 0A 00 04 01 00 00 00 01 D8 ED")


@pytest.mark.parametrize("status", [0x00, 0x01])
def test_a_status_reply_may_lack_its_crc(status: int) -> None:
    expected = Frame(address=0, command=Command.HANDSHAKE, data=bytes([status]))
    bare = bytes((HEAD, 0, Command.HANDSHAKE, 0, 1, status, TAIL))
    parser = Parser()
    assert parser.feed(bare + expected.encode() + bare) == [expected] * 3
    assert parser.skipped == 0


def test_only_a_one_byte_reply_may_lack_its_crc() -> None:
    assert parse(bytes((HEAD, 0, 4, 0, 2, 1, 2, TAIL))) == []


def test_every_one_byte_frame_with_its_crc() -> None:
    sent = [Frame(address=1, command=Command.SET_MODE, data=bytes([value])) for value in range(256)]
    assert Parser().feed(b"".join(frame.encode() for frame in sent)) == sent


@given(st.lists(frames, max_size=6), st.data())
def test_a_stream_may_arrive_in_any_pieces(sent: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(frame.encode() for frame in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    parser = Parser()
    received: list[Frame] = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        received += parser.feed(stream[begin:end])
    assert received == sent
    assert parser.skipped == 0


@given(st.binary(max_size=60), frames)
def test_a_frame_behind_noise_is_found(noise: bytes, frame: Frame) -> None:
    assert parse(noise + frame.encode())[-1] == frame


@given(frames, frames, st.data())
def test_a_frame_behind_a_cut_off_one_is_found(first: Frame, second: Frame, data: st.DataObject) -> None:
    whole = first.encode()
    kept = data.draw(st.integers(0, len(whole) - 1))
    assert parse(whole[:kept] + second.encode())[-1] == second


@given(frames.filter(lambda frame: len(frame.data) > 1), st.data())
def test_a_flipped_bit_in_data_or_crc_is_noticed(frame: Frame, data: st.DataObject) -> None:
    stream = bytearray(frame.encode())
    stream[data.draw(st.integers(5, len(stream) - 2))] ^= 1 << data.draw(st.integers(0, 7))
    # Something inside the data may look like a shorter frame; the corrupted one itself must not come through.
    assert all(len(found.data) < len(frame.data) for found in parse(bytes(stream)))


@given(st.binary(max_size=400))
def test_noise_is_skipped_and_counted(noise: bytes) -> None:
    parser = Parser()
    found = [*parser.feed(noise), *parser.flush()]
    sizes = [{len(frame.encode()), 6 + len(frame.data)} for frame in found]
    assert sum(map(min, sizes)) <= len(noise) - parser.skipped <= sum(map(max, sizes))


def test_an_impossible_length_does_not_wait_for_data() -> None:
    frame = Frame(address=1, command=Command.READ_SPEED)
    assert Parser().feed(bytes((HEAD, 1, 5, 0xFF, 0xFF)) + frame.encode()) == [frame]


@pytest.mark.parametrize(
    ("value", "data"), [(1.0, "01 00 00 00"), (-0.5, "FF 80 00 00"), (0.0, "00 00 00 00")]
)
def test_iq24(value: float, data: str) -> None:
    assert to_iq24(value) == bytes.fromhex(data)
    assert from_iq24(bytes.fromhex(data)) == value


@given(st.floats(-128.0, 128.0, exclude_max=True))
def test_iq24_keeps_24_fractional_bits(value: float) -> None:
    assert abs(from_iq24(to_iq24(value)) - value) <= 2.0**-24  # at the very top the last half step is cut off


@pytest.mark.parametrize("value", [128.0, -128.1, float("nan"), float("inf")])
def test_iq24_out_of_range(value: float) -> None:
    with pytest.raises(ValueError, match=r"IQ24: .*allowed: -128 to below 128"):
        to_iq24(value)


def test_iq24_needs_four_bytes() -> None:
    with pytest.raises(ValueError, match="3 bytes"):
        from_iq24(b"\0\0\0")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"address": 256, "command": 0}, "address = 256"),
        ({"address": 1, "command": -1}, "command = -1"),
        ({"address": 1, "command": 0, "data": bytes(MAX_DATA + 1)}, "17 bytes"),
    ],
)
def test_impossible_frames_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Frame(**fields)  # type: ignore[arg-type]
