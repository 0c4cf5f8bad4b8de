"""Planted faults: the judge against coal and by hand, and that `verify` overlooks nothing that does harm."""

import dataclasses
from dataclasses import replace

import coal
import numpy as np
import pytest

from cells.recipe import recipe_for
from controller.bench.plan_faults import fault_rows
from controller.bench.plan_mutations import FAULTS, Fault, Judged, judged
from controller.bench.plan_oracle import Oracle, capsule_distance
from controller.bench.plan_play import Play, play
from controller.motion.plan_files import read_plan, write_plan
from controller.motion.plan_records import cell_record
from controller.motion.reduction import reduced
from tests.controller.motion.small_plan import CELL, cell, models, planned


def written(directory, joints):
    plan = planned(joints)
    write_plan(directory, replace(plan, graph=reduced(plan.graph)), cell(), CELL)
    return read_plan(directory)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    return written(tmp_path_factory.mktemp("plan"), 1)


def recipes():
    return {model.name: recipe_for(model) for model in models()}


def study(stored, count, plays, seed):
    used = tuple(model for model in models() if model.name in stored.document.order)
    return list(
        judged(
            stored,
            cell(),
            cell_record(cell(), CELL),
            used,
            count=count,
            plays=plays,
            rng=np.random.default_rng(seed),
        )
    )


def test_the_distance_of_capsules_is_that_of_coal():
    rng = np.random.default_rng(4)
    ones, twos = (
        np.dstack([rng.uniform(-1, 1, (60, 1, 6)), rng.uniform(0.01, 0.2, (60, 1, 1))]) for _ in range(2)
    )
    twos[:10, :, 3:6] = twos[:10, :, :3] + 0.5 * (ones[:10, :, 3:6] - ones[:10, :, :3])  # parallel

    def shape(row):
        a, b, r = row[:3], row[3:6], row[6]
        length = np.linalg.norm(b - a)
        z = (b - a) / length
        x = np.cross(z, [1.0, 0.0, 0.0] if abs(z[0]) < 0.7 else [0.0, 1.0, 0.0])
        x /= np.linalg.norm(x)
        return coal.Capsule(r, length), coal.Transform3s(np.column_stack([x, np.cross(z, x), z]), (a + b) / 2)

    for one, two in zip(ones, twos, strict=True):
        (g1, t1), (g2, t2) = shape(one[0]), shape(two[0])
        wanted = coal.distance(g1, t1, g2, t2, coal.DistanceRequest(), coal.DistanceResult())
        found = capsule_distance(one[None], two[None])
        # Where axes meet, coal tells how far to push apart; here the axes' distance counts.
        assert found == pytest.approx(wanted, abs=1e-5) or (wanted < 0 and found < 0)


def test_a_play_without_delays_is_the_plan_and_breaks_nothing(stored):
    starts, ends = play(stored, np.zeros(len(stored.document.nodes)))
    np.testing.assert_allclose(starts, [node.start_s for node in stored.document.nodes], atol=1e-9)
    assert list(Play(stored, recipes(), starts, ends).broken()) == []


def test_the_untouched_plan_does_no_harm_however_it_is_played(stored):
    focus = range(len(stored.document.nodes))
    assert Oracle(recipes()).harm(stored, focus, np.random.default_rng(5), 12) == ""


def test_the_judge_sees_a_dial_that_turns_too_early(stored):
    starts, ends = play(stored, np.zeros(len(stored.document.nodes)))
    turn = next(index for index, node in enumerate(stored.document.nodes) if node.resource == "dial")
    starts[turn] -= 3.0
    ends[turn] -= 3.0
    lines = list(Play(stored, recipes(), starts, ends).broken())
    assert any("the dial turns during" in line for line in lines)


def test_harmful_faults_of_every_kind_are_found(stored):
    found = study(stored, len(FAULTS), 2, 3)
    assert {item.fault.kind for item in found} == set(FAULTS)
    assert [item for item in found if item.overlooked] == []
    assert sum(bool(item.harm) for item in found) >= len(FAULTS) / 3
    assert any(not item.found for item in found)  # not everything is refused


def test_what_is_overlooked_is_a_row_that_must_hold():
    fault = Fault(kind="arc", detail="R1 does not wait", stored=None, focus=())
    good = Judged(fault=fault, harm="they meet", found="clearance: they may meet")
    missed = dataclasses.replace(good, found="")
    strict = dataclasses.replace(good, harm="")
    overlooked, refused = fault_rows([good, missed, strict])
    assert (overlooked.value, overlooked.wrong, refused.value) == (1, True, 1)
    assert "R1 does not wait: they meet" in overlooked.note
    assert not next(fault_rows([good, strict])).wrong


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_two_hundred_faults(tmp_path):
    found = study(written(tmp_path, 2), 200, 16, 7)
    assert [item for item in found if item.overlooked] == []
