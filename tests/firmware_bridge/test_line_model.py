"""The line that misbehaves does so as it says."""

import numpy as np
import pytest

from firmware_bridge.emulator.line_model import LineFaults, LineModel

DATA = np.random.default_rng(1).integers(0, 256, 20_000, dtype=np.uint8).tobytes()


def through(line: LineModel, data: bytes, step_ns: int = 1_000_000) -> tuple[bytes, float]:
    """Everything that comes out, and after how many seconds the last of it."""
    line.send(data, 0)
    out, now_ns = b"", 0
    while line.due_ns(now_ns) is not None:
        now_ns += step_ns
        out += line.arrived(now_ns)
    return out, now_ns / 1e9


@pytest.mark.parametrize("baud", [115_200, 921_600])
def test_a_good_line_changes_nothing_and_takes_ten_bits_a_byte(baud: int) -> None:
    out, seconds = through(LineModel(baud, LineFaults(), np.random.default_rng(0)), DATA)
    assert out == DATA
    assert seconds == pytest.approx(len(DATA) * 10 / baud, abs=0.002)


def test_faults_come_as_often_as_asked_and_the_same_for_the_same_seed() -> None:
    lines = [LineModel(10**6, LineFaults(flip=0.01, drop=0.02), np.random.default_rng(5)) for _ in range(2)]
    outs = [through(line, DATA)[0] for line in lines]
    assert outs[0] == outs[1]
    assert lines[0].flipped == pytest.approx(0.01 * len(DATA), rel=0.3)
    assert len(DATA) - len(outs[0]) == lines[0].dropped == pytest.approx(0.02 * len(DATA), rel=0.3)


def test_a_stall_delays_and_loses_nothing_a_cut_loses_everything() -> None:
    faults = LineFaults(stall_every_s=0.05, stall_s=0.2)
    line = LineModel(921_600, faults, np.random.default_rng(2))
    line.send(DATA, 0)
    came = [(ms, piece) for ms in range(1000) if (piece := line.arrived(ms * 1_000_000))]
    assert b"".join(piece for _, piece in came) == DATA
    assert max(np.diff([ms for ms, _ in came])) >= 200
    line = LineModel(921_600, LineFaults(), np.random.default_rng(2))
    line.send(DATA, 0)
    line.cut()
    assert line.arrived(10**9) == b""
