"""Distance, collision and continuous check of six arms among boxes, beside coal through pinocchio."""

from collections.abc import Iterator

import numpy as np

from cells import load_arm
from controller.bench.crowd import ARM, Coal, crowd, states
from controller.bench.row import Comparison, Figure, Options, Row, measure
from kinematics import clearance, collides, first_contact, through


def rows(options: Options) -> Iterator[Row]:
    """Smallest distance and collision of random states, in batches and one by one, and along motions."""
    rng = np.random.default_rng(options.seed)
    scene = crowd(rng)
    count, some = (512, 100) if options.quick else (8192, 400)
    q = states(scene, count, rng)
    coal = Coal(scene) if options.peers else None
    distances, hits = clearance(scene, q), collides(scene, q)
    apart = distances[:some] > 0.0
    theirs = np.array([coal.distance(row) for row in q[:some]]) if coal else None
    yield Comparison(
        name=f"smallest distance, {count} states of 6 arms and 30 boxes",
        ours=measure(lambda: clearance(scene, q), items=count),
        peer="coal computeDistances",
        theirs=None
        if coal is None
        else measure(lambda: [coal.distance(row) for row in q[:some]], items=some, repeats=5),
        goal=200.0,
        error=None if theirs is None else float(np.abs(distances[:some] - theirs)[apart].max()),
        error_limit=1e-6,
        error_unit="m",
        note=f"{coal.pairs if coal else 1815} pairs; of states without collision; {100 * hits.mean():.0f} % collide",
    )
    yield Comparison(
        name=f"collision, {count} states of 6 arms and 30 boxes",
        ours=measure(lambda: collides(scene, q), items=count),
        peer="coal DynamicAABBTree",
        theirs=None
        if coal is None
        else measure(lambda: [coal.collides(row) for row in q[:some]], items=some, repeats=5),
        goal=30.0,
    )
    if coal:
        checked = states(scene, 2000 if options.quick else 100_000, rng)
        hits = collides(scene, checked)
        disputed = np.flatnonzero(np.array([coal.collides(row) for row in checked]) != hits)
        # Where coal's collide says one thing and its distance another, the distance decides.
        wrong = sum((coal.distance(checked[k]) < 0.0) != hits[k] for k in disputed)
        yield Figure(
            name=f"collision: disagreements with coal in {len(checked)} states",
            value=float(wrong),
            goal=0.0,
            must_hold=True,
            note=f"besides {len(disputed) - wrong} in which coal's collide contradicts coal's own distance",
        )
    yield Comparison(
        name="smallest distance, a single state",
        ours=measure(lambda: [clearance(scene, row) for row in q[:50]], items=50),
        peer="coal computeDistances",
        theirs=None
        if coal is None
        else measure(lambda: [coal.distance(row) for row in q[:50]], items=50, repeats=5),
    )
    yield Comparison(
        name="collision, a single state",
        ours=measure(lambda: [collides(scene, row) for row in q[:50]], items=50),
        peer="coal DynamicAABBTree",
        theirs=None
        if coal is None
        else measure(lambda: [coal.collides(row) for row in q[:50]], items=50, repeats=5),
    )
    yield from _motions(options, rng)


def _motions(options: Options, rng: np.random.Generator) -> Iterator[Row]:
    """Continuous check of six motions at a time, against states taken densely from them."""
    scene, arm = crowd(rng), load_arm(ARM)
    low, high = 0.5 * arm.chain.q_min, 0.5 * arm.chain.q_max
    count, dense, clear = (6, 1000, 0.01) if options.quick else (40, 10_000, 0.01)
    sets = [[through(rng.uniform(low, high, (3, 6)), arm.limits) for _ in scene.bodies] for _ in range(count)]
    found = [first_contact(scene, motions, clear) for motions in sets]
    missed = 0
    for motions, contact in zip(sets, found, strict=True):
        t = np.linspace(0.0, max(motion.duration for motion in motions), dense)
        near = t[clearance(scene, np.stack([m.sample(t)[0] for m in motions], axis=1), clear) < clear]
        missed += len(near) > 0 and (contact is None or contact > near[0])
    yield Comparison(
        name=f"first contact of 6 motions, {count} sets",
        ours=measure(
            lambda: [first_contact(scene, motions, clear) for motions in sets], items=count, repeats=3
        ),
        note="proven between samples; bound of the time within 1 mm of the clearance",
    )
    yield Figure(
        name=f"first contact: missed or late beside {dense} states of each set",
        value=float(missed),
        goal=0.0,
        must_hold=True,
    )
