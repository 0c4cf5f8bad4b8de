"""Laws of the parts of all models: nothing overlaps, all can be held and put in, fits are the shapes'."""

import math
from collections.abc import Iterable, Iterator

import pytest

from cells.joint_model import JointModel, joint_model_names, load_joint_model
from cells.part import FINGER_HEIGHT_M, Part, Section, parts_of
from cells.recipe import NEST, Pick, Place, recipe_for
from cells.tool_shape import (
    FINGER_MAX_M,
    FINGER_MIN_M,
    FINGER_THICKNESS_M,
    FINGER_WIDTH_M,
    finger_open_m,
)

MODELS = [load_joint_model(name) for name in joint_model_names()]
EVERY_MODEL = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
TOUCH_M = 1e-9  # what rounding may make of two faces that touch
FOREVER_M = 1.0


def seen_from(side: str, part: Part) -> list[Section]:
    """The sections of a seated part, z pointing to the open side of the joint from which work is done."""
    if part.side == side:
        return list(part.sections)
    return [
        Section(r_in_m=s.r_in_m, r_out_m=s.r_out_m, z_low_m=-s.z_high_m, z_high_m=-s.z_low_m)
        for s in part.sections
    ]


def overlap(a: Section, b: Section) -> bool:
    """Whether two rings share a volume: their rectangles in the r-z plane do."""
    return (
        min(a.r_out_m, b.r_out_m) - max(a.r_in_m, b.r_in_m) > TOUCH_M
        and min(a.z_high_m, b.z_high_m) - max(a.z_low_m, b.z_low_m) > TOUCH_M
    )


def gaps(part: list[Section], other: list[Section]) -> Iterator[tuple[float, float]]:
    """(radial gap, lift at which the two meet) of every pair of rings beside each other."""
    for a in part:
        for b in other:
            if min(a.z_high_m, b.z_high_m) - max(a.z_low_m, b.z_low_m) > TOUCH_M:
                gap = max(a.r_in_m - b.r_out_m, b.r_in_m - a.r_out_m)
                yield gap, b.z_high_m - a.z_low_m


def from_above(sections: Iterable[Section]) -> list[Section]:
    """What they pass through on their way straight down."""
    return [
        Section(r_in_m=s.r_in_m, r_out_m=s.r_out_m, z_low_m=s.z_low_m, z_high_m=FOREVER_M) for s in sections
    ]


def fingers(part: Part, middle_m: float) -> Section:
    """The ring that two fingers stay in, at any turn of the gripper, from the pads' lower edge upwards."""
    inner, outer = middle_m - FINGER_THICKNESS_M / 2, middle_m + FINGER_THICKNESS_M / 2
    if part.grip.internal:  # a flat pad meets a bore with its edges, which then stand where its face would be
        outer = min(part.grip.radius_m, math.hypot(outer, FINGER_WIDTH_M / 2))
        inner = math.sqrt(part.grip.radius_m**2 - (FINGER_WIDTH_M / 2) ** 2) - FINGER_THICKNESS_M
    else:
        outer = math.hypot(outer, FINGER_WIDTH_M / 2)
    low = part.grip.height_m - FINGER_HEIGHT_M / 2
    return Section(r_in_m=inner, r_out_m=outer, z_low_m=low, z_high_m=FOREVER_M)


def put_into_nest(model: JointModel) -> Iterator[tuple[str, list[str], set[str]]]:
    """Gripped part, parts that come in with it, parts that may be there before it in an allowed order."""
    recipe = recipe_for(model)
    brings: dict[str, list[str]] = {}
    for operation in recipe.operations:
        sources = [step.station for step in operation.steps if isinstance(step, Pick)]
        if Place(station=NEST) in operation.steps or any(
            isinstance(step, Place) and step.station == NEST for step in operation.steps
        ):
            station = sources[0]
            loaded = [p for p in recipe.processes if p.station == station]
            feeders = (
                [sources[0]]
                if not loaded
                else [
                    step.station
                    for load in loaded[0].loads
                    for step in recipe.operation(load).steps
                    if isinstance(step, Pick)
                ]
            )
            brings[operation.number] = [feeder.removeprefix("feeder_") for feeder in feeders]

    def later(number: str) -> set[str]:
        found: set[str] = set()
        for operation in recipe.operations:
            if number in operation.needs:
                found |= {operation.number} | later(operation.number)
        return found

    parts = parts_of(model)
    for number, names in brings.items():
        present = {
            name
            for other, others in brings.items()
            if other != number and other not in later(number)
            for name in others
            # Rear parts go in once the joint has been turned over, when all front work is done.
            if not (parts[names[0]].side == "front" and parts[name].side == "rear")
        }
        yield names[-1], names, present


@EVERY_MODEL
def test_no_two_seated_parts_overlap(model: JointModel) -> None:
    parts = list(parts_of(model).values())
    for index, one in enumerate(parts):
        for two in parts[index + 1 :]:
            clash = [
                (a, b) for a in seen_from("front", one) for b in seen_from("front", two) if overlap(a, b)
            ]
            assert not clash, f"{one.name} and {two.name} overlap: {clash[0]}"


@EVERY_MODEL
def test_everything_stays_inside_the_joint_but_two_hubs(model: JointModel) -> None:
    beyond = {
        part.name
        for part in parts_of(model).values()
        if max(abs(part.bottom_m), abs(part.top_m)) > model.length_m / 2 + TOUCH_M
        or part.radius_m > model.diameter_m / 2 + TOUCH_M
    }
    assert beyond == {"output_flange", "cap"}


@EVERY_MODEL
def test_every_ring_has_a_size_and_bottom_top_and_radius_are_the_extremes(model: JointModel) -> None:
    for part in parts_of(model).values():
        assert all(0.0 <= s.r_in_m < s.r_out_m and s.z_low_m < s.z_high_m for s in part.sections)
        assert part.bottom_m == sorted(s.z_low_m for s in part.sections)[0]
        assert part.top_m == sorted(s.z_high_m for s in part.sections)[-1]
        assert part.radius_m == sorted(s.r_out_m for s in part.sections)[-1]


@EVERY_MODEL
def test_masses_add_up_to_the_models(model: JointModel) -> None:
    assert math.fsum(part.mass_kg for part in parts_of(model).values()) == pytest.approx(
        model.mass_kg, rel=1e-12
    )


@EVERY_MODEL
def test_pads_lie_on_a_face_of_the_part_and_within_the_fingers_travel(model: JointModel) -> None:
    for part in parts_of(model).values():
        grip = part.grip
        low, high = grip.height_m - FINGER_HEIGHT_M / 2, grip.height_m + FINGER_HEIGHT_M / 2
        faces = [
            s
            for s in part.sections
            if (s.r_in_m if grip.internal else s.r_out_m) == pytest.approx(grip.radius_m)
        ]
        covered = max(min(high, s.z_high_m) - max(low, s.z_low_m) for s in faces)
        assert covered >= FINGER_HEIGHT_M / 4, f"{part.name}: pads touch {covered * 1e3:.1f} mm only"
        assert FINGER_MIN_M <= finger_open_m(part) <= FINGER_MAX_M, part.name
        inwards = -1.0 if grip.internal else 1.0
        assert FINGER_MIN_M <= grip.radius_m + inwards * FINGER_THICKNESS_M / 2 <= FINGER_MAX_M, part.name


@EVERY_MODEL
def test_open_and_closed_fingers_touch_neither_the_part_nor_what_is_in_the_nest(model: JointModel) -> None:
    parts = parts_of(model)
    for gripped, brought, present in put_into_nest(model):
        part = parts[gripped]
        solid = [s for name in (*brought, *present) for s in seen_from(part.side, parts[name])]
        outwards = -1.0 if part.grip.internal else 1.0
        for middle in (finger_open_m(part), part.grip.radius_m + outwards * FINGER_THICKNESS_M / 2):
            ring = fingers(part, middle)
            clash = [section for section in solid if overlap(ring, section)]
            assert not clash, f"{gripped}: fingers at {middle * 1e3:.2f} mm touch {clash[0]}"


@EVERY_MODEL
def test_every_part_can_be_let_down_in_any_order_the_recipe_allows(model: JointModel) -> None:
    parts = parts_of(model)
    for gripped, brought, present in put_into_nest(model):
        side = parts[gripped].side
        way = from_above(s for name in brought for s in seen_from(side, parts[name]))
        for name in present:
            clash = [s for s in seen_from(side, parts[name]) if any(overlap(w, s) for w in way)]
            assert not clash, f"{gripped} meets {name} at {clash[0]}"


@EVERY_MODEL
def test_clearance_and_entry_are_those_of_the_shapes(model: JointModel) -> None:
    parts = parts_of(model)
    checked = set()
    for gripped, brought, present in put_into_nest(model):
        fit, side = parts[gripped].fit, parts[gripped].side
        if fit.entry_m == 0.0:
            continue
        own = [s for name in brought for s in seen_from(side, parts[name])]
        found = [g for name in present for g in gaps(own, seen_from(side, parts[name]))]
        assert min(gap for gap, _ in found) == pytest.approx(fit.clearance_m, abs=1e-9), gripped
        guided = max(lift for gap, lift in found if gap <= fit.clearance_m + 2e-4)
        assert guided == pytest.approx(fit.entry_m, abs=1e-4), gripped
        checked.add(gripped)
    assert checked == {
        "stator",
        "rotor",
        "wave_generator",
        "circular_spline",
        "output_flange",
        "brake",
        "board",
        "cap",
    }


@EVERY_MODEL
def test_the_force_of_a_good_insertion_lies_in_its_window(model: JointModel) -> None:
    for part in parts_of(model).values():
        fit = part.fit
        assert fit.force_n(-0.001) == 0.0
        assert fit.force_low_n <= fit.force_n(fit.entry_m) <= fit.force_high_n
        assert fit.force_n(fit.entry_m / 2) == pytest.approx(fit.force_n(fit.entry_m) / 2)
        # Half a millimetre of arm travel beyond the seat closes the gap; a whole one is too much.
        assert fit.force_n(fit.entry_m + 0.001) - fit.force_n(fit.entry_m) == pytest.approx(200.0)
