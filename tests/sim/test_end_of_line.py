"""The end-of-line test finds the true figures of a joint, passes sound joints and rejects faulty ones."""

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

from cells.joint_bus import direct
from cells.measurement import Measurement
from firmware_bridge import sca_joint
from firmware_bridge.emulated_line import MemoryLine
from firmware_bridge.sca_bus import ScaBus, ScaJoint
from firmware_bridge.sca_joint import BusEnd
from sim.end_of_line import EndOfLineLimits, end_of_line_test
from sim.end_of_line_limits import TURN_SPEED
from sim.joint_electronics import JointElectronics
from sim.joint_under_test import Assembly, draw

ARCSEC = math.radians(1 / 3600)


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    ratio: int
    torque_rated_nm: float
    diameter_m: float
    mass_kg: float
    backlash_rad: float
    stiffness_nm_per_rad: float
    motor: str
    encoder_bits: int = 14


# smallest and largest of the line, both backlash classes; stiffness is an estimate
MODELS = [
    Model("Pro-NE30-50-70", 51, 6.6, 0.07, 0.562, 20 * ARCSEC, 6e3, "NE30"),
    Model("Pro-NE30-100-70", 101, 10.5, 0.07, 0.562, 10 * ARCSEC, 8e3, "NE30"),
    Model("Pro-PR60-100-90", 101, 47.0, 0.09, 1.23, 10 * ARCSEC, 2.5e4, "PR60"),
    Model("Pro-NU80-50-110", 51, 52.0, 0.11, 1.7, 20 * ARCSEC, 4e4, "NU80"),
    Model("Pro-NU80-160-110", 161, 103.0, 0.11, 1.7, 10 * ARCSEC, 5e4, "NU80"),
]
MODEL = MODELS[2]


def sound(model, seed=0):
    return draw(model, np.random.default_rng(seed), Assembly(flexspline_offset_m=8e-6), f"S{seed}")


def judge(joint, model, seed=1, connect=direct):
    return end_of_line_test(joint, EndOfLineLimits.for_model(model), np.random.default_rng(seed), connect)


def silent_after(exchanges):
    """A bus that dies after so many answers."""

    def connect_dying(joint, full_scale_a):
        bus = sca_joint.connect(joint, full_scale_a)
        line, left = bus.bus._port, itertools.count(exchanges, -1)

        def write(data):
            line.cut = next(left) <= 0
            MemoryLine.write(line, data)

        line.write = write
        return bus

    return connect_dying


@pytest.mark.parametrize("connect", [direct, sca_joint.connect], ids=["direct", "bus"])
@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
@pytest.mark.parametrize("seed", range(5))
def test_measured_values_agree_with_the_true_ones(model, seed, connect):
    joint = sound(model, seed)
    result = judge(joint, model, seed, connect)
    value = {name: m.value for name, m in result.measurements.items()}
    assert result.good, result.reason
    assert result.reason == ""

    wave = np.linspace(0, 2 * math.pi, 1000)
    friction = joint.coulomb_nm * (
        1 + joint.dedoidal_ripple * np.cos(wave) + joint.mesh_ripple * np.cos(2 * wave)
    )
    drag = joint.coulomb_nm + joint.viscous_nms * TURN_SPEED
    assert value["backlash"] == pytest.approx(joint.backlash_rad, abs=0.5 * ARCSEC)
    assert value["stiffness"] == pytest.approx(joint.stiffness_nm_per_rad, rel=0.01)
    assert value["no_load_current"] == pytest.approx(drag / joint.torque_constant_nm_per_a, rel=0.01)
    assert value["current_ripple"] == pytest.approx(np.ptp(friction) / drag, abs=0.03)
    assert value["back_drive_torque"] == pytest.approx(drag * joint.ratio, rel=0.02)
    assert value["torque_constant"] == pytest.approx(joint.torque_constant_nm_per_a, rel=0.06)
    assert value["ratio"] == pytest.approx(joint.ratio, rel=1e-3)
    assert value["supply"] == pytest.approx(joint.supply_v, abs=0.02)
    assert value["idle_current"] == pytest.approx(joint.idle_current_a, abs=0.002)
    lag = joint.pole_pairs * (value["encoder_offset"] - joint.electrical_zero_rad)
    assert abs(math.remainder(lag, 2 * math.pi)) < math.radians(0.5)


FAULTS = {
    "backlash above the catalogue": ({"backlash_rad": 1.1 * MODEL.backlash_rad}, "backlash"),
    "backlash beyond the loop": ({"backlash_rad": 100 * MODEL.backlash_rad}, "backlash"),
    "dedoidal mesh": ({"dedoidal_ripple": 0.2}, "current_ripple"),
    "one encoder bit dead": ({"encoder_dead_bits": 1 << 6}, "encoder_bit_balance"),
    "encoder silent": ({"encoder_dead_bits": -1}, "field_travel"),
    "friction doubled": ({"coulomb_nm": 2 * sound(MODEL).coulomb_nm}, "back_drive_torque"),
    "another ratio built in": ({"ratio": 81}, "ratio"),
    "soft load path": ({"stiffness_nm_per_rad": 0.6 * MODEL.stiffness_nm_per_rad}, "stiffness"),
    "weak magnets": ({"torque_constant_nm_per_a": 0.07}, "torque_constant"),
    "supply drops": ({"supply_v": 40.5}, "supply"),
    "electronics draw too much": ({"idle_current_a": 0.11}, "idle_current"),
    "supply too low to start": ({"supply_v": 23.0}, "alarm"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_rejected_for_its_own_reason(fault):
    change, measurement = FAULTS[fault]
    result = judge(replace(sound(MODEL), **change), MODEL, connect=sca_joint.connect)
    assert not result.good
    assert not result.measurements[measurement].ok
    assert measurement in result.reason


def test_a_badly_seated_flexspline_is_found():
    joint = draw(MODEL, np.random.default_rng(2), Assembly(flexspline_offset_m=120e-6), "S")
    assert "current_ripple" in judge(joint, MODEL).reason


def test_what_cannot_be_measured_is_said_so():
    result = judge(replace(sound(MODEL), backlash_rad=0.01), MODEL)
    assert "backlash could not be measured" in result.reason


def test_the_bus_changes_values_by_what_it_rounds_off():
    joint = sound(MODEL)
    plain, wired = judge(joint, MODEL), judge(joint, MODEL, connect=sca_joint.connect)
    for name, measurement in plain.measurements.items():
        if (
            name != "encoder_bit_balance"
        ):  # a share of samples; a speed that is 1e-6 less falls on other counts
            assert wired.measurements[name].value == pytest.approx(measurement.value, rel=5e-3), name
    assert wired == judge(joint, MODEL, connect=sca_joint.connect)


def test_a_bus_with_both_kinds_of_answers_gives_the_same():
    def with_crc(joint, full_scale_a):
        end = BusEnd(joint, 7, full_scale_a, bare_status=False)
        return ScaJoint(ScaBus(MemoryLine(end, lambda: 0.0)), 7, full_scale_a)

    joint = sound(MODEL)
    assert judge(joint, MODEL, connect=with_crc) == judge(joint, MODEL, connect=sca_joint.connect)


@pytest.mark.parametrize("exchanges", [0, 1, 2, 30, 60, 2000, 5000])
def test_a_joint_that_falls_silent_is_rejected(exchanges):
    result = judge(sound(MODEL), MODEL, connect=silent_after(exchanges))
    assert result.reason == "bus could not be measured"


def test_another_joint_on_the_nest_is_noticed():
    class Stranger(JointElectronics):
        def find(self):
            return (1,)

    def exchanged(joint, full_scale_a):
        joint.__class__ = Stranger
        return sca_joint.connect(joint, full_scale_a)

    assert judge(sound(MODEL), MODEL, connect=exchanged).reason == "bus 0 joints outside 1 to 1"


def test_nothing_moves_that_was_not_enabled():
    class Weak(ScaJoint):
        def enable(self, on):
            pass

    def never_on(joint, full_scale_a):
        bus = sca_joint.connect(joint, full_scale_a)
        return Weak(bus.bus, 1, full_scale_a)

    result = judge(sound(MODEL), MODEL, connect=never_on)
    assert not result.measurements["torque_constant"].ok
    assert not result.measurements["no_load_current"].ok


def test_the_stages_fit_their_time_in_the_cycle():
    assert all(
        used <= given for used, given in zip(judge(sound(MODEL), MODEL).stage_s, (7, 6, 6), strict=True)
    )


def test_the_same_seed_measures_the_same():
    assert judge(sound(MODEL), MODEL) == judge(sound(MODEL), MODEL)
    assert judge(sound(MODEL), MODEL) != judge(sound(MODEL), MODEL, seed=2)


@pytest.mark.parametrize(
    ("value", "ok"), [(1.0, True), (2.0, True), (0.999, False), (2.001, False), (math.nan, False)]
)
def test_window_includes_its_limits(value, ok):
    assert Measurement(name="m", value=value, unit="V", low=1.0, high=2.0).ok is ok


def test_records_carry_no_nan_and_no_infinity():
    open_ended = Measurement(name="m", value=math.nan, unit="V", high=2.0).as_record()
    assert open_ended == {"value": None, "unit": "V", "low": None, "high": 2.0, "ok": False}


def test_words_say_value_and_window():
    assert str(Measurement(name="m", value=1.5, unit="V", low=1, high=2)) == "m 1.5 V within 1 to 2"
    assert str(Measurement(name="m", value=3, unit="V", low=1, high=2)) == "m 3 V outside 1 to 2"
