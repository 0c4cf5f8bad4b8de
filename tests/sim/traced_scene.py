"""A short run with many kinds of events; prints the hash of its trace, to compare processes."""

import sys
import time

import controller.app  # noqa: F401  with all its kernels, the cache is that of the tests
import kinematics
from cells.cell import load_cell
from cells.joint_model import load_joint_model
from cells.part import parts_of
from sim.world import World
from tests.sim.handling import Hand, cycle

MODEL = "Pro-PR60-50-90"


def run(seed: int) -> World:
    """Feed, grip, insert twice and index."""
    world = World(load_cell("six_arm"), seed)
    parts = parts_of(load_joint_model(MODEL))
    hand = Hand(world, "R1")
    for name in ("housing", "stator"):
        part = parts[name]
        cycle(world, f"feeder_{name}", model=MODEL, serial="J1")
        hand.run(*hand.fetch(f"feeder_{name}", part))
        hand.run(*hand.place("P0", part, max(part.fit.entry_m, 0.003)))
        hand.run(*hand.leave("P0", part))
    cycle(world, "dial", 1.2)
    return world


if __name__ == "__main__":
    kinematics.use_cache()
    began = time.perf_counter()
    done = run(int(sys.argv[1]))
    print(done.trace_sha256(), done.time_ns * 1e-9 / (time.perf_counter() - began))
