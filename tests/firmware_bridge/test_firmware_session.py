"""The firmware's side of a link: who may speak, in which order frames are executed, what is answered."""

import numpy as np
import pytest

from firmware_bridge.armlink.codes import TABLE_HASH, Drive, EventCode, HelloFlag, Refusal, Report, Result
from firmware_bridge.armlink.frame import Frame, crc32c, frame_of
from firmware_bridge.armlink.messages import (
    Config,
    Confirm,
    Control,
    DescRead,
    EventAck,
    FaultReset,
    Heartbeat,
    Override,
    Qstop,
    ReportRead,
    Sync,
)
from firmware_bridge.armlink.reports import Ack, Desc, Event, HelloAck, Nak, Status, SyncReply, Telem
from firmware_bridge.emulator import VirtualFirmware
from firmware_bridge.trials.wire_client import CONFIG, HOME, UID, Host


def test_the_handshake_says_who_is_there() -> None:
    host = Host()
    ack = host.open(nonce=77)
    assert ack.uid == UID
    assert (ack.major, ack.host_nonce, ack.table_hash, ack.boot_id) == (1, 77, TABLE_HASH, 1)
    assert ack.config_crc == crc32c(CONFIG.encode())
    assert (ack.joints, ack.knots, ack.tick_hz) == (6, 64, 1000)
    assert ack.session != 0


def test_the_configuration_is_read_in_pieces_without_a_session() -> None:
    host = Host()
    encoded = b""
    while not encoded or len(encoded) < host.latest(Desc).total:
        host.send(DescRead(offset=len(encoded)))
        piece = host.latest(Desc)
        assert piece.offset == len(encoded)
        encoded += piece.chunk
    assert Config.decode(encoded) == CONFIG
    host.send(DescRead(offset=60000))
    assert host.latest(Desc).chunk == b""


def test_a_lost_answer_is_repeated_for_the_same_nonce() -> None:
    host = Host()
    first = host.open(nonce=5)
    host.ask(Control(controlword=6))
    assert host.open(nonce=5).session == first.session
    assert host.latest(HelloAck).boot_id == 1
    host.seq = 1
    assert host.ask(Control(controlword=6)) is Result.OK  # the order goes on


def test_a_second_host_waits_for_the_lease_or_takes_over() -> None:
    host = Host()
    first = host.open(nonce=1).session
    host.send(host.hello(nonce=2), session=0)
    refusal = host.latest(Nak)
    assert refusal.code is Refusal.LEASED
    assert 0 < refusal.data <= 250
    assert host.open(nonce=2, flags=HelloFlag.TAKEOVER).session not in (0, first)
    host.session = 0
    host.run(0.3)
    assert host.open(nonce=3).session != 0  # the lease has ended


def test_looking_disturbs_nobody() -> None:
    host = Host().enable()
    session = host.session
    host.send(host.hello(nonce=9, flags=HelloFlag.LOOK), session=0)
    assert host.latest(HelloAck).session == 0
    host.send(ReportRead(report=Report.STATUS), session=0)
    host.send(ReportRead(report=Report.TELEM), session=0)
    assert host.status.drive is Drive.OPERATION_ENABLED
    assert host.latest(Telem).bus_mv == 48000
    assert host.session == session
    assert host.ask(Override(percent=50)) is Result.OK


@pytest.mark.parametrize(
    ("changes", "code", "data"),
    [
        ({"proto_min": 2, "proto_max": 3}, Refusal.VERSION, 1),
        ({"table_hash": 1}, Refusal.TABLE, TABLE_HASH),
    ],
)
def test_another_protocol_is_refused(changes: dict[str, int], code: Refusal, data: int) -> None:
    host = Host()
    host.send(host.hello(**changes), session=0)
    assert (host.latest(Nak).code, host.latest(Nak).data) == (code, data)
    assert not any(isinstance(report, HelloAck) for report in host.reports)


def test_frames_of_another_major_version_are_not_executed() -> None:
    host = Host().enable()
    frame = frame_of(Qstop(reason=1), session=host.session)
    host.feed(Frame(type=frame.type, session=frame.session, payload=frame.payload, major=2).encode())
    host.run(0.05)
    assert host.status.drive is Drive.OPERATION_ENABLED


def test_frames_of_other_sessions_are_never_executed_and_refused_ten_times_a_second() -> None:
    host = Host().enable()
    for other in (0, host.session + 1, host.session - 1):
        host.send(Qstop(reason=1), session=other)
        host.send(Control(controlword=0), session=other)
        host.seq -= 1
    refusals = [report for report in host.reports if isinstance(report, Nak)]
    assert [(nak.code, nak.data) for nak in refusals] == [(Refusal.NO_SESSION, 1)]
    host.run(0.05)
    assert host.status.drive is Drive.OPERATION_ENABLED
    for _ in range(100):
        host.run(0.01)
        host.send(Qstop(reason=1), session=host.session + 1)
    refusals = [report for report in host.reports if isinstance(report, Nak)]
    assert 9 <= len(refusals) <= 12


def test_bytes_of_before_a_reset_are_never_executed() -> None:
    host = Host().enable()
    old = host.session
    stale = frame_of(Control(controlword=6), session=old, seq=0).encode()
    host.firmware.reset()
    host.feed(stale)
    assert host.latest(Nak).data == 2  # the new boot id
    assert host.open(nonce=3).session != old
    host.feed(stale)
    assert not any(isinstance(report, Ack) and report.next_seq for report in host.reports[-2:])


def test_sessions_do_not_come_again() -> None:
    seen = set()
    for boot_id in range(40):
        host = Host(VirtualFirmware(CONFIG, uid=UID, position=HOME, boot_id=boot_id))
        for nonce in range(1, 21):
            seen.add(host.open(nonce=nonce, flags=HelloFlag.TAKEOVER).session)
    assert len(seen) == 40 * 20
    assert 0 not in seen


def test_clocks_are_compared() -> None:
    host = Host()
    host.open()
    host.run(0.123, alive=False)
    host.send(Sync(host_ns=2**63 + 5))
    reply = host.latest(SyncReply)
    assert (reply.host_ns, reply.t_rx_us, reply.t_tx_us) == (2**63 + 5, 124_000, 124_000)


def test_power_needs_identity_configuration_and_clock() -> None:
    host = Host()
    host.open()
    crc = crc32c(CONFIG.encode())
    assert host.ask(Control(controlword=6)) is Result.OK
    host.run(0.01, alive=False)
    assert host.ask(Control(controlword=7)) is Result.NOT_CONFIRMED
    assert host.ask(Confirm(uid=b"unit-0000002", config_crc=crc)) is Result.WRONG_ARM
    assert host.ask(Confirm(uid=UID, config_crc=crc ^ 1)) is Result.WRONG_CONFIG
    assert host.ask(Control(controlword=7)) is Result.NOT_CONFIRMED
    assert host.ask(Confirm(uid=UID, config_crc=crc)) is Result.OK
    assert host.ask(Control(controlword=7)) is Result.NOT_SYNCED
    host.send(Sync(host_ns=0))
    assert host.ask(Control(controlword=7)) is Result.OK
    assert host.firmware.plant.power == 1
    for _ in range(11):  # two seconds without SYNC
        host.firmware.run(200_000)
        host.send(Heartbeat(host_ms=0, lease_10ms=100, status_ms=20))
    assert host.ask(Control(controlword=15)) is Result.NOT_SYNCED


def test_a_new_session_takes_the_power_away() -> None:
    host = Host().enable()
    host.open(nonce=999, flags=HelloFlag.TAKEOVER)
    host.run(0.03)
    assert host.firmware.plant.power == 0
    assert host.status.drive is Drive.SWITCH_ON_DISABLED
    assert host.ask(Control(controlword=6)) is Result.OK
    assert host.ask(Control(controlword=7)) is Result.NOT_CONFIRMED


def test_frames_that_come_early_wait_for_their_turn() -> None:
    host = Host()
    host.open()
    words = [Override(percent=percent) for percent in (10, 20, 30, 40, 50, 60, 70, 80, 90)]
    wires = [frame_of(word, session=host.session, seq=k).encode() for k, word in enumerate(words)]
    for k in (3, 1, 8, 8, 2):
        host.feed(wires[k])
    ack = host.latest(Ack)
    assert (ack.next_seq, ack.sack) == (0, 0b1000_0111)
    host.run(0.03, alive=False)
    assert host.status.override_pct == 100
    host.feed(wires[0])
    assert (host.latest(Ack).next_seq, host.latest(Ack).sack) == (4, 0b0000_1000)
    for k in (7, 6, 5, 4):
        host.feed(wires[k])
    assert (host.latest(Ack).next_seq, host.latest(Ack).sack) == (9, 0)
    host.send(ReportRead(report=Report.STATUS))
    assert host.status.override_pct == 90


@pytest.mark.parametrize("seed", range(8))
def test_every_frame_is_executed_once_and_in_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    host = Host()
    host.open()
    percents = [int(percent) for percent in rng.integers(1, 101, 300)]
    assert host.ask(Override(percent=percents[0])) is Result.OK
    done, seen = 1, []
    while done < len(percents):
        for _ in range(3):
            k = min(done + int(rng.integers(-6, 9)), len(percents) - 1)
            if k >= 0:
                host.feed(frame_of(Override(percent=percents[k]), session=host.session, seq=k).encode())
        if host.latest(Ack).next_seq != done:
            done = host.latest(Ack).next_seq
            host.send(ReportRead(report=Report.STATUS))
            seen.append((done, host.status.override_pct))
        host.run(0.005)
    assert [percents[k - 1] for k, _ in seen] == [percent for _, percent in seen]
    host.send(ReportRead(report=Report.TELEM))
    assert host.latest(Telem).rejected == 0
    assert host.latest(Telem).duplicates > 0


def test_frames_beyond_the_window_are_not_kept() -> None:
    host = Host()
    host.open()
    host.feed(frame_of(Override(percent=5), session=host.session, seq=9).encode())
    assert (host.latest(Ack).next_seq, host.latest(Ack).sack) == (0, 0)


def test_numbers_wrap() -> None:
    host = Host()
    host.open()
    for _ in range(65_540):  # past the largest number
        host.send(Override(percent=50))
    assert host.latest(Ack).next_seq == 4
    assert host.ask(Override(percent=60)) is Result.OK


def test_results_of_a_whole_window_come_in_one_acknowledgement() -> None:
    host = Host()
    host.open()
    words = [6, 7, 0x80, 15, 0, 6, 2, 6]
    wires = [
        frame_of(Control(controlword=w), session=host.session, seq=k).encode() for k, w in enumerate(words)
    ]
    host.feed(b"".join(wires))
    (ack,) = [report for report in host.reports if isinstance(report, Ack)]
    wrong = Result.WRONG_STATE
    expected = [
        Result.OK,
        Result.NOT_CONFIRMED,
        Result.WRONG_FAULT,
        wrong,
        Result.OK,
        Result.OK,
        wrong,
        Result.OK,
    ]
    assert list(reversed(ack.results)) == expected


def test_unknown_and_malformed_messages() -> None:
    host = Host()
    host.open()
    host.feed(Frame(type=Override.ID, session=host.session, seq=0, payload=b"\xff").encode())
    assert host.latest(Ack).results[0] is Result.MALFORMED
    before = len(host.reports)
    for kind in (0x00, 0x7F, 0x84, 0xFF):
        host.feed(Frame(type=kind, session=host.session, seq=1).encode())
    assert len(host.reports) == before
    for kind in (0x01, 0x02, 0x05, 0x03, 0x04, 0x20, 0x22, 0x31):
        host.feed(Frame(type=kind, session=host.session, seq=1, payload=bytes(50)).encode())
    assert len(host.reports) == before


def test_events_are_repeated_until_they_have_been_seen() -> None:
    host = Host()
    host.open()
    assert host.ask(FaultReset(fault=1, latch_count=1)) is Result.WRONG_STATE
    (event,) = host.events(EventCode.REJECTED)
    assert (event.source, event.data) == (255, Result.WRONG_STATE)
    host.run(0.35)
    assert sum(isinstance(report, Event) for report in host.reports) == 4
    host.send(EventAck(event_no=event.event_no))
    host.run(0.35)
    assert sum(isinstance(report, Event) for report in host.reports) == 4


def test_events_for_which_there_is_no_room_are_counted() -> None:
    host = Host()
    host.open()
    for _ in range(20):
        host.ask(FaultReset(fault=1, latch_count=1))
    host.send(ReportRead(report=Report.TELEM))
    assert host.latest(Telem).events_lost == 4
    assert host.latest(Telem).rejected == 20


def test_status_comes_at_the_period_asked_for() -> None:
    host = Host()
    host.open()
    for _ in range(10):
        host.send(Heartbeat(host_ms=0, lease_10ms=25, status_ms=5))
        host.run(0.1, alive=False)
    assert sum(isinstance(report, Status) for report in host.reports) == pytest.approx(200, abs=2)
    assert sum(isinstance(report, Telem) for report in host.reports) == pytest.approx(2, abs=1)


def test_noise_is_counted_by_kind() -> None:
    host = Host()
    host.open()
    good = frame_of(Override(percent=50), session=host.session).encode()
    host.feed(good[:-3] + bytes((good[-3] ^ 0x80,)) + good[-2:] + b"\x05\x01\0" + b"\x01" * 300 + b"\0")
    host.send(ReportRead(report=Report.TELEM))
    assert (host.latest(Telem).crc_errors, host.latest(Telem).framing_errors) == (1, 2)
