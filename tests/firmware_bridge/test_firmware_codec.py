"""The C codec: golden vectors field by field, and the same bytes as Python for any stream."""

import ctypes
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.armlink.frame import Frame, FrameParser
from firmware_bridge.armlink.message_table import FieldEntry, Group, MessageEntry, load_table
from firmware_bridge.armlink.messages import MESSAGES
from firmware_bridge.armlink.reports import REPORTS
from firmware_bridge.emulator.virtual_firmware import library
from tests.firmware_bridge.golden_vectors import Vector, vectors

TABLE = load_table()
BY_NAME = {message.name: message for message in TABLE.messages}
C_TYPES = {kind: getattr(ctypes, f"c_{'u' * (kind[0] == 'u')}int{kind[1:]}") for kind in ("u8", "u16", "u32")}
C_TYPES |= {kind: getattr(ctypes, f"c_int{kind[1:]}") for kind in ("i8", "i16", "i32")}
C_TYPES |= {"u64": ctypes.c_uint64, "bytes": ctypes.c_uint8}


def structure(entry: Group) -> type[ctypes.Structure]:
    """The C structure of a message, as the compiler lays it out."""

    def member(field: FieldEntry) -> tuple[str, Any]:
        kind = C_TYPES[field.type]
        return field.name, kind * field.count if field.count else kind

    members = [member(field) for field in entry.fields]
    if isinstance(entry, MessageEntry) and entry.repeat:
        group = structure(TABLE.groups[entry.repeat])
        members += [("count", ctypes.c_uint8), ("items", group * entry.repeat_max)]
    if isinstance(entry, MessageEntry) and entry.tail:
        members += [("count", ctypes.c_uint8), ("tail", ctypes.c_uint8 * (TABLE.largest(entry) - entry.size))]
    return type(entry.name, (ctypes.Structure,), {"_fields_": members})


def values(decoded: ctypes.Structure, entry: Group) -> list[Any]:
    """The members as the golden vectors write them."""

    def plain(field: FieldEntry) -> Any:
        value = getattr(decoded, field.name)
        if field.type == "bytes":
            return bytes(value).hex()
        return list(value) if field.count else value

    found = [plain(field) for field in entry.fields]
    if isinstance(entry, MessageEntry) and entry.repeat:
        group = TABLE.groups[entry.repeat]
        found += [[values(item, group) for item in decoded.items[: decoded.count]]]
    if isinstance(entry, MessageEntry) and entry.tail:
        found += [bytes(decoded.tail[: decoded.count]).hex()]
    return found


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector.name)
def test_golden_vectors(vector: Vector) -> None:
    payload, header = ctypes.create_string_buffer(256), (ctypes.c_uint32 * 5)()
    assert library().vf_frame(vector.wire, len(vector.wire), payload, header) == 1
    entry = BY_NAME[vector.name]
    kind, flags, session, seq, size = header
    assert (kind, flags, session, seq) == (entry.id, TABLE.numbers["major"] << 4, vector.session, vector.seq)
    decoded, encoded = structure(entry)(), ctypes.create_string_buffer(256)
    assert library().vf_codec(kind, payload, size, ctypes.byref(decoded), encoded) == size
    assert values(decoded, entry) == vector.values
    assert encoded.raw[:size] == payload.raw[:size]
    wire = ctypes.create_string_buffer(256)
    written = library().vf_encode(header, encoded, wire)
    assert wire.raw[:written] == vector.wire


@given(st.sampled_from(sorted(MESSAGES | REPORTS)), st.binary(max_size=228))
def test_both_refuse_the_same_payloads(kind: int, payload: bytes) -> None:
    decoded, encoded = ctypes.create_string_buffer(1024), ctypes.create_string_buffer(256)
    size = library().vf_codec(kind, payload, len(payload), decoded, encoded)
    try:
        expected = (MESSAGES | REPORTS)[kind].decode(payload)
    except ValueError:
        assert size == -1
        return
    assert size == len(payload)
    assert encoded.raw[:size] == expected.encode()


@given(st.data())
def test_both_refuse_the_same_values(data: st.DataObject) -> None:
    """A golden vector with one byte changed: right in size, possibly out of range."""
    vector = data.draw(st.sampled_from(vectors()))
    (frame,) = FrameParser().feed(vector.wire)
    changed = bytearray(frame.payload)
    changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    decoded, encoded = ctypes.create_string_buffer(1024), ctypes.create_string_buffer(256)
    size = library().vf_codec(frame.type, bytes(changed), len(changed), decoded, encoded)
    try:
        (MESSAGES | REPORTS)[frame.type].decode(bytes(changed))
    except ValueError:
        assert size == -1
    else:
        assert encoded.raw[:size] == changed


pieces = st.one_of(
    st.binary(max_size=300),
    st.builds(
        lambda kind, session, payload: Frame(type=kind, session=session, payload=payload).encode(),
        st.integers(0, 255),
        st.integers(0, 65535),
        st.binary(max_size=228),
    ),
)


@given(st.lists(pieces, max_size=8).map(b"".join))
def test_both_find_the_same_frames_in_any_stream(stream: bytes) -> None:
    payload, header = ctypes.create_string_buffer(256), (ctypes.c_uint32 * 5)()
    count = library().vf_frame(stream, len(stream), payload, header)
    found = list(FrameParser().feed(stream))
    assert count == len(found)
    if found:
        last = found[-1]
        expected = [last.type, last.major << 4 | last.flags, last.session, last.seq, len(last.payload)]
        assert list(header) == expected
        assert payload.raw[: header[4]] == last.payload
