import numpy as np
import pinocchio
import pytest

from kinematics import (
    Bodies,
    KinematicsError,
    SerialChain,
    gravity_torques,
    inverse_dynamics,
    link_frames,
    mass_matrix,
)
from tests.kinematics.arms import ARMS
from tests.kinematics.samples import few_if_interpreted
from tests.reference.serial_arms import pinocchio_of, random_bodies, random_chain

N = few_if_interpreted(100, 12)
CHAIN = random_chain(np.random.default_rng(5), gravity=[1.0, -2.0, -9.0])  # on a tilted base


def parallel_axes(slant):
    """A chain whose axes are parallel, or nearly so: where common normals are far away."""
    c, s = np.cos(slant), np.sin(slant)
    X = np.tile(np.eye(4), (7, 1, 1))
    X[:, :3, :3] = [[1, 0, 0], [0, c, -s], [0, s, c]]
    X[:, :3, 3] = np.random.default_rng(9).uniform(-0.5, 0.5, (7, 3))
    limit = np.full(6, 3.0)
    return SerialChain(X_joint=X, q_min=-limit, q_max=limit, bodies=random_bodies(np.random.default_rng(10)))


CHAINS = {
    "random": CHAIN,
    "parallel": parallel_axes(0.0),
    "nearly parallel": parallel_axes(3.7e-6),
    "opposite": parallel_axes(np.pi),
    "OPW": ARMS["GP7"][0].serial(random_bodies(np.random.default_rng(11))),
}


def motion(count, seed=6):
    return np.random.default_rng(seed).uniform(-3, 3, (3, count, 6))


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("count", [1, 7, N])
def test_torques_equal_pinocchio(name, count):
    chain = CHAINS[name]
    model = pinocchio_of(chain)
    data = model.createData()
    q, qd, qdd = motion(count)
    expected = [pinocchio.rnea(model, data, *one) for one in zip(q, qd, qdd, strict=True)]
    np.testing.assert_allclose(inverse_dynamics(chain, q, qd, qdd), expected, atol=1e-11)


@pytest.mark.parametrize("name", CHAINS)
def test_mass_matrix_and_gravity_equal_pinocchio(name):
    chain = CHAINS[name]
    model = pinocchio_of(chain)
    data = model.createData()
    q = motion(10)[0]
    for one, M, gravity in zip(q, mass_matrix(chain, q), gravity_torques(chain, q), strict=True):
        upper = np.triu(pinocchio.crba(model, data, one))
        np.testing.assert_allclose(M, upper + np.triu(upper, 1).T, atol=1e-12)
        np.testing.assert_allclose(gravity, pinocchio.computeGeneralizedGravity(model, data, one), atol=1e-11)
    np.testing.assert_allclose(mass_matrix(chain, q[0]), mass_matrix(chain, q)[0], atol=1e-14)
    np.testing.assert_allclose(gravity_torques(chain, q[0]), gravity_torques(chain, q)[0], atol=1e-12)


def test_masses_given_in_the_link_frames_of_an_opw_chain_keep_their_places():
    """Potential energy of the OPW arm, from its link frames, is what the gravity torques are the slope of."""
    chain = ARMS["KR 6 R900-2"][0]
    bodies = random_bodies(np.random.default_rng(12))
    serial = chain.serial(bodies)

    def energy(q):
        X = link_frames(chain, q)[:, 1:]
        height = (X[:, :, 2, :3] * bodies.com).sum(axis=2) + X[:, :, 2, 3]
        return 9.80665 * height @ bodies.mass

    q, step = motion(20)[0], 1e-5
    for k in range(6):
        slope = (energy(q + step * np.eye(6)[k]) - energy(q - step * np.eye(6)[k])) / (2 * step)
        np.testing.assert_allclose(gravity_torques(serial, q)[:, k], slope, atol=1e-7)


def test_power_is_the_change_of_kinetic_energy():
    weightless = SerialChain(
        X_joint=CHAIN.X_joint, q_min=CHAIN.q_min, q_max=CHAIN.q_max, bodies=CHAIN.bodies, gravity=np.zeros(3)
    )
    q, qd, qdd = motion(20)
    h = 1e-5

    def energy(t):
        M = mass_matrix(weightless, q + t * qd + 0.5 * t * t * qdd)
        v = qd + t * qdd
        return 0.5 * np.einsum("ni,nij,nj->n", v, M, v)

    power = (inverse_dynamics(weightless, q, qd, qdd) * qd).sum(axis=1)
    np.testing.assert_allclose(power, (energy(h) - energy(-h)) / (2 * h), rtol=1e-6, atol=1e-4)


def test_a_payload_adds_its_weight():
    q, qd, qdd = motion(10)
    com, inertia = [0.1, 0.0, 0.2], np.diag([0.02, 0.03, 0.01])
    loaded = CHAIN.with_payload(2.0, com, inertia)
    model = pinocchio_of(CHAIN)
    body = pinocchio.Inertia(2.0, np.array(com), inertia)
    model.appendBodyToJoint(6, body, pinocchio.SE3(CHAIN.X_joint[6]))
    data = model.createData()
    expected = [pinocchio.rnea(model, data, *one) for one in zip(q, qd, qdd, strict=True)]
    np.testing.assert_allclose(inverse_dynamics(loaded, q, qd, qdd), expected, atol=1e-11)


def test_every_form_of_input_gives_the_same():
    q, qd, qdd = motion(9)
    expected = inverse_dynamics(CHAIN, q, qd, qdd)
    given = inverse_dynamics(CHAIN, np.asfortranarray(q), qd[::-1][::-1], qdd.tolist())
    np.testing.assert_array_equal(given, expected)
    single = inverse_dynamics(CHAIN, q[0], qd[0], qdd[0])
    assert single.shape == (6,)
    np.testing.assert_allclose(single, expected[0], atol=1e-13)
    assert inverse_dynamics(CHAIN, *np.empty((3, 0, 6))).shape == (0, 6)
    whole = inverse_dynamics(CHAIN, np.zeros(6, int), np.ones(6, np.float32), np.zeros(6))
    np.testing.assert_array_equal(whole, inverse_dynamics(CHAIN, np.zeros(6), np.ones(6), np.zeros(6)))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"q": np.full((2, 6), np.nan)}, r"q\[0, 0\]: nan"),
        ({"qd": np.full((2, 6), np.inf)}, r"qd\[0, 0\]: inf"),
        ({"qdd": np.full((2, 6), -np.inf)}, r"qdd\[0, 0\]: -inf"),
        ({"q": np.full((2, 6), 1e6)}, "at most 100000 rad"),
        ({"qd": np.zeros((3, 6))}, r"qd: shape \(3, 6\), expected \(2, 6\) as q"),
        ({"qdd": np.zeros(6)}, r"qdd: shape \(6,\), expected \(2, 6\) as q"),
        ({"q": "fast"}, "q: not an array of numbers"),
    ],
)
def test_malformed_motions_are_named(wrong, message):
    motions = {name: np.zeros((2, 6)) for name in ("q", "qd", "qdd")} | wrong
    with pytest.raises(KinematicsError, match=message):
        inverse_dynamics(CHAIN, **motions)


def test_dynamics_needs_masses():
    chain = ARMS["GP7"][0].serial()
    for call in (mass_matrix, gravity_torques):
        with pytest.raises(KinematicsError, match="dynamics needs an arm with known masses"):
            call(chain, np.zeros(6))
    assert isinstance(CHAIN.bodies, Bodies)
