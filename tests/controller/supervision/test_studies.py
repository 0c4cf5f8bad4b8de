"""The studies of the supervision in a bounded form; the whole of each is slow, and is `jointcell bench supervision`."""

import pytest

from controller.bench import supervision_commands, supervision_disk, supervision_kill, supervision_soak
from controller.bench.supervision_journal import filled, queries, recorded, written_again
from controller.supervision.book import Book
from controller.supervision.journal import Journal

FORKS = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


@FORKS
def test_a_killed_shift_loses_and_doubles_nothing(tmp_path):
    result = supervision_kill.killed_shift(tmp_path, 3, 0)
    assert (result.findings, result.kills) == ([], 3)
    assert result.good == result.left > 0


@FORKS
@pytest.mark.slow
@pytest.mark.timeout(36_000)
def test_500_kills(tmp_path):
    result = supervision_kill.killed_shift(tmp_path, 500, 1)
    assert (result.findings, result.kills) == ([], 500)


@FORKS
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_study_finds_a_journal_that_is_written_too_late(tmp_path, monkeypatch):
    monkeypatch.setattr(Book, "record", lambda book, *events: book.note(*events))
    result = supervision_kill.killed_shift(tmp_path, 200, 0)
    assert any("the journal does not know" in line or "is lost" in line for line in result.findings)


def test_a_journal_that_fails_holds_the_cell_and_loses_nothing():
    result = supervision_disk.failing_journal(3, 0)
    assert (result.findings, result.failures) == ([], 3)


def test_random_commands_and_faults(tmp_path):
    result = supervision_commands.commanded(tmp_path, 300, 0)
    assert (result.findings, result.sequences) == ([], 300)
    assert len(result.states) >= 10


@pytest.mark.slow
@pytest.mark.timeout(36_000)
def test_many_random_commands_and_faults(tmp_path):
    result = supervision_commands.commanded(tmp_path, 100_000, 0)
    assert (result.findings, result.sequences, len(result.states)) == ([], 100_000, 17)


def test_the_study_of_commands_finds_an_arm_that_moves_in_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(supervision_commands, "_STILL", ["EXECUTE"])
    result = supervision_commands.commanded(tmp_path, 2000, 0)
    assert "moved in EXECUTE" in result.findings[0]


@pytest.mark.parametrize(
    ("hours", "seed"),
    [(0.25, 25), pytest.param(24.0, 0, marks=[pytest.mark.slow, pytest.mark.timeout(36_000)])],
)
def test_a_soak_accounts_for_every_joint_and_nanosecond(tmp_path, hours, seed):
    result = supervision_soak.soaked(tmp_path, hours, seed)
    assert (result.findings, result.unaccounted_ns) == ([], 0)
    assert result.share == pytest.approx(100.0, abs=1e-9)
    assert result.good > 40 * hours
    assert result.troubles
    if hours == 24.0:
        assert result.growth <= 5.0


def test_the_journal_is_cheap_and_small(tmp_path):
    entries, cell_s = recorded(tmp_path / "order")
    assert written_again(entries, tmp_path / "again") < 0.01 * cell_s
    filled(entries, tmp_path / "filled.db", 240)
    assert (tmp_path / "filled.db").stat().st_size < 240 * 4000
    with Journal(tmp_path / "filled.db", read_only=True) as journal:
        assert (journal.shift().good, journal.shift().joints) == (240, {})
    assert set(queries(tmp_path / "filled.db", 240, 0)) == {
        "everything about one joint",
        "the last 100 joints before a time",
        "the last 100 joints of a model",
    }
