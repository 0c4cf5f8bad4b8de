"""Planted faults: `verify` finds all that do harm."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from controller.bench.plan_mix import CELL, mix_plan
from controller.bench.plan_mutations import FAULTS, Judged, judged
from controller.bench.row import Figure, Options, Row
from controller.motion.plan import MotionPlanner
from controller.motion.plan_files import read_plan, write_plan
from controller.motion.plan_records import cell_record

_JOINTS = 2
_FAULTS, _PLAYS = 200, 16


def rows(options: Options) -> Iterator[Row]:
    """Faults in a plan of two joints; one of each kind in the quick form."""
    mix = mix_plan(options.seed)
    motion = mix.plan.motion
    order = motion.order[:_JOINTS]
    small = MotionPlanner(mix.cell).plan(motion.schedule, order, retreats=motion.retreats, rules=motion.rules)
    with tempfile.TemporaryDirectory() as folder:
        write_plan(Path(folder), small, mix.cell, CELL)
        stored = read_plan(Path(folder))
    count, plays = (len(FAULTS), 4) if options.quick else (_FAULTS, _PLAYS)
    found = list(
        judged(
            stored,
            mix.cell,
            cell_record(mix.cell, CELL),
            tuple({model.name: model for model in order}.values()),
            count=count,
            plays=plays,
            rng=np.random.default_rng(options.seed),
        )
    )
    yield from fault_rows(found)


def fault_rows(found: list[Judged]) -> Iterator[Row]:
    """What became of the faults."""
    harmful = [item for item in found if item.harm]
    missed = [item for item in harmful if not item.found]
    rules = Counter(item.found.split(":")[0] for item in harmful if item.found)
    named = "; ".join(f"{item.fault.detail}: {item.harm}" for item in missed[:3])
    yield Figure(
        name="planted faults: harmful ones that verify overlooks",
        value=len(missed),
        goal=0,
        must_hold=True,
        note=named
        or f"{len(harmful)} of {len(found)} do harm; found by "
        + ", ".join(f"{rule} {count}" for rule, count in rules.most_common()),
    )
    strict = [item for item in found if item.found and not item.harm]
    yield Figure(
        name="planted faults: refused though no harm was seen",
        value=len(strict),
        note=", ".join(f"{kind} {n}" for kind, n in Counter(i.fault.kind for i in strict).most_common(6)),
    )
