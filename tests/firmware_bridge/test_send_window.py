"""Reliable delivery against a device that keeps to the protocol, over lines that lose what they like."""

from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.armlink.codes import WINDOW, Drive, Motion, Result
from firmware_bridge.armlink.messages import Resume
from firmware_bridge.armlink.reports import Ack
from firmware_bridge.armlink.send_window import SendWindow

STEP_NS = 5_000_000


class Device:
    """Takes frames in order and once, keeps those that come early."""

    def __init__(self) -> None:
        self.executed: list[int] = []
        self.early: dict[int, int] = {}

    def take(self, seq: int, hold_id: int) -> None:
        if seq == len(self.executed):
            self.executed.append(hold_id)
            while len(self.executed) in self.early:
                self.executed.append(self.early.pop(len(self.executed)))
        elif seq > len(self.executed):
            self.early[seq] = hold_id

    def ack(self) -> Ack:
        n = len(self.executed)
        sack = sum(1 << seq - n - 1 for seq in self.early)
        results = tuple(Result(self.executed[n - 1 - i] % 3) if i < n else Result.OK for i in range(WINDOW))
        return Ack(
            next_seq=n,
            sack=sack,
            results=results,
            reject_joint=255,
            free_knots=0,
            drive=Drive.SWITCHED_ON,
            motion=Motion.IDLE,
            buffered_ms=0,
        )


@given(losses=st.lists(st.booleans(), max_size=200), count=st.integers(1, 40))
def test_every_message_is_executed_once_in_order_and_answered_with_its_own_result(
    losses: list[bool], count: int
) -> None:
    window, device, fate = SendWindow(session=7, frame_ns=1_000_000), Device(), iter(losses)
    answers: list[tuple[int, Result]] = []
    for number in range(count):
        window.push(Resume(hold_id=number), lambda result, number=number: answers.append((number, result)))
    now_ns = 0
    while not window.empty:
        now_ns += STEP_NS
        assert now_ns < 600_000_000_000
        while (frame := window.due(now_ns)) is not None:
            window.sent_now(now_ns)
            assert len(device.early) <= WINDOW
            if not next(fate, False):
                device.take(frame.seq, Resume.decode(frame.payload).hold_id)
        if not next(fate, False):
            window.acknowledge(device.ack(), now_ns)
    assert device.executed == list(range(count))
    assert answers == [(number, Result(number % 3)) for number in range(count)]


def test_a_gap_is_filled_at_once_and_only_once() -> None:
    window, device = SendWindow(session=7, frame_ns=1_000_000), Device()
    for number in range(4):
        window.push(Resume(hold_id=number), lambda result: None)
    sent = []
    while (frame := window.due(0)) is not None:
        window.sent_now(0)
        sent.append(frame.seq)
        if frame.seq != 0:
            device.take(frame.seq, 0)
    assert sent == [0, 1, 2, 3]
    for _ in range(3):
        window.acknowledge(device.ack(), 1_000_000)
    again = []
    while (frame := window.due(1_000_000)) is not None:
        window.sent_now(1_000_000)
        again.append(frame.seq)
    assert again == [0]
