"""The journal against a plain list of events, a killed writer, and a disk that fails."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.supervision.journal import Journal
from controller.supervision.shift import (
    AlarmChanged,
    Carried,
    Confirmed,
    DialBegun,
    DialIndexed,
    JointEntered,
    JointLeft,
    JournalError,
    OperationBegun,
    OperationEnded,
    OrderQueued,
    PlanAdopted,
    Restarted,
    Shift,
    TimesBooked,
    UnitChanged,
    advance,
)

ROOT = Path(__file__).parents[3]


def ordered(quantity=3):
    return OrderQueued(order="A1", lines={"PR60": quantity}, by="ann")


def entered(serial="J1"):
    return JointEntered(serial=serial, model="PR60", order="A1", place=int(serial[1:]))


def begun(number="10", serial="J1"):
    return OperationBegun(
        serial=serial, operation=number, resource="R1", feeder="feeder_stator", batch="S-77"
    )


def ended(number="10", serial="J1", verdict=""):
    return OperationEnded(
        serial=serial, operation=number, verdict=verdict, measured={"force_n": 12.5, "odd": None}
    )


def after(*events):
    shift = Shift()
    for event in events:
        shift = advance(shift, event)
    return shift


EVENTS = [
    ordered(),
    UnitChanged(state=6, mode=1, cause="start", by="ann"),
    PlanAdopted(sha256="ab" * 32, software="0.1"),
    entered(),
    begun(),
    DialBegun(),
    DialIndexed(),
    ended(),
    begun("20"),
    AlarmChanged(what="raised", alarm="late", source="R2", detail='3 s, "ä" — <b>'),
    Restarted(software="0.2"),
    Confirmed(serial="J1", operation="20", found="done", by="bob"),
    TimesBooked(accounts_ns={"R1": {"working": 5, "waiting R2": 7}, "cell": {"working": 12}}),
    JointLeft(serial="J1"),
]


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "cell.db") as journal:
        yield journal


def test_what_was_written_is_read_back_in_order(journal):
    assert journal.append(EVENTS, 1_000) == len(EVENTS)
    assert [entry.event for entry in journal.read()] == EVENTS
    assert [entry.seq for entry in journal.read(after=12)] == [13, 14]
    assert journal.shift() == after(*EVENTS)
    journal.check()


def test_a_joint_knows_its_story_and_its_batches(journal):
    journal.append(EVENTS, 5)
    kinds = [entry.event.kind for entry in journal.story("J1")]
    assert kinds == [
        "joint_entered",
        "operation_begun",
        "operation_ended",
        "operation_begun",
        "confirmed",
        "joint_left",
    ]
    assert journal.story("J1")[1].event.batch == "S-77"
    assert journal.story("J2") == ()


def test_history_lists_the_last_first_and_filters(journal):
    journal.append([OrderQueued(order="A1", lines={"PR60": 9, "NU80": 9}, by="ann")], 0)
    for number in range(6):
        model = "PR60" if number % 2 else "NU80"
        journal.append([JointEntered(serial=f"J{number}", model=model, order="A1", place=number)], number)
        journal.append([JointLeft(serial=f"J{number}", reject="noise" if number == 4 else "")], 10 + number)
    assert [row.serial for row in journal.joints(most=2)] == ["J5", "J4"]
    assert [row.serial for row in journal.joints(model="PR60", since_utc_ns=12)] == ["J5", "J3"]
    assert journal.joints(most=2)[1].reject == "noise"


def test_nothing_is_written_when_one_event_cannot_be(journal):
    with pytest.raises(JournalError, match="names joint 'J9', which never entered"):
        journal.append([ordered(), begun(serial="J9")], 0)
    assert list(journal.read()) == []


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([ordered(), ordered()], "order_queued A1: the order exists"),
        ([entered()], "joint_entered J1: there is no order 'A1'"),
        ([ordered(1), entered("J1"), entered("J2")], "the order wants no more of PR60"),
        ([ordered(), entered(), entered()], "the joint is in the cell"),
        ([ordered(), entered(), ended()], "operation 10 was not begun"),
        ([ordered(), entered(), begun(), begun()], "operation 10 was begun before"),
        ([ordered(), entered(), begun(), ended(), begun()], "operation 10 was begun before"),
        ([JointLeft(serial="J1")], "joint_left J1: the joint is not in the cell"),
        ([ordered(), Carried(shift=Shift())], "only the first event"),
        (
            [ordered(), entered(), begun(), Confirmed(serial="J1", operation="10", found="done", by="bob")],
            "operation 10 is not in question",
        ),
    ],
)
def test_contradictions_are_refused(events, message):
    with pytest.raises(JournalError, match=message):
        after(*events)


def test_a_restart_asks_about_what_was_under_way_and_nothing_else():
    shift = after(ordered(), entered(), begun(), ended(), begun("20"), entered("J2"), Restarted(software="1"))
    assert shift.questions == (("J1", "20"),)
    with pytest.raises(JournalError, match="was begun before"):
        advance(shift, begun("20"))
    again = advance(shift, Confirmed(serial="J1", operation="20", found="not_done", by="bob"))
    assert again.questions == ()
    assert advance(again, begun("20")).joints["J1"].begun == {"20": "R1"}


def test_scrap_is_counted_and_made_again():
    shift = after(ordered(1), entered(), begun(), Restarted(software="1"))
    shift = advance(shift, Confirmed(serial="J1", operation="10", found="scrap", by="bob"))
    assert (shift.rejected, shift.good, dict(shift.joints)) == (1, 0, {})
    assert dict(shift.orders["A1"].missing) == {"PR60": 1}


def test_a_bad_operation_rejects_the_joint():
    shift = after(ordered(1), entered(), begun(), ended(verdict="force too high"), JointLeft(serial="J1"))
    assert (shift.rejected, shift.good) == (1, 0)


def test_a_successor_carries_the_state_on(journal, tmp_path):
    journal.append(EVENTS[:9], 0)
    journal.succeed(tmp_path / "next.db", 1)
    with Journal(tmp_path / "next.db") as successor:
        assert successor.shift() == journal.shift()
        successor.append([ended("20")], 2)
        assert successor.story("J1")[-1].event == ended("20")
    with pytest.raises(JournalError, match=r"next.db: exists"):
        journal.succeed(tmp_path / "next.db", 1)


def test_a_second_process_may_look_but_not_write(journal):
    journal.append(EVENTS, 0)
    with Journal(journal.path, read_only=True) as reader:
        assert len(list(reader.read())) == len(EVENTS)
        with pytest.raises(JournalError, match="cannot be written"):
            reader.append([DialIndexed()], 0)


def test_a_backup_while_running_is_whole(journal, tmp_path):
    journal.append(EVENTS, 0)
    journal.back_up(tmp_path / "copy.db")
    with Journal(tmp_path / "copy.db") as copy:
        assert copy.shift() == journal.shift()
        copy.check()


def test_a_full_disk_loses_nothing_that_was_acknowledged(journal):
    journal.append(EVENTS, 0)
    pages = journal.size_bytes // 4096
    journal._db.execute(f"PRAGMA max_page_count = {pages + 2}")
    acknowledged = [len(EVENTS)]

    def fill():
        for _ in range(10_000):
            acknowledged.append(journal.append([DialBegun()] * 10, 0))

    with pytest.raises(JournalError, match=r"cell.db: cannot be written: database or disk is full"):
        fill()
    assert len(list(journal.read())) == acknowledged[-1] > len(EVENTS)
    journal.check()


def test_a_locked_file_is_named(journal, monkeypatch):
    monkeypatch.setattr("controller.supervision.journal._BUSY_S", 0.01)
    other = sqlite3.connect(journal.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Journal(journal.path) as second, pytest.raises(JournalError, match="database is locked"):
        second.append([DialIndexed()], 0)
    other.execute("ROLLBACK")


@pytest.mark.parametrize(
    "content", [b"not a database, certainly not one" * 100, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_file_that_is_no_journal_is_named(tmp_path, content):
    (tmp_path / "cell.db").write_bytes(content)
    with pytest.raises(JournalError, match=r"cell.db: cannot be opened"):
        Journal(tmp_path / "cell.db")


def test_a_later_schema_is_refused(journal):
    journal._db.execute("PRAGMA user_version = 99")
    with pytest.raises(JournalError, match=r"has schema 99 \(allowed: 2\)"):
        Journal(journal.path)


def test_a_damaged_event_is_named(journal):
    journal.append(EVENTS, 0)
    journal._db.execute("DROP TRIGGER event_is_final")
    journal._db.execute("UPDATE event SET body = '[1]' WHERE seq = 4")
    with pytest.raises(JournalError, match="event 4 cannot be read"):
        list(journal.read())


def test_events_are_final(journal):
    journal.append(EVENTS, 0)
    with pytest.raises(sqlite3.IntegrityError, match="events are final"):
        journal._db.execute("UPDATE event SET utc_ns = 0")


WRITER = """
import sys
from pathlib import Path
from controller.supervision.journal import Journal
from controller.supervision.shift import *
with Journal(Path(sys.argv[1])) as journal:
    joint = len({entry.event.serial for entry in journal.read() if entry.event.kind == "joint_entered"})
    if joint == 0:
        journal.append([OrderQueued(order="A", lines={"M": 1_000_000}, by="x")], 0)
    while True:
        joint += 1
        journal.append([JointEntered(serial=f"J{joint}", model="M", order="A", place=joint)], joint)
        for number in range(5):
            journal.append([OperationBegun(serial=f"J{joint}", operation=str(number), resource="R1")], joint)
            journal.append([OperationEnded(serial=f"J{joint}", operation=str(number))], joint)
        journal.append([JointLeft(serial=f"J{joint}")], joint)
        print(joint, flush=True)
"""


def test_a_killed_writer_leaves_everything_that_it_acknowledged(tmp_path):
    path, rng = tmp_path / "cell.db", random.Random(0)
    done = 0
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(rng.uniform(0.0, 0.1))
            writer.send_signal(signal.SIGKILL)
            told = [line for line in writer.stdout.read().splitlines() if line.isdigit()]
        done = int(told[-1]) if told else done
        with Journal(path) as journal:
            journal.check()
            shift = journal.shift()
            assert shift.good + shift.rejected >= done
            assert len(shift.joints) <= 1
            for serial, joint in shift.joints.items():  # the next writer goes on with a new joint
                for number in joint.begun:
                    journal.append([OperationEnded(serial=serial, operation=number)], 0)
                journal.append([JointLeft(serial=serial, reject="interrupted")], 0)


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_any_course_replays_to_the_state_it_led_to(seed):
    rng = random.Random(seed)
    shift, events = Shift(), []
    for step in range(60):
        serial = rng.choice(["J1", "J2", "J3"])
        number = rng.choice(["10", "20"])
        event = rng.choice(
            [
                OrderQueued(order=f"A{step}", lines={"PR60": 2}, by="ann"),
                JointEntered(
                    serial=serial, model="PR60", order=f"A{rng.randrange(step + 1)}", place=rng.randrange(3)
                ),
                begun(number, serial),
                ended(number, serial, rng.choice(["", "bad"])),
                DialBegun(),
                DialIndexed(),
                JointLeft(serial=serial),
                Restarted(software="1"),
                Confirmed(
                    serial=serial, operation=number, found=rng.choice(["done", "not_done", "scrap"]), by="b"
                ),
            ]
        )
        try:
            shift = advance(shift, event)
        except JournalError:
            continue
        events.append(event)
    assert after(*events) == shift
    entries = sum(event.kind == "joint_entered" for event in events)
    assert entries == shift.good + shift.rejected + len(shift.joints)
    assert shift.good == sum(order.good for order in shift.orders.values())


def test_the_dial_is_asked_about_after_a_restart_on_its_way(journal):
    events = [DialBegun(), DialIndexed(), DialBegun(), Restarted(software="1")]
    journal.append(events, 0)
    assert journal.shift().questions == (("dial", "index"),)
    journal.append([Confirmed(serial="dial", operation="index", found="done", by="bob")], 1)
    assert (journal.shift().indices, journal.shift().questions) == (2, ())
    assert list(journal.read())[-1].event.serial == "dial"
