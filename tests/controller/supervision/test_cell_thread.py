"""The cell's thread: requests from other threads, pictures, an end that leaves everything at rest."""

import subprocess
import time
from contextlib import contextmanager
from shutil import which

import numpy as np
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from controller.bench.fast_cell import MODELS, FastCell, cell
from controller.execution.fake import FakeClock
from controller.supervision.cell_thread import CellThread
from controller.supervision.packml import Command, State
from controller.supervision.requests import GiveCommand, LoadFeeder, QueueOrder
from controller.supervision.shift import JournalError


@contextmanager
def made(plant):
    yield plant.supervisor
    plant.end()


def give(thread, command):
    answer = thread.ask(GiveCommand(command=command), "ann")
    assert answer.accepted, answer.reason


def wait(thread, *states, seconds=60.0):
    until = time.monotonic() + seconds
    while thread.view.state not in states:
        assert time.monotonic() < until, (thread.view.state, thread.view.cause)
        time.sleep(0.005)
    return thread.view


def started(thread, count=3):
    assert thread.ask(QueueOrder(order="A", lines={MODELS[0]: count}), "ann").accepted
    assert thread.ask(LoadFeeder(feeder="feeder_cap", batch="C-7", count=50), "ann").accepted
    give(thread, Command.RESET)
    wait(thread, State.IDLE)
    give(thread, Command.START)
    return wait(thread, State.EXECUTE)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Pictures of an order from start to end, and the metrics then."""
    with CellThread(
        lambda: made(FastCell(tmp_path_factory.mktemp("cell"), clock=FakeClock(1_000_000_000)))
    ) as thread:
        pictures = [thread.view, started(thread)]
        while pictures[-1].state is not State.COMPLETE:
            if thread.view.number > pictures[-1].number:
                pictures.append(thread.view)
            time.sleep(0.001)
        return pictures, generate_latest(thread.metrics.registry).decode()


def test_pictures_follow_the_cell(finished):
    pictures, _ = finished
    numbers = [picture.number for picture in pictures]
    assert numbers == sorted(numbers)
    last = pictures[-1]
    assert (last.good, last.rejected, len(last.cycles)) == (3, 0, 3)
    assert last.cycles[0].cycle_s is None
    assert 20.0 < last.cycles[2].cycle_s < 60.0
    assert last.orders[0].good == 3
    assert last.feeders["feeder_cap"] == ("C-7", 47)
    assert all("a round of the cell's loop took" in reason for reason in last.health)  # while it planned
    assert last.oee is not None
    assert 0.0 < last.oee.availability <= 1.0
    working = [picture for picture in pictures if any(arm.leg for arm in picture.arms)]
    assert working
    for picture in working[:: max(1, len(working) // 20)]:
        for arm, placed in zip(picture.arms, cell().arms, strict=True):
            assert arm.points.shape == (8, 3)
            assert np.allclose(arm.points[0], placed.X_WB[:3, 3])
            assert 0.0 <= arm.progress <= 1.0
            if not arm.leg and arm.account.account == "waiting":
                assert arm.account.whom
        assert any(bar.ended_ns is None for bar in picture.bars)
        assert any(bar.critical for bar in picture.bars)


def test_bars_never_contradict_what_happened(finished):
    pictures, _ = finished
    for picture in pictures[:: max(1, len(pictures) // 20)]:
        for bar in picture.bars:
            assert bar.began_ns is not None or bar.ended_ns is None
            assert bar.ended_ns is None or bar.began_ns <= bar.ended_ns <= picture.time_ns


def test_metrics_are_well_formed(finished):
    _, text = finished
    families = {family.name: family for family in text_string_to_metric_families(text)}
    parts = families["cell_parts"].samples
    assert sum(s.value for s in parts if s.name == "cell_parts_total" and s.labels["result"] == "good") == 3
    cycles = {s.name: s.value for s in families["cell_cycle_duration_seconds"].samples if not s.labels}
    assert cycles["cell_cycle_duration_seconds_count"] == 2
    states = {s.labels["state"]: s.value for s in families["cell_state"].samples}
    assert [state for state, value in states.items() if value] == ["complete"]
    assert len(states) == len(State)
    assert {s.labels["arm"] for s in families["cell_arm_wait_seconds"].samples} == {
        f"R{k}" for k in range(1, 7)
    }
    assert families["cell_plan_duration_seconds"].samples


@pytest.mark.skipif(which("promtool") is None, reason="promtool comes with Prometheus")
def test_metrics_please_promtool(finished):
    _, text = finished
    answer = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr


def test_a_stop_is_decided_before_what_waits_and_the_end_is_at_rest(tmp_path):
    plant = None

    @contextmanager
    def make():
        nonlocal plant
        plant = FastCell(tmp_path, clock=FakeClock(10_000_000))
        yield plant.supervisor
        assert plant.supervisor.unit.state is State.STOPPED
        plant.end()

    with CellThread(make) as thread:
        started(thread)
    assert all(arm.due() is None for arm in plant.arms.values())
    assert thread.view.state is State.STOPPED
    assert thread.view.cause == "the controller ends"
    assert "has ended" in thread.ask(GiveCommand(command=Command.RESET), "ann").reason


def test_a_journal_that_cannot_be_opened_is_named(tmp_path):
    (tmp_path / "cell-000001.db").write_bytes(b"no journal at all, whatever its name says" * 99)
    with (
        pytest.raises(JournalError, match=r"cell-000001.db: cannot be opened"),
        CellThread(lambda: made(FastCell(tmp_path))),
    ):
        pass
