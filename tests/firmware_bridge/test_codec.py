"""The Python codec: golden vectors, hostile payloads, streams that are cut up, cut off, corrupted or noise."""

import doctest
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cells import load_arm
from firmware_bridge.armlink.codes import HelloFlag, StartMode
from firmware_bridge.armlink.frame import OVERHEAD, Frame, FrameParser, crc32c
from firmware_bridge.armlink.message_table import load_table
from firmware_bridge.armlink.messages import MESSAGES, CubicKnot, DescRead, Override, SegCubic, Start
from firmware_bridge.armlink.record_codec import Record, layout_of
from firmware_bridge.armlink.reports import REPORTS, Desc, Status
from firmware_bridge.codegen import ROOT, generated
from firmware_bridge.emulator import configuration
from firmware_bridge.emulator.configuration import VELOCITY_MARGIN
from firmware_bridge.trials import codec_fuzzing
from tests.firmware_bridge.golden_vectors import Vector, vectors

KINDS = MESSAGES | REPORTS
NAMES = {message.name: message.id for message in load_table().messages}
KNOT = CubicKnot(t_us=0, pos=(0,) * 6, vel=(0,) * 6)

frames = st.builds(
    Frame,
    type=st.integers(0, 255),
    flags=st.integers(0, 15),
    session=st.integers(0, 65535),
    seq=st.integers(0, 65535),
    payload=st.binary(max_size=228),
)


def plain(value: Any) -> Any:
    """A record's values as the golden vectors write them."""
    if isinstance(value, Record):
        layout = layout_of(type(value))
        names = [field.name for field in layout.fields] + [layout.repeat_name, layout.tail]
        return [plain(getattr(value, name)) for name in names if name]
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value.hex() if isinstance(value, bytes) else int(value)


def test_generated_files_are_up_to_date() -> None:
    for path, text in generated().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run python -m firmware_bridge.codegen"


def test_there_are_vectors_of_every_message() -> None:
    assert {vector.name for vector in vectors()} == set(NAMES)


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector.name)
def test_golden_vectors(vector: Vector) -> None:
    (frame,) = FrameParser().feed(vector.wire)
    assert (frame.type, frame.session, frame.seq) == (NAMES[vector.name], vector.session, vector.seq)
    message = KINDS[frame.type].decode(frame.payload)
    assert plain(message) == vector.values
    assert message.encode() == frame.payload
    assert frame.encode() == vector.wire
    assert len(vector.wire) == len(frame.payload) + OVERHEAD


def test_documented_check_value() -> None:
    assert crc32c(b"123456789") == 0xE3069283


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=228))
def test_a_hostile_payload_is_read_exactly_or_refused(kind: int, payload: bytes) -> None:
    try:
        message = KINDS[kind].decode(payload)
    except ValueError:
        return
    assert message.encode() == payload


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Override(percent=101), r"^Override.percent = 101 \(allowed: 0 to 100\)$"),
        (lambda: DescRead(offset=-1), r"^DescRead.offset = -1 \(allowed: 0 to 65535\)$"),
        (
            lambda: SegCubic(traj=0, flags=0, first_knot=0, knots=(KNOT,) * 5),
            r"^SegCubic.knots: 5 \(allowed: 1 to 4\)$",
        ),
        (
            lambda: SegCubic(
                traj=0, flags=0, first_knot=0, knots=(CubicKnot(t_us=0, pos=(0,) * 5, vel=(0,) * 6),)
            ),
            r"^CubicKnot.pos: 5 values \(expected: 6\)$",
        ),
    ],
)
def test_values_out_of_range_are_not_sent(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make().encode()


@pytest.mark.parametrize(
    ("kind", "payload", "message"),
    [
        (Override, b"\x65", r"^Override.percent = 101 \(allowed: 0 to 100\)$"),
        (Override, b"", r"^Override: 0 bytes \(expected: 1\)$"),
        (Start, bytes((1, 2, 0, 0, 0, 0)), "^Start.mode: 2 is not a valid StartMode$"),
        (SegCubic, bytes(4), r"^SegCubic: 0 bytes of knots \(expected: 1 to 4 times 52\)$"),
        (Status, bytes(5), r"^Status: 5 bytes \(expected: 114\)$"),
    ],
)
def test_wrong_payloads_are_refused(kind: type[Record], payload: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind.decode(payload)


def test_values_are_of_their_enumerations() -> None:
    start = Start.decode(bytes((1, 1, 0, 0, 0, 0)))
    assert start.mode is StartMode.AFTER_PREVIOUS
    assert HelloFlag.TAKEOVER | HelloFlag.LOOK == 3
    assert Desc.decode(b"\x01\0\x02\0abc").chunk == b"abc"


@given(st.lists(frames, max_size=6), st.integers(1, 64))
def test_a_stream_may_be_cut_anywhere(sent: list[Frame], step: int) -> None:
    stream = b"".join(frame.encode() for frame in sent)
    parser = FrameParser()
    found = [frame for k in range(0, len(stream), step) for frame in parser.feed(stream[k : k + step])]
    assert found == sent
    assert (parser.crc_errors, parser.framing_errors, parser.frames) == (0, 0, len(sent))


@given(st.binary(max_size=600), frames, frames)
def test_noise_costs_at_most_the_frame_it_touches(noise: bytes, first: Frame, second: Frame) -> None:
    found = list(FrameParser().feed(noise + first.encode() + second.encode()))
    assert found[-1] == second
    assert list(FrameParser().feed(noise + b"\0" + first.encode()))[-1] == first


@given(frames, st.data())
def test_a_corrupted_frame_is_never_taken(frame: Frame, data: st.DataObject) -> None:
    wire = bytearray(frame.encode())
    place = data.draw(st.integers(0, len(wire) - 1))
    wire[place] ^= data.draw(st.integers(1, 255))
    assert frame not in list(FrameParser().feed(bytes(wire) + b"\0"))


def test_errors_are_counted_by_kind() -> None:
    parser = FrameParser()
    good = Frame(type=1).encode()
    wrong = bytearray(good)
    wrong[-3] ^= 0x40
    for piece in (bytes(wrong), b"\x02\x01\0", b"\x09\x01\0", b"\x01" * 400 + b"\0", b"\0\0"):
        assert list(parser.feed(piece)) == []
    assert (parser.crc_errors, parser.framing_errors) == (1, 3)
    assert list(parser.feed(good)) == [Frame(type=1)]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (Frame(type=256), r"^Frame.type = 256 \(allowed: 0 to 255\)$"),
        (Frame(type=1, payload=bytes(229)), r"^Frame.payload: 229 bytes \(allowed: at most 228\)$"),
    ],
)
def test_frames_that_do_not_fit_are_not_sent(frame: Frame, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        frame.encode()


def test_the_bring_up_page_is_true() -> None:
    page = doctest.testfile(str(ROOT / "docs" / "bring-up.md"), module_relative=False, encoding="utf-8")
    assert (page.failed, page.attempted) == (0, 4)


def test_the_configuration_is_the_arm_s() -> None:
    arm = load_arm("gp7")
    config = configuration(arm, "A1")
    assert config.pos_max == tuple(round(q * 1e7) for q in arm.chain.q_max)
    assert config.vel_max == tuple(round(VELOCITY_MARGIN * v * 1e6) for v in arm.limits.velocity)
    assert config.model == b"gp7".ljust(16, b"\0")
    assert configuration(load_arm("gp8"), "A1").encode() != config.encode()
    with pytest.raises(ValueError, match=r"^configuration: 'a{17}' has 17 bytes \(allowed: at most 16\)$"):
        configuration(arm, "a" * 17)


@given(st.binary(max_size=300))
def test_any_bytes_are_frames_and_messages_that_encode_to_the_same_or_none(data: bytes) -> None:
    codec_fuzzing.check(data)


@given(frames, st.integers(0, 255), st.binary(max_size=20))
def test_frames_between_noise_are_found_however_they_are_cut(frame: Frame, cut: int, noise: bytes) -> None:
    codec_fuzzing.check(bytes((cut,)) + noise + b"\0" + frame.encode())
