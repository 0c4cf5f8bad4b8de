import pytest

from controller.supervision.archive import Archive, joints, journal_files, story
from controller.supervision.book import Book
from controller.supervision.replay import replay_journals
from controller.supervision.shift import (
    JointEntered,
    JointLeft,
    JournalError,
    OperationBegun,
    OperationEnded,
    OrderQueued,
)


def make(book, number):
    book.note(JointEntered(serial=f"J{number}", model="M", order="A", place=number))
    for operation in range(20):
        book.note(OperationBegun(serial=f"J{number}", operation=str(operation), resource="R1"))
        book.note(OperationEnded(serial=f"J{number}", operation=str(operation), measured={"force_n": 12.5}))
    if number > 1:
        book.note(JointLeft(serial=f"J{number - 1}"))
    assert book.commit()


@pytest.fixture
def filled(tmp_path):
    with Archive(tmp_path, largest_bytes=40_000, kept=4) as archive:
        book = Book(archive, iter(range(10**9)).__next__)
        book.record(OrderQueued(order="A", lines={"M": 1000}, by="ann"))
        for number in range(1, 41):
            make(book, number)
    return tmp_path, book.shift


def test_full_files_are_succeeded_and_the_oldest_let_go(filled):
    directory, shift = filled
    files = journal_files(directory)
    assert len(files) == 4
    assert int(files[-1].stem[-6:]) > 5
    assert max(path.stat().st_size for path in files) < 90_000
    with Archive(directory) as archive:
        assert archive.journal.path == files[-1]
        assert archive.journal.shift() == shift


def test_a_story_goes_over_files(filled):
    directory, _ = filled
    rows = joints(directory, most=12)
    assert [row.serial for row in rows[:3]] == ["J39", "J38", "J37"]
    stories = [[entry.event.kind for entry in story(directory, row.serial)] for row in rows]
    assert {tuple(kinds) for kinds in stories} == {
        ("joint_entered", *["operation_begun", "operation_ended"] * 20, "joint_left")
    }
    assert story(directory, "J1") == ()  # let go with its file


def test_journals_replay_from_file_to_file(filled):
    directory, shift = filled
    files = journal_files(directory)
    replayed = replay_journals(directory)
    assert (replayed.shift, replayed.findings, replayed.files) == (shift, (), 4)
    files[2].unlink()
    assert "does not begin with the state at the end" in replay_journals(directory).findings[0]


def test_a_directory_without_journals_is_named(tmp_path):
    with pytest.raises(JournalError, match="has no journal"):
        replay_journals(tmp_path)


def test_a_snapshot_that_lies_is_found(filled):
    directory, _ = filled
    with Archive(directory) as archive:
        archive.journal._db.execute("UPDATE snapshot SET shift = replace(shift, '\"tray\":', '\"tray\":1')")
    assert "another state than its snapshot" in replay_journals(directory).findings[0]


def test_a_failed_record_leaves_nothing_behind_and_notes_wait(tmp_path):
    with Archive(tmp_path) as archive:
        book = Book(archive, lambda: 0)
        book.record(OrderQueued(order="A", lines={"M": 9}, by="ann"))
        book.note(JointEntered(serial="J1", model="M", order="A", place=1))
        archive.journal._db.execute("PRAGMA query_only = 1")
        before = book.shift
        with pytest.raises(JournalError, match="cannot be written"):
            book.record(OperationBegun(serial="J1", operation="10", resource="R1"))
        assert (book.shift, book.pending, bool(book.failure)) == (before, 1, True)
        assert not book.commit()
        archive.journal._db.execute("PRAGMA query_only = 0")
        assert book.commit()
        assert (book.failure, book.pending) == ("", 0)
        assert archive.journal.replay() == before
