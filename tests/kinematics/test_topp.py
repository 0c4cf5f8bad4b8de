"""Time-optimal speeds against the linear programs they solve, by scipy."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.optimize import linprog

from kinematics import KinematicsError, Limits, TorqueTerms, path_speeds
from tests.kinematics.samples import few_if_interpreted

LIMITS = Limits(
    velocity=np.array([3.0, 2.0, 3.0, 5.0, 5.0, 8.0]),
    acceleration=np.array([9.0, 8.0, 10.0, 20.0, 22.0, 30.0]),
    jerk=np.full(6, 1e3),
)
S = np.linspace(0.0, 1.0, few_if_interpreted(31, 13))


def paths(rng, count, s=S):
    splines = [CubicSpline(np.linspace(0, 1, 5), rng.uniform(-2, 2, (5, 6))) for _ in range(count)]
    return np.stack([p(s, 1) for p in splines]), np.stack([p(s, 2) for p in splines])


def random_torque(rng, shape, limit=50.0):
    return TorqueTerms(
        inertial=rng.uniform(-5, 5, shape),
        quadratic=rng.uniform(-5, 5, shape),
        static=rng.uniform(-20, 20, shape),
        limit=np.full(6, limit),
    )


def constraints(tangent, curvature, torque, i, ahead):
    """Rows (a, b, bound) of a u + b x <= bound at point i, u and x being those `ahead` = 2 ds before it."""
    rows = [(tangent[i], curvature[i], np.zeros(6), LIMITS.acceleration)]
    if torque is not None:
        rows.append((torque.inertial[i], torque.quadratic[i], torque.static[i], torque.limit))
    for a, b, c, most in rows:
        for sign in (1.0, -1.0):
            yield np.stack([sign * (a + ahead * b), sign * b, most - sign * c], axis=1)


def by_linear_programs(s, tangent, curvature, torque):
    """Squared speeds by the two passes of Pham and Pham (2018), each step a linear program in u and x."""
    most = np.min((LIMITS.velocity / np.maximum(np.abs(tangent), 1e-12)) ** 2, axis=1)

    def step(i, objective, low, high, reach):
        h = 2.0 * (s[i + 1] - s[i])
        both = [*constraints(tangent, curvature, torque, i, 0.0)]
        rows = np.concatenate([*both, *constraints(tangent, curvature, torque, i + 1, h)])
        rows = np.concatenate([rows, [(h, 1.0, reach), (-h, -1.0, 0.0)]])
        found = linprog(
            objective, rows[:, :2], rows[:, 2], bounds=[(None, None), (low, high)], method="highs"
        )
        assert found.status == 0
        return found.x

    K = np.zeros(len(s))
    for i in range(len(s) - 2, -1, -1):
        K[i] = step(i, (0.0, -1.0), 0.0, most[i], K[i + 1])[1]
    x = np.zeros(len(s))
    for i in range(len(s) - 1):
        u, _ = step(i, (-1.0, 0.0), x[i], x[i] + 1e-12, K[i + 1] + 1e-9)
        x[i + 1] = min(max(x[i] + 2.0 * (s[i + 1] - s[i]) * u, 0.0), K[i + 1])
    return x


def duration(s, x):
    return (2.0 * np.diff(s) / (np.sqrt(x[1:]) + np.sqrt(x[:-1]))).sum()


@pytest.mark.parametrize("with_torque", [False, True])
def test_speeds_are_those_of_the_linear_programs(with_torque):
    rng = np.random.default_rng(1)
    for tangent, curvature in zip(*paths(rng, few_if_interpreted(4, 1)), strict=True):
        torque = random_torque(rng, tangent.shape) if with_torque else None
        speeds = path_speeds(S, tangent, curvature, LIMITS, torque)
        expected = by_linear_programs(S, tangent, curvature, torque)
        np.testing.assert_allclose(speeds.squared, expected, rtol=1e-5, atol=1e-6)
        assert speeds.duration == pytest.approx(duration(S, expected), rel=1e-5)
        assert speeds.duration == pytest.approx(duration(S, speeds.squared), rel=1e-12)


def test_all_limits_hold_at_both_ends_of_every_interval():
    rng = np.random.default_rng(2)
    tangent, curvature = paths(rng, few_if_interpreted(100, 4))
    torque = random_torque(rng, tangent.shape, limit=30.0)
    x = path_speeds(S, tangent, curvature, LIMITS, torque).squared
    assert (np.abs(tangent) * np.sqrt(x)[..., None] <= LIMITS.velocity * (1 + 1e-9)).all()
    u = (np.diff(x, axis=1) / (2.0 * np.diff(S)))[..., None]
    for end in (slice(None, -1), slice(1, None)):
        at = x[:, end, None]
        acceleration = tangent[:, end] * u + curvature[:, end] * at
        assert (np.abs(acceleration) <= LIMITS.acceleration * (1 + 1e-6)).all()
        tau = torque.inertial[:, end] * u + torque.quadratic[:, end] * at + torque.static[:, end]
        assert (np.abs(tau) <= torque.limit * (1 + 1e-6)).all()


def test_a_straight_path_takes_the_time_of_a_trapezoid():
    direction = np.array([1.0, 0.3, 0.0, 0.0, 0.0, 0.1])
    s = np.linspace(0.0, 1.0, 401)
    found = path_speeds(s, np.tile(direction, (401, 1)), np.zeros((401, 6)), LIMITS).duration
    v, a = min(LIMITS.velocity[:2] / direction[:2]), min(LIMITS.acceleration[:2] / direction[:2])
    assert found == pytest.approx(2.0 / np.sqrt(a) if v * v > a else 1.0 / v + v / a, rel=1e-3)


def test_one_path_equals_many_whatever_the_block():
    tangent, curvature = paths(np.random.default_rng(3), few_if_interpreted(35, 18))
    many = path_speeds(S, tangent, curvature, LIMITS)
    for i in (0, 15, 16, len(tangent) - 1):
        one = path_speeds(S, tangent[i], curvature[i], LIMITS)
        np.testing.assert_allclose(one.squared, many.squared[i], rtol=1e-12)
        assert one.duration == pytest.approx(many.duration[i], rel=1e-12)
    none = path_speeds(S, tangent[:0], curvature[:0], LIMITS)
    assert none.squared.shape == (0, len(S))
    assert none.duration.shape == (0,)


def test_finer_grids_converge():
    spline = CubicSpline(np.linspace(0, 1, 5), np.random.default_rng(4).uniform(-2, 2, (5, 6)))
    grids = [np.linspace(0, 1, n) for n in ((41, 161, 641) if len(S) > 20 else (11, 21, 41))]
    times = [path_speeds(s, spline(s, 1), spline(s, 2), LIMITS).duration for s in grids]
    assert abs(times[2] - times[1]) < abs(times[1] - times[0])


def test_a_joint_that_turns_back_bounds_the_speed_there_by_its_curvature():
    s = np.linspace(-1.0, 1.0, 41)
    tangent, curvature = np.zeros((41, 6)), np.zeros((41, 6))
    tangent[:, 0], tangent[:, 1] = 0.001, 2.0 * s  # q1 = s^2
    curvature[:, 1] = 2.0
    x = path_speeds(s, tangent, curvature, LIMITS).squared
    assert x[20] <= LIMITS.acceleration[1] / 2.0 * (1 + 1e-6)
    assert x[20] > 0.5 * LIMITS.acceleration[1] / 2.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"s": S[::-1]}, "s: expected at least two, strictly ascending values"),
        ({"s": [0.0]}, "s: expected at least two"),
        ({"tangent": np.zeros((len(S), 6))}, "tangent: 0 at s = 0, expected a path that moves on"),
        ({"curvature": np.ones((3, 6))}, r"curvature: shape \(3, 6\)"),
        ({"curvature": np.full((len(S), 6), np.nan)}, r"curvature\[0, 0\]: nan"),
    ],
)
def test_wrong_input_is_named(change, message):
    right = {"s": S, "tangent": np.ones((len(S), 6)), "curvature": np.zeros((len(S), 6)), "limits": LIMITS}
    with pytest.raises(KinematicsError, match=message):
        path_speeds(**(right | change))


def test_an_arm_that_cannot_hold_itself_up_is_refused():
    torque = random_torque(np.random.default_rng(5), (len(S), 6), limit=5.0)
    with pytest.raises(
        KinematicsError, match=r"torque.static: joint \d needs .* N m at rest at s = .* limit of 5 N m"
    ):
        path_speeds(S, np.ones((len(S), 6)), np.zeros((len(S), 6)), LIMITS, torque)


def test_toppra_agrees():
    toppra = pytest.importorskip("toppra")
    constraint = pytest.importorskip("toppra.constraint")
    algorithm = pytest.importorskip("toppra.algorithm")
    toppra.setup_logging("ERROR")
    rng = np.random.default_rng(6)
    for _ in range(few_if_interpreted(5, 1)):
        path = toppra.SplineInterpolator(np.linspace(0, 1, 5), rng.uniform(-2, 2, (5, 6)))
        limits = [
            constraint.JointVelocityConstraint(np.stack([-LIMITS.velocity, LIMITS.velocity], axis=1)),
            constraint.JointAccelerationConstraint(
                np.stack([-LIMITS.acceleration, LIMITS.acceleration], axis=1)
            ),
        ]
        solver = algorithm.TOPPRA(limits, path, gridpoints=S, solver_wrapper="seidel")
        _, rate, _ = solver.compute_parameterization(0, 0)
        found = path_speeds(S, path(S, 1), path(S, 2), LIMITS)
        assert found.duration == pytest.approx(duration(S, rate**2), rel=1e-4)
