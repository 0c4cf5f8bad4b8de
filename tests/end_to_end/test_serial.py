"""The cell over real bytes against the cell in simulation: the same nodes in the same order, at the same pace.

Both run in wall time or nearly so; an arm that runs out of motion anywhere is a fault and ends the run.
"""

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from controller import app
from controller.console import MET, MISSED
from controller.execution.engine import Engine
from controller.execution.state import CellState, Ended, Event
from controller.run_facts import Driver
from firmware_bridge.emulator import MissingToolError
from firmware_bridge.emulator.build import host_program
from tests.end_to_end.runs import JOINTCELL, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.pybullet, pytest.mark.timeout(2400)]
PACE = 0.03
FIRST_S = 20.0


def first_nodes(driver: Driver, tmp_path: Path) -> tuple[CellState, list[Ended]]:
    """What has ended in the first seconds of the mixed flow."""
    cell, plan = app.make_plan("six_arm", (), 2, 0, lambda *_: None, app.prepare_kernels(lambda *_: None))
    options = app.RunOptions(
        cell="six_arm",
        models=(),
        joints=2,
        driver=driver,
        emulate=driver == "serial",
        seed=0,
        target_s=30.0,
        out=tmp_path,
        command="",
    )
    ended: list[Ended] = []

    def listen(event: Event) -> None:
        if isinstance(event, Ended):
            ended.append(event)

    with ExitStack() as stack:
        drivers = app.make_drivers(options, cell, plan, stack)
        engine = Engine(plan.motion.graph, drivers.arms, drivers.stations, drivers.clock, listen)
        for arm in drivers.arms.values():
            stack.enter_context(arm)
            arm.enable()
        state = engine.run(lambda _: drivers.clock.now_ns > FIRST_S * 1e9)
        assert drivers.world is not None
        assert not drivers.world.collisions
        assert not drivers.world.dropped
    return state, ended


@pytest.fixture(autouse=True)
def compiler() -> None:
    try:
        host_program()
    except MissingToolError as missing:
        pytest.skip(str(missing))


def test_the_first_seconds_go_as_in_simulation(tmp_path: Path) -> None:
    state, serial = first_nodes("serial", tmp_path)
    assert state.fault == ""
    _, simulated = first_nodes("sim", tmp_path)
    ends = {event.node: event.end_ns for event in simulated}
    both = [event for event in serial if event.node in ends]
    assert len(both) >= 0.9 * len(simulated)
    assert all(event.end_ns <= (1 + PACE) * ends[event.node] + 1e8 for event in both)


def test_the_mixed_flow_keeps_the_pace_of_the_simulation(tmp_path: Path) -> None:
    summaries, nodes = {}, {}
    for name, options in (("sim", ()), ("serial", ("--driver", "serial", "--emulate"))):
        out = tmp_path / name
        command = [*JOINTCELL, "run", "--joints", "12", "--out", str(out), *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode in (MET, MISSED), done.stderr
        summaries[name] = json.loads((out / "run.json").read_text())
        events = map(json.loads, (out / "record.jsonl").read_text().splitlines())
        nodes[name] = {event["node"] for event in events if event["type"] == "ended"}
    assert summaries["serial"]["collisions"] == summaries["serial"]["dropped_parts"] == 0
    assert all(joint["good"] for joint in summaries["serial"]["joints"])
    assert len(nodes["serial"] ^ nodes["sim"]) <= 0.02 * len(nodes["sim"])  # what was under way at the end
    paces = [summaries[name]["cycle_time_mean_s"] for name in ("serial", "sim")]
    assert paces[0] == pytest.approx(paces[1], rel=PACE)
