"""Captures give back what was seen, and say which line is none."""

from pathlib import Path

import pytest

from firmware_bridge.armlink.capture import Capture, read_capture
from firmware_bridge.armlink.decoding import Decoder
from firmware_bridge.armlink.frame import frame_of
from firmware_bridge.armlink.messages import Heartbeat

PIECES = [(1_000_000, ">", b"\x00\x01"), (2_345_000, "<", b"\xff" * 300)]


def test_a_capture_gives_back_what_was_seen(tmp_path: Path) -> None:
    written = Capture.create(tmp_path / "line.txt")
    for piece in PIECES:
        written.note(*piece)
    written.note(3, "<", b"")
    written.close()
    assert list(read_capture(tmp_path / "line.txt")) == PIECES


@pytest.mark.parametrize("line", ["1.0 > 0", "1.0 ? 00", "x > 00", "1.0 >", "1e999 > 00"])
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "line.txt"
    path.write_text(f"# a comment\n1.0 > 00\n{line}\n")
    with pytest.raises(ValueError, match=r"line 3: .*allowed: seconds, < or >, bytes in hex"):
        list(read_capture(path))


def test_frames_are_shown_in_words_and_damaged_ones_counted() -> None:
    decoder = Decoder()
    good = frame_of(Heartbeat(host_ms=5, lease_10ms=35, status_ms=20), session=9, seq=3).encode()
    bad = bytearray(good)
    bad[4] ^= 1
    (text,) = decoder.feed(">", good[:7] + good[7:] + bytes(bad))
    assert "Heartbeat(host_ms=5, lease_10ms=35, status_ms=20)" in text
    assert (decoder.good, decoder.bad) == (1, 1)
