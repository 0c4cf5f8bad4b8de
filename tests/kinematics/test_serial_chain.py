import numpy as np
import pinocchio
import pytest

from kinematics import Bodies, KinematicsError, SerialChain, forward_kinematics, jacobian, link_frames
from kinematics.serial_forward import serial_flange, serial_frames
from tests.kinematics.arms import ARMS
from tests.kinematics.samples import few_if_interpreted
from tests.reference.serial_arms import pinocchio_of, random_bodies, random_chain

N = few_if_interpreted(200, 12)
CHAIN = random_chain(np.random.default_rng(5))


def changed(**values):
    fields = {"X_joint": CHAIN.X_joint, "q_min": CHAIN.q_min, "q_max": CHAIN.q_max, "bodies": CHAIN.bodies}
    return SerialChain(**(fields | values))


@pytest.mark.parametrize("count", [1, 3, N])
def test_forward_kinematics_jacobian_and_link_frames_equal_pinocchio(count):
    model = pinocchio_of(CHAIN)
    data, flange = model.createData(), model.getFrameId("flange")
    q = np.random.default_rng(6).uniform(-np.pi, np.pi, (count, 6))
    X, J, L = forward_kinematics(CHAIN, q), jacobian(CHAIN, q), link_frames(CHAIN, q)
    for i in range(count):
        expected = pinocchio.computeFrameJacobian(model, data, q[i], flange, pinocchio.LOCAL_WORLD_ALIGNED)
        pinocchio.framesForwardKinematics(model, data, q[i])
        np.testing.assert_allclose(X[i], data.oMf[flange].homogeneous, atol=5e-15)
        np.testing.assert_allclose(J[i], expected, atol=5e-15)
        for k in range(7):
            np.testing.assert_allclose(L[i, k], data.oMi[k].homogeneous, atol=5e-15)


@pytest.mark.parametrize("name", ARMS)
def test_an_opw_chain_and_its_serial_form_are_the_same_arm(name):
    chain = ARMS[name][0]
    serial = chain.serial()
    q = np.random.default_rng(7).uniform(chain.q_min, chain.q_max, (N, 6))
    np.testing.assert_allclose(forward_kinematics(serial, q), forward_kinematics(chain, q), atol=4e-15)
    np.testing.assert_allclose(jacobian(serial, q), jacobian(chain, q), atol=4e-15)
    origins = link_frames(chain, q)[:, :, :3, 3]
    np.testing.assert_allclose(link_frames(serial, q)[:, :, :3, 3], origins, atol=4e-15)
    axes = link_frames(serial, q)[:, 1:, :3, 2]  # each joint turns about its link frame's z
    np.testing.assert_allclose(axes.swapaxes(1, 2), jacobian(chain, q)[:, 3:], atol=4e-15)


def test_one_configuration_has_no_batch_axis():
    q = np.linspace(-1, 1, 6)
    for function in (forward_kinematics, jacobian, link_frames):
        np.testing.assert_allclose(function(CHAIN, q), function(CHAIN, q[None])[0], atol=2e-15)
        assert function(CHAIN, np.empty((0, 6))).shape[0] == 0


def test_a_payload_is_a_part_of_the_last_link():
    com_F, inertia_F = np.array([0.1, -0.05, 0.2]), np.diag([0.03, 0.02, 0.04])
    model = pinocchio_of(CHAIN)
    body = pinocchio.Inertia(1.5, com_F, inertia_F)
    model.appendBodyToJoint(6, body, pinocchio.SE3(CHAIN.X_joint[6]))
    bodies = CHAIN.with_payload(1.5, com_F, inertia_F).bodies
    assert bodies.mass[5] == pytest.approx(model.inertias[6].mass)
    np.testing.assert_allclose(bodies.com[5], model.inertias[6].lever, atol=1e-15)
    np.testing.assert_allclose(bodies.inertia[5], model.inertias[6].inertia, atol=1e-14)
    np.testing.assert_array_equal(bodies.com[:5], CHAIN.bodies.com[:5])
    weightless = CHAIN.with_payload(0.0, com_F).bodies
    np.testing.assert_allclose(weightless.inertia, CHAIN.bodies.inertia, atol=1e-16)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"X_joint": np.tile(np.eye(4), (6, 1, 1))},
            r"chain.X_joint: shape \(6, 4, 4\), expected \(7, 4, 4\)",
        ),
        (
            {"X_joint": np.tile(1.01 * np.eye(4), (7, 1, 1))},
            r"chain.X_joint\[0\]: rotation 2.0e-02 from orthonormal",
        ),
        ({"X_joint": np.tile(np.diag([1, 1, -1, 1]), (7, 1, 1))}, r"chain.X_joint\[0\]: .*determinant -1"),
        (
            {"X_joint": np.tile(np.eye(4) + np.eye(4, k=-3), (7, 1, 1))},
            r"chain.X_joint\[0\]: last row \[1.0, 0.0",
        ),
        ({"q_min": CHAIN.q_max}, r"chain.q_min\[0\]: 3.14159 rad, expected less than q_max"),
        ({"gravity": [0, 0, np.nan]}, r"chain.gravity\[2\]: nan"),
    ],
)
def test_impossible_chains_are_refused(values, message):
    with pytest.raises(KinematicsError, match=message):
        changed(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mass": [1, 1, -2, 1, 1, 1]}, r"bodies.mass\[2\]: -2 kg, expected at least 0"),
        ({"inertia": np.tile(np.triu(np.ones((3, 3))), (6, 1, 1))}, r"bodies.inertia\[0\]: not symmetric"),
        ({"inertia": np.tile(np.diag([1, 1, -1.0]), (6, 1, 1))}, r"bodies.inertia\[0\]: principal moment -1"),
        ({"com": np.zeros(3)}, r"bodies.com: shape \(3,\)"),
    ],
)
def test_impossible_bodies_are_refused(values, message):
    bodies = random_bodies(np.random.default_rng(8))
    fields = {"mass": bodies.mass, "com": bodies.com, "inertia": bodies.inertia}
    with pytest.raises(KinematicsError, match=message):
        Bodies(**(fields | values))


def test_a_payload_needs_masses():
    with pytest.raises(KinematicsError, match="a payload needs an arm with known masses"):
        changed(bodies=None).with_payload(1.0, np.zeros(3))
    with pytest.raises(KinematicsError, match=r"bodies.mass\[5\]: -1 kg"):
        CHAIN.with_payload(-1.0, np.zeros(3))


def test_one_configuration_inside_a_kernel_gives_the_same():
    q = np.linspace(-1, 1, 6)
    frames = serial_frames(CHAIN.rows, tuple(q))
    expected = link_frames(CHAIN, q)
    for k, (x, y, z, p) in enumerate(frames, start=1):
        np.testing.assert_allclose(np.array([x, y, z, p]).T, expected[k, :3], atol=4e-15)
    x, y, z, p = serial_flange(CHAIN.rows, frames[5])
    np.testing.assert_allclose(np.array([x, y, z, p]).T, forward_kinematics(CHAIN, q)[:3], atol=4e-15)
