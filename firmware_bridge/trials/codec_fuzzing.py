"""The Python codec under atheris: any bytes are frames and messages that encode to the same again, or none.

``python -m firmware_bridge.trials.codec_fuzzing -runs=1000000`` with atheris installed; options are libFuzzer's.
"""

import importlib
import sys

from firmware_bridge.armlink.frame import FrameParser
from firmware_bridge.armlink.messages import MESSAGES
from firmware_bridge.armlink.record_codec import Record
from firmware_bridge.armlink.reports import REPORTS

KINDS = MESSAGES | REPORTS


def check(data: bytes) -> None:
    """One input: its first byte says how the rest is cut up and which message it may be, too.

    Raises:
        AssertionError: When something is read that is not what was written.
    """
    if not data:
        return
    whole, cut = FrameParser(), FrameParser()
    at = data[0] % len(data)
    frames = list(whole.feed(data[1:] + b"\0"))
    assert frames == [frame for piece in (data[1:at], data[max(1, at) :], b"\0") for frame in cut.feed(piece)]
    for frame in frames:
        assert list(FrameParser().feed(frame.encode())) == [frame]
    kinds = sorted(KINDS)
    for kind, payload in [(frame.type, frame.payload) for frame in frames] + [
        (kinds[data[0] % len(kinds)], data[1:])
    ]:
        if kind in KINDS:
            try:
                message = KINDS[kind].decode(payload)
            except ValueError:
                continue
            assert message.encode() == payload


def main() -> None:
    """Let atheris find inputs."""
    atheris = importlib.import_module("atheris")
    # All of the codec, and not all of Python: that takes minutes.
    FrameParser.feed = atheris.instrument_func(FrameParser.feed)  # type: ignore[method-assign]
    FrameParser._finish = atheris.instrument_func(FrameParser._finish)  # type: ignore[method-assign]
    Record.encode = atheris.instrument_func(Record.encode)  # type: ignore[method-assign]
    decode = vars(Record)["decode"].__func__
    Record.decode = classmethod(atheris.instrument_func(decode))  # type: ignore[assignment]
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
