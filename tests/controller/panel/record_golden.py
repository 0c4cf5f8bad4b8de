"""Makes `tests/golden/panel/run.npz`: a run of the bundled cell on drivers without physics, some of them late.

    python -m tests.controller.panel.record_golden

Planned, executed by the engine, and stored: the nodes that ran within the window with planned and actual times, and where
every arm was, ten times a second.
"""

import json
from pathlib import Path

import numpy as np

from controller.app import make_plan, prepare_kernels
from controller.execution.engine import Engine
from controller.execution.fake import FakeArm, FakeClock, FakeStations
from controller.execution.state import Ended, Event

GOLDEN = Path(__file__).parents[2] / "golden" / "panel" / "run.npz"
JOINTS, SEED = 18, 3
WINDOW_S = (240.0, 640.0)
PERIOD_S = 0.1
UNIT_RAD = 2e-4  # q is stored in whole units of this


def main() -> None:
    """Plan, run, store."""
    cell, plan = make_plan("six_arm", (), JOINTS, SEED, lambda *_: None, prepare_kernels(lambda *_: None))
    rng = np.random.default_rng(SEED)
    clock = FakeClock()
    graph = plan.motion.graph
    start: dict[str, np.ndarray] = {}
    for node in graph.nodes:
        if node.leg is not None:
            start.setdefault(node.resource, node.leg.trajectory.q[0])
    arms = {
        arm.id: FakeArm(
            arm.id,
            arm.arm.limits,
            clock,
            lambda: float(rng.exponential(0.25)) if rng.random() < 0.06 else 0.0,
            chain=arm.arm.chain,
            start=start[arm.id],
        )
        for arm in cell.arms
    }
    stations = FakeStations(clock)
    clock.watch(*arms.values(), stations)
    ended: list[Ended] = []

    def listen(event: Event) -> None:
        if isinstance(event, Ended):
            ended.append(event)

    for arm in arms.values():
        arm.enable()
    Engine(graph, arms, stations, clock, listen).run(lambda state: len(state.finished) >= JOINTS + 2)
    _store(cell.arms, graph, plan, ended)


def _store(arms, graph, plan, ended) -> None:  # type: ignore[no-untyped-def]
    times = np.arange(*WINDOW_S, PERIOD_S)
    q = np.zeros((len(times), len(arms), 6))
    for index, arm in enumerate(arms):
        legs = sorted(
            (e for e in ended if graph.nodes[e.node].resource == arm.id), key=lambda event: event.start_ns
        )
        for event in legs:
            trajectory = graph.nodes[event.node].leg.trajectory
            begun = times >= event.start_ns * 1e-9
            local = np.clip(times[begun] - event.start_ns * 1e-9, 0.0, trajectory.duration)
            q[begun, index] = trajectory.sample(local)[0]
    critical = set(graph.critical(plan.motion.starts_s))
    nodes = [
        [
            node.resource,
            node.label,
            node.operation,
            node.serial,
            node.model,
            node.zone,
            "" if node.leg is None else node.leg.station,
            "" if node.leg is None or node.leg.held is None else node.leg.held.name,
            node.finishes,
            event.node in critical,
            round(float(plan.motion.starts_s[event.node]) - WINDOW_S[0], 4),
            round(node.duration_s, 4),
            round(event.start_ns * 1e-9 - WINDOW_S[0], 4),
            round(event.end_ns * 1e-9 - WINDOW_S[0], 4),
        ]
        for event in sorted(ended, key=lambda event: event.start_ns)
        if event.end_ns * 1e-9 > WINDOW_S[0] - 60.0
        and event.start_ns * 1e-9 < WINDOW_S[1] + 60.0
        and not (node := graph.nodes[event.node]).resource.startswith("feeder_")
    ]
    cycles = np.diff(plan.motion.finished_s())
    facts = {
        "nodes": nodes,
        "planned_cycle_s": float(np.mean(cycles[2:])),
        "lower_bound_s": plan.lower_bound_s,
    }
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        GOLDEN,
        q=np.round(q / UNIT_RAD).astype(np.int16),
        facts=np.frombuffer(json.dumps(facts, separators=(",", ":")).encode(), dtype=np.uint8),
    )
    print(f"{GOLDEN}: {GOLDEN.stat().st_size / 1000:.0f} kB, {len(nodes)} nodes")


if __name__ == "__main__":
    main()
